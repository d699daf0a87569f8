/* SPDX-License-Identifier: Apache-2.0 */
/* The records that a report is made from: read in order, hashed up to the root that the report names, and added up. */
#include "report_impl.h"

#include "error.h"
#include <string.h>

bool rf_report_in(const rf_report *p, int64_t at)
{
    return at >= p->how.from && (p->how.to == 0 || at < p->how.to);
}

bool rf_report_of(const rf_report *p, uint32_t unit)
{
    return p->how.unit == 0 || p->how.unit == unit;
}

static raffle_rc tell(rf_report *p)
{
    raffle_error theirs = RAFFLE_ERROR_INIT;
    if (p->how.progress == NULL || (p->done & 4095) != 0)
        return RAFFLE_OK;
    const uint64_t done = p->done < p->total ? p->done : p->total;
    raffle_rc rc = p->how.progress(p->how.progress_ctx, done, p->total, &theirs);
    if (rc == RAFFLE_OK || theirs.rc == rc)
        return rc == RAFFLE_OK ? rc : rf_fail_as(p->err, &theirs);
    return rf_fail(p->err, rc, "the report was ended after %llu of %llu records", (unsigned long long)done,
                   (unsigned long long)p->total);
}

/* A log that is read: its root, and a unit's state, follow its records. */
typedef struct reading {
    raffle_cursor *cursor;
    uint32_t log;
    rf_range range;
    rf_unit_frame frame;
    rf_unit_state state;
} reading;

/* The control log was folded when the report was begun, up to the same root. */
static raffle_rc follow(rf_report *p, reading *in, const rf_record *r, uint64_t index)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (in->log == 0 || rf_unit_apply(&in->frame, &in->state, r, NULL, &why) == RAFFLE_OK)
        return RAFFLE_OK;
    return rf_fail(p->err, RAFFLE_CORRUPT, "record %llu of unit %u: %s", (unsigned long long)index, in->log,
                   why.message);
}

static raffle_rc take(rf_report *p, reading *in, rf_report_sink sink, void *ctx)
{
    raffle_record raw = {.struct_size = sizeof raw};
    rf_record r;
    uint8_t leaf[32];
    raffle_rc rc = raffle_cursor_next(in->cursor, &raw, p->err);
    if (rc == RAFFLE_NOT_FOUND)
        return rf_fail(p->err, RAFFLE_CORRUPT, "log %u has fewer records than it had", in->log);
    if (rc == RAFFLE_OK)
        rc = rf_record_decode(&r, raw.leaf, raw.leaf_length, p->err);
    if (rc == RAFFLE_OK)
        rc = follow(p, in, &r, raw.index);
    if (rc != RAFFLE_OK)
        return rc;
    rf_leaf_hash(p->hash, leaf, raw.leaf, raw.leaf_length);
    rf_range_push(p->hash, &in->range, leaf, NULL, NULL);
    p->done++;
    rc = sink(p, ctx, in->log, &raw, &r, leaf);
    return rc == RAFFLE_OK ? tell(p) : rc;
}

static raffle_rc check_root(rf_report *p, uint32_t log, const rf_range *range, const uint8_t want[32])
{
    uint8_t root[32];
    rf_range_root(p->hash, range, root);
    if (memcmp(root, want, sizeof root) == 0)
        return RAFFLE_OK;
    return rf_fail(p->err, RAFFLE_CORRUPT, "the records of log %u do not give its root", log);
}

raffle_rc rf_report_scan(rf_report *p, uint32_t log, rf_report_sink sink, void *ctx)
{
    const rf_report_log *is = log == 0 ? &p->control_log : &p->unit_log[log - 1];
    reading in = {.log = log, .frame = {.rules = p->control.rules, .unit = log}};
    if (is->size == 0)
        return RAFFLE_OK;
    memcpy(in.frame.open, p->control.open, sizeof in.frame.open);
    rf_range_init(&in.range);
    rf_unit_state_init(&in.state);
    raffle_rc rc = raffle_cursor_open(p->raffle, log, 0, &in.cursor, p->err);
    if (rc != RAFFLE_OK)
        return rc;
    for (uint64_t i = 0; i < is->size && rc == RAFFLE_OK; i++)
        rc = take(p, &in, sink, ctx);
    raffle_cursor_free(in.cursor);
    return rc == RAFFLE_OK ? check_root(p, log, &in.range, is->root) : rc;
}

raffle_rc rf_report_scan_units(rf_report *p, rf_report_sink sink, void *ctx)
{
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t unit = 1; unit <= p->units && rc == RAFFLE_OK; unit++)
        if (rf_report_of(p, unit))
            rc = rf_report_scan(p, unit, sink, ctx);
    return rc;
}

raffle_rc rf_report_private(rf_report *p, const raffle_record *raw, const rf_record *r, rf_private *out, bool *there)
{
    uint8_t hash[32];
    *there = false;
    if (raw->private_part == NULL || raw->private_length == 0)
        return RAFFLE_OK;
    rf_sha256_of(p->hash, hash, raw->private_part, raw->private_length);
    if (memcmp(hash, r->p, sizeof hash) != 0)
        return rf_fail(p->err, RAFFLE_CORRUPT, "the private part of record %llu is not the one that was written",
                       (unsigned long long)raw->index);
    *there = true;
    return rf_private_decode(out, raw->private_part, raw->private_length, p->err);
}

raffle_rc rf_report_seller(rf_report *p, const raffle_record *raw, const rf_record *r, char seller[RF_SELLER_SIZE])
{
    rf_private part;
    bool there;
    raffle_rc rc = rf_report_private(p, raw, r, &part, &there);
    if (rc == RAFFLE_OK && (!there || !rf_text_copy(&part.actor, seller, RF_SELLER_SIZE)))
        seller[0] = 0;
    return rc;
}

/* --- one ticket --- */

typedef struct ticket_reader {
    rf_ticket_at ticket;
    bool seen;
} ticket_reader;

static raffle_rc take_ticket(void *ctx, const raffle_record *raw, raffle_error *err)
{
    ticket_reader *in = ctx;
    rf_record r;
    raffle_rc rc = rf_record_decode(&r, raw->leaf, raw->leaf_length, err);
    if (rc != RAFFLE_OK)
        return rc;
    in->ticket =
        (rf_ticket_at){.serial = raw->index, .first = (uint64_t)r.n, .count = r.count, .price = r.price, .at = r.at};
    in->seen = r.type == RF_SALE && rf_text_copy(&r.tier, in->ticket.tier, sizeof in->ticket.tier);
    return RAFFLE_OK;
}

raffle_rc rf_report_ticket(rf_report *p, uint32_t unit, uint64_t serial, rf_ticket_at *ticket)
{
    ticket_reader in = {.seen = false};
    raffle_rc rc = RAFFLE_OK;
    if (unit >= 1 && unit <= p->units && serial < p->unit_log[unit - 1].size)
        rc = rf_store_read(p->raffle->store, unit, serial, 1, take_ticket, &in, p->err);
    if (rc == RAFFLE_OK && !in.seen)
        return rf_fail(p->err, RAFFLE_CORRUPT, "a void names ticket %u/%llu, which is none", unit,
                       (unsigned long long)serial);
    *ticket = in.ticket;
    return rc;
}

/* --- sums --- */

raffle_rc rf_report_add(rf_report *p, int64_t *sum, int64_t value)
{
    if (value > RF_JSON_INT_MAX - *sum)
        return rf_fail(p->err, RAFFLE_LIMIT, "a total is more than a record can say");
    *sum += value;
    return RAFFLE_OK;
}

static raffle_rc add_two(rf_report *p, int64_t *numbers, int64_t count, int64_t *gross, int64_t price)
{
    raffle_rc rc = rf_report_add(p, numbers, count);
    return rc == RAFFLE_OK ? rf_report_add(p, gross, price) : rc;
}

static raffle_rc tally_void(rf_report *p, rf_tally *t, const rf_record *r)
{
    t->voids++;
    if (rf_text_is(&r->reason, "misprint")) {
        t->misprints++;
        t->misprint_numbers += r->count;
    }
    return add_two(p, &t->void_numbers, r->count, &t->void_gross, r->price);
}

raffle_rc rf_report_tally(rf_report *p, rf_tally *t, const rf_record *r)
{
    if (!rf_report_in(p, r->at) || (r->type != RF_SALE && r->type != RF_VOID))
        return RAFFLE_OK;
    if (r->type == RF_VOID)
        return tally_void(p, t, r);
    t->tickets++;
    if (t->first == 0)
        t->first = r->n;
    t->last = r->n + r->count - 1;
    return add_two(p, &t->numbers, r->count, &t->gross, r->price);
}

raffle_rc rf_report_tally_sum(rf_report *p, rf_tally *sum, const rf_tally *t)
{
    sum->tickets += t->tickets;
    sum->voids += t->voids;
    sum->misprints += t->misprints;
    sum->misprint_numbers += t->misprint_numbers;
    raffle_rc rc = add_two(p, &sum->numbers, t->numbers, &sum->gross, t->gross);
    return rc == RAFFLE_OK ? add_two(p, &sum->void_numbers, t->void_numbers, &sum->void_gross, t->void_gross) : rc;
}

static raffle_rc tally_one(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                           const uint8_t leaf[32])
{
    rf_tally *tally = ctx;
    (void)raw;
    (void)leaf;
    if (log > 0)
        return rf_report_tally(p, &tally[log - 1], r);
    return r->type == RF_VOID && (size_t)r->unit <= p->units ? rf_report_tally(p, &tally[r->unit - 1], r) : RAFFLE_OK;
}

raffle_rc rf_report_tally_units(rf_report *p, rf_tally *tally)
{
    raffle_rc rc = rf_report_scan(p, 0, tally_one, tally);
    return rc == RAFFLE_OK ? rf_report_scan_units(p, tally_one, tally) : rc;
}
