/* SPDX-License-Identifier: Apache-2.0 */
/* What making and opening a raffle's handle share: raffle.c, create.c, secrets.c. */
#ifndef RF_RAFFLE_OPEN_IMPL_H
#define RF_RAFFLE_OPEN_IMPL_H

#include "raffle_impl.h"

/* --- raffle.c --- */
/* A handle over store, keys (or NULL) and host, with one reference and nothing read. */
raffle_rc rf_raffle_new(raffle_store *store, raffle_keys *keys, const raffle_host *host, raffle **out,
                        raffle_error *err);
/* Opens the control log of r->origin; and folds it from its first record, and takes from it what never changes. */
raffle_rc rf_raffle_open_log(raffle *r, raffle_error *err);
raffle_rc rf_raffle_load_control(raffle *r, raffle_error *err);

/* --- secrets.c --- */
/* Reads K, and derives from it; with `expected`, K must be the key that this commits to. `commitment` gets what stands in the log for it. */
raffle_rc rf_secrets_load(raffle *r, const uint8_t *expected, uint8_t commitment[32], raffle_error *err);
/* The same for a raffle that was folded: its own keys, or those of a till, or none. RAFFLE_KEY. */
raffle_rc rf_secrets_open(raffle *r, raffle_error *err);
/* Whether the host keeps K. */
raffle_rc rf_secrets_host_keeps(const raffle *r, bool *keeps, raffle_error *err);

#endif
