/* SPDX-License-Identifier: Apache-2.0 */
/* The store in a SQLite file: how it is opened. Everything else goes through its table. */
#ifndef RF_STORE_SQLITE_H
#define RF_STORE_SQLITE_H

#include "uri.h"
#include <raffle/ext/store.h>

/* Borrowed for the call. */
typedef struct rf_sqlite_options {
    const char *path;
    const char *anchor; /* NULL: the path with "-anchor" after it */
    bool no_anchor;
    bool create; /* make the file when there is none, or it is empty */
    bool readonly;
    bool no_threads;    /* no helper thread: RAFFLE_HOST_NO_THREADS */
    int32_t timeout_ms; /* of calls without one of their own: as in raffle_host */
} rf_sqlite_options;

/* From `sqlite:PATH?anchor=file:PATH|none&create=0|1&readonly=0|1`; points into `uri`. */
raffle_rc rf_sqlite_options_from(rf_sqlite_options *options, const rf_uri *uri, raffle_error *err);

raffle_rc rf_sqlite_open(const rf_sqlite_options *options, raffle_store_table *table, void **ctx, raffle_error *err);

#endif
