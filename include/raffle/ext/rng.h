/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider of randomness must do, for hosts that bring their own. Unstable until two stores and both bindings exist. */
#ifndef RAFFLE_EXT_RNG_H
#define RAFFLE_EXT_RNG_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* A provider. Every function may be called from any thread. */
typedef struct raffle_rng_table {
    uint32_t struct_size;
    uint32_t flags; /* zero */
    /* Fills `out` with exactly `length` random bytes, `length` at most 1,024, and says so in `*filled`, which is preset to 0; or fails. A short
     * fill is a failure. `evidence`, preset to "", may be given up to 64 bytes of printable ASCII by which the provider's own records know this
     * call (a request's id, a token's serial number): a draw keeps it. What comes is tested (<raffle/rng.h>): a handle's first call is for 1,024
     * bytes that are thrown away. */
    raffle_rc (*fill)(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                      int32_t timeout_ms, raffle_error *err);
    void (*free)(void *ctx); /* not called in a child of fork() */
} raffle_rng_table;

RAFFLE_API void raffle_rng_table_init(raffle_rng_table *table, size_t size);

/* A provider over the host's table, under a name that the rules pin: `host:` and a word, "host:cloud". The built-in names
 * cannot be taken. The table is copied. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_new(const char *name, const raffle_rng_table *table, void *ctx,
                                                     raffle_rng **out, raffle_error *err);

RAFFLE_END

#endif
