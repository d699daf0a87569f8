/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a receipt with the control key alone: it proves the unit's key by the unit's enrolment, and that key the sale (docs/spec/receipts.md). */
#include "receipt_verify.h"
#include "receipt_check.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "merkle.h"
#include "record.h"
#include "rules.h"
#include <raffle/seal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICKET_MAX = 1000000 /* draw numbers of one, whatever its tier (docs/spec/records.md) */
};

/* What one verification works with. */
typedef struct check {
    rf_sha256 *hash;
    rf_receipt receipt;
    rf_vkey control, unit;
    rf_rules *rules; /* when they name witnesses */
    rf_policy policy;
    rf_checkpoint control_head, unit_head;
    rf_record seal_unit;
    raffle_receipt_info info;
} check;

static bool same_note(const rf_receipt_part *a, const rf_receipt_part *b)
{
    return a->note_length == b->note_length && memcmp(a->note, b->note, a->note_length) == 0;
}

/* --- the rules' witnesses --- */

/* Takes the policy from the part raffle.open, whose proof is checked once the checkpoint is. */
static raffle_rc read_policy(check *c, raffle_error *err)
{
    rf_record record;
    const rf_receipt_part *part = &c->receipt.open;
    raffle_rc rc = rf_record_decode(&record, part->leaf, part->leaf_length, err);
    if (rc == RAFFLE_OK && (record.type != RF_RAFFLE_OPEN || part->proof.index != 0))
        rc = rf_fail(err, RAFFLE_MISMATCH, "record %llu is a %s, and not the log's raffle.open",
                     (unsigned long long)part->proof.index, rf_type_name(record.type));
    if (rc == RAFFLE_OK && record.format != 1)
        rc = rf_fail(err, RAFFLE_NEWER, "the raffle's records have format %lld", (long long)record.format);
    c->rules = rc == RAFFLE_OK ? malloc(sizeof *c->rules) : NULL;
    if (rc == RAFFLE_OK && c->rules == NULL)
        rc = rf_nomem(err);
    if (rc == RAFFLE_OK)
        rc = rf_rules_parse(c->rules, record.rules.text, record.rules.length, err);
    if (rc == RAFFLE_OK && (strcmp(c->rules->origin, c->receipt.origin) != 0 || c->rules->policy_length == 0))
        rc = rf_fail(err, RAFFLE_MISMATCH, "raffle.open is that of %.100s, and names %s witnesses", c->rules->origin,
                     c->rules->policy_length == 0 ? "no" : "its");
    return rc == RAFFLE_OK ? rf_policy_parse(&c->policy, c->rules->policy, c->rules->policy_length, err) : rc;
}

static raffle_rc check_open(check *c, uint64_t cosigned, raffle_error *err)
{
    char key[RF_VKEY_SIZE];
    rf_record record;
    const rf_receipt *r = &c->receipt;
    if (!same_note(&r->open, &r->enrol))
        return rf_fail(err, RAFFLE_MISMATCH, "the parts of the control log have not the same checkpoint");
    raffle_rc rc = rf_receipt_check_record(c->hash, &r->open, &c->control_head, RF_RAFFLE_OPEN, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_vkey_format(&c->control, key);
    if (!rf_text_is(&record.key, key))
        return rf_fail(err, RAFFLE_MISMATCH, "raffle.open names another control key");
    c->info.witnesses = (uint32_t)__builtin_popcountll(cosigned);
    c->info.quorum = rf_policy_reached(&c->policy, cosigned);
    return RAFFLE_OK;
}

static const rf_policy *policy_of(const check *c)
{
    return c->rules == NULL ? NULL : &c->policy;
}

/* --- the unit's key, and the sale --- */

static raffle_rc check_enrol(check *c, raffle_error *err)
{
    rf_record record;
    char key[RF_VKEY_SIZE], name[RAFFLE_ORIGIN_SIZE + 16];
    const rf_receipt *r = &c->receipt;
    uint64_t cosigned;
    raffle_rc rc = rf_receipt_check_note(&r->enrol, &c->control, policy_of(c), &c->control_head, &cosigned, err);
    if (rc == RAFFLE_OK && r->has_open)
        rc = check_open(c, cosigned, err);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_check_record(c->hash, &r->enrol, &c->control_head, RF_UNIT_ENROL, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    if ((uint64_t)record.unit != r->unit)
        return rf_fail(err, RAFFLE_MISMATCH, "the enrolment is of unit %lld, and the ticket of unit %u",
                       (long long)record.unit, r->unit);
    if (!rf_text_copy(&record.key, key, sizeof key))
        return rf_fail(err, RAFFLE_CORRUPT, "the key of unit %u is too long", r->unit);
    rc = rf_vkey_parse(&c->unit, key, strlen(key), err);
    (void)snprintf(name, sizeof name, "%s/unit/%u", r->origin, r->unit);
    if (rc == RAFFLE_OK && strcmp(c->unit.name, name) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the key of unit %u is named %s", r->unit, c->unit.name);
    return rc;
}

static raffle_rc check_sale(check *c, raffle_error *err)
{
    rf_record record;
    const rf_receipt *r = &c->receipt;
    uint64_t cosigned;
    raffle_rc rc = rf_receipt_check_note(&r->sale, &c->unit, policy_of(c), &c->unit_head, &cosigned, err);
    if (rc == RAFFLE_OK && r->sale.proof.index != r->serial)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the ticket is %u/%llu, and the proof is of record %llu", r->unit,
                     (unsigned long long)r->serial, (unsigned long long)r->sale.proof.index);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_check_record(c->hash, &r->sale, &c->unit_head, RF_SALE, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (record.count < 1 || record.count > TICKET_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "the ticket has %lld draw numbers", (long long)record.count);
    c->info.first = (uint64_t)record.n;
    c->info.count = (uint32_t)record.count;
    c->info.price = record.price;
    c->info.at = record.at;
    return rf_text_copy(&record.tier, c->info.tier, sizeof c->info.tier)
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_CORRUPT, "the tier of the ticket is too long");
}

/* --- the seal --- */

static raffle_rc check_seal_unit(check *c, raffle_error *err)
{
    const rf_receipt *r = &c->receipt;
    raffle_rc rc = rf_receipt_check_record(c->hash, &r->seal_unit, &c->control_head, RF_SEAL_UNIT, &c->seal_unit, err);
    if (rc != RAFFLE_OK)
        return rc;
    const rf_record *sealed = &c->seal_unit;
    if ((uint64_t)sealed->unit != r->unit)
        return rf_fail(err, RAFFLE_MISMATCH, "the seal.unit is of unit %lld, and the ticket of unit %u",
                       (long long)sealed->unit, r->unit);
    if ((uint64_t)sealed->size != c->unit_head.size || memcmp(sealed->root, c->unit_head.root, 32) != 0)
        return rf_fail(err, RAFFLE_MISMATCH, "the checkpoint of unit %u is not the one that was sealed", r->unit);
    return RAFFLE_OK;
}

/* A run of seal.unit counts when its seal follows it, and each unit has its place in the run. */
static raffle_rc check_seal(check *c, raffle_error *err)
{
    rf_record record;
    const rf_receipt *r = &c->receipt;
    raffle_rc rc = rf_receipt_check_record(c->hash, &r->seal, &c->control_head, RF_SEAL, &record, err);
    if (rc != RAFFLE_OK)
        return rc;
    const uint64_t first = (uint64_t)record.first, units = (uint64_t)record.units, index = r->seal.proof.index;
    const bool early = rf_text_is(&record.kind, "early");
    if (first > index || units != index - first || r->unit > units || r->seal_unit.proof.index != first + r->unit - 1)
        return rf_fail(err, RAFFLE_MISMATCH, "the seal.unit at %llu is none of unit %u in the seal at %llu",
                       (unsigned long long)r->seal_unit.proof.index, r->unit, (unsigned long long)index);
    if (!early && !rf_text_is(&record.kind, "final"))
        return rf_fail(err, RAFFLE_CORRUPT, "the seal at %llu is of no kind", (unsigned long long)index);
    c->info.seal_kind = early ? RAFFLE_SEAL_EARLY : RAFFLE_SEAL_FINAL;
    c->info.seal = index;
    c->info.seal_at = record.at;
    c->info.voids = (uint64_t)c->seal_unit.voids;
    return RAFFLE_OK;
}

/* --- the voids --- */

static raffle_rc check_listed(const check *c, const rf_receipt_void *v, raffle_error *err)
{
    uint8_t leaf[5];
    rf_put_be(leaf, v->serial, sizeof leaf);
    if (rf_get_be(leaf, sizeof leaf) != v->serial)
        return rf_fail(err, RAFFLE_PROOF, "%llu is no serial", (unsigned long long)v->serial);
    return rf_receipt_check_proof(c->hash, &v->proof, leaf, sizeof leaf, c->info.voids, c->seal_unit.void_root, "void",
                                  err);
}

static raffle_rc check_is_void(const check *c, raffle_error *err)
{
    const rf_receipt *r = &c->receipt;
    if (r->voids != 1 || r->near[0].serial != r->serial)
        return rf_fail(err, RAFFLE_MISMATCH, "the receipt shows %zu serials, and not the ticket's, among the voids",
                       r->voids);
    return check_listed(c, &r->near[0], err);
}

/* The voids ascend: those before and after the place where the ticket would be are shown, and there is none between them. An edge has one neighbour. */
static raffle_rc check_not_void(const check *c, raffle_error *err)
{
    const rf_receipt *r = &c->receipt;
    const rf_receipt_void *before = r->voids > 0 && r->near[0].serial < r->serial ? &r->near[0] : NULL;
    const rf_receipt_void *after = r->voids > (before != NULL) ? &r->near[before != NULL] : NULL;
    const uint64_t place = before != NULL ? before->proof.index + 1 : 0; /* the ticket's, if it were void */
    if ((after != NULL && (after->serial <= r->serial || after->proof.index != place)) ||
        r->voids != (size_t)(before != NULL) + (after != NULL))
        return rf_fail(err, RAFFLE_PROOF, "the voids that are shown are not the neighbours of %llu",
                       (unsigned long long)r->serial);
    if (after == NULL && place != c->info.voids)
        return rf_fail(err, RAFFLE_PROOF, "of %llu voids none after %llu is shown", (unsigned long long)c->info.voids,
                       (unsigned long long)r->serial);
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < r->voids; i++)
        rc = check_listed(c, &r->near[i], err);
    if (rc == RAFFLE_OK && c->info.voids == 0 && memcmp(c->seal_unit.void_root, rf_empty_root, 32) != 0)
        rc = rf_fail(err, RAFFLE_PROOF, "without voids their root is not that of nothing");
    return rc;
}

static raffle_rc check_sealed(check *c, raffle_error *err)
{
    const rf_receipt *r = &c->receipt;
    if (!same_note(&r->seal_unit, &r->enrol) || !same_note(&r->seal, &r->enrol))
        return rf_fail(err, RAFFLE_MISMATCH, "the parts of the control log have not the same checkpoint");
    raffle_rc rc = check_seal_unit(c, err);
    if (rc == RAFFLE_OK)
        rc = check_seal(c, err);
    if (rc != RAFFLE_OK)
        return rc;
    return r->proves == RAFFLE_RECEIPT_VOID ? check_is_void(c, err) : check_not_void(c, err);
}

/* --- the call --- */

static raffle_rc check_key(check *c, const char *key, raffle_error *err)
{
    raffle_rc rc = rf_vkey_parse(&c->control, key, strnlen(key, RF_VKEY_SIZE), err);
    if (rc == RAFFLE_OK &&
        (c->control.type != RF_NOTE_ED25519 || !rf_origin_valid(c->control.name, strlen(c->control.name))))
        rc = rf_fail(err, RAFFLE_INVALID, "the key of '%s' is no control log's", c->control.name);
    return rc;
}

static raffle_rc verify(check *c, const char *text, size_t length, raffle_error *err)
{
    rf_receipt *r = &c->receipt;
    raffle_rc rc = rf_receipt_read(r, text, length, err);
    if (rc == RAFFLE_OK && strcmp(r->origin, c->control.name) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "the receipt is of %.100s, and the key that of %.100s", r->origin,
                     c->control.name);
    if (rc == RAFFLE_OK && r->has_open)
        rc = read_policy(c, err);
    if (rc == RAFFLE_OK)
        rc = check_enrol(c, err);
    if (rc == RAFFLE_OK)
        rc = check_sale(c, err);
    if (rc == RAFFLE_OK && r->proves != RAFFLE_RECEIPT_PROMISE)
        rc = check_sealed(c, err);
    /* A digest that failed gives zeros, which no root is; asked all the same. */
    if (rc == RAFFLE_OK && !rf_sha256_ok(c->hash))
        rc = rf_nomem(err);
    return rc;
}

static void give_roots(const check *c, rf_receipt_roots *roots)
{
    memcpy(roots->control, c->control_head.root, sizeof roots->control);
    memcpy(roots->unit, c->unit_head.root, sizeof roots->unit);
}

static void give(check *c, raffle_receipt_info *info)
{
    const rf_receipt *r = &c->receipt;
    c->info.proves = r->proves;
    c->info.unit = r->unit;
    c->info.serial = r->serial;
    c->info.unit_size = c->unit_head.size;
    c->info.control_size = c->control_head.size;
    memcpy(c->info.origin, r->origin, sizeof c->info.origin);
    rf_struct_out(info, rf_struct_size(info), &c->info, sizeof c->info);
}

raffle_rc raffle_receipt_verify(const char *receipt, size_t length, const char *control_key, raffle_receipt_info *info,
                                raffle_error *err)
{
    return rf_receipt_verify(receipt, length, control_key, info, NULL, err);
}

raffle_rc rf_receipt_verify(const char *receipt, size_t length, const char *control_key, raffle_receipt_info *info,
                            rf_receipt_roots *roots, raffle_error *err)
{
    if (receipt == NULL || control_key == NULL)
        return rf_null(err, receipt == NULL ? "receipt" : "control_key");
    if (info != NULL && rf_struct_check(info, "info", err) != RAFFLE_OK)
        return RAFFLE_MISUSE;
    if (length > RAFFLE_RECEIPT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "a receipt of %zu bytes is longer than %d", length, RAFFLE_RECEIPT_MAX);
    check *c = malloc(sizeof *c);
    if (c == NULL)
        return rf_nomem(err);
    memset(&c->info, 0, sizeof c->info);
    c->rules = NULL;
    c->hash = rf_sha256_new();
    raffle_rc rc = c->hash == NULL ? rf_nomem(err) : check_key(c, control_key, err);
    if (rc == RAFFLE_OK)
        rc = verify(c, receipt, length, err);
    if (rc == RAFFLE_OK && info != NULL)
        give(c, info);
    if (rc == RAFFLE_OK && roots != NULL)
        give_roots(c, roots);
    rf_sha256_free(c->hash);
    free(c->rules);
    free(c);
    return rc;
}

void raffle_receipt_info_init(raffle_receipt_info *info, size_t size)
{
    rf_struct_init(info, size);
}
