/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying the receipt of a unit's close with the unit's key alone (docs/spec/receipts.md). */
#include "receipt_check.h"

#include "abi.h"
#include "error.h"
#include <raffle/unit.h>
#include <stdlib.h>
#include <string.h>

typedef struct check {
    rf_sha256 *hash;
    rf_vkey key;
    rf_receipt_part part;
    char leaf[RF_RECEIPT_LEAF_MAX];
    rf_checkpoint head;
    raffle_unit_close_info info;
} check;

static raffle_rc read_key(check *c, const char *key, raffle_error *err)
{
    raffle_rc rc = rf_vkey_parse(&c->key, key, strnlen(key, RF_VKEY_SIZE), err);
    if (rc == RAFFLE_OK && (c->key.type != RF_NOTE_ED25519 ||
                            !rf_log_name_read(c->key.name, c->info.origin, &c->info.unit) || c->info.unit == 0))
        rc = rf_fail(err, RAFFLE_INVALID, "the key of '%s' is no unit's", c->key.name);
    return rc;
}

/* Whether a log of this size can add up to this: a start, a close, and a record for each sale and void, of one draw number or more. */
static bool can_be(const rf_record *r, uint64_t size)
{
    return r->n == r->numbers + 1 && r->tickets <= r->numbers && r->voids <= r->tickets &&
           r->voids <= r->void_numbers && r->void_numbers <= r->numbers && r->void_gross <= r->gross &&
           (uint64_t)r->tickets + (uint64_t)r->voids + 2 <= size;
}

static raffle_rc check_close(check *c, raffle_error *err)
{
    rf_record record;
    const unsigned long long size = c->head.size;
    raffle_rc rc = rf_receipt_check_record(c->hash, &c->part, &c->head, RF_UNIT_CLOSE, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->part.proof.index != c->head.size - 1)
        return rf_fail(err, RAFFLE_MISMATCH, "the close is record %llu of %llu, and not the last",
                       (unsigned long long)c->part.proof.index, size);
    if (!can_be(&record, c->head.size))
        return rf_fail(err, RAFFLE_CORRUPT, "%llu records of %s cannot add up to the totals of its close", size,
                       c->key.name);
    c->info.at = record.at;
    c->info.tickets = (uint64_t)record.tickets;
    c->info.numbers = (uint64_t)record.numbers;
    c->info.gross = record.gross;
    c->info.voids = (uint64_t)record.voids;
    c->info.void_numbers = (uint64_t)record.void_numbers;
    c->info.void_gross = record.void_gross;
    return RAFFLE_OK;
}

static raffle_rc verify(check *c, const char *text, size_t length, raffle_error *err)
{
    uint64_t cosigned;
    raffle_rc rc = rf_tlog_proof_read(&c->part, c->leaf, text, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_check_note(&c->part, &c->key, NULL, &c->head, &cosigned, err);
    if (rc == RAFFLE_OK)
        rc = check_close(c, err);
    /* A digest that failed gives zeros, which no root is; asked all the same. */
    if (rc == RAFFLE_OK && !rf_sha256_ok(c->hash))
        rc = rf_nomem(err);
    c->info.size = c->head.size;
    memcpy(c->info.root, c->head.root, sizeof c->info.root);
    return rc;
}

raffle_rc raffle_unit_close_verify(const char *receipt, size_t length, const char *unit_key,
                                   raffle_unit_close_info *info, raffle_error *err)
{
    if (receipt == NULL || unit_key == NULL)
        return rf_null(err, receipt == NULL ? "receipt" : "unit_key");
    if (info != NULL && rf_struct_check(info, "info", err) != RAFFLE_OK)
        return RAFFLE_MISUSE;
    if (length > RAFFLE_CLOSE_RECEIPT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a receipt of a close of %zu bytes is longer than %d", length,
                       RAFFLE_CLOSE_RECEIPT_MAX);
    check *c = calloc(1, sizeof *c);
    if (c == NULL)
        return rf_nomem(err);
    c->hash = rf_sha256_new();
    raffle_rc rc = c->hash == NULL ? rf_nomem(err) : read_key(c, unit_key, err);
    if (rc == RAFFLE_OK)
        rc = verify(c, receipt, length, err);
    if (rc == RAFFLE_OK && info != NULL)
        rf_struct_out(info, rf_struct_size(info), &c->info, sizeof c->info);
    rf_sha256_free(c->hash);
    free(c);
    return rc;
}

void raffle_unit_close_info_init(raffle_unit_close_info *info, size_t size)
{
    rf_struct_init(info, size);
}
