/* SPDX-License-Identifier: Apache-2.0 */
/* The logs as they are: records in order, signed checkpoints, Merkle proofs. A log is named by its unit; 0 is the control log. */
#ifndef RAFFLE_LOG_H
#define RAFFLE_LOG_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* A record. The pointers are the giver's and hold during the call. */
typedef struct raffle_record {
    uint32_t struct_size;
    uint32_t leaf_length;     /* 1 to RAFFLE_RECORD_MAX */
    const char *leaf;         /* canonical JSON, UTF-8, not ended by NUL */
    const char *private_part; /* NULL: there is none, or it was erased */
    uint32_t private_length;  /* 0 to RAFFLE_PRIVATE_MAX */
    uint32_t reserved;
    uint64_t index; /* in its log, from 0 */
} raffle_record;
RAFFLE_API void raffle_record_init(raffle_record *record, size_t size);

/* A walk over the records of a log from index `from`, to the size that it has now. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_cursor_open(raffle *raffle_, uint32_t log, uint64_t from,
                                                         raffle_cursor **out, raffle_error *err);
/* The next record; its pointers hold until the next call on this cursor. RAFFLE_NOT_FOUND: the end; records that were written since the
 * cursor was opened follow when it is asked again. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_cursor_next(raffle_cursor *cursor, raffle_record *record,
                                                         raffle_error *err);
RAFFLE_API void raffle_cursor_free(raffle_cursor *cursor);

/* The root of the first `size` records; UINT64_MAX: of all that are there now, and `*size_out` (optional) is how many. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_root(raffle *raffle_, uint32_t log, uint64_t size, uint64_t *size_out,
                                                  uint8_t root[32], raffle_error *err);

/* Signs the log as it is now, keeps the checkpoint (C2SP tlog-checkpoint), and copies it, NUL-ended. RAFFLE_NOTE_SIZE bytes
 * always suffice, else RAFFLE_TOO_SMALL, and `*length` says what is needed. RAFFLE_KEY: opened without keys. RAFFLE_HISTORY: the log is behind what was seen of it, and is not signed. RAFFLE_DRAW_OPEN: the
 * control log went on beyond the intent of a draw that witnesses cosign, and is signed again with the result. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_checkpoint(raffle *raffle_, uint32_t log, char *note, size_t cap,
                                                        size_t *length, raffle_error *err);

/* The checkpoint that was kept for `size`, or with UINT64_MAX the latest; needs no keys. RAFFLE_NOT_FOUND. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_checkpoint_get(raffle *raffle_, uint32_t log, uint64_t size, char *note,
                                                            size_t cap, size_t *length, raffle_error *err);

/* What a checkpoint says. */
typedef struct raffle_checkpoint_info {
    uint32_t struct_size;
    uint32_t log; /* 0: the control log, n: unit n's */
    uint64_t size;
    uint8_t root[32];
    char origin[RAFFLE_ORIGIN_SIZE]; /* the raffle's */
} raffle_checkpoint_info;
#define RAFFLE_CHECKPOINT_INFO_INIT RAFFLE_INIT_OF(raffle_checkpoint_info)
RAFFLE_API void raffle_checkpoint_info_init(raffle_checkpoint_info *info, size_t size);

/* Verifies a checkpoint without a raffle: it is one of the log that `key`, a vkey, is named for, and signed by it. What others signed is left to others. `info` (optional)
 * is filled then. RAFFLE_INVALID: it is no checkpoint; or, with err->detail 1, the key is none of a raffle's log. RAFFLE_MISMATCH: it is another log's; RAFFLE_SIGNATURE. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_checkpoint_verify(const char *note, size_t length, const char *key,
                                                               raffle_checkpoint_info *info, raffle_error *err);

/* The leaf hash of a record (RFC 6962 section 2.1). RAFFLE_NOMEM. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_leaf_hash(const void *leaf, size_t length, uint8_t out[32],
                                                       raffle_error *err);

/* The inclusion proof of record `index` in the first `size` records, leaf sibling first: their number in `*n`, and 32 bytes each in
 * `proof`, which has room for 64. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_inclusion(raffle *raffle_, uint32_t log, uint64_t index, uint64_t size,
                                                       uint8_t *proof, size_t *n, raffle_error *err);
/* The consistency proof from the first `old_size` to the first `size` records. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_consistency(raffle *raffle_, uint32_t log, uint64_t old_size,
                                                         uint64_t size, uint8_t *proof, size_t *n, raffle_error *err);
/* Their verifiers, which need no raffle. RAFFLE_PROOF: it does not hold, or its length is not exactly what it must be. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_inclusion_verify(uint64_t index, uint64_t size,
                                                              const uint8_t leaf_hash[32], const uint8_t *proof,
                                                              size_t n, const uint8_t root[32], raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_consistency_verify(uint64_t old_size, uint64_t size,
                                                                const uint8_t old_root[32], const uint8_t root[32],
                                                                const uint8_t *proof, size_t n, raffle_error *err);

RAFFLE_END

#endif
