/* SPDX-License-Identifier: Apache-2.0 */
/* One small document from a web server, asked for or for another one. What it holds is judged by whoever asked. */
#include "fetch.h"

#ifdef RAFFLE_CLI_WITH_CURL
#include <curl/curl.h>
#include <string.h>

typedef struct body {
    char *out;
    size_t cap, length;
} body;

/* Returning less than it was given ends the transfer. */
static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
    body *b = ctx;
    if (size * n > b->cap - b->length)
        return 0;
    memcpy(b->out + b->length, bytes, size * n);
    b->length += size * n;
    return size * n;
}

static CURLcode ask(CURL *curl, const char *address, const fetch_body *send, body *b, long *status)
{
    char type[128];
    struct curl_slist *headers = NULL;
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, send != NULL && send->seconds > 0 ? send->seconds : 30L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* does not wait for a silent name server */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, b);
    if (send != NULL) {
        (void)snprintf(type, sizeof type, "Content-Type: %s", send->type);
        headers = curl_slist_append(NULL, type);
        if (headers == NULL)
            return CURLE_OUT_OF_MEMORY;
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)send->length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, send->bytes);
    }
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    curl_slist_free_all(headers);
    return code;
}

/* What may stand before the host's name is a password. */
static const char *without_user(const char *address)
{
    const char *name = strstr(address, "://") + 3;
    const char *end = name + strcspn(name, "/?#"), *at = memchr(name, '@', (size_t)(end - name));
    while (at != NULL) {
        name = at + 1;
        at = memchr(name, '@', (size_t)(end - name));
    }
    return name;
}

static raffle_rc failed(raffle_error *err, raffle_rc rc, const char *address, const char *what)
{
    char message[sizeof err->message];
    (void)snprintf(message, sizeof message, "%.150s%s%s", address, address[0] != 0 ? ": " : "", what);
    return raffle_error_set(err, rc, 0, message);
}

raffle_rc fetch_try(const char *address, const fetch_body *send, char *out, size_t cap, size_t *length, long *status,
                    raffle_error *err)
{
    body b = {out, cap, 0};
    if (strstr(address, "://") == NULL)
        return failed(err, RAFFLE_INVALID, address, "is no http:// or https:// address");
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return failed(err, RAFFLE_NOMEM, "", "out of memory");
    const CURLcode code = ask(curl, address, send, &b, status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return failed(err, RAFFLE_IO, without_user(address), curl_easy_strerror(code));
    *length = b.length;
    return RAFFLE_OK;
}

int fetch_answer(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length,
                 long *status)
{
    return fetch_try(address, send, out, cap, length, status, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

int fetch(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length)
{
    long answered = 0;
    int status = fetch_answer(c, address, send, out, cap, length, &answered);
    if (status == CLI_DONE && answered != 200)
        return cli_fail_as(c, RAFFLE_IO, "%.150s: the server answers %ld", without_user(address), answered);
    return status;
}

#else

raffle_rc fetch_try(const char *address, const fetch_body *send, char *out, size_t cap, size_t *length, long *status,
                    raffle_error *err)
{
    (void)address;
    (void)send;
    (void)out;
    (void)cap;
    (void)length;
    (void)status;
    return raffle_error_set(err, RAFFLE_UNSUPPORTED, 0, "this build reads no addresses");
}

int fetch_answer(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length,
                 long *status)
{
    return fetch_try(address, send, out, cap, length, status, &c->err) == RAFFLE_OK ? CLI_DONE : cli_fail(c);
}

int fetch(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length)
{
    long answered = 0;
    return fetch_answer(c, address, send, out, cap, length, &answered);
}

#endif
