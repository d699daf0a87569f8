/* SPDX-License-Identifier: Apache-2.0 */
/* Taking URIs apart (RFC 3986 §2.1, §3; no authority, no normalisation). */
#include "uri.h"

#include "error.h"
#include <string.h>

static bool is_scheme_char(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (!first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

/* The length of the scheme that is followed by a colon, or 0. */
static size_t scheme_length(const char *text)
{
    size_t n = 0;
    while (is_scheme_char(text[n], n == 0))
        n++;
    return text[n] == ':' ? n : 0;
}

bool rf_uri_has_scheme(const char *text)
{
    return scheme_length(text) > 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes one part into `uri->text`, ended by NUL. There is room: decoding never lengthens. */
static raffle_rc decode(rf_uri *uri, const char *part, size_t length, size_t *at, raffle_error *err)
{
    *at = uri->used;
    for (size_t i = 0; i < length; i++) {
        char c = part[i];
        if (c == '%') {
            int high = length - i > 2 ? hex_digit(part[i + 1]) : -1;
            int low = length - i > 2 ? hex_digit(part[i + 2]) : -1;
            if (high < 0 || low < 0)
                return rf_fail(err, RAFFLE_INVALID, "URI: '%%' without two hexadecimal digits in \"%.*s\"", (int)length,
                               part);
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (c == '\0')
            return rf_fail(err, RAFFLE_INVALID, "URI: an encoded NUL in \"%.*s\"", (int)length, part);
        uri->text[uri->used++] = c;
    }
    uri->text[uri->used++] = '\0';
    return RAFFLE_OK;
}

static raffle_rc parse_pair(rf_uri *uri, const char *pair, size_t length, raffle_error *err)
{
    const char *equals = memchr(pair, '=', length);
    if (equals == NULL || equals == pair)
        return rf_fail(err, RAFFLE_INVALID, "URI: \"%.*s\" is not key=value", (int)length, pair);
    if (uri->queries == RF_URI_QUERIES)
        return rf_fail(err, RAFFLE_LIMIT, "URI: more than %d keys", (int)RF_URI_QUERIES);
    size_t key_length = (size_t)(equals - pair);
    size_t key = 0, value = 0;
    raffle_rc rc = decode(uri, pair, key_length, &key, err);
    if (rc == RAFFLE_OK)
        rc = decode(uri, equals + 1, length - key_length - 1, &value, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_uri_get(uri, uri->text + key) != NULL)
        return rf_fail(err, RAFFLE_INVALID, "URI: the key \"%s\" is given twice", uri->text + key);
    uri->query[uri->queries].key = key;
    uri->query[uri->queries].value = value;
    uri->queries++;
    return RAFFLE_OK;
}

static raffle_rc parse_query(rf_uri *uri, const char *query, size_t length, raffle_error *err)
{
    const char *end = query + length;
    for (;;) {
        const char *ampersand = memchr(query, '&', (size_t)(end - query));
        const char *stop = ampersand == NULL ? end : ampersand;
        raffle_rc rc = parse_pair(uri, query, (size_t)(stop - query), err);
        if (rc != RAFFLE_OK || ampersand == NULL)
            return rc;
        query = ampersand + 1;
    }
}

raffle_rc rf_uri_parse(rf_uri *uri, const char *text, raffle_error *err)
{
    *uri = (rf_uri){.used = 1};
    size_t length = strnlen(text, RF_URI_MAX + 1);
    if (length > RF_URI_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "URI: longer than %d bytes", (int)RF_URI_MAX);
    size_t scheme = scheme_length(text);
    if (scheme == 0 || scheme > RF_SCHEME_MAX)
        return rf_fail(err, RAFFLE_INVALID, "URI: \"%s\" does not begin with a scheme and ':'", text);
    memcpy(uri->scheme, text, scheme);
    const char *rest = text + scheme + 1;
    size_t rest_length = strcspn(rest, "?#");
    raffle_rc rc = decode(uri, rest, rest_length, &uri->rest, err);
    const char *next = rest + rest_length;
    if (rc == RAFFLE_OK && *next == '?') {
        size_t query_length = strcspn(next + 1, "#");
        rc = parse_query(uri, next + 1, query_length, err);
        next += 1 + query_length;
    }
    if (rc == RAFFLE_OK && *next == '#')
        rc = decode(uri, next + 1, strlen(next + 1), &uri->fragment, err);
    return rc;
}

const char *rf_uri_rest(const rf_uri *uri)
{
    return uri->text + uri->rest;
}

const char *rf_uri_fragment(const rf_uri *uri)
{
    return uri->fragment == 0 ? NULL : uri->text + uri->fragment;
}

const char *rf_uri_get(const rf_uri *uri, const char *key)
{
    for (size_t i = 0; i < uri->queries; i++) {
        if (strcmp(uri->text + uri->query[i].key, key) == 0)
            return uri->text + uri->query[i].value;
    }
    return NULL;
}

raffle_rc rf_uri_flag(const rf_uri *uri, const char *key, bool *value, raffle_error *err)
{
    const char *text = rf_uri_get(uri, key);
    if (text == NULL)
        return RAFFLE_OK;
    if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return rf_fail(err, RAFFLE_INVALID, "URI: %s is \"%s\"; it can be 0 or 1", key, text);
    *value = text[0] == '1';
    return RAFFLE_OK;
}

static bool is_known(const char *const *known, const char *key)
{
    for (; *known != NULL; known++) {
        if (strcmp(*known, key) == 0)
            return true;
    }
    return false;
}

raffle_rc rf_uri_only(const rf_uri *uri, const char *const *known, raffle_error *err)
{
    for (size_t i = 0; i < uri->queries; i++) {
        const char *key = uri->text + uri->query[i].key;
        if (!is_known(known, key))
            return rf_fail(err, RAFFLE_INVALID, "URI: the key \"%s\" is not known to %s:", key, uri->scheme);
    }
    return RAFFLE_OK;
}
