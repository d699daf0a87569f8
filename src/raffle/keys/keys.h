/* SPDX-License-Identifier: Apache-2.0 */
/* A handle over a holder of keys: it checks what a host's table returns, and remembers public keys. Any thread may call. */
#ifndef RF_RAFFLE_KEYS_H
#define RF_RAFFLE_KEYS_H

#include <raffle/ext/key.h>

/* One more reference, to be released by raffle_keys_free(). */
raffle_keys *rf_keys_ref(raffle_keys *keys);

/* `origin` is the raffle's; `name` is "control", "unit-N" or, for making only, "ticket". A status that the library does not know becomes
 * RAFFLE_HOST; each of these gives RAFFLE_FORKED after fork(). */

/* RAFFLE_EXISTS: it is there already and was left as it is. */
raffle_rc rf_keys_make(raffle_keys *keys, const char *origin, const char *name, raffle_error *err);
/* RAFFLE_NOT_FOUND: there is none. RAFFLE_KEY: what came is no Ed25519 public key. RAFFLE_MISMATCH: of another raffle. */
raffle_rc rf_keys_public_key(raffle_keys *keys, const char *origin, const char *name, uint8_t out[32],
                             raffle_error *err);
/* RAFFLE_KEY: there is none. RAFFLE_SIGNATURE: what came does not verify under the public key. */
raffle_rc rf_keys_sign(raffle_keys *keys, const char *origin, const char *name, const uint8_t *message, size_t length,
                       uint8_t out[64], raffle_error *err);
/* `out` is secure memory (sodium_malloc). RAFFLE_KEY: there is none, or all bytes are zero. */
raffle_rc rf_keys_ticket_key(raffle_keys *keys, const char *origin, uint8_t out[32], raffle_error *err);

/* K_u, of a till elsewhere. The same as for K; RAFFLE_KEY also when the holder keeps none. */
raffle_rc rf_keys_unit_ticket_key(raffle_keys *keys, const char *origin, uint32_t unit, uint8_t out[32],
                                  raffle_error *err);
/* RAFFLE_EXISTS: there is one, whatever it is. RAFFLE_UNSUPPORTED: this holder keeps none. */
raffle_rc rf_keys_unit_ticket_key_keep(raffle_keys *keys, const char *origin, uint32_t unit, const uint8_t key[32],
                                       raffle_error *err);

/* The built-in keys `file:DIR`, in keyfile.c: fills the table and its context, which table->free releases. The folder need not exist. */
raffle_rc rf_keyfile_open(const char *directory, raffle_keys_table *table, void **ctx, raffle_error *err);

#endif
