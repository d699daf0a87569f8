/* SPDX-License-Identifier: Apache-2.0 */
/* URIs that name a store: `scheme:rest?key=value&key=value#fragment`, percent-decoded and bounded. Pure. */
#ifndef RF_STORE_URI_H
#define RF_STORE_URI_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    RF_URI_MAX = 4096,   /* bytes of a URI */
    RF_URI_QUERIES = 16, /* pairs after the '?' */
    RF_SCHEME_MAX = 31
};

/* A URI in its parts, decoded. Offsets into `text`, so that it can be copied. */
typedef struct rf_uri {
    char scheme[RF_SCHEME_MAX + 1];
    size_t rest, fragment; /* fragment: 0 when there is none */
    size_t queries;
    struct {
        size_t key, value;
    } query[RF_URI_QUERIES];
    size_t used;
    char text[RF_URI_MAX + RF_URI_QUERIES + 4]; /* strings that end in NUL */
} rf_uri;

/* Whether `text` begins with a scheme and a colon; if not, it is a plain path. */
bool rf_uri_has_scheme(const char *text);

/* RAFFLE_INVALID names the fault: no scheme, a bad escape, an encoded NUL, a pair without '=', a key given twice; RAFFLE_LIMIT: too long. */
raffle_rc rf_uri_parse(rf_uri *uri, const char *text, raffle_error *err);

const char *rf_uri_rest(const rf_uri *uri);
/* NULL when there is none. */
const char *rf_uri_fragment(const rf_uri *uri);
/* The value of a key, or NULL. */
const char *rf_uri_get(const rf_uri *uri, const char *key);
/* A key whose value is 0 or 1; `*value` keeps what it was when the key is missing. */
raffle_rc rf_uri_flag(const rf_uri *uri, const char *key, bool *value, raffle_error *err);
/* RAFFLE_INVALID names the first key that is not in `known`, which ends in NULL. */
raffle_rc rf_uri_only(const rf_uri *uri, const char *const *known, raffle_error *err);

#endif
