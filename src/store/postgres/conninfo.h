/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of PostgreSQL stores, taken apart into what is libpq's and what is ours. No part of one is ever shown: it may hold a password. */
#ifndef RF_STORE_POSTGRES_CONNINFO_H
#define RF_STORE_POSTGRES_CONNINFO_H

#include <libpq-fe.h>
#include <raffle/error.h>
#include <raffle/types.h>
#include <stdbool.h>

typedef struct rf_pg_uri {
    char *text;                /* as it was given when there is no password in it, else "" */
    PQconninfoOption *options; /* libpq's, without the password */
    char *password;            /* in secure memory, or NULL */
    char *anchor;              /* a path, or NULL */
    bool create, readonly, dsql;
    char origin[RAFFLE_ORIGIN_SIZE]; /* of the raffle that is picked, or "" */
    char label[96];                  /* host and database, for sentences */
} rf_pg_uri;

/* `uri` is cleared by rf_pg_uri_clear() whatever this returns. RAFFLE_INVALID, RAFFLE_LIMIT. */
raffle_rc rf_pg_uri_parse(rf_pg_uri *uri, const char *text, raffle_error *err);
void rf_pg_uri_clear(rf_pg_uri *uri);

#endif
