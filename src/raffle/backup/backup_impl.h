/* SPDX-License-Identifier: Apache-2.0 */
/* A backup's format as its writer, its reader and those who take what is read share it (docs/spec/backup.md). */
#ifndef RF_RAFFLE_BACKUP_IMPL_H
#define RF_RAFFLE_BACKUP_IMPL_H

#include "fold.h"
#include "note.h"
#include <raffle/backup.h>
#include <raffle/ext/store.h>

#define RF_BACKUP_MAGIC "libraffle/backup/v1"

enum {
    RF_BACKUP_ANSWER = sizeof RF_BACKUP_MAGIC + 32 /* bytes that the control key signs */
};
/* From the hash of all that stands before: never a checkpoint, for the zero byte in it. */
void rf_backup_answered(uint8_t out[RF_BACKUP_ANSWER], const uint8_t hash[32]);

/* --- backup_read.c --- */

/* Takes what a backup holds, in its order. Whatever it is handed is well formed, and of no log or index beyond the backup's own; anything but RAFFLE_OK ends the reading and
 * is handed back. What it points to is valid during the call. A member may be NULL. */
typedef struct rf_backup_sink {
    void *ctx;
    raffle_rc (*begin)(void *ctx, const char *origin, size_t logs, raffle_error *err);
    raffle_rc (*log)(void *ctx, uint32_t log, uint64_t size, raffle_error *err);
    raffle_rc (*record)(void *ctx, const raffle_record *record, raffle_error *err);
    raffle_rc (*note)(void *ctx, uint32_t log, uint64_t size, const char *note, size_t length, raffle_error *err);
    raffle_rc (*key)(void *ctx, const raffle_store_key *key, raffle_error *err);
} rf_backup_sink;

/* What ends it. */
typedef struct rf_backup_end {
    uint8_t control[32];   /* the hash of all that stands before the units' logs */
    uint8_t hash[32];      /* of all that stands before the signature */
    uint8_t signature[64]; /* not verified */
} rf_backup_end;

/* Reads a whole file. RAFFLE_CORRUPT: it was cut off, or is malformed; RAFFLE_NEWER, RAFFLE_IO. */
raffle_rc rf_backup_read(const char *path, const rf_backup_sink *sink, rf_backup_end *end, raffle_error *err);

/* --- backup_check.c --- */

/* A log of a backup. */
typedef struct rf_backup_log {
    uint64_t size;
    uint8_t root[32];
    bool closed;
    bool whole; /* a checkpoint over exactly these records is there; else some were lost before the backup was made */
} rf_backup_log;

/* What a backup that was checked says of itself. */
typedef struct rf_backup_facts {
    char origin[RAFFLE_ORIGIN_SIZE];
    size_t logs;
    rf_backup_log *log; /* [0]: the control log's */
    uint64_t keys;
    rf_control control;
    rf_vkey vkey; /* the control key */
    rf_backup_end end;
} rf_backup_facts;

/* All that can be checked in a backup alone. `facts` is to be cleared also after a failure. */
raffle_rc rf_backup_check(const char *path, const char *key, rf_backup_facts *facts, raffle_error *err);
void rf_backup_facts_clear(rf_backup_facts *facts);

#endif
