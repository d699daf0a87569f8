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
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
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

int fetch_answer(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length,
                 long *status)
{
    body b = {out, cap, 0};
    if (strstr(address, "://") == NULL)
        return cli_fail_as(c, RAFFLE_INVALID, "%.150s is no http:// or https:// address", address);
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return cli_fail_as(c, RAFFLE_NOMEM, "out of memory");
    const CURLcode code = ask(curl, address, send, &b, status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK)
        return cli_fail_as(c, RAFFLE_IO, "%.150s: %s", without_user(address), curl_easy_strerror(code));
    *length = b.length;
    return CLI_DONE;
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

int fetch_answer(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length,
                 long *status)
{
    (void)send;
    (void)out;
    (void)cap;
    (void)length;
    (void)status;
    return cli_fail_as(c, RAFFLE_UNSUPPORTED, "%.150s: this build reads no addresses", address);
}

int fetch(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length)
{
    long answered = 0;
    return fetch_answer(c, address, send, out, cap, length, &answered);
}

#endif
