/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTPS request and its answer, over libcurl, bounded in size and time and tried again where that can help. */
#ifndef RF_RNG_KMS_HTTP_H
#define RF_RNG_KMS_HTTP_H

#include "kms_answer.h"
#include "kms_uri.h"

typedef struct rf_kms_http rf_kms_http; /* keeps a connection open between requests; for any number of threads */

enum {
    RF_KMS_HEADERS = 4
};

typedef struct rf_kms_request {
    rf_kms_url url;
    const char *method;
    const char *body;                   /* NULL: none */
    const char *header[RF_KMS_HEADERS]; /* "Name: value"; NULL after the last */
    const char *region;                 /* signed for KMS in this region, with `credentials`; NULL: not signed */
    const rf_kms_credentials *credentials;
    const char *ca;     /* a file of certificates that alone are trusted; NULL: the system's */
    int32_t attempts;   /* at most */
    int32_t attempt_ms; /* how long each of them may take */
    int64_t deadline;   /* of all, by rf_clock_monotonic() */
} rf_kms_request;

typedef enum rf_kms_outcome {
    RF_KMS_ANSWERED,
    RF_KMS_UNREACHABLE, /* no byte of an answer came */
    RF_KMS_BROKEN,      /* the answer was cut off, too long or not HTTP, or the certificate is not trusted */
    RF_KMS_LATE,        /* the deadline passed */
    RF_KMS_NOMEM
} rf_kms_outcome;

/* In secure memory: the body may be secret. */
typedef struct rf_kms_response {
    int32_t status; /* of HTTP; 0: there was no answer */
    char id
        [RAFFLE_NAME_SIZE]; /* x-amzn-RequestId; "" when it is missing, given twice, too long or not of [A-Za-z0-9-] */
    char error[RF_KMS_ERROR_MAX + 1]; /* the type of the error, "" when the answer is none or names none */
    const char *fault;                /* libcurl's words for what went wrong; static; NULL: nothing */
    size_t length;
    char body[RF_KMS_BODY_MAX];
    bool begun, too_long, timed_out; /* an answer began; it is longer than `body`; the attempt's time was over */
    uint32_t ids;
} rf_kms_response;

/* NULL when memory runs out or libcurl cannot be initialised, or has no TLS. */
rf_kms_http *rf_kms_http_new(void);
void rf_kms_http_free(rf_kms_http *http);

/* The last attempt's outcome. Tried again, after a random wait, are connections that failed before an answer began, HTTP 429 and 5xx, and
 * errors whose type says that AWS throttled the request; nothing else. No redirect is followed. */
rf_kms_outcome rf_kms_http_send(rf_kms_http *http, const rf_kms_request *request, rf_kms_response *response);

#endif
