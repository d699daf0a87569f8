/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of a buyer's tickets, in a call that sells. How many each buyer of the call has is looked up before the transaction, so that nearly every refusal costs
 * no more than that; that it holds, the keys alone decide.
 */
#include "sell_impl.h"

#include "buyer.h"
#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A buyer of the call. A buyer's places are taken without a gap, by one transaction after the other. */
struct rf_sell_buyer {
    uint8_t hash[RF_BUYER_HASH_SIZE];
    uint32_t had;   /* places that were taken before the transaction: for good */
    uint32_t count; /* and with those of this call, as far as it has come */
    uint32_t want;  /* of the order that is judged */
};

static uint32_t limit_of(const rf_sell *q)
{
    return (uint32_t)q->unit->raffle->rules->buyer_tickets;
}

/* --- before the transaction --- */

static raffle_rc has_place(const rf_sell *q, const rf_sell_buyer *b, uint32_t ordinal, bool *has, raffle_error *err)
{
    uint8_t row[RF_BUYER_ROW_SIZE];
    raffle_store_key owner = {.struct_size = sizeof owner};
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_buyer_row(row, b->hash, ordinal);
    raffle_rc rc = rf_store_find(q->unit->raffle->store, RF_SCOPE_BUYER, row, sizeof row, &owner, &why);
    *has = rc == RAFFLE_OK;
    return rc == RAFFLE_OK || rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rf_fail_as(err, &why);
}

/* By halving what is left, after steps that double: most buyers have few. */
static raffle_rc count_places(const rf_sell *q, rf_sell_buyer *b, raffle_error *err)
{
    uint32_t low = 0, high = 1;
    const uint32_t limit = limit_of(q);
    bool has = true;
    raffle_rc rc = RAFFLE_OK;
    while (rc == RAFFLE_OK && has && high <= limit) {
        rc = has_place(q, b, high, &has, err);
        low = has ? high : low;
        high = has ? 2 * high : high;
    }
    high = high <= limit ? high : limit + 1; /* has no place `high` */
    while (rc == RAFFLE_OK && high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        rc = has_place(q, b, middle, &has, err);
        low = has ? middle : low;
        high = has ? high : middle;
    }
    b->had = low;
    return rc;
}

/* Open addressing: the hash is as good as chance. */
static uint32_t *find_slot(const rf_sell *q, uint32_t *table, size_t cap, const uint8_t hash[RF_BUYER_HASH_SIZE])
{
    size_t at;
    memcpy(&at, hash, sizeof at);
    at &= cap - 1;
    while (table[at] != 0 && memcmp(q->buyer[table[at] - 1].hash, hash, RF_BUYER_HASH_SIZE) != 0)
        at = (at + 1) & (cap - 1);
    return &table[at];
}

static raffle_rc find_buyer(rf_sell *q, size_t i, uint32_t *table, size_t cap, raffle_error *err)
{
    const char *tag = rf_sell_line(q, i)->buyer;
    uint8_t hash[RF_BUYER_HASH_SIZE];
    rf_buyer_hash(q->hash, hash, q->unit->raffle->buyer_key, tag, strnlen(tag, RAFFLE_NAME_SIZE));
    uint32_t *slot = find_slot(q, table, cap, hash);
    if (*slot == 0) {
        rf_sell_buyer *b = &q->buyer[q->buyers++];
        memcpy(b->hash, hash, sizeof hash);
        *slot = (uint32_t)q->buyers;
        raffle_rc rc = count_places(q, b, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    q->line[i].buyer = *slot;
    return RAFFLE_OK;
}

raffle_rc rf_sell_find_buyers(rf_sell *q, raffle_error *err)
{
    size_t cap = 64;
    raffle_rc rc = RAFFLE_OK;
    if (limit_of(q) == 0)
        return RAFFLE_OK;
    if (q->unit->raffle->buyer_key == NULL)
        return rf_fail(err, RAFFLE_KEY, "the tickets of a buyer cannot be counted here, without the ticket key");
    while (cap < 2 * q->n)
        cap *= 2;
    uint32_t *table = calloc(cap, sizeof *table);
    q->buyer = calloc(q->n, sizeof *q->buyer);
    if (table == NULL || q->buyer == NULL)
        rc = rf_nomem(err);
    for (size_t i = 0; rc == RAFFLE_OK && i < q->n; i++)
        if (rf_sell_line(q, i)->buyer[0] != 0)
            rc = find_buyer(q, i, table, cap, err);
    free(table);
    return rc;
}

raffle_rc rf_sell_recount_buyers(rf_sell *q, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    q->recount = false;
    for (size_t i = 0; i < q->buyers && rc == RAFFLE_OK; i++)
        rc = count_places(q, &q->buyer[i], err);
    return rc;
}

/* --- in the transaction --- */

void rf_sell_start_buyers(rf_sell *q)
{
    q->recount = false;
    for (size_t i = 0; i < q->buyers; i++)
        q->buyer[i].count = q->buyer[i].had;
}

raffle_rc rf_sell_judge_buyers(rf_sell *q, size_t i, char sentence[120])
{
    const size_t end = i + q->line[i].order_lines;
    const uint32_t limit = limit_of(q);
    raffle_rc rc = RAFFLE_OK;
    if (limit == 0)
        return RAFFLE_OK;
    for (size_t k = i; k < end && rc == RAFFLE_OK; k++) {
        rf_sell_buyer *b = &q->buyer[q->line[k].buyer - 1];
        if (b->count + ++b->want <= limit)
            continue;
        snprintf(sentence, 120, "its buyer has %u of the %u tickets that the rules allow", b->count, limit);
        rc = RAFFLE_LIMIT;
    }
    for (size_t k = i; k < end; k++)
        q->buyer[q->line[k].buyer - 1].want = 0;
    return rc;
}

raffle_rc rf_sell_take_place(rf_sell *q, rf_txn *txn, size_t i, raffle_error *err)
{
    const uint32_t limit = limit_of(q);
    if (limit == 0)
        return RAFFLE_OK;
    rf_sell_buyer *b = &q->buyer[q->line[i].buyer - 1];
    for (bool taken = true; taken;) {
        uint8_t row[RF_BUYER_ROW_SIZE];
        raffle_store_key owner;
        /* Others sold to this buyer meanwhile, and may yet fail to: nothing of the call is kept, and the buyers are counted again. */
        if (b->count == limit) {
            q->recount = true;
            return rf_fail(err, RAFFLE_LIMIT, "a buyer's tickets were sold elsewhere in between");
        }
        rf_buyer_row(row, b->hash, ++b->count);
        raffle_rc rc = rf_txn_key(txn, RF_SCOPE_BUYER, row, sizeof row, q->line[i].serial, &taken, &owner, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}
