/* SPDX-License-Identifier: Apache-2.0 */
/* A proxy before a PostgreSQL server that cuts the connection, or falls silent, when a marked request goes by. */
#ifndef RF_TESTS_CUTTING_PROXY_H
#define RF_TESTS_CUTTING_PROXY_H

#include <stddef.h>

typedef enum cut {
    CUT_NOTHING,
    CUT_REQUEST, /* the request is not passed on, and the connection ends */
    CUT_ANSWER,  /* it is passed on, and the connection ends when the answer comes, which is not */
    CUT_SILENCE  /* it is not passed on, and nothing is said any more */
} cut;

/* Listens at FOLDER/.s.PGSQL.5432, before the server at `host` (a folder, or an address of IPv4) and `port`; for the rest of the process. */
void cutting_proxy_start(const char *folder, const char *host, const char *port);
/* The next `times` requests that have `mark` in them are cut so. */
void cutting_proxy_arm(cut how, unsigned times, const char *mark, size_t mark_length);
/* How many were. */
unsigned cutting_proxy_count(void);

#endif
