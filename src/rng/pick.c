/* SPDX-License-Identifier: Apache-2.0 */
/* Picks outside a raffle, for rehearsals and collections: seeds of the provider, then the selection of a draw (select.c). */
#include "provider.h"

#include "error.h"
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

/* In secure memory. */
typedef struct picker {
    uint8_t seed[RF_SEED_SIZE];
    rf_drbg drbg;
    rf_sha256 *hash;
    rf_select *select; /* NULL until the first seed */
} picker;

static picker *picker_new(void)
{
    picker *p = sodium_init() < 0 ? NULL : sodium_malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    memset(p, 0, sizeof *p);
    p->hash = rf_sha256_new();
    if (p->hash != NULL)
        return p;
    sodium_free(p);
    return NULL;
}

static void picker_free(picker *p)
{
    rf_select_free(p->select);
    rf_sha256_free(p->hash);
    sodium_free(p); /* wipes it */
}

/* A seed of the provider, no personalisation: there is no log to bind to. */
static raffle_rc seed(picker *p, raffle_rng *rng, uint64_t range, int32_t timeout_ms, raffle_error *err)
{
    char evidence[RAFFLE_NAME_SIZE];
    raffle_rc rc = rf_rng_seed(rng, p->seed, evidence, timeout_ms, err);
    if (rc == RAFFLE_OK)
        rc = rf_drbg_instantiate(&p->drbg, p->hash, p->seed, RF_DRBG_ENTROPY_MIN, p->seed + RF_DRBG_ENTROPY_MIN,
                                 RF_DRBG_NONCE_MIN, NULL, 0, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (p->select == NULL)
        return rf_select_over(&p->drbg, range, &p->select, err);
    rf_select_again(p->select, &p->drbg, range);
    return RAFFLE_OK;
}

static raffle_rc pick_draw(rf_select *s, bool replace, uint64_t range, uint64_t *out, size_t picks, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < picks && rc == RAFFLE_OK; i++)
        rc = replace ? rf_select_below(s, range, &out[i], err) : rf_select_next(s, &out[i], err);
    return rc;
}

static raffle_rc pick_draws(picker *p, raffle_rng *rng, uint32_t flags, uint64_t range, size_t picks, uint64_t *out,
                            size_t draws, int32_t timeout_ms, raffle_error *err)
{
    const bool one_seed = (flags & RAFFLE_COLLECT_ONE_SEED) != 0;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; i < draws && rc == RAFFLE_OK; i++) {
        if (i == 0 || !one_seed)
            rc = seed(p, rng, range, timeout_ms, err);
        else
            rf_select_again(p->select, NULL, range);
        if (rc == RAFFLE_OK)
            rc = pick_draw(p->select, (flags & RAFFLE_COLLECT_REPLACE) != 0, range, out + i * picks, picks, err);
    }
    return rc;
}

static raffle_rc check(const raffle_rng *rng, uint32_t flags, uint64_t range, size_t picks, const uint64_t *out,
                       size_t draws, raffle_error *err)
{
    const uint32_t known = RAFFLE_COLLECT_REPLACE | RAFFLE_COLLECT_ONE_SEED;
    if (rng == NULL)
        return rf_null(err, "rng");
    if (out == NULL)
        return rf_null(err, "out");
    if ((flags & ~known) != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "flags %#x are not known", flags & ~known);
    if (picks == 0 || range == 0 || ((flags & RAFFLE_COLLECT_REPLACE) == 0 && picks > range))
        return rf_fail(err, RAFFLE_INVALID, "%zu picks of %" PRIu64 " numbers", picks, range);
    if (draws == 0 || draws > SIZE_MAX / sizeof *out / picks)
        return rf_fail(err, RAFFLE_INVALID, "%zu draws of %zu picks", draws, picks);
    return RAFFLE_OK;
}

raffle_rc raffle_rng_collect(raffle_rng *rng, uint32_t flags, uint64_t range, size_t picks, uint64_t *out, size_t draws,
                             int32_t timeout_ms, raffle_error *err)
{
    raffle_rc rc = check(rng, flags, range, picks, out, draws, err);
    if (rc != RAFFLE_OK)
        return rc;
    picker *p = picker_new();
    if (p == NULL) {
        rc = rf_nomem(err);
    } else {
        rc = pick_draws(p, rng, flags, range, picks, out, draws, timeout_ms, err);
        picker_free(p);
    }
    if (rc != RAFFLE_OK)
        memset(out, 0, draws * picks * sizeof *out);
    return rc;
}

raffle_rc raffle_rng_pick(raffle_rng *rng, uint64_t range, uint64_t *out, size_t picks, int32_t timeout_ms,
                          raffle_error *err)
{
    return raffle_rng_collect(rng, 0, range, picks, out, 1, timeout_ms, err);
}
