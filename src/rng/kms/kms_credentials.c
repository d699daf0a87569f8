/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials in the order of AWS's SDKs: environment, container, instance (IMDSv2 only), and then the host. A source that is configured and
 * fails is a failure; no other takes its place. No lock is held while a service or the host is asked. */
#include "kms_credentials.h"

#include "error.h"
#include "timestamp.h"
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    FILE_MAX = 1024,
    AUTHORIZATION_MAX = RF_KMS_TOKEN_MAX,
    RENEW_MS = 15 * 60 * 1000, /* before they expire */
    CONTAINER_MS = 2000,
    IMDS_MS = 1000, /* where there is no such service, nothing answers */
    ATTEMPTS = 3,
    ROLE_MAX = 64
};

static const char container_host[] = "http://169.254.170.2";

struct rf_kms_keyring {
    char name[RAFFLE_NAME_SIZE]; /* of the provider, for sentences */
    rf_kms_source source;        /* RF_KMS_ANY: the instance, and then the host */
    raffle_rc (*secret)(void *ctx, const char *what, uint8_t *out, size_t cap, size_t *length, raffle_error *err);
    void *ctx;
    rf_kms_url container, imds;
    char authorization_file[FILE_MAX]; /* "": none; read again each time */
    char authorization[AUTHORIZATION_MAX + 1];
    pthread_mutex_t lock;    /* over what follows */
    rf_kms_credentials kept; /* key_id "": none */
};

/* --- the environment, when the provider is opened: later, another thread could be changing it --- */

/* The variable, or NULL when it is not set or empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

static raffle_rc copy_variable(const char *name, char *out, size_t size, raffle_error *err)
{
    const char *value = variable(name);
    if (value == NULL)
        return RAFFLE_OK;
    const size_t length = strlen(value);
    if (length >= size)
        return rf_fail(err, RAFFLE_INVALID, "kms: %s has more than %zu bytes", name, size - 1);
    memcpy(out, value, length + 1);
    return RAFFLE_OK;
}

static raffle_rc read_keys(rf_kms_keyring *k, raffle_error *err)
{
    const char *id = variable("AWS_ACCESS_KEY_ID"), *secret = variable("AWS_SECRET_ACCESS_KEY");
    if ((id == NULL) != (secret == NULL))
        return rf_fail(err, RAFFLE_INVALID, "kms: %s is set, and %s is not",
                       id == NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                       id == NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
    raffle_rc rc = copy_variable("AWS_ACCESS_KEY_ID", k->kept.key_id, sizeof k->kept.key_id, err);
    if (rc == RAFFLE_OK)
        rc = copy_variable("AWS_SECRET_ACCESS_KEY", k->kept.secret, sizeof k->kept.secret, err);
    if (rc == RAFFLE_OK)
        rc = copy_variable("AWS_SESSION_TOKEN", k->kept.token, sizeof k->kept.token, err);
    k->kept.expires = INT64_MAX;
    const char *fault = rc == RAFFLE_OK && id != NULL ? rf_kms_check_credentials(&k->kept) : NULL;
    if (fault != NULL)
        return rf_fail(err, RAFFLE_INVALID, "kms: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN: one %s",
                       fault);
    return rc;
}

static raffle_rc need_keys(rf_kms_keyring *k, raffle_error *err)
{
    raffle_rc rc = read_keys(k, err);
    if (rc == RAFFLE_OK && k->kept.key_id[0] == '\0')
        return rf_fail(err, RAFFLE_INVALID, "kms: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    return rc;
}

/* As AWS's SDKs have it, the path on the containers' address comes before a whole URL. */
static raffle_rc read_container_url(rf_kms_keyring *k, raffle_error *err)
{
    char url[RF_KMS_URL_MAX + 1];
    const char *relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *which =
        relative != NULL ? "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" : "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    if (relative == NULL && full == NULL)
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and "
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI are not set");
    int n =
        snprintf(url, sizeof url, "%s%s", relative != NULL ? container_host : full, relative != NULL ? relative : "");
    bool good = n > 0 && (size_t)n < sizeof url && (relative == NULL || relative[0] == '/') &&
                rf_kms_url_parse(&k->container, url);
    if (!good)
        return rf_fail(err, RAFFLE_INVALID, "kms: %s is no URL that this provider can ask", which);
    if (!rf_kms_url_is_safe(&k->container))
        return rf_fail(err, RAFFLE_INVALID, "kms: %s is http: to a host that is neither loopback nor AWS's own address",
                       which);
    return RAFFLE_OK;
}

static raffle_rc read_container(rf_kms_keyring *k, raffle_error *err)
{
    raffle_rc rc = read_container_url(k, err);
    if (rc == RAFFLE_OK)
        rc = copy_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", k->authorization_file,
                           sizeof k->authorization_file, err);
    if (rc == RAFFLE_OK)
        rc = copy_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", k->authorization, sizeof k->authorization, err);
    return rc;
}

static bool imds_is_disabled(void)
{
    const char *disabled = variable("AWS_EC2_METADATA_DISABLED");
    return disabled != NULL && strcasecmp(disabled, "true") == 0;
}

static raffle_rc read_imds(rf_kms_keyring *k, raffle_error *err)
{
    const char *url = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (imds_is_disabled())
        return rf_fail(err, RAFFLE_INVALID, "kms: AWS_EC2_METADATA_DISABLED forbids credentials=imds");
    if (url == NULL)
        url = mode != NULL && strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    if (!rf_kms_url_parse(&k->imds, url) || k->imds.path || !rf_kms_url_is_safe(&k->imds))
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: AWS_EC2_METADATA_SERVICE_ENDPOINT is no https: URL, nor http: to loopback or AWS's own "
                       "address, without a path");
    return RAFFLE_OK;
}

static raffle_rc need_host(const rf_kms_keyring *k, raffle_error *err)
{
    if (k->secret == NULL)
        return rf_fail(err, RAFFLE_INVALID, "kms: the host has no callback for secrets, as credentials=host needs");
    return RAFFLE_OK;
}

/* Without a choice in the URI: the first source that the environment names; else the instance and, after it, the host. */
static raffle_rc choose(rf_kms_keyring *k, raffle_error *err)
{
    if (variable("AWS_ACCESS_KEY_ID") != NULL || variable("AWS_SECRET_ACCESS_KEY") != NULL)
        k->source = RF_KMS_ENVIRONMENT;
    else if (variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != NULL ||
             variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") != NULL)
        k->source = RF_KMS_CONTAINER;
    else if (!imds_is_disabled() && k->secret == NULL)
        k->source = RF_KMS_IMDS;
    else if (imds_is_disabled() && k->secret != NULL)
        k->source = RF_KMS_HOST;
    else if (imds_is_disabled())
        return rf_fail(err, RAFFLE_INVALID,
                       "kms: there is no source of credentials: AWS_ACCESS_KEY_ID is not set, and "
                       "AWS_EC2_METADATA_DISABLED is");
    return RAFFLE_OK;
}

static raffle_rc read_environment(rf_kms_keyring *k, raffle_error *err)
{
    raffle_rc rc = k->source == RF_KMS_ANY ? choose(k, err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    switch (k->source) {
    case RF_KMS_ENVIRONMENT:
        return need_keys(k, err);
    case RF_KMS_CONTAINER:
        return read_container(k, err);
    case RF_KMS_HOST:
        return need_host(k, err);
    default:
        return read_imds(k, err);
    }
}

/* --- making and freeing --- */

void rf_kms_keyring_free(rf_kms_keyring *keyring)
{
    if (keyring == NULL)
        return;
    pthread_mutex_destroy(&keyring->lock);
    sodium_free(keyring); /* wipes it */
}

raffle_rc rf_kms_keyring_new(const char *name, rf_kms_source source, const raffle_host *host, rf_kms_keyring **out,
                             raffle_error *err)
{
    rf_kms_keyring *k = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *k);
    if (k == NULL)
        return rf_nomem(err);
    memset(k, 0, sizeof *k);
    if (pthread_mutex_init(&k->lock, NULL) != 0) {
        sodium_free(k);
        return rf_nomem(err);
    }
    memcpy(k->name, name, strnlen(name, RAFFLE_NAME_MAX));
    k->source = source;
    k->secret = host->secret;
    k->ctx = host->ctx;
    raffle_rc rc = read_environment(k, err);
    if (rc == RAFFLE_OK)
        *out = k;
    else
        rf_kms_keyring_free(k);
    return rc;
}

/* --- asking a service --- */

/* The sentence of a failed request; `what` says what was asked for. */
static raffle_rc fail_request(const rf_kms_keyring *k, const char *what, rf_kms_outcome outcome,
                              const rf_kms_response *r, raffle_error *err)
{
    if (outcome == RF_KMS_NOMEM)
        return rf_nomem(err);
    if (outcome == RF_KMS_LATE)
        return rf_fail(err, RAFFLE_TIMEOUT, "the provider \"%s\": %s did not come in time", k->name, what);
    if (outcome != RF_KMS_ANSWERED)
        return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": %s: %s", k->name, what, r->fault);
    return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": %s: HTTP %d", k->name, what, r->status);
}

static raffle_rc fail_answer(const rf_kms_keyring *k, const char *what, const char *fault, raffle_error *err)
{
    return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": %s: the answer %s", k->name, what, fault);
}

/* The credentials in the answer; those that have expired already are none. */
static raffle_rc read_answer(const rf_kms_keyring *k, const char *what, rf_kms_work *work, raffle_error *err)
{
    const char *fault = rf_kms_read_credentials(work->response.body, work->response.length, &work->credentials);
    if (fault == NULL && work->credentials.expires <= rf_clock_now())
        fault = "holds credentials that have expired";
    return fault == NULL ? RAFFLE_OK : fail_answer(k, what, fault, err);
}

/* --- a container --- */

/* The file's text, without the newline at its end; false when it cannot be read, or is no text. */
static bool read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    setvbuf(file, NULL, _IONBF, 0); /* no copy in a buffer that is not wiped */
    size_t n = fread(out, 1, size - 1, file);
    bool good = !ferror(file) && n < size - 1 && memchr(out, '\0', n) == NULL;
    fclose(file);
    if (n > 0 && out[n - 1] == '\n')
        n--;
    out[n] = '\0';
    return good && n > 0;
}

static bool is_header_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* "Authorization: TOKEN", from the file when there is one; `*header` stays NULL when there is no token. */
static raffle_rc authorize(const rf_kms_keyring *k, rf_kms_work *work, const char **header, raffle_error *err)
{
    static const char prefix[] = "Authorization: ";
    char *token = work->header + sizeof prefix - 1;
    const size_t size = sizeof work->header - (sizeof prefix - 1);
    memcpy(work->header, prefix, sizeof prefix);
    if (k->authorization_file[0] != '\0') {
        if (!read_file(k->authorization_file, token, size))
            return rf_fail(err, RAFFLE_RNG,
                           "the provider \"%s\": the file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names cannot be "
                           "read, or is empty, too long or no text",
                           k->name);
    } else if (k->authorization[0] != '\0') {
        memcpy(token, k->authorization, strlen(k->authorization) + 1);
    } else {
        return RAFFLE_OK;
    }
    if (!is_header_value(token))
        return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": the container's authorization token is no header's value",
                       k->name);
    *header = work->header;
    return RAFFLE_OK;
}

static raffle_rc ask_container(const rf_kms_keyring *k, rf_kms_http *http, int64_t deadline, rf_kms_work *work,
                               raffle_error *err)
{
    static const char what[] = "the container's credentials";
    rf_kms_request request = {
        .url = k->container, .method = "GET", .attempts = ATTEMPTS, .attempt_ms = CONTAINER_MS, .deadline = deadline};
    raffle_rc rc = authorize(k, work, &request.header[0], err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_kms_outcome outcome = rf_kms_http_send(http, &request, &work->response);
    if (outcome != RF_KMS_ANSWERED || work->response.status != 200)
        return fail_request(k, what, outcome, &work->response, err);
    return read_answer(k, what, work, err);
}

/* --- an instance --- */

static raffle_rc ask_imds(const rf_kms_keyring *k, rf_kms_http *http, rf_kms_request *request, const char *path,
                          rf_kms_work *work, rf_kms_outcome *outcome, raffle_error *err)
{
    char url[RF_KMS_URL_MAX + 1];
    const size_t base = strlen(k->imds.text) - (k->imds.text[strlen(k->imds.text) - 1] == '/' ? 1 : 0);
    int n = snprintf(url, sizeof url, "%.*s%s", (int)base, k->imds.text, path);
    if (n < 0 || (size_t)n >= sizeof url || !rf_kms_url_parse(&request->url, url))
        return rf_fail(err, RAFFLE_RNG, "the provider \"%s\": the instance's role has no name for a URL", k->name);
    *outcome = rf_kms_http_send(http, request, &work->response);
    if (*outcome != RF_KMS_ANSWERED || work->response.status != 200)
        return fail_request(k, "the instance's credentials", *outcome, &work->response, err);
    return RAFFLE_OK;
}

/* The session's token, as the header of what follows. */
static raffle_rc take_session(const rf_kms_keyring *k, rf_kms_work *work, raffle_error *err)
{
    static const char prefix[] = "X-aws-ec2-metadata-token: ";
    const rf_kms_response *r = &work->response;
    if (r->length == 0 || r->length > RF_KMS_TOKEN_MAX)
        return fail_answer(k, "the instance's session", "is empty or too long", err);
    memcpy(work->header, prefix, sizeof prefix - 1);
    memcpy(work->header + sizeof prefix - 1, r->body, r->length);
    work->header[sizeof prefix - 1 + r->length] = '\0';
    if (memchr(r->body, '\0', r->length) != NULL || !is_header_value(work->header))
        return fail_answer(k, "the instance's session", "is no header's value", err);
    return RAFFLE_OK;
}

/* The first line of the answer. */
static raffle_rc take_role(const rf_kms_keyring *k, const rf_kms_response *r, char role[ROLE_MAX + 1],
                           raffle_error *err)
{
    size_t n = 0;
    while (n < r->length && (rf_kms_is_alphanumeric(r->body[n]) || memchr("_+=,.@-", r->body[n], 7) != NULL))
        n++;
    if (n == 0 || n > ROLE_MAX || (n < r->length && r->body[n] != '\n' && r->body[n] != '\r'))
        return fail_answer(k, "the instance's role", "names none", err);
    memcpy(role, r->body, n);
    role[n] = '\0';
    return RAFFLE_OK;
}

/* IMDSv2: a session's token, the role's name, its credentials. `*absent`: nothing answered, so this is no instance; that is asked once only when
 * the host could be asked instead. */
static raffle_rc ask_instance(const rf_kms_keyring *k, rf_kms_http *http, int64_t deadline, rf_kms_work *work,
                              bool *absent, raffle_error *err)
{
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    char role[ROLE_MAX + 1], path[sizeof folder + ROLE_MAX];
    rf_kms_outcome outcome = RF_KMS_ANSWERED;
    rf_kms_request request = {.method = "PUT",
                              .body = "",
                              .header = {"X-aws-ec2-metadata-token-ttl-seconds: 300"},
                              .attempts = k->source == RF_KMS_ANY ? 1 : ATTEMPTS,
                              .attempt_ms = IMDS_MS,
                              .deadline = deadline};
    raffle_rc rc = ask_imds(k, http, &request, "/latest/api/token", work, &outcome, err);
    *absent = outcome == RF_KMS_UNREACHABLE;
    if (rc == RAFFLE_OK)
        rc = take_session(k, work, err);
    request.method = "GET";
    request.body = NULL;
    request.header[0] = work->header;
    request.attempts = ATTEMPTS;
    if (rc == RAFFLE_OK)
        rc = ask_imds(k, http, &request, folder, work, &outcome, err);
    if (rc == RAFFLE_OK)
        rc = take_role(k, &work->response, role, err);
    if (rc != RAFFLE_OK)
        return rc;
    snprintf(path, sizeof path, "%s%s", folder, role);
    rc = ask_imds(k, http, &request, path, work, &outcome, err);
    return rc == RAFFLE_OK ? read_answer(k, "the instance's credentials", work, err) : rc;
}

/* --- the host --- */

static raffle_rc ask_host(const rf_kms_keyring *k, rf_kms_work *work, raffle_error *err)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    rf_kms_response *r = &work->response;
    size_t length = SIZE_MAX;
    raffle_rc rc = k->secret(k->ctx, "aws-credentials", (uint8_t *)r->body, sizeof r->body, &length, &theirs);
    if (rc == RAFFLE_OK && length <= sizeof r->body) {
        r->length = length;
        return read_answer(k, "the host's secret \"aws-credentials\"", work, err);
    }
    rf_fail(err, RAFFLE_HOST, "the host's secret \"aws-credentials\" failed: %s",
            rc == RAFFLE_OK ? "its length was not given" : theirs.message);
    if (err != NULL)
        err->token = theirs.token;
    return RAFFLE_HOST;
}

static raffle_rc ask(const rf_kms_keyring *k, rf_kms_http *http, int64_t deadline, rf_kms_work *work, raffle_error *err)
{
    bool absent = false;
    if (k->source == RF_KMS_CONTAINER)
        return ask_container(k, http, deadline, work, err);
    if (k->source == RF_KMS_HOST)
        return ask_host(k, work, err);
    raffle_rc rc = ask_instance(k, http, deadline, work, &absent, err);
    if (rc == RAFFLE_RNG && absent && k->source == RF_KMS_ANY)
        return ask_host(k, work, err);
    return rc;
}

/* --- keeping --- */

static void recall(rf_kms_keyring *k, rf_kms_credentials *out)
{
    pthread_mutex_lock(&k->lock);
    *out = k->kept;
    pthread_mutex_unlock(&k->lock);
}

/* Those without an end may be changed at any time: their source is asked each time. */
static void keep(rf_kms_keyring *k, const rf_kms_credentials *c)
{
    if (c->expires == INT64_MAX)
        return;
    pthread_mutex_lock(&k->lock);
    k->kept = *c;
    pthread_mutex_unlock(&k->lock);
}

void rf_kms_keyring_forget(rf_kms_keyring *k)
{
    if (k->source == RF_KMS_ENVIRONMENT)
        return;
    pthread_mutex_lock(&k->lock);
    sodium_memzero(&k->kept, sizeof k->kept);
    pthread_mutex_unlock(&k->lock);
}

/* Renewing early takes half of the time at most, and its failure is none: what is kept is still valid. False when another thread was told that
 * it is not. */
static bool renew(rf_kms_keyring *k, rf_kms_http *http, int64_t deadline, rf_kms_work *work)
{
    const int64_t now = rf_clock_monotonic(), left = deadline - now;
    const int64_t limit = left / 2 < CONTAINER_MS ? left / 2 : CONTAINER_MS;
    if (ask(k, http, now + limit, work, NULL) == RAFFLE_OK)
        keep(k, &work->credentials);
    else
        recall(k, &work->credentials);
    return work->credentials.key_id[0] != '\0';
}

raffle_rc rf_kms_keyring_get(rf_kms_keyring *k, rf_kms_http *http, int64_t deadline, rf_kms_work *work,
                             raffle_error *err)
{
    const int64_t now = rf_clock_now();
    recall(k, &work->credentials);
    const bool valid = work->credentials.key_id[0] != '\0' && work->credentials.expires > now;
    if (valid && work->credentials.expires - now >= RENEW_MS)
        return RAFFLE_OK;
    if (valid && renew(k, http, deadline, work))
        return RAFFLE_OK;
    raffle_rc rc = ask(k, http, deadline, work, err);
    if (rc == RAFFLE_OK)
        keep(k, &work->credentials);
    return rc;
}
