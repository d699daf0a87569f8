/* SPDX-License-Identifier: Apache-2.0 */
/* Keys in memory: those of a batch, and those known to be taken; as they are in the table, and found by their text. */
#include "postgres/db.h"

#include "bytes.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

size_t rf_pg_key_hex(char out[RF_PG_KEY_SIZE], uint32_t scope, const uint8_t *key, size_t length)
{
    const uint8_t first = (uint8_t)scope;
    rf_hex_encode(out, &first, 1);
    rf_hex_encode(out + 2, key, length);
    out[2 + 2 * length] = '\0';
    return 2 + 2 * length;
}

void rf_pg_key_from(rf_pg_key *out, const raffle_store_key *key)
{
    out->length = (uint8_t)rf_pg_key_hex(out->hex, key->scope, key->key, key->length);
    out->log = key->log;
    out->index = key->index;
}

bool rf_pg_key_row(raffle_store_key *row, const char *hex, size_t length, uint64_t log, uint64_t index)
{
    uint8_t scope = 0;
    *row = (raffle_store_key){.struct_size = sizeof *row};
    if (length < 4 || length >= RF_PG_KEY_SIZE || length % 2 != 0 || log > RF_LOG_MAX || index >= RF_LOG_RECORDS_MAX)
        return false;
    if (!rf_hex_decode(&scope, 1, hex, 2) || !rf_hex_decode(row->key, length / 2 - 1, hex + 2, length - 2))
        return false;
    row->scope = scope;
    row->length = (uint32_t)(length / 2 - 1);
    row->log = (uint32_t)log;
    row->index = index;
    return true;
}

bool rf_pg_key_take(const PGresult *r, int i, raffle_store_key *row)
{
    const char *hex = NULL;
    size_t length = 0;
    uint64_t log = 0, index = 0;
    return rf_pg_value(r, i, 0, RF_PG_TEXT, RF_PG_KEY_SIZE - 1, &hex, &length, NULL) &&
           rf_pg_number(r, i, 1, RF_LOG_MAX, &log, NULL) &&
           rf_pg_number(r, i, 2, RF_LOG_RECORDS_MAX - 1, &index, NULL) && rf_pg_key_row(row, hex, length, log, index);
}

/* --- sets --- */

void rf_pg_keyset_clear(rf_pg_keyset *set)
{
    set->n = 0;
    if (set->slots > 0)
        memset(set->slot, 0, set->slots * sizeof *set->slot);
}

void rf_pg_keyset_free(rf_pg_keyset *set)
{
    free(set->key);
    free(set->slot);
    *set = (rf_pg_keyset){.n = 0};
}

/* FNV-1a. */
static uint64_t hash(const rf_pg_key *key)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < key->length; i++)
        h = (h ^ (uint8_t)key->hex[i]) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

/* The slot that has the key, or the free one where it would go. */
static size_t place(const rf_pg_keyset *set, const rf_pg_key *key)
{
    size_t at = (size_t)hash(key) & (set->slots - 1);
    while (set->slot[at] != 0) {
        const rf_pg_key *other = &set->key[set->slot[at] - 1];
        if (other->length == key->length && memcmp(other->hex, key->hex, key->length) == 0)
            break;
        at = (at + 1) & (set->slots - 1);
    }
    return at;
}

const rf_pg_key *rf_pg_keyset_find(const rf_pg_keyset *set, const rf_pg_key *key)
{
    if (set->n == 0)
        return NULL;
    const uint32_t found = set->slot[place(set, key)];
    return found == 0 ? NULL : &set->key[found - 1];
}

/* At most half of the slots are taken. */
static raffle_rc grow(rf_pg_keyset *set, raffle_error *err)
{
    if (set->n < set->cap)
        return RAFFLE_OK;
    const size_t cap = set->cap == 0 ? 64 : 2 * set->cap;
    rf_pg_key *key = realloc(set->key, cap * sizeof *key);
    if (key != NULL)
        set->key = key;
    uint32_t *slot = calloc(2 * cap, sizeof *slot);
    if (key == NULL || slot == NULL || cap > UINT32_MAX / 2) {
        free(slot);
        return rf_nomem(err);
    }
    free(set->slot);
    set->slot = slot;
    set->cap = cap;
    set->slots = 2 * cap;
    for (size_t i = 0; i < set->n; i++)
        set->slot[place(set, &set->key[i])] = (uint32_t)i + 1;
    return RAFFLE_OK;
}

raffle_rc rf_pg_keyset_add(rf_pg_keyset *set, const rf_pg_key *key, raffle_error *err)
{
    raffle_rc rc = grow(set, err);
    if (rc != RAFFLE_OK)
        return rc;
    const size_t at = place(set, key);
    if (set->slot[at] != 0)
        return RAFFLE_OK;
    set->key[set->n++] = *key;
    set->slot[at] = (uint32_t)set->n;
    return RAFFLE_OK;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const rf_pg_key *)a)->hex, ((const rf_pg_key *)b)->hex);
}

void rf_pg_keyset_sort(rf_pg_keyset *set)
{
    if (set->n < 2)
        return;
    qsort(set->key, set->n, sizeof *set->key, compare);
    memset(set->slot, 0, set->slots * sizeof *set->slot);
    for (size_t i = 0; i < set->n; i++)
        set->slot[place(set, &set->key[i])] = (uint32_t)i + 1;
}
