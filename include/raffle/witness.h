/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Witnesses: parties of their own who cosign checkpoints, each only what extends the checkpoint that it cosigned before (C2SP tlog-witness, tlog-cosignature). The
 * rules say which, and how many must have cosigned an intent before its draw goes on. The library builds what is sent and judges what comes back;
 * sending it is the host's: POST a request's body to the witness's address with "/add-checkpoint" behind it, without following redirections.
 */
#ifndef RAFFLE_WITNESS_H
#define RAFFLE_WITNESS_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_WITNESS_URL_SIZE = 256,
    RAFFLE_WITNESS_REQUEST_SIZE = 20480, /* always enough for a request */
    RAFFLE_WITNESS_ANSWER_MAX = 16384    /* bytes of an answer; more need not be read */
};

typedef struct raffle_witness {
    uint32_t struct_size;
    uint32_t reserved;
    char name[RAFFLE_NAME_SIZE];       /* in the rules */
    char vkey[RAFFLE_VKEY_SIZE];       /* its public key, for cosignatures */
    char url[RAFFLE_WITNESS_URL_SIZE]; /* without a last '/'; "": the rules give none */
} raffle_witness;
#define RAFFLE_WITNESS_INIT RAFFLE_INIT_OF(raffle_witness)
RAFFLE_API void raffle_witness_init(raffle_witness *witness, size_t size);
/* The witness at `i`, 0 … raffle_info.witnesses - 1, in the rules' order; RAFFLE_NOT_FOUND beyond. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_witness_at(raffle *raffle_, uint32_t i, raffle_witness *witness,
                                                        raffle_error *err);

/* The rules' policy, lines of C2SP tlog-policy each with its newline, NUL-ended: `log`, with the control log's key, then the rules' own. RAFFLE_NOT_FOUND: the rules ask
 * no witnesses. RAFFLE_TOO_SMALL: `*length` bytes and a NUL are needed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_witness_policy(raffle *raffle_, char *text, size_t cap, size_t *length,
                                                            raffle_error *err);

/* What asks a witness to cosign the checkpoint that is kept for `size`, given that the last one it cosigned is over `old_size` records: 0 when that is not known.
 * NUL-ended, `*length` bytes without it. RAFFLE_NOT_FOUND: no checkpoint is kept. RAFFLE_INVALID: `old_size` is larger than `size`. RAFFLE_TOO_SMALL. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_witness_request(raffle *raffle_, uint32_t log, uint64_t size,
                                                             uint64_t old_size, char *body, size_t cap, size_t *length,
                                                             raffle_error *err);

/* Judges the witness at `i`'s answer to that: its HTTP status and body. RAFFLE_OK with `*again` UINT64_MAX: its cosignatures were verified and are kept, durably. RAFFLE_OK
 * with another `*again`: the last that it cosigned is over so many records; build the request anew with it, a few times at most.
 * RAFFLE_HISTORY: it cosigned more than there is here, or other records: a restored store, or two that sell under one key; the host's log is told. RAFFLE_SIGNATURE: a cosignature is
 * wrong or missing, or it does not trust the log's key. RAFFLE_NOT_FOUND: it does not know the log. RAFFLE_BUSY: it cosigned a later checkpoint of this log. RAFFLE_INVALID: it
 * refuses the request, or its answer is malformed. RAFFLE_LIMIT: a longer answer than may be. RAFFLE_IO: any other status. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_witness_answer(raffle *raffle_, uint32_t i, uint32_t log, uint64_t size,
                                                            int32_t status, const char *body, size_t length,
                                                            uint64_t *again, raffle_error *err);

/* Adds cosignatures that came another way: signature lines, each with its newline, for the checkpoint that is kept for `size`. Lines that no witness of the rules signed are left
 * out, and so is a second one of a witness, whose first stays. RAFFLE_SIGNATURE: one is wrong, or none is by a witness; nothing is kept then. RAFFLE_NOT_FOUND: no such
 * checkpoint, or the rules ask no witnesses. RAFFLE_HISTORY: it is not the newest. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_checkpoint_cosign(raffle *raffle_, uint32_t log, uint64_t size,
                                                               const char *lines, size_t length, raffle_error *err);

/* `*reached`: 1 when the kept checkpoint carries the cosignatures of the rules' quorum, whatever their times, else 0. RAFFLE_NOT_FOUND as above. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_checkpoint_quorum(raffle *raffle_, uint32_t log, uint64_t size,
                                                               int32_t *reached, raffle_error *err);

RAFFLE_END

#endif
