/* SPDX-License-Identifier: Apache-2.0 */
/* The store in PostgreSQL, or in Aurora DSQL: how it is opened. Everything else goes through its table. */
#ifndef RF_STORE_POSTGRES_POSTGRES_H
#define RF_STORE_POSTGRES_POSTGRES_H

#include <raffle/ext/store.h>
#include <stdbool.h>

/* From `postgresql://…` or `postgres://…` (docs/spec/store-postgres.md). `host` is borrowed; its callbacks are called as long as the store is open. */
raffle_rc rf_postgres_open(const char *uri, const raffle_host *host, bool create, raffle_store_table *table, void **ctx,
                           raffle_error *err);

#endif
