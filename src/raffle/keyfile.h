/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in keys `file:DIR`: a folder that only its owner may enter, with one file a key. */
#ifndef RF_RAFFLE_KEYFILE_H
#define RF_RAFFLE_KEYFILE_H

#include <raffle/ext/key.h>

/* Fills the table and its context, which table->free releases. The folder need not exist; a relative path is made absolute. */
raffle_rc rf_keyfile_open(const char *directory, raffle_keys_table *table, void **ctx, raffle_error *err);

#endif
