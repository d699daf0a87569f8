/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a log as text that travels between a raffle and its tills (docs/spec/till.md): read strictly, and written. Pure. */
#ifndef RF_RAFFLE_STREAM_H
#define RF_RAFFLE_STREAM_H

#include "sha256.h"
#include <raffle/log.h>
#include <raffle/till.h>
#include <sodium.h>

typedef enum rf_stream_kind {
    RF_STREAM_KIT,
    RF_STREAM_NEWS,
    RF_STREAM_UPLOAD
} rf_stream_kind;

/* A stream that was read: what points, points into its bytes. */
typedef struct rf_stream {
    rf_stream_kind kind;
    char origin[RAFFLE_ORIGIN_SIZE];
    uint32_t unit;
    rf_span ticket_key; /* of a kit: 64 digits, to be wiped with the bytes */
    uint64_t control;   /* of an upload: records of the control log at the till, */
    char challenge[RAFFLE_CHALLENGE_SIZE];
    uint8_t answer[64];   /* and the unit's signature over … */
    uint8_t answered[32]; /* … SHA-256 of all that stands before it */
    uint32_t log;
    uint64_t from, to; /* the records that are here */
    const char *records;
    const char *note;
    size_t note_length;
} rf_stream;

/* Reads a stream of this kind, down to the hash at its end, without judging the records. RAFFLE_MISMATCH: it is one of another kind; RAFFLE_CORRUPT: it was
 * cut off or altered, or is none. */
raffle_rc rf_stream_read(rf_stream *s, rf_stream_kind kind, const char *bytes, size_t length, raffle_error *err);
/* The next record: `at` begins at s->records. */
void rf_stream_next(const char **at, raffle_record *record);

typedef struct rf_stream_writer {
    raffle_write write;
    void *ctx;
    crypto_hash_sha256_state hash;
    char *buffer; /* of a size of its own */
    size_t used;
} rf_stream_writer;

/* What comes before the records, as rf_stream has it; a kit's key is 32 bytes in `ticket_key.data`. */
raffle_rc rf_stream_begin(rf_stream_writer *w, const rf_stream *s, raffle_write write, void *ctx, raffle_error *err);
raffle_rc rf_stream_record(rf_stream_writer *w, const raffle_record *record, raffle_error *err);
/* The note, of an upload the answer that `sign` gives, and the end. */
typedef raffle_rc (*rf_stream_sign)(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64],
                                    raffle_error *err);
raffle_rc rf_stream_finish(rf_stream_writer *w, const char *note, size_t length, rf_stream_sign sign, void *ctx,
                           raffle_error *err);
/* Wipes and frees; also after a failure. */
void rf_stream_end(rf_stream_writer *w);

/* What the unit's key signs of an upload, from the hash of all before its answer: never a note, for the zero byte in it. */
enum {
    RF_ANSWER_SIZE = 52
};
void rf_stream_answered(uint8_t out[RF_ANSWER_SIZE], const uint8_t hash[32]);

#endif
