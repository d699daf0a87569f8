/* SPDX-License-Identifier: Apache-2.0 */
/* Requests over libcurl: which options a handle gets, what is taken from an answer, and what is tried again. */
#include "kms_http.h"

#include "timestamp.h"
#include <curl/curl.h>
#include <pthread.h>
#include <raffle/version.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECT_MS = 5000,
    WAIT_MS = 500 /* the longest wait before the second attempt; it doubles with each */
};

struct rf_kms_http {
    _Atomic(CURL *) idle; /* a handle whose connection is open, for the next request; NULL: none */
    pid_t pid;
};

/* --- libcurl itself --- */

/* curl_global_init() counts its calls, and takes a lock of its own where CURL_VERSION_THREADSAFE says so, on Debian for one; so a host may
 * initialise libcurl too, before or after. Ours is never undone, so a host's curl_global_cleanup() takes nothing away from us. Where libcurl
 * has no such lock, the host must initialise it before its first thread, as libcurl's manual asks. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool initialised;

static void initialise(void)
{
    initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

rf_kms_http *rf_kms_http_new(void)
{
    pthread_once(&once, initialise);
    if (!initialised || (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_SSL) == 0 || sodium_init() < 0)
        return NULL;
    rf_kms_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return NULL;
    atomic_init(&http->idle, NULL);
    http->pid = getpid();
    return http;
}

/* After fork() the connection is the parent's: closing it here would end its TLS session. */
void rf_kms_http_free(rf_kms_http *http)
{
    if (http == NULL)
        return;
    CURL *idle = atomic_exchange(&http->idle, NULL);
    if (idle != NULL && http->pid == getpid())
        curl_easy_cleanup(idle);
    free(http);
}

static CURL *borrow(rf_kms_http *http)
{
    CURL *handle = atomic_exchange(&http->idle, NULL);
    return handle != NULL ? handle : curl_easy_init();
}

/* Without its options, of which some are secret; of several threads' handles one is kept. A connection on which anything went wrong is closed:
 * it could still hold bytes that the next request would take for its answer. */
static void give_back(rf_kms_http *http, CURL *handle, bool good)
{
    curl_easy_reset(handle);
    CURL *before = good ? atomic_exchange(&http->idle, handle) : handle;
    if (before != NULL)
        curl_easy_cleanup(before);
}

/* --- the answer --- */

static size_t take_body(char *data, size_t size, size_t count, void *to)
{
    rf_kms_response *r = to;
    const size_t n = size * count;
    if (n > sizeof r->body - r->length) {
        r->too_long = true;
        return CURL_WRITEFUNC_ERROR;
    }
    memcpy(r->body + r->length, data, n);
    r->length += n;
    return n;
}

/* The value of the header `name`, without white space around it; false when the line is another's. */
static bool is_header(const char *line, size_t length, const char *name, const char **value, size_t *n)
{
    const size_t prefix = strlen(name);
    if (length <= prefix || strncasecmp(line, name, prefix) != 0 || line[prefix] != ':')
        return false;
    const char *from = line + prefix + 1, *to = line + length;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]) != NULL)
        to--;
    *value = from;
    *n = (size_t)(to - from);
    return true;
}

static void take_id(rf_kms_response *r, const char *value, size_t n)
{
    r->id[0] = '\0';
    if (++r->ids > 1 || n > RAFFLE_NAME_MAX)
        return;
    for (size_t i = 0; i < n; i++)
        if (!rf_kms_is_alphanumeric(value[i]) && value[i] != '-')
            return;
    memcpy(r->id, value, n);
    r->id[n] = '\0';
}

/* An answer "100 Continue" is followed by another, with headers of its own. */
static size_t take_header(char *line, size_t size, size_t count, void *to)
{
    rf_kms_response *r = to;
    const size_t length = size * count;
    const char *value;
    size_t n;
    r->begun = true;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        r->id[0] = '\0';
        r->ids = 0;
    } else if (is_header(line, length, "x-amzn-RequestId", &value, &n)) {
        take_id(r, value, n);
    }
    return length;
}

/* --- one attempt --- */

/* The list is ours, so that libcurl copies no header that is secret; its options keep no pointer to it after curl_easy_reset(). */
static struct curl_slist *list_headers(const rf_kms_request *q, struct curl_slist nodes[RF_KMS_HEADERS])
{
    size_t n = 0;
    for (; n < RF_KMS_HEADERS && q->header[n] != NULL; n++) {
        nodes[n].data = (char *)q->header[n];
        nodes[n].next = NULL;
        if (n > 0)
            nodes[n - 1].next = &nodes[n];
    }
    return n == 0 ? NULL : nodes;
}

/* Signature version 4 is libcurl's. What its versions before 8.3.0 do wrong, queries and headers that are suppressed, no request here has;
 * the session's token is a header like another, and is signed. libcurl keeps copies of the key in memory of its own until the handle is reset,
 * and does not wipe them. */
static bool set_signature(CURL *handle, const rf_kms_request *q)
{
    char scope[sizeof "aws:amz::kms" + RF_KMS_REGION_MAX];
    if (q->region == NULL)
        return true;
    snprintf(scope, sizeof scope, "aws:amz:%s:kms", q->region);
    return curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, scope) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERNAME, q->credentials->key_id) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PASSWORD, q->credentials->secret) == CURLE_OK;
}

/* No proxy stands between us and an address that no other machine answers for. Signals are the host's: libcurl changes none, and from 7.88 on
 * writes to TLS connections, too, without raising SIGPIPE. */
static bool set_connection(CURL *handle, const rf_kms_request *q)
{
    const bool direct = q->url.loopback || q->url.metadata;
    return curl_easy_setopt(handle, CURLOPT_URL, q->url.text) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, q->url.tls ? "https" : "http") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_USERAGENT, "libraffle/" RAFFLE_VERSION) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* does not wait for a silent name server */
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
           (!direct || curl_easy_setopt(handle, CURLOPT_NOPROXY, "*") == CURLE_OK) &&
           (q->ca == NULL || (curl_easy_setopt(handle, CURLOPT_CAINFO, q->ca) == CURLE_OK &&
                              curl_easy_setopt(handle, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

static bool set_request(CURL *handle, const rf_kms_request *q, struct curl_slist *headers, int64_t limit_ms)
{
    return curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           (q->body == NULL || (curl_easy_setopt(handle, CURLOPT_POSTFIELDS, q->body) == CURLE_OK &&
                                curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, (long)strlen(q->body)) == CURLE_OK)) &&
           curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, q->method) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)limit_ms) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)(limit_ms < CONNECT_MS ? limit_ms : CONNECT_MS)) ==
               CURLE_OK;
}

static bool set_answer(CURL *handle, rf_kms_response *r)
{
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, r) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERDATA, r) == CURLE_OK;
}

/* A certificate that is not trusted now will not be in a second. */
static bool is_final(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
           code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT;
}

static rf_kms_outcome judge(CURLcode code, const rf_kms_response *r)
{
    if (code == CURLE_OUT_OF_MEMORY)
        return RF_KMS_NOMEM;
    return r->begun || is_final(code) ? RF_KMS_BROKEN : RF_KMS_UNREACHABLE;
}

static rf_kms_outcome perform(CURL *handle, rf_kms_response *r)
{
    long status = 0;
    CURLcode code = curl_easy_perform(handle);
    if (code != CURLE_OK) {
        r->timed_out = code == CURLE_OPERATION_TIMEDOUT;
        r->fault = r->too_long ? "the answer is too long" : curl_easy_strerror(code);
        return judge(code, r);
    }
    if (curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) {
        r->fault = "the answer has no status";
        return RF_KMS_BROKEN;
    }
    r->status = (int32_t)status;
    if (r->status != 200)
        rf_kms_read_error(r->body, r->length, r->error);
    return RF_KMS_ANSWERED;
}

static rf_kms_outcome attempt(rf_kms_http *http, const rf_kms_request *q, rf_kms_response *r, int64_t limit_ms)
{
    struct curl_slist nodes[RF_KMS_HEADERS];
    sodium_memzero(r, sizeof *r);
    CURL *handle = borrow(http);
    if (handle == NULL)
        return RF_KMS_NOMEM;
    rf_kms_outcome outcome = RF_KMS_NOMEM;
    if (set_connection(handle, q) && set_signature(handle, q) &&
        set_request(handle, q, list_headers(q, nodes), limit_ms) && set_answer(handle, r))
        outcome = perform(handle, r);
    give_back(http, handle, outcome == RF_KMS_ANSWERED && r->status == 200);
    return outcome;
}

/* --- trying again --- */

static bool is_throttled(const char *type)
{
    static const char *const types[] = {"ThrottlingException", "ThrottledException", "Throttling",
                                        "TooManyRequestsException", "RequestLimitExceeded"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return false;
}

static bool may_repeat(rf_kms_outcome outcome, const rf_kms_response *r)
{
    if (outcome == RF_KMS_UNREACHABLE)
        return true;
    return outcome == RF_KMS_ANSWERED && (r->status >= 500 || r->status == 429 || is_throttled(r->error));
}

/* Full jitter: a random part of a time that doubles. False when the deadline would pass meanwhile. */
static bool wait_before(int32_t attempt_number, int64_t deadline)
{
    const uint32_t longest = (uint32_t)WAIT_MS << attempt_number;
    const uint32_t ms = randombytes_uniform(longest);
    if (deadline - rf_clock_monotonic() <= (int64_t)ms)
        return false;
    nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000L}, NULL);
    return true;
}

rf_kms_outcome rf_kms_http_send(rf_kms_http *http, const rf_kms_request *q, rf_kms_response *r)
{
    rf_kms_outcome outcome = RF_KMS_LATE;
    sodium_memzero(r, sizeof *r);
    for (int32_t i = 0; i < q->attempts; i++) {
        if (i > 0 && !wait_before(i - 1, q->deadline))
            return RF_KMS_LATE;
        const int64_t left = q->deadline - rf_clock_monotonic();
        if (left <= 0)
            return RF_KMS_LATE;
        outcome = attempt(http, q, r, left < q->attempt_ms ? left : q->attempt_ms);
        if (r->timed_out && left <= q->attempt_ms)
            return RF_KMS_LATE;
        if (!may_repeat(outcome, r))
            break;
    }
    return outcome;
}
