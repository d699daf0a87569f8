/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in a token, `pkcs11:`; only in builds with p11-kit. */
#ifndef RF_RAFFLE_KEYS_PKCS11_H
#define RF_RAFFLE_KEYS_PKCS11_H

#include "keys.h"

/* Fills the table and its context, which table->free releases. RAFFLE_KEY: the module or the token failed. */
raffle_rc rf_keys_pkcs11_open(const char *uri, const raffle_host *host, raffle_keys_table *table, void **ctx,
                              raffle_error *err);

/* The URI as it may stand in a log, without a PIN, for opening the keys another time. RAFFLE_LIMIT. */
raffle_rc rf_keys_pkcs11_note(const char *uri, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err);

#endif
