/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between a raffle and its tills: what is read is written as the same bytes. The hash at the end is made right first, so that what stands
 * before it is looked at. */
#include "bytes.h"
#include "fuzz.h"
#include "stream.h"

#include <stdlib.h>

enum {
    END_LINE = 69, /* "end ", 64 digits and a newline */
    MOST = 1 << 18
};

static char text[MOST], again[MOST + 1];
static size_t written;

static raffle_rc keep(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)ctx;
    (void)err;
    fuzz_require(written + length <= MOST, "what is written again is as long as what was read");
    memcpy(again + written, bytes, length);
    written += length;
    return RAFFLE_OK;
}

/* The answer that was read. */
static raffle_rc sign(void *ctx, const uint8_t *message, size_t length, uint8_t signature[64], raffle_error *err)
{
    const rf_stream *s = ctx;
    uint8_t wanted[RF_ANSWER_SIZE];
    (void)err;
    rf_stream_answered(wanted, s->answered);
    fuzz_require(fuzz_same((const char *)message, length, (const char *)wanted, sizeof wanted),
                 "what is signed is what was read");
    memcpy(signature, s->answer, 64);
    return RAFFLE_OK;
}

static raffle_rc write_records(rf_stream_writer *w, const rf_stream *s)
{
    const char *at = s->records;
    raffle_rc rc = RAFFLE_OK;
    for (uint64_t i = s->from; rc == RAFFLE_OK && i < s->to; i++) {
        raffle_record record;
        rf_stream_next(&at, &record);
        rc = rf_stream_record(w, &record, NULL);
    }
    return rc;
}

static void write_again(rf_stream *s, size_t length)
{
    rf_stream_writer w = {0};
    uint8_t key[32];
    if (s->kind == RF_STREAM_KIT) {
        if (!rf_hex_decode(key, 32, s->ticket_key.data, s->ticket_key.length))
            return; /* whoever installs a kit finds that */
        s->ticket_key = (rf_span){key, 32};
    }
    written = 0;
    raffle_rc rc = rf_stream_begin(&w, s, keep, NULL, NULL);
    if (rc == RAFFLE_OK)
        rc = write_records(&w, s);
    if (rc == RAFFLE_OK)
        rc = rf_stream_finish(&w, s->note, s->note_length, s->kind == RF_STREAM_UPLOAD ? sign : NULL, s, NULL);
    rf_stream_end(&w);
    fuzz_require(rc == RAFFLE_OK && fuzz_same(again, written, text, length),
                 "a stream that is read is written as the same bytes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t hash[32];
    fuzz_require(sodium_init() >= 0, "libsodium is ready");
    if (size < END_LINE || size > MOST)
        return 0;
    memcpy(text, data, size);
    (void)crypto_hash_sha256(hash, data, size - END_LINE);
    memcpy(text + size - END_LINE, "end ", 4);
    rf_hex_encode(text + size - 65, hash, 32);
    text[size - 1] = '\n';
    for (int kind = RF_STREAM_KIT; kind <= RF_STREAM_UPLOAD; kind++) {
        rf_stream s;
        if (rf_stream_read(&s, (rf_stream_kind)kind, text, size, NULL) == RAFFLE_OK)
            write_again(&s, size);
    }
    return 0;
}
