/* SPDX-License-Identifier: Apache-2.0 */
/* One small document from a web server, for the command. What it holds is judged by whoever asked. */
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

static CURLcode get(CURL *curl, const char *address, body *b, long *status)
{
    curl_easy_setopt(curl, CURLOPT_URL, address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* does not wait for a silent name server */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, b);
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
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

int fetch(cli *c, const char *address, char *out, size_t cap, size_t *length)
{
    body b = {out, cap, 0};
    long status = 0;
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return cli_fail_as(c, RAFFLE_NOMEM, "out of memory");
    const CURLcode code = get(curl, address, &b, &status);
    curl_easy_cleanup(curl);
    const char *shown = without_user(address);
    if (code != CURLE_OK)
        return cli_fail_as(c, RAFFLE_IO, "%.150s: %s", shown, curl_easy_strerror(code));
    if (status != 200)
        return cli_fail_as(c, RAFFLE_IO, "%.150s: the server answers %ld", shown, status);
    *length = b.length;
    return CLI_DONE;
}

#else

int fetch(cli *c, const char *address, char *out, size_t cap, size_t *length)
{
    (void)out;
    (void)cap;
    (void)length;
    return cli_fail_as(c, RAFFLE_UNSUPPORTED, "%.150s: this build reads no addresses", address);
}

#endif
