/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wipes what is unused of a page on its way into the database file. When SQLite splits a page it leaves copies of rows in the
 * unused middle of it, which secure_delete does not reach: an erased private part could live on in another page.
 */
#ifndef RF_STORE_SQLITE_SCRUB_H
#define RF_STORE_SQLITE_SCRUB_H

#include <raffle/error.h>
#include <sqlite3.h>

/* The first byte of a page tells a leaf of a table only while no page has a number above this: an overflow page begins with the
 * number of the next one. */
#define RF_SCRUB_PAGES_MAX "218103807" /* 0x0cffffff */

typedef struct rf_scrub rf_scrub;

/* From now on what is written to the connection's database file is wiped; to be freed after the connection is closed. */
raffle_rc rf_scrub_attach(sqlite3 *db, rf_scrub **out, raffle_error *err);
void rf_scrub_free(rf_scrub *scrub);

/* The unused middle of a page, [*from, *to), when it is a leaf of a table and sound; else an empty range. Pure. */
void rf_scrub_range(const unsigned char *page, int size, int *from, int *to);

#endif
