/* SPDX-License-Identifier: Apache-2.0 */
/* A published raffle on a web server, over libcurl: plain GETs, no redirects, bounded in size and time. */
#include "published/source.h"

#include "error.h"
#include <stdlib.h>
#include <string.h>

#ifdef RAFFLE_WITH_HTTP
#include <curl/curl.h>
#include <pthread.h>
#include <raffle/version.h>
#include <stdio.h>

enum {
    IDLE_MOST = 64, /* handles, each with its connection: as many as an audit has threads */
    ADDRESS_MOST = 2048,
    CONNECT_S = 10,
    SILENT_S = 30, /* without a byte */
    FILE_S = 600
};

typedef struct http {
    pthread_mutex_t lock; /* guards what follows */
    size_t idles;
    CURL *idle[IDLE_MOST];
    char address[]; /* ends in '/' */
} http;

/* curl_global_init() counts its calls and has a lock of its own where CURL_VERSION_THREADSAFE says so; else the host must call it before its first
 * thread, as libcurl's manual asks. Ours is never undone. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool initialised;

static void initialise(void)
{
    initialised = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static CURL *borrow(http *h)
{
    CURL *handle = NULL;
    pthread_mutex_lock(&h->lock);
    if (h->idles > 0)
        handle = h->idle[--h->idles];
    pthread_mutex_unlock(&h->lock);
    return handle != NULL ? handle : curl_easy_init();
}

static void give_back(http *h, CURL *handle, bool good)
{
    curl_easy_reset(handle); /* its connection stays open */
    pthread_mutex_lock(&h->lock);
    if (good && h->idles < IDLE_MOST) {
        h->idle[h->idles++] = handle;
        handle = NULL;
    }
    pthread_mutex_unlock(&h->lock);
    curl_easy_cleanup(handle);
}

typedef struct answer {
    CURL *handle;
    rf_bytes *out;
    size_t max;
    long status; /* 0: not known */
    bool too_long, no_memory;
} answer;

/* Of anything but a 200 the page is not wanted, and may be longer than the file could be. */
static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
    answer *a = ctx;
    const size_t more = size * n;
    curl_easy_getinfo(a->handle, CURLINFO_RESPONSE_CODE, &a->status);
    a->too_long = a->status == 200 && more > a->max - a->out->length;
    if (a->status != 200 || a->too_long)
        return CURL_WRITEFUNC_ERROR;
    const bool fits = more <= a->out->cap - a->out->length;
    a->no_memory = !fits && !rf_bytes_room(a->out, more + a->out->length); /* twice as much */
    if (a->no_memory)
        return CURL_WRITEFUNC_ERROR;
    memcpy(a->out->at + a->out->length, bytes, more);
    a->out->length += more;
    return more;
}

static CURLcode perform(CURL *handle, const char *url, answer *a)
{
    curl_easy_setopt(handle, CURLOPT_URL, url);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "libraffle/" RAFFLE_VERSION);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT, (long)FILE_S);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, a);
    const CURLcode code = curl_easy_perform(handle);
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &a->status);
    return code;
}

/* Buckets answer 403 for what is not there, to those who may not list them. */
static raffle_rc judge(const answer *a, CURLcode code, const char *path, raffle_error *err)
{
    const long status = a->status;
    if (status == 403 || status == 404 || status == 410)
        return rf_fail(err, RAFFLE_NOT_FOUND, "%s is missing: the server answers %ld", path, status);
    if (status >= 300 && status < 400)
        return rf_fail(err, RAFFLE_IO, "cannot get %s: the server answers %ld, and redirects are not followed", path,
                       status);
    if (status != 200 && status != 0)
        return rf_fail(err, RAFFLE_IO, "cannot get %s: the server answers %ld", path, status);
    if (a->no_memory)
        return rf_nomem(err);
    if (a->too_long)
        return rf_fail(err, RAFFLE_CORRUPT, "%s has more than the %zu bytes that it can have", path, a->max);
    if (code != CURLE_OK)
        return rf_fail(err, RAFFLE_IO, "cannot get %s: %s", path, curl_easy_strerror(code));
    return rf_bytes_room(a->out, 1) ? RAFFLE_OK : rf_nomem(err); /* there are bytes to look at, if none */
}

static raffle_rc get(void *ctx, const char *path, size_t max, rf_bytes *out, raffle_error *err)
{
    http *h = ctx;
    char url[ADDRESS_MOST + 256];
    CURL *handle = borrow(h);
    answer a = {.handle = handle, .out = out, .max = max};
    if (handle == NULL)
        return rf_nomem(err);
    snprintf(url, sizeof url, "%s%s", h->address, path);
    const CURLcode code = perform(handle, url, &a);
    give_back(h, handle, code == CURLE_OK);
    return judge(&a, code, path, err);
}

static void close_http(void *ctx)
{
    http *h = ctx;
    for (size_t i = 0; i < h->idles; i++)
        curl_easy_cleanup(h->idle[i]);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

/* A user could come with a password, which would then stand in sentences; a query or a fragment makes no folder's address. */
static raffle_rc check_address(const char *address, size_t length, raffle_error *err)
{
    if (length > ADDRESS_MOST)
        return rf_fail(err, RAFFLE_LIMIT, "the address has %zu bytes; %d are the most", length, (int)ADDRESS_MOST);
    for (size_t i = 0; i < length; i++)
        if (address[i] <= ' ' || address[i] > '~' || strchr("@?#\\", address[i]) != NULL)
            return rf_fail(
                err, RAFFLE_INVALID,
                "the address holds what one of a published raffle does not: a user, a query, a fragment or a "
                "character that must be encoded");
    return RAFFLE_OK;
}

raffle_rc rf_source_http(const char *address, rf_source *out, raffle_error *err)
{
    const size_t length = strlen(address);
    raffle_rc rc = check_address(address, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    pthread_once(&once, initialise);
    http *h = calloc(1, sizeof *h + length + 2);
    if (h == NULL || !initialised) {
        free(h);
        return initialised ? rf_nomem(err) : rf_fail(err, RAFFLE_IO, "libcurl cannot be initialised");
    }
    memcpy(h->address, address, length);
    if (length > 0 && address[length - 1] != '/')
        h->address[length] = '/';
    pthread_mutex_init(&h->lock, NULL);
    *out = (rf_source){h, get, close_http};
    return RAFFLE_OK;
}

#else

raffle_rc rf_source_http(const char *address, rf_source *out, raffle_error *err)
{
    (void)address;
    (void)out;
    return rf_fail(err, RAFFLE_UNSUPPORTED, "this build reads no raffles from web servers");
}

#endif
