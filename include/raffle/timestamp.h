/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamps of RFC 3161 on published checkpoints: what a third party says was there, and when. The requests' transport is the host's. */
#ifndef RAFFLE_TIMESTAMP_H
#define RAFFLE_TIMESTAMP_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_TIMESTAMP_QUERY_MAX = 128, /* bytes of a query */
    RAFFLE_TIMESTAMP_MAX = 65536      /* bytes of a response; usual ones have 1,500 to 8,000 */
};

/* What a good time stamp says. */
typedef struct raffle_timestamp {
    uint32_t struct_size;
    int32_t trusted;                  /* 1: the signer's certificate leads to one of the caller's authorities */
    int64_t at;                       /* the authority's time */
    char authority[RAFFLE_NAME_SIZE]; /* the common name of the signer's certificate, or ""; cut to fit */
} raffle_timestamp;
#define RAFFLE_TIMESTAMP_INIT RAFFLE_INIT_OF(raffle_timestamp)
RAFFLE_API void raffle_timestamp_init(raffle_timestamp *timestamp, size_t size);

/* The query (TimeStampReq, DER) for `length` bytes of data: their SHA-256, and the wish for the signer's certificate. To be sent as
 * application/timestamp-query. RAFFLE_TIMESTAMP_QUERY_MAX bytes suffice, else RAFFLE_TOO_SMALL, and `*query_length` says what is needed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_timestamp_query(const void *data, size_t length, uint8_t *query,
                                                             size_t cap, size_t *query_length, raffle_error *err);

/* Verifies a response (TimeStampResp, DER) over exactly these data, offline. `authorities` is the certificates that are trusted, PEM, ended by NUL; the
 * chain is judged at the time that the stamp gives, so that a stamp outlives its certificate. NULL: only that the certificate in the stamp signed it
 * is checked, and `trusted` is 0, for anybody can make such a certificate. `timestamp` (optional) is filled when all of it holds.
 * RAFFLE_INVALID: it is no response, a refusal, or not over a SHA-256; or there is no certificate in `authorities`. RAFFLE_LIMIT: it is longer than
 * RAFFLE_TIMESTAMP_MAX. RAFFLE_MISMATCH: it is over other data. RAFFLE_SIGNATURE: it is not signed by who it says, or the chain does not hold. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_timestamp_verify(const void *data, size_t length, const uint8_t *response,
                                                              size_t response_length, const char *authorities,
                                                              raffle_timestamp *timestamp, raffle_error *err);

/* Time stamps on a published raffle, in two steps, since the transport is the host's. The first keeps a copy of the control log's checkpoint as it is published
 * now, of `*size` records, and gives the query for it; the second verifies the response to that query, as raffle_timestamp_verify() does, and publishes it.
 * An earlier stamp of that size, as good by the same authorities, is kept, and given. The audit of the folder verifies it again. RAFFLE_NOT_FOUND: nothing is published there; or no query was made for that size. RAFFLE_BUSY: another call
 * writes there. RAFFLE_CORRUPT: what is published is no checkpoint. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_timestamp_begin(const char *folder, uint64_t *size, uint8_t *query,
                                                             size_t cap, size_t *query_length, raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_timestamp_finish(const char *folder, uint64_t size,
                                                              const uint8_t *response, size_t response_length,
                                                              const char *authorities, raffle_timestamp *timestamp,
                                                              raffle_error *err);

RAFFLE_END

#endif
