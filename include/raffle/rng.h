/* SPDX-License-Identifier: Apache-2.0 */
/* Providers of randomness, and the selection that a draw uses, for rehearsals and for a lab's collections. */
#ifndef RAFFLE_RNG_H
#define RAFFLE_RNG_H

#include <raffle/ext/host.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* A provider by URI: `system:` (the kernel's generator), `kms:?region=REGION` (AWS KMS), `pkcs11:` and the attributes of a token (RFC 7512),
 * `test:seed=HEX` (1 to 64 bytes; rehearsals only); docs/guide/randomness.md has all of them. Not every build has each: RAFFLE_UNSUPPORTED.
 * RAFFLE_NOT_FOUND: there is no such module, token or file of a PIN; RAFFLE_RNG: the module or the token failed. `host` is optional. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_open(const char *uri, const raffle_host *host, raffle_rng **out,
                                                      raffle_error *err);

/* The name by which rules pin it: "system", "test", "kms:ca-central-1", "pkcs11:LABEL/SERIAL", "host:cloud". Lives as long as the handle. */
RAFFLE_API const char *raffle_rng_name(const raffle_rng *rng);

/* Every byte of a provider goes through health tests (SP 800-90B 4.4: repetition count, adaptive proportion; and a block of 16 bytes
 * that repeats), and a handle is tested over 1,024 bytes, which are thrown away, when it is first used; not so `test:`, whose stream is
 * published from its first byte. A test that failed stays failed: that call and every later one on the handle gives RAFFLE_RNG_UNHEALTHY,
 * with a sentence that names the provider, the test, the count and the cut-off. Only a handle that is opened anew begins afresh. */

/* Exactly `length` raw bytes, in calls of at most 1,024. RAFFLE_RNG, RAFFLE_HOST, RAFFLE_TIMEOUT, RAFFLE_RNG_UNHEALTHY: none; `out` is
 * then zeroed. `timeout_ms` is for all of it, the start-up test too; negative: no limit. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_fill(raffle_rng *rng, uint8_t *out, size_t length, int32_t timeout_ms,
                                                      raffle_error *err);

/* `picks` of the numbers 0 … `range` - 1, in order, without replacement, chosen as a draw chooses them: 48 fresh bytes from the
 * provider seed an HMAC_DRBG, whose words are mapped by exact rejection to a Fisher-Yates shuffle. 1 <= picks <= range.
 * RAFFLE_RNG_SEED and as above: none; `out` is then zeroed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_pick(raffle_rng *rng, uint64_t range, uint64_t *out, size_t picks,
                                                      int32_t timeout_ms, raffle_error *err);

/* How raffle_rng_collect() picks; 0: as a draw. */
enum {
    RAFFLE_COLLECT_REPLACE = 1, /* with replacement: a number may come again in the same draw */
    RAFFLE_COLLECT_ONE_SEED = 2 /* one seed for all draws of the call, whose words go on from draw to draw */
};

/* Many draws at once, for a lab's collection: `draws` times `picks` of the numbers 0 … `range` - 1, one draw after the other in `out`, which
 * has room for `draws` * `picks`. With no flag each draw is exactly one call of raffle_rng_pick(). 1 <= range, 1 <= picks, 1 <= draws, and without
 * replacement picks <= range. `timeout_ms` is each seed's. Errors as above, RAFFLE_UNSUPPORTED for other flags; `out` is then zeroed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_collect(raffle_rng *rng, uint32_t flags, uint64_t range, size_t picks,
                                                         uint64_t *out, size_t draws, int32_t timeout_ms,
                                                         raffle_error *err);

/* The seed of a committed draw: 48 bytes that passed the health tests, and the commitment to them, SHA-256("libraffle/seed/v1" || 0 || seed), which
 * goes into the intent (raffle_draw_begin). The host keeps the seed secret and durable until the draw is finished. `evidence`: by what the provider's own
 * records know the call, or "". Errors as raffle_rng_pick; `seed` is then zeroed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_seed(raffle_rng *rng, uint8_t seed[48], uint8_t commitment[32],
                                                      char evidence[RAFFLE_NAME_SIZE], int32_t timeout_ms,
                                                      raffle_error *err);

/* The commitment to a seed that was kept. RAFFLE_RNG: the cryptographic library failed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_seed_commitment(const uint8_t seed[48], uint8_t commitment[32],
                                                             raffle_error *err);

/* The start-up test now: asks for 1,024 bytes, tests them and throws them away; of `test:` they are the stream's next. It makes the one at
 * the first use unnecessary. RAFFLE_OK: passed. RAFFLE_RNG_UNHEALTHY, for good; RAFFLE_RNG, RAFFLE_HOST, RAFFLE_TIMEOUT: not tested. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_rng_test(raffle_rng *rng, int32_t timeout_ms, raffle_error *err);

RAFFLE_API void raffle_rng_free(raffle_rng *rng);

RAFFLE_END

#endif
