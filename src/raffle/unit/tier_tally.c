/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is new of a log, and counts its sales and the tickets that its voids name. */
#include "tier_tally.h"

#include "error.h"
#include "fold_tiers.h"
#include <stdlib.h>
#include <string.h>

/* The counts of a log's first `size` records. */
struct rf_tier_tally {
    uint64_t size;
    rf_tier_count tier[RF_TIERS_MAX];
};

typedef struct ticket {
    uint32_t unit;
    uint64_t serial;
} ticket;

/* A log that is being read on. A void names its ticket and no tier: the tickets are looked up when the reading is over. */
typedef struct reading {
    raffle *raffle;
    uint32_t log;
    rf_tier_tally now;
    ticket *voided;
    size_t n, cap;
} reading;

static raffle_rc add_void(reading *a, const rf_record *r, raffle_error *err)
{
    if (a->n == a->cap) {
        const size_t cap = a->cap > 0 ? 2 * a->cap : 64;
        ticket *grown = realloc(a->voided, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        a->voided = grown;
        a->cap = cap;
    }
    a->voided[a->n++] = (ticket){(uint32_t)r->unit, (uint64_t)r->serial};
    return RAFFLE_OK;
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reading *a = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && r.type == RF_VOID)
        rc = add_void(a, &r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r.type == RF_SALE)
        rf_tiers_sold(a->raffle->rules, &r, a->now.tier);
    a->now.size++;
    return RAFFLE_OK;
}

static raffle_rc take_ticket(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reading *a = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc == RAFFLE_OK && r.type == RF_SALE)
        rf_tiers_voided(a->raffle->rules, &r, a->now.tier);
    return rc;
}

static raffle_rc read_on(reading *a, uint64_t size, raffle_error *err)
{
    raffle_store *store = a->raffle->store;
    raffle_rc rc = RAFFLE_OK;
    if (size > a->now.size)
        rc = rf_store_read(store, a->log, a->now.size, size - a->now.size, take_record, a, err);
    for (size_t i = 0; i < a->n && rc == RAFFLE_OK; i++)
        rc = rf_store_read(store, a->voided[i].unit, a->voided[i].serial, 1, take_ticket, a, err);
    free(a->voided);
    return rc;
}

/* Where a log's tally is kept, and the lock that guards it. */
typedef struct place {
    pthread_mutex_t *lock;
    rf_tier_tally **tally;
} place;

/* Another thread may have read further meanwhile: the longer one stays. */
static raffle_rc keep(const place *at, const rf_tier_tally *now, raffle_error *err)
{
    rf_tier_tally *fresh = malloc(sizeof *fresh);
    if (fresh == NULL)
        return rf_nomem(err);
    *fresh = *now;
    pthread_mutex_lock(at->lock);
    if (*at->tally == NULL || (*at->tally)->size < now->size) {
        rf_tier_tally *old = *at->tally;
        *at->tally = fresh;
        fresh = old;
    }
    pthread_mutex_unlock(at->lock);
    free(fresh);
    return RAFFLE_OK;
}

static void recall(const place *at, rf_tier_tally *out)
{
    pthread_mutex_lock(at->lock);
    if (*at->tally != NULL)
        *out = **at->tally;
    pthread_mutex_unlock(at->lock);
}

static void add(rf_tier_count *sum, const rf_tier_tally *t)
{
    for (size_t i = 0; i < RF_TIERS_MAX; i++) {
        sum[i].tickets += t->tier[i].tickets;
        sum[i].voids += t->tier[i].voids;
    }
}

static raffle_rc tally_log(raffle *r, uint32_t log, uint64_t size, const place *at, rf_tier_count *sum,
                           raffle_error *err)
{
    reading a = {.raffle = r, .log = log};
    raffle_error why = RAFFLE_ERROR_INIT;
    recall(at, &a.now);
    const rf_tier_tally before = a.now;
    raffle_rc rc = size > before.size ? read_on(&a, size, &why) : RAFFLE_OK;
    if (rc == RAFFLE_OK && a.now.size > before.size)
        rc = keep(at, &a.now, &why);
    if (rc != RAFFLE_OK && rc != RAFFLE_CORRUPT)
        return rf_fail_as(err, &why);
    add(sum, rc == RAFFLE_OK ? &a.now : &before);
    return RAFFLE_OK;
}

static raffle_rc tally_unit(raffle *r, uint32_t number, rf_tier_count *sum, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state state;
    raffle_rc rc = rf_unit_get(r, number, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    return rc == RAFFLE_OK ? tally_log(r, number, state.size, &(place){&u->lock, &u->tally}, sum, err) : rc;
}

raffle_rc rf_tier_tally_all(raffle *r, uint32_t units, rf_live_pot *live, raffle_error *err)
{
    rf_tier_count sum[RF_TIERS_MAX] = {{0}};
    pthread_rwlock_rdlock(&r->control_lock);
    const uint64_t size = r->control.size;
    pthread_rwlock_unlock(&r->control_lock);
    raffle_rc rc = tally_log(r, 0, size, &(place){&r->lock, &r->tally}, sum, err);
    for (uint32_t number = 1; number <= units && rc == RAFFLE_OK; number++)
        rc = tally_unit(r, number, sum, err);
    for (size_t i = 0; i < r->rules->tiers && rc == RAFFLE_OK; i++)
        live->tier[i] = rf_tier_net(&r->rules->tier[i], &sum[i]);
    return rc;
}
