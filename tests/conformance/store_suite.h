/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must do, as a test case that runs over any store that can be opened empty. */
#ifndef RF_TESTS_STORE_SUITE_H
#define RF_TESTS_STORE_SUITE_H

#include "store.h"
#include <check.h>

typedef struct store_suite {
    const char *name;
    raffle_store *(*open)(void); /* empty */
    void (*close)(void);         /* after the handle was freed; removes what it left */
} store_suite;

/* One suite a program: the pointer is kept. */
TCase *store_suite_tcase(const store_suite *suite);

/* --- what tests of single stores use, too --- */

/* One batch: `keys`, then `records` records whose leaf is {"i":INDEX,"p":PREFIX} and whose private part is "private PREFIX INDEX;". */
typedef struct store_job {
    const char *prefix;
    size_t records;
    const raffle_store_key *keys;
    size_t key_count;
    const char *state;
    raffle_rc fail; /* after everything else was written */
    size_t calls;   /* results: how often fill was called, */
    size_t done;    /* the keys that were written, */
    raffle_store_key owner;
    uint64_t size; /* the log's size before, */
    uint64_t control_size;
    char state_before[64];
} store_job;

raffle_rc store_job_fill(void *job, const raffle_store_head *head, const raffle_store_batch *batch, raffle_error *err);
raffle_rc store_job_run(raffle_store *store, uint32_t log, store_job *job, int32_t timeout_ms, raffle_error *err);
/* Appends and insists. */
void store_append(raffle_store *store, uint32_t log, size_t records, const char *prefix);
raffle_store_key store_key(uint32_t scope, const char *text, uint32_t log, uint64_t index);
/* The log's size, and that all its records are there and are what store_append() wrote. */
uint64_t store_check_log(raffle_store *store, uint32_t log);
#define STORE_ORIGIN "raffle.example/gala"

#endif
