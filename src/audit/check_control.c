/* SPDX-License-Identifier: Apache-2.0 */
/* The control log: bytes, tree, signatures, fold, keys; and what it says of the units, which is compared with their logs later. */
#include "audit_impl.h"

#include "error.h"
#include "fold_keys.h"
#include "leaf.h"
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 64,         /* records that are read together: a sink may not call the store */
    MISSING_MOST = 1000 /* after so many missing records the log is taken to end */
};

/* --- walking --- */

typedef struct batch {
    size_t n;
    raffle_record record[BATCH];
    char *bytes[BATCH]; /* leaf and private part */
} batch;

static raffle_rc keep(void *ctx, const raffle_record *record, raffle_error *err)
{
    batch *b = ctx;
    char *bytes = malloc((size_t)record->leaf_length + record->private_length);
    if (bytes == NULL)
        return rf_nomem(err);
    memcpy(bytes, record->leaf, record->leaf_length);
    if (record->private_length > 0)
        memcpy(bytes + record->leaf_length, record->private_part, record->private_length);
    b->bytes[b->n] = bytes;
    b->record[b->n] = *record;
    b->record[b->n].leaf = bytes;
    b->record[b->n].private_part = record->private_length > 0 ? bytes + record->leaf_length : NULL;
    b->n++;
    return RAFFLE_OK;
}

static raffle_rc give(batch *b, const rf_control_sink *sink, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && i < b->n; i++)
        rc = sink->record(sink->ctx, &b->record[i], err);
    for (size_t i = 0; i < b->n; i++)
        free(b->bytes[i]);
    b->n = 0;
    return rc;
}

raffle_rc rf_control_walk(raffle_audit *a, uint64_t size, const rf_control_sink *sink, raffle_error *err)
{
    batch b = {0};
    raffle_rc rc = RAFFLE_OK;
    int missing = 0;
    for (uint64_t at = 0; rc == RAFFLE_OK && at < size && missing < MISSING_MOST;) {
        raffle_error why = RAFFLE_ERROR_INIT;
        uint64_t want = size - at < BATCH ? size - at : BATCH;
        raffle_rc read = rf_store_read(a->store, 0, at, want, keep, &b, &why);
        at += b.n;
        want -= b.n;
        missing = b.n > 0 ? 0 : missing;
        rc = give(&b, sink, err);
        if (rc == RAFFLE_OK && read != RAFFLE_OK && read != RAFFLE_CORRUPT)
            rc = rf_fail_as(err, &why);
        if (rc != RAFFLE_OK || (want == 0 && read == RAFFLE_OK))
            continue;
        rc = sink->missing(sink->ctx, at, read == RAFFLE_OK ? "the record is missing" : why.message, err);
        at += want > 0;
        missing++;
    }
    return rc;
}

/* A result that was refused ends its draw nevertheless: what follows is judged as if it stood. */
static void give_up_draw(rf_control *control)
{
    rf_prize_state *prize = &control->prize[control->open_prize];
    prize->state = RAFFLE_PRIZE_DRAWN;
    prize->result = control->size;
    control->open_prize = -1;
    control->ask = 0;
    control->picks = 0;
}

raffle_rc rf_control_follow(rf_control *control, const rf_record *record, const uint8_t leaf_hash[32],
                            rf_taken_list *taken, raffle_error *why)
{
    raffle_rc rc = rf_control_apply(control, record, leaf_hash, taken, why);
    if (rc == RAFFLE_OK || rc == RAFFLE_NOMEM)
        return rc;
    taken->n = 0;
    if ((record->type == RF_DRAW_RESULT || record->type == RF_DRAW_MANUAL) && control->open_prize >= 0)
        give_up_draw(control);
    control->run = record->type == RF_SEAL_UNIT ? control->run : 0;
    control->last_at = record->at;
    control->size++;
    return rc;
}

/* --- what the log says of the units --- */

typedef struct reading {
    raffle_audit *audit;
    rf_leaf_check check;
    rf_leaf leaf;
    rf_range range;
    uint64_t run_first;
    bool in_run;
    int64_t last_at;
    uint64_t expected_size;
    raffle_rc node_rc;
    raffle_error node_error;
    rf_leaf_tile leaves; /* as they are published */
} reading;

/* What it says of its tiers; malformed, the fold says so. */
static raffle_rc read_tiers(const rf_rules *rules, const rf_record *record, rf_sealed *s, raffle_error *err)
{
    if (rules == NULL || !rf_has(record, RF_F_TIERS))
        return RAFFLE_OK;
    s->tier = calloc(rules->tiers, sizeof *s->tier);
    if (s->tier == NULL)
        return rf_nomem(err);
    if (rf_tier_counts_decode(&record->tiers, s->tier, rules->tiers, NULL) != RAFFLE_OK) {
        free(s->tier);
        s->tier = NULL;
    }
    return RAFFLE_OK;
}

static raffle_rc add_seal_unit(reading *r, const rf_record *record, uint64_t index, raffle_error *err)
{
    raffle_audit *a = r->audit;
    if (!r->in_run)
        r->run_first = index;
    r->in_run = true;
    if ((a->seals & (a->seals - 1)) == 0) { /* at powers of two */
        rf_sealed *grown = realloc(a->sealed, (a->seals > 0 ? 2 * a->seals : 1) * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        a->sealed = grown;
    }
    rf_sealed *s = &a->sealed[a->seals++];
    *s = (rf_sealed){.index = index,
                     .at = record->at,
                     .first = r->run_first,
                     .says = {.size = (uint64_t)record->size,
                              .tickets = (uint64_t)record->tickets,
                              .numbers = (uint64_t)record->numbers,
                              .voids = (uint64_t)record->voids,
                              .void_numbers = (uint64_t)record->void_numbers,
                              .gross = record->gross,
                              .void_gross = record->void_gross,
                              .unit = (uint32_t)(record->unit <= RAFFLE_UNIT_MAX ? record->unit : 0),
                              .reconciled = record->reconciled}};
    memcpy(s->says.root, record->root, 32);
    memcpy(s->says.void_root, record->void_root, 32);
    return read_tiers(a->control.rules, record, s, err);
}

/* The run is over; with a seal at its end it counts. */
static void end_run(reading *r, const rf_record *record)
{
    raffle_audit *a = r->audit;
    int32_t kind = record == NULL || record->type != RF_SEAL ? 0
                   : rf_text_is(&record->kind, "final")      ? RAFFLE_SEAL_FINAL
                                                             : RAFFLE_SEAL_EARLY;
    for (size_t i = a->seals; r->in_run && i-- > 0 && a->sealed[i].first == r->run_first;)
        a->sealed[i].kind = kind;
    r->in_run = false;
}

static raffle_rc add_void(raffle_audit *a, const rf_record *record, uint64_t index, raffle_error *err)
{
    if (a->control_voids == a->control_void_cap) {
        size_t cap = a->control_void_cap > 0 ? 2 * a->control_void_cap : 64;
        struct rf_control_void *grown = realloc(a->control_void, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        a->control_void = grown;
        a->control_void_cap = cap;
    }
    a->control_void[a->control_voids++] =
        (struct rf_control_void){.unit = (uint32_t)(record->unit <= RAFFLE_UNIT_MAX ? record->unit : 0),
                                 .is = {.serial = (uint64_t)record->serial,
                                        .tier = -1,
                                        .index = index,
                                        .count = (uint32_t)(record->count <= UINT32_MAX ? record->count : UINT32_MAX),
                                        .price = record->price,
                                        .at = record->at}};
    return RAFFLE_OK;
}

/* The note in a record about a unit: by the unit's key, of exactly this size and root. */
static raffle_rc check_unit_note(reading *r, const rf_record *record, uint64_t size, const uint8_t root[32],
                                 const char *code, uint64_t index, raffle_error *err)
{
    raffle_audit *a = r->audit;
    rf_signer signer;
    rf_checkpoint checkpoint;
    if (record->unit < 1 || (uint64_t)record->unit > a->control.units)
        return RAFFLE_OK; /* the fold says so */
    char *note = malloc(record->note.length + 1);
    if (note == NULL)
        return rf_nomem(err);
    rf_signer_init(&signer, (uint32_t)record->unit, a->origin, a->control.unit[record->unit - 1].key, index,
                   &a->faults);
    if (rf_text_copy(&record->note, note, record->note.length + 1) &&
        rf_note_check(&signer, note, strlen(note), 0, index, &a->faults, &checkpoint) &&
        (checkpoint.size != size || memcmp(checkpoint.root, root, 32) != 0))
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, code,
                 "the note of unit %lld in this %s is over other records", (long long)record->unit,
                 rf_type_name(record->type));
    free(note);
    return RAFFLE_OK;
}

/* A quota of 0 is none. */
static void allow_numbers(rf_allowed *allowed, int64_t quota)
{
    const uint64_t numbers = quota == 0 ? UINT64_MAX : (uint64_t)quota;
    allowed->numbers = numbers > allowed->numbers ? numbers : allowed->numbers;
}

static raffle_rc add_switch(rf_allowed *allowed, int64_t at, bool on, raffle_error *err)
{
    rf_switch *grown = realloc(allowed->change, (allowed->changes + 1) * sizeof *grown);
    if (grown == NULL)
        return rf_nomem(err);
    allowed->change = grown;
    allowed->change[allowed->changes++] = (rf_switch){at, on};
    return RAFFLE_OK;
}

/* Whatever the fold makes of the record: it was reported then. */
static raffle_rc collect_allowed(raffle_audit *a, const rf_record *record, raffle_error *err)
{
    while (a->alloweds < a->control.units) {
        rf_allowed *grown = realloc(a->allowed, (a->alloweds + 1) * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        a->allowed = grown;
        a->allowed[a->alloweds++] = (rf_allowed){0};
    }
    if (!rf_has(record, RF_F_UNIT) || record->unit < 1 || (uint64_t)record->unit > a->alloweds)
        return RAFFLE_OK;
    rf_allowed *allowed = &a->allowed[record->unit - 1];
    allowed->enabled = allowed->enabled || record->type == RF_UNIT_ENABLE;
    allowed->unenrolled = allowed->unenrolled || record->type == RF_UNIT_UNENROL;
    if (record->type == RF_UNIT_ENABLE || record->type == RF_UNIT_DISABLE)
        return add_switch(allowed, record->at, record->type == RF_UNIT_ENABLE, err);
    if (record->type == RF_UNIT_ENROL || record->type == RF_UNIT_QUOTA)
        allow_numbers(allowed, record->quota);
    return RAFFLE_OK;
}

/* What a unit that is away signed: nothing at all, by which it showed its key; and what it uploaded. */
static raffle_rc collect_away(reading *r, const rf_record *record, uint64_t index, raffle_error *err)
{
    if (record->type == RF_UNIT_ENROL && rf_has(record, RF_F_NOTE))
        return check_unit_note(r, record, 0, rf_empty_root, "checkpoint", index, err);
    if (record->type != RF_UNIT_SYNC)
        return RAFFLE_OK;
    raffle_rc rc = rf_syncs_add(&r->audit->syncs, record, index, err);
    return rc == RAFFLE_OK ? check_unit_note(r, record, (uint64_t)record->size, record->root, "sync", index, err) : rc;
}

static raffle_rc collect(reading *r, const rf_record *record, uint64_t index, raffle_error *err)
{
    r->audit->set_back = r->audit->set_back || record->at < r->last_at;
    r->last_at = record->at;
    raffle_rc allowed = collect_allowed(r->audit, record, err);
    if (allowed != RAFFLE_OK)
        return allowed;
    if (record->type != RF_SEAL_UNIT)
        end_run(r, record);
    if (record->type == RF_VOID)
        return add_void(r->audit, record, index, err);
    if (record->type != RF_SEAL_UNIT)
        return RAFFLE_OK;
    raffle_rc rc = add_seal_unit(r, record, index, err);
    return rc == RAFFLE_OK ? check_unit_note(r, record, (uint64_t)record->size, record->root, "seal", index, err) : rc;
}

/* --- a record --- */

/* The control key is in the first record; the caller may know it from elsewhere. */
static void learn_key(reading *r)
{
    raffle_audit *a = r->audit;
    if (a->control.rules == NULL)
        return;
    rf_signer_init(&a->signer, 0, a->origin, a->control.key, 0, &a->faults);
    if (a->options.control_key[0] != 0 && strcmp(a->options.control_key, a->control.key) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, 0, "control-key",
                 "raffle.open names the control key %.80s, and not the one that was asked for", a->control.key);
    else
        a->verdict.key_pinned = a->options.control_key[0] != 0;
    if (strcmp(a->control.rules->origin, a->origin) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, 0, "origin", "the rules are those of %s, in a store of %s",
                 a->control.rules->origin, a->origin);
}

/* The frozen form, with every default: another build must not read other rules. */
static raffle_rc check_rules(raffle_audit *a, const rf_record *record, raffle_error *err)
{
    char *again = malloc(RF_RULES_MAX);
    if (again == NULL)
        return rf_nomem(err);
    const size_t length = rf_rules_format(a->control.rules, again, RF_RULES_MAX);
    if (length != record->rules.length || memcmp(again, record->rules.text, length) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, 0, "rules", "the rules are not in their frozen form");
    free(again);
    return RAFFLE_OK;
}

/* By the caller's key, or else the one that the log names. */
static raffle_rc read_receipts(raffle_audit *a, raffle_error *err)
{
    const char *key = a->options.control_key[0] != 0 ? a->options.control_key : a->control.key;
    return rf_promises_read(&a->promises, &a->options, key, &a->faults, err);
}

/* Voids are compared with their keys unit by unit. */
static raffle_rc check_taken(raffle_audit *a, const rf_taken_list *taken, uint64_t index, raffle_error *err)
{
    for (size_t i = 0; !a->published && i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_store_key row;
        raffle_error why = RAFFLE_ERROR_INIT;
        if (key->scope == RF_SCOPE_VOID)
            continue;
        raffle_rc rc = rf_store_find(a->store, key->scope, key->key, key->length, &row, &why);
        if (rc == RAFFLE_OK && (row.log != 0 || row.index != index))
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, "key-wrong",
                     "a key of this record names record %llu of log %u", (unsigned long long)row.index, row.log);
        if (rc == RAFFLE_NOT_FOUND)
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, "key-missing", "a key of this record is not there");
        else if (rc != RAFFLE_OK &&
                 (rc = rf_fault_or_fail(&a->faults, 0, index, "key-missing", &why, err)) != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

static raffle_rc fold(reading *r, const rf_record *record, const uint8_t leaf_hash[32], uint64_t index,
                      raffle_error *err)
{
    raffle_audit *a = r->audit;
    rf_taken_list taken = {0};
    raffle_error why = RAFFLE_ERROR_INIT;
    if (index > 0 &&
        a->control.rules == NULL) { /* without rules there is nothing to fold by: the first record's fault says so */
        a->control.size++;
        return RAFFLE_OK;
    }
    raffle_rc rc = rf_control_follow(&a->control, record, leaf_hash, &taken, &why);
    if (rc == RAFFLE_NOMEM)
        return rf_fail_as(err, &why);
    const bool accepted = rc == RAFFLE_OK;
    if (!accepted)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, "fold", "%s", why.message);
    if (index == 0)
        learn_key(r);
    if (index == 0 && a->control.rules != NULL && (rc = check_rules(a, record, err)) != RAFFLE_OK)
        return rc;
    if (index == 0 && a->control.rules != NULL && (rc = read_receipts(a, err)) != RAFFLE_OK)
        return rc;
    rc = collect(r, record, index, err);
    if (rc == RAFFLE_OK && accepted)
        rc = collect_away(r, record, index, err);
    return rc == RAFFLE_OK ? check_taken(a, &taken, index, err) : rc;
}

static void check_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    reading *r = ctx;
    bool broken;
    if (level >= RF_NODE_LEVEL_MIN && r->node_rc == RAFFLE_OK)
        r->node_rc =
            rf_kept_node_check(r->audit->store, 0, level, index, hash, &broken, &r->audit->faults, &r->node_error);
}

/* Adds a leaf to the tree, and compares what was signed or anchored of the log so far. */
static raffle_rc grow(reading *r, const uint8_t leaf_hash[32], raffle_error *err)
{
    raffle_audit *a = r->audit;
    uint8_t root[32];
    raffle_rc rc = !a->published
                       ? RAFFLE_OK
                       : rf_leaf_tile_check(&r->leaves, a->store, 0, r->range.size, leaf_hash, &a->faults, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_range_push(a->hash, &r->range, leaf_hash, check_node, r);
    if (r->node_rc != RAFFLE_OK)
        return rf_fail_as(err, &r->node_error);
    rf_range_root(a->hash, &r->range, root);
    if (a->control_seen.has_anchor && a->control_seen.anchor_size == r->range.size) {
        a->anchored = memcmp(a->control_seen.anchor, root, 32) == 0;
        rf_seen_check_anchor(&a->control_seen, 0, root, &a->faults);
    }
    rf_promises_at_control(&a->promises, r->range.size, root, &a->faults);
    rc = rf_stored_note_check(&a->signer, a->store, r->range.size, root, &a->faults, err);
    return rc != RAFFLE_OK ? rc
                           : rf_stamps_check(&a->stamps, a->store, &a->signer, r->range.size, root,
                                             a->options.authorities, &a->faults, err);
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reading *r = ctx;
    raffle_audit *a = r->audit;
    uint8_t leaf_hash[32];
    rf_leaf_hash(a->hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    rf_leaf_inspect(&r->check, 0, bytes, &r->leaf);
    raffle_rc rc = RAFFLE_OK;
    if (r->leaf.decoded) {
        rc = fold(r, &r->leaf.record, leaf_hash, bytes->index, err);
    } else {
        end_run(r, NULL);
        a->control.size++;
    }
    a->verdict.records++;
    return rc == RAFFLE_OK ? grow(r, leaf_hash, err) : rc;
}

static raffle_rc take_missing(void *ctx, uint64_t index, const char *why, raffle_error *err)
{
    static const uint8_t unknown[32] = {0};
    reading *r = ctx;
    raffle_audit *a = r->audit;
    if (index >= r->expected_size) {
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, index, "store", "%s", why);
        return RAFFLE_OK;
    }
    rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, 0, index, "missing", "%s", why);
    end_run(r, NULL);
    a->control.size++;
    return grow(r, unknown, err);
}

raffle_rc rf_check_control(raffle_audit *a, raffle_error *err)
{
    raffle_store_head head;
    reading *r = calloc(1, sizeof *r);
    if (r == NULL)
        return rf_nomem(err);
    *r = (reading){.audit = a, .check = {.hash = a->hash, .faults = &a->faults}};
    rf_range_init(&r->range);
    memcpy(a->signer.origin, a->origin, sizeof a->origin);
    raffle_rc rc = rf_seen_read(&a->control_seen, a->store, 0, &a->faults, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_head(a->store, 0, &head, err);
    if (rc == RAFFLE_OK && a->published)
        rc = rf_stamps_read(&a->stamps, a->store, &a->faults, err);
    if (rc == RAFFLE_OK) {
        r->expected_size = a->total = head.size;
        const rf_control_sink sink = {r, take_record, take_missing};
        rc = rf_control_walk(a, head.size, &sink, err);
    }
    if (rc == RAFFLE_OK && a->control_seen.has_note && a->control_seen.note_size > r->range.size)
        rc = rf_stored_note_check(&a->signer, a->store, a->control_seen.note_size, NULL, &a->faults, err);
    if (rc == RAFFLE_OK) {
        end_run(r, NULL);
        rf_syncs_end(&a->syncs);
        rf_range_root(a->hash, &r->range, a->root);
        rf_seen_check_size(&a->control_seen, 0, r->range.size, &a->faults);
        rf_stamps_end(&a->stamps, r->range.size, &a->faults);
        rf_promises_end_control(&a->promises, r->range.size, &a->faults);
        a->verdict.private_missing += r->check.private_missing;
        a->done = a->verdict.records;
        if (a->control.rules == NULL)
            rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, 0, 0, "open",
                     "there is no raffle.open to judge the records by");
        if (a->options.receipt != NULL && !a->promises.read)
            rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, 0, 0, "receipt",
                     "the receipts were not looked at: there is no raffle.open to judge them by");
    }
    free(r);
    return rc;
}
