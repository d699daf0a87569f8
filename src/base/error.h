/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a raffle_error: one call that formats the sentence and returns the status, so that a failure is one line. */
#ifndef RF_BASE_ERROR_H
#define RF_BASE_ERROR_H

#include <raffle/error.h>

/* Stores `rc` and the formatted sentence in `err` (NULL is fine), and returns `rc`. Cut at a UTF-8 boundary, control characters
 * become '?'. Never hand it a secret. */
raffle_rc rf_fail(raffle_error *err, raffle_rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with raffle_error.detail. */
raffle_rc rf_fail_at(raffle_error *err, raffle_rc rc, uint32_t detail, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Hands on a failure that was stored elsewhere, with its detail, token and sentence; returns its status. */
raffle_rc rf_fail_as(raffle_error *err, const raffle_error *from);

/* RAFFLE_HOST: a function of the host's failed, and said so in `theirs`, of which sentence and token are handed on. `what`: as in "the report could not be written". */
raffle_rc rf_fail_host(raffle_error *err, const char *what, raffle_error *theirs);

/* RAFFLE_MISUSE with the name of the argument that is NULL; RAFFLE_NOMEM. */
raffle_rc rf_null(raffle_error *err, const char *argument);
raffle_rc rf_nomem(raffle_error *err);

#endif
