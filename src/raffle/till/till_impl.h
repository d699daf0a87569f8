/* SPDX-License-Identifier: Apache-2.0 */
/* What the raffle's side and the till's side of units that are away have in common: upload.c, till.c. */
#ifndef RF_RAFFLE_TILL_IMPL_H
#define RF_RAFFLE_TILL_IMPL_H

#include "stream.h"
#include "unit_impl.h"

enum {
    RF_TILL_EVENTS_MAX = 100000, /* in a till's log: sales and voids are bounded by its quota, these by nothing else */
    RF_TILL_EVENTS_KEPT =
        100 /* of them for clock.reset, without which a till whose clock leapt could not go on selling */
};

/* A challenge as it reads: what the raffle has of the unit, and when it said so. */
typedef struct rf_challenge {
    char origin[RAFFLE_ORIGIN_SIZE];
    uint32_t unit;
    uint64_t size;
    uint8_t root[32];
    int64_t issued;
    size_t signed_length; /* of the part before the last space */
    uint8_t signature[64];
} rf_challenge;

/* --- challenge.c --- */
/* `out` has RAFFLE_CHALLENGE_SIZE bytes. */
raffle_rc rf_challenge_make(raffle *r, uint32_t unit, uint64_t size, const uint8_t root[32], char *out,
                            raffle_error *err);
/* Whether this raffle's control key signed it, for this unit. RAFFLE_INVALID, RAFFLE_MISMATCH, RAFFLE_SIGNATURE. */
raffle_rc rf_challenge_verify(const raffle *r, uint32_t unit, const char *text, rf_challenge *c, raffle_error *err);
/* And that a while ago at most: RAFFLE_SEQUENCE. */
raffle_rc rf_challenge_fresh(raffle *r, const rf_challenge *c, raffle_error *err);

/* --- till.c --- */
/* Writes records `from` … `to - 1` of a log. */
raffle_rc rf_stream_log(rf_stream_writer *w, raffle_store *store, const rf_stream *s, bool private_parts,
                        raffle_error *err);
/* The checkpoint at a stream's end: the log's own, signed by its key, of exactly its size. RAFFLE_SIGNATURE, RAFFLE_CORRUPT. */
raffle_rc rf_stream_checkpoint(const rf_stream *s, const rf_vkey *vkey, rf_checkpoint *out, raffle_error *err);

#endif
