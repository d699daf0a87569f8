/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Backups (GLI-31 5.7): a raffle as one stream of text, whatever store it is in, back into any other, and a mirror that follows a raffle as it grows
 * (docs/spec/backup.md).
 */
#ifndef RAFFLE_BACKUP_H
#define RAFFLE_BACKUP_H

#include <raffle/export.h>
#include <raffle/ext/host.h>
#include <raffle/till.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* Writes a backup while the raffle is sold and drawn from: the control log and every unit's, each up to a checkpoint that is signed for it, with private
 * parts, notes and key rows, and without keys: it is as secret as the store, and keys are backed up apart. Memory is constant. RAFFLE_BUSY: the control
 * log did not rest for a moment; RAFFLE_DRAW_OPEN: a draw waits for its witnesses; RAFFLE_KEY; RAFFLE_AWAY at a till; RAFFLE_HOST: `write` failed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_backup(raffle *raffle_, raffle_write write, void *ctx, raffle_error *err);

/* What a backup holds. */
typedef struct raffle_backup_info {
    uint32_t struct_size;
    uint32_t units;
    uint64_t control; /* records of the control log */
    uint64_t records; /* of all logs */
    uint64_t keys;    /* rows of keys */
    char origin[RAFFLE_ORIGIN_SIZE];
    char key[RAFFLE_VKEY_SIZE]; /* the control key, which signed it */
} raffle_backup_info;
RAFFLE_API void raffle_backup_info_init(raffle_backup_info *info, size_t size);
#define RAFFLE_BACKUP_INFO_INIT RAFFLE_INIT_OF(raffle_backup_info)

/* Checks the backup in the file `path`, all of it and by itself: every record by the fold, every log against its signed checkpoint, the whole by the control key's
 * signature. `key` (optional): the control key that must have signed. `info` may be NULL. RAFFLE_NOT_FOUND: there is no such
 * file; RAFFLE_CORRUPT, RAFFLE_SIGNATURE, RAFFLE_KEY, RAFFLE_IO, RAFFLE_NEWER. Any thread. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_backup_verify(const char *path, const char *key, raffle_backup_info *info,
                                                           raffle_error *err);

/* Puts the raffle of a backup back into `store`, which holds none, or what a restoring that was cut off left of it, and opens it. First all of
 * raffle_backup_verify(); then the store's anchor: RAFFLE_HISTORY when it saw more of the control log than is here, or something else. `keys` as in raffle_create(): they must hold the control key, RAFFLE_KEY. RAFFLE_EXISTS: the store holds a raffle.
 *
 * `by`, in a role of the operation `restore` by the backup's own rules (RAFFLE_ROLE), goes on record: an event `raffle.restored`, and `unit.disable` with the reason "restored" for every unit that could sell and of which the anchor does not
 * tell that nothing was lost: it might sell the same numbers twice. RAFFLE_DRAW_OPEN: such a unit, and an open draw; RAFFLE_ROLE also: such a unit, and a role that may not disable it. NULL: nothing is written, and nothing disabled:
 * the copy is to become a mirror, and must not be sold from.
 *
 * One that is cut off, or fails while it writes, leaves a store in which nothing opens, and in which it can be done again: with the same backup, or one that goes on from it. After
 * the store has all, only the anchor can fail: then the raffle is there, and raffle_open() opens it. GLI-31 5.7.2. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_restore(const char *path, const char *store, const char *keys,
                                                     const raffle_host *host, const raffle_actor *by, raffle **out,
                                                     raffle_error *err);
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_restore_with(const char *path, raffle_store *store, raffle_keys *keys,
                                                          const raffle_host *host, const raffle_actor *by, raffle **out,
                                                          raffle_error *err);

/* What a mirror got. */
typedef struct raffle_mirror_info {
    uint32_t struct_size;
    uint32_t units;   /* of whose logs it has all that was there */
    uint64_t copied;  /* records, by this call */
    uint64_t records; /* of all its logs now */
} raffle_mirror_info;
RAFFLE_API void raffle_mirror_info_init(raffle_mirror_info *info, size_t size);
#define RAFFLE_MIRROR_INFO_INIT RAFFLE_INIT_OF(raffle_mirror_info)

/* Gives `mirror`, opened with the same keys over a store that raffle_restore() filled with `by` NULL, all records that `raffle_` has and it has not, with their checkpoints: what
 * a second store needs to take over (GLI-31 5.7.1). To be called after commits, or every few hundred milliseconds; one thread at a time for a mirror. What was not copied when the
 * first store is lost, the mirror lacks, and says so where it is opened with the first store's anchor. RAFFLE_HISTORY: the mirror has other records; RAFFLE_MISMATCH: it is of
 * another raffle; RAFFLE_AWAY at a till. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_mirror(raffle *raffle_, raffle *mirror, raffle_mirror_info *info,
                                                    raffle_error *err);

RAFFLE_END

#endif
