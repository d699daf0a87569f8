/* SPDX-License-Identifier: Apache-2.0 */
/* What a holder of keys must do, for hosts that bring their own: an Ed25519 key for each log, and the ticket key K.
 * Unstable until two stores and both bindings exist. */
#ifndef RAFFLE_EXT_KEY_H
#define RAFFLE_EXT_KEY_H

#include <raffle/ext/host.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* Keys are asked for by name: "control", "unit-1", "unit-2", …, and "ticket". A log's key signs; the ticket key is 32 bytes.
 * `origin` is the raffle's. Every function may be called from any thread. `sign` is called by the thread that writes to a log or signs its checkpoint,
 * for a seal, an acknowledgement and a draw inside of the store's transaction: others wait for that log meanwhile. */
typedef struct raffle_keys_table {
    uint32_t struct_size;
    uint32_t flags; /* zero */
    /* Makes a key that does not exist, durably. RAFFLE_EXISTS when it does, which is then left as it is. */
    raffle_rc (*make)(void *ctx, const char *origin, const char *name, raffle_error *err);
    /* The Ed25519 public key of a log's key. RAFFLE_NOT_FOUND when there is none. */
    raffle_rc (*public_key)(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err);
    /* An Ed25519 signature (RFC 8032, pure) over `message`. */
    raffle_rc (*sign)(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                      uint8_t out[64], raffle_error *err);
    /* The ticket key. `out` is in libsodium's secure memory; the library wipes it. */
    raffle_rc (*ticket_key)(void *ctx, const char *origin, uint8_t out[32], raffle_error *err);
    void (*free)(void *ctx);
    /* For a till elsewhere (till.h), which has K_u in place of the ticket key; both optional. The ticket key of one unit, as above;
     * RAFFLE_NOT_FOUND when there is none. */
    raffle_rc (*unit_ticket_key)(void *ctx, const char *origin, uint32_t unit, uint8_t out[32], raffle_error *err);
    /* Keeps it, durably. RAFFLE_EXISTS when there is one, which is then left as it is. */
    raffle_rc (*unit_ticket_key_keep)(void *ctx, const char *origin, uint32_t unit, const uint8_t key[32],
                                      raffle_error *err);
} raffle_keys_table;

RAFFLE_API void raffle_keys_table_init(raffle_keys_table *table, size_t size);

/* A handle over the host's table, which is copied. `free` is called when the last user of the handle is gone, and not in a
 * child of fork(). */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_keys_new(const raffle_keys_table *table, void *ctx, raffle_keys **out,
                                                      raffle_error *err);

/* Built-in keys by URI: `file:DIR`, a folder that only its owner may enter, with one file a key. The folder need not exist
 * before the first `make`. `pkcs11:` and the attributes of a token, in builds with p11-kit: Ed25519 pairs that never leave it, and the
 * ticket key (the guide on embedding). RAFFLE_NOT_FOUND: there is no such module, token or file of a PIN; RAFFLE_KEY: the module or the
 * token failed. `host` is optional. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_keys_open(const char *uri, const raffle_host *host, raffle_keys **out,
                                                       raffle_error *err);

RAFFLE_API void raffle_keys_free(raffle_keys *keys);

RAFFLE_END

#endif
