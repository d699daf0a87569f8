/* SPDX-License-Identifier: Apache-2.0 */
/* What follows `kms:` in a provider's URI, and the few forms of URL that the provider speaks to. Pure. */
#ifndef RF_RNG_KMS_URI_H
#define RF_RNG_KMS_URI_H

#include <raffle/types.h>
#include <stdbool.h>

enum {
    RF_KMS_REGION_MAX = 32,
    RF_KMS_STORE_MAX = 64, /* a custom key store's id */
    RF_KMS_HOST_MAX = 255,
    RF_KMS_URL_MAX = 511
};

/* scheme://host[:port][/path], in the parts that decide whether it may be spoken to. */
typedef struct rf_kms_url {
    char text[RF_KMS_URL_MAX + 1];
    char host[RF_KMS_HOST_MAX + 1];      /* an IPv6 address stands in brackets */
    char authority[RF_KMS_HOST_MAX + 7]; /* host[:port], as it was given */
    uint16_t port;                       /* 443 or 80 when none is given */
    bool tls;
    bool loopback; /* 127.0.0.0/8, [::1] or localhost, which libcurl never asks a name server for */
    bool metadata; /* an address at which AWS serves credentials to its machines and containers */
    bool path;     /* something stands after the authority, other than one "/" */
} rf_kms_url;

/* False when it is not of this form: credentials before an '@', a fragment, a host in upper case, and all but printable ASCII are refused. */
bool rf_kms_url_parse(rf_kms_url *url, const char *text);

/* TLS, or an address that no other machine answers for. */
static inline bool rf_kms_url_is_safe(const rf_kms_url *url)
{
    return url->tls || url->loopback || url->metadata;
}

typedef enum rf_kms_source {
    RF_KMS_ANY, /* the first of the following that is there */
    RF_KMS_ENVIRONMENT,
    RF_KMS_CONTAINER,
    RF_KMS_IMDS,
    RF_KMS_HOST
} rf_kms_source;

typedef struct rf_kms_uri {
    char name[RAFFLE_NAME_SIZE]; /* by which rules pin it: kms:REGION[/STORE][@HOST[:PORT]] */
    char region[RF_KMS_REGION_MAX + 1];
    char store[RF_KMS_STORE_MAX + 1]; /* the custom key store, or "" */
    rf_kms_url endpoint;
    bool foreign; /* the endpoint is not one of AWS's own for the region, so the name says which it is */
    rf_kms_source credentials;
} rf_kms_uri;

/* RAFFLE_INVALID names the parameter that is unknown, given twice, malformed or excluded by another. Values of `endpoint` are not repeated:
 * they could hold a password. */
raffle_rc rf_kms_uri_parse(rf_kms_uri *uri, const char *parameters, raffle_error *err);

#endif
