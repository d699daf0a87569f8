/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: what the holder of a ticket takes home, and anybody verifies offline with the control log's public key alone. */
#ifndef RAFFLE_RECEIPT_H
#define RAFFLE_RECEIPT_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_RECEIPT_MAX = 131072 /* bytes of the longest receipt; usual ones have 1,500 to 8,000 */
};

/* What a receipt proves. */
enum {
    RAFFLE_RECEIPT_PROMISE = 1, /* the sale is in its unit's signed log: no seal covers it so far */
    RAFFLE_RECEIPT_DRUM = 2,    /* a seal covers it, and it is not among the seal's voids: it is drawn from */
    RAFFLE_RECEIPT_VOID = 3     /* a seal covers it, and it is among the seal's voids: it is not drawn from */
};

/* The receipt of a ticket: text, docs/spec/receipts.md, NUL-ended. RAFFLE_RECEIPT_MAX + 1 bytes always suffice, else RAFFLE_TOO_SMALL, and `*length`
 * says what is needed, the NUL left out. Of the final seal when it covers the ticket, else of the newest early one, else a promise. Takes the newest
 * checkpoints that are kept where they cover what is proved, and signs new ones where they do not: RAFFLE_KEY when the raffle was opened without
 * keys. RAFFLE_NOT_FOUND: no such ticket. RAFFLE_VOIDED: it is void, and no seal says so yet; a receipt would mislead. Cosignatures that are kept for a checkpoint go along. The receipt is verified
 * before it is given: RAFFLE_CORRUPT, RAFFLE_PROOF or RAFFLE_SIGNATURE when the store does not bear it out. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_receipt(raffle *raffle_, uint32_t unit, uint64_t serial, char *out,
                                                     size_t cap, size_t *length, raffle_error *err);

/* What a good receipt says. */
typedef struct raffle_receipt_info {
    uint32_t struct_size;
    int32_t proves; /* RAFFLE_RECEIPT_… */
    char origin[RAFFLE_ORIGIN_SIZE];
    char tier[RAFFLE_WORD_SIZE];
    uint32_t unit; /* with `serial`: the ticket's identity */
    uint32_t count;
    uint64_t serial;
    uint64_t first; /* its draw numbers are first … first + count - 1 */
    int64_t price;
    int64_t at;            /* when it was sold */
    uint64_t unit_size;    /* records that the unit's checkpoint covers */
    uint64_t control_size; /* and the control log's */
    int32_t seal_kind;     /* RAFFLE_SEAL_…; 0 in a promise, like all that follows */
    int32_t reserved;
    uint64_t seal; /* index of the `seal` record: the seal's name */
    int64_t seal_at;
    uint64_t voids; /* tickets of the unit that were void at the seal */
    int32_t quorum; /* 1: the raffle's rules name witnesses, and their quorum cosigned the control log's checkpoint */
    uint32_t witnesses; /* who cosigned it */
} raffle_receipt_info;
#define RAFFLE_RECEIPT_INFO_INIT RAFFLE_INIT_OF(raffle_receipt_info)
RAFFLE_API void raffle_receipt_info_init(raffle_receipt_info *info, size_t size);

/* Verifies a receipt, without a store or a network. `control_key` is the control log's vkey, from somebody you trust: the only trust.
 * `info` (optional) is filled when all of it holds. What it says holds as of the receipt's checkpoints: a ticket can be voided later.
 * RAFFLE_INVALID: it is no receipt, err->detail is the line; or the key is none. RAFFLE_NEWER: of another version. RAFFLE_LIMIT: it is longer than
 * RAFFLE_RECEIPT_MAX. RAFFLE_MISMATCH: it is of another raffle, or its parts do not belong together. RAFFLE_SIGNATURE: a checkpoint is not signed by
 * the key that it must be. RAFFLE_PROOF: a proof does not hold, or has not exactly the length that it must have. RAFFLE_CORRUPT: what is proved is no
 * record. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_receipt_verify(const char *receipt, size_t length, const char *control_key,
                                                            raffle_receipt_info *info, raffle_error *err);

RAFFLE_END

#endif
