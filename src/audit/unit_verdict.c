/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on a unit whose records were all folded: against seals, uploads, signatures, anchors, promises, and what the control log allowed it. */
#include "unit_folding.h"

#include "error.h"
#include <string.h>

/* Of a unit that is away only its close tells that nothing is missing. */
static bool must_be_closed(const rf_folding *f, const rf_sealed *s)
{
    return s->kind == RAFFLE_SEAL_FINAL || (s->kind == RAFFLE_SEAL_EARLY && rf_folding_away(f));
}

/* What it says of its tickets by tier: a prize's pot may follow from it. */
static void check_sealed_tiers(const rf_folding *f, const rf_sealed *s, const rf_mark *m)
{
    rf_tier_count was[RF_TIERS_MAX];
    const rf_rules *rules = f->frame.rules;
    if (s->tier == NULL || m->tier == NULL)
        return;
    memcpy(was, m->tier, rules->tiers * sizeof *was);
    rf_voids_tiers(&f->log->voids, s->says.size, s->first, was);
    for (size_t i = 0; i < rules->tiers; i++)
        if (was[i].tickets != s->tier[i].tickets || was[i].voids != s->tier[i].voids)
            rf_fault(&f->audit->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                     "unit %u had %llu tickets of tier \"%s\", %llu of them void", f->number,
                     (unsigned long long)was[i].tickets, rules->tier[i].name, (unsigned long long)was[i].voids);
}

/* What a seal says of a unit's sales, against what they were. */
static void check_sealed_sums(const rf_folding *f, const rf_sealed *s, const rf_mark *m)
{
    raffle_audit *a = f->audit;
    const rf_seal_unit *says = &s->says;
    rf_seal_unit voids = {0};
    if (m->state.tickets != says->tickets || m->state.numbers != says->numbers || m->state.gross != says->gross)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                 "unit %u had %llu tickets, %llu numbers and a gross of %lld", f->number,
                 (unsigned long long)m->state.tickets, (unsigned long long)m->state.numbers, (long long)m->state.gross);
    rf_voids_sum(&f->log->voids, says->size, s->first, a->hash, &voids);
    if (voids.voids != says->voids || voids.void_numbers != says->void_numbers ||
        voids.void_gross != says->void_gross || memcmp(voids.void_root, says->void_root, 32) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                 "unit %u had %llu voids of %llu numbers and %lld, or other ones", f->number,
                 (unsigned long long)voids.voids, (unsigned long long)voids.void_numbers, (long long)voids.void_gross);
    check_sealed_tiers(f, s, m);
    if (says->reconciled && must_be_closed(f, s) && !m->state.closed)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                 "what the seal takes of unit %u does not end in its close", f->number);
}

/* Whether times of the two logs can be compared, but for RF_DOUBT_MS. */
static bool have_clocks(const rf_folding *f)
{
    const raffle_audit *a = f->audit;
    return !f->set_back && !a->set_back && a->control.rules != NULL && !a->control.rules->rehearsal;
}

/* An early seal has no close that shows where a unit's records ended. That it took all, when it says so, their times tell, where clocks can be trusted. */
static void check_early(const rf_folding *f, const rf_sealed *s, const rf_mark *m)
{
    raffle_audit *a = f->audit;
    if (s->kind != RAFFLE_SEAL_EARLY || !s->says.reconciled || !m->has_next || m->next_at >= s->at - RF_SEALING_MS)
        return;
    if (!have_clocks(f))
        return;
    rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
             "the early seal says that it took all of unit %u, and record %llu, from %lld s before it, is left out",
             f->number, (unsigned long long)s->says.size, (long long)(s->at - m->next_at) / 1000);
}

static void check_seal(const rf_folding *f, const rf_sealed *s)
{
    raffle_audit *a = f->audit;
    const rf_seal_unit *says = &s->says;
    const rf_mark *m = rf_mark_find(f->log, says->size);
    if (m == NULL || !m->reached) {
        rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, f->number, f->index, "behind-seal",
                 "the log has %llu records; seal record %llu counts %llu", (unsigned long long)f->index,
                 (unsigned long long)s->index, (unsigned long long)says->size);
        return;
    }
    if (memcmp(m->root, says->root, 32) != 0)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                 "the root of the first %llu records of unit %u is another", (unsigned long long)says->size, f->number);
    if (!a->withheld)
        check_sealed_sums(f, s, m);
    check_early(f, s, m);
    if (s->kind == RAFFLE_SEAL_FINAL && !says->reconciled)
        rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, f->number, says->size, "left-out",
                 "the final seal took the unit without all that it sold; %llu records that it left out are here",
                 (unsigned long long)(f->index - says->size));
    if (s->kind == RAFFLE_SEAL_FINAL && says->reconciled && f->index > says->size)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, says->size, "after-seal",
                 "%llu records follow the final seal", (unsigned long long)(f->index - says->size));
}

/* A log does not shrink from one seal to the next; a unit that is not reconciled may enter with less. */
static void check_seals(const rf_folding *f)
{
    raffle_audit *a = f->audit;
    size_t n;
    uint64_t largest = 0;
    const rf_sealed *sealed = rf_seals_of(a, f->number, &n);
    for (size_t i = 0; i < n; i++) {
        const rf_sealed *s = &sealed[i];
        check_seal(f, s);
        if (s->kind == 0)
            continue;
        if (s->says.reconciled && s->says.size < largest)
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, s->index, "seal",
                     "an earlier seal took %llu records of unit %u; this one takes %llu", (unsigned long long)largest,
                     f->number, (unsigned long long)s->says.size);
        largest = s->says.size > largest ? s->says.size : largest;
    }
}

/* Every upload is what the log begins with. One that it does not reach is named by the newest alone. */
static void check_syncs(const rf_folding *f)
{
    raffle_audit *a = f->audit;
    size_t n;
    const rf_sync *sync = rf_syncs_of(&a->syncs, f->number, &n);
    for (size_t i = 0; i < n; i++) {
        const rf_mark *m = rf_mark_find(f->log, sync[i].size);
        if (m != NULL && m->reached && memcmp(m->root, sync[i].root, 32) != 0)
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, 0, sync[i].index, "sync",
                     "the root of the first %llu records of unit %u is another", (unsigned long long)sync[i].size,
                     f->number);
    }
    if (n > 0 && sync[n - 1].size > f->index)
        rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, f->number, f->index, "behind-sync",
                 "the log has %llu records; it uploaded %llu, as record %llu says", (unsigned long long)f->index,
                 (unsigned long long)sync[n - 1].size, (unsigned long long)sync[n - 1].index);
}

/* Whether the unit was ever allowed what it sold. */
static void check_allowed(const rf_folding *f)
{
    raffle_audit *a = f->audit;
    if (f->number > a->alloweds)
        return; /* never enrolled */
    const rf_allowed *allowed = &a->allowed[f->number - 1];
    if (f->state.tickets > 0 && !allowed->enabled)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "not-enabled",
                 "unit %u sold %llu tickets, and was never enabled", f->number, (unsigned long long)f->state.tickets);
    else if (f->state.tickets > 0 && allowed->unenrolled)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "not-enabled",
                 "unit %u sold %llu tickets, and was un-enrolled", f->number, (unsigned long long)f->state.tickets);
    else if (f->barred > 0 && !f->set_back && !a->set_back)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->first_barred, "not-enabled",
                 "unit %u sold %llu tickets more than a minute from any time in which it was enabled, this one first",
                 f->number, (unsigned long long)f->barred);
    if (f->state.numbers > allowed->numbers)
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "quota",
                 "unit %u sold %llu draw numbers; its largest quota was %llu", f->number,
                 (unsigned long long)f->state.numbers, (unsigned long long)allowed->numbers);
}

static raffle_rc check_signed(const rf_folding *f, raffle_error *err)
{
    raffle_audit *a = f->audit;
    const rf_unit_log *u = f->log;
    raffle_rc rc = RAFFLE_OK;
    rf_seen_check_size(&u->seen, f->number, f->index, &a->faults);
    if (u->signer.log == 0)
        return RAFFLE_OK; /* never enrolled */
    for (size_t i = 0; rc == RAFFLE_OK && i < u->marks; i++) {
        const rf_mark *m = &u->mark[i];
        if (!m->reached)
            continue;
        rc = rf_stored_note_check(&u->signer, a->store, m->size, m->root, &a->faults, err);
        if (u->seen.has_anchor && u->seen.anchor_size == m->size)
            rf_seen_check_anchor(&u->seen, f->number, m->root, &a->faults);
    }
    if (rc == RAFFLE_OK && u->seen.has_note && u->seen.note_size > f->index)
        rc = rf_stored_note_check(&u->signer, a->store, u->seen.note_size, NULL, &a->faults, err);
    return rc;
}

static void check_promises(const rf_folding *f)
{
    size_t n;
    raffle_audit *a = f->audit;
    rf_promise *promise = rf_promises_of(&a->promises, f->number, &n);
    for (size_t i = 0; i < n; i++) {
        const rf_mark *m = rf_mark_find(f->log, promise[i].unit_size);
        rf_promise_at_unit(&promise[i], f->index, m != NULL && m->reached ? m->root : NULL, &a->faults);
    }
}

/* A void in the control log that is before a seal which took all of the unit, and had no such ticket: the ticket was sold when it was void already. */
static void check_foreseen(const rf_folding *f)
{
    size_t n;
    const rf_voids *voids = &f->log->voids;
    const rf_sealed *sealed = rf_seals_of(f->audit, f->number, &n);
    for (size_t i = 0; i < voids->n; i++) {
        const rf_void *v = &voids->list[i];
        for (size_t k = 0; v->log == 0 && k < n; k++) {
            if (sealed[k].kind == 0 || !sealed[k].says.reconciled || sealed[k].index < v->index ||
                v->serial < sealed[k].says.size || v->serial >= f->index)
                continue;
            rf_fault(&f->audit->faults, RAFFLE_FAULT_INTEGRITY, 0, v->index, "void",
                     "ticket %u/%llu was void before it was sold: the seal record %llu does not have it", f->number,
                     (unsigned long long)v->serial, (unsigned long long)sealed[k].index);
            break;
        }
    }
}

static void add_totals(rf_folding *f)
{
    raffle_verdict *v = &f->audit->verdict;
    rf_seal_unit voids = {0};
    rf_voids_sum(&f->log->voids, UINT64_MAX, UINT64_MAX, f->audit->hash, &voids);
    v->records += f->index;
    v->tickets += f->state.tickets;
    v->numbers += f->state.numbers;
    v->voids += voids.voids;
    v->gross = (int64_t)((uint64_t)v->gross + (uint64_t)f->state.gross);
    v->void_gross = (int64_t)((uint64_t)v->void_gross + (uint64_t)voids.void_gross);
}

/* The verdict on what was read of a unit, or a word on why there is none. */
static raffle_rc check_records(rf_folding *f, raffle_error *err)
{
    raffle_audit *a = f->audit;
    const rf_void_frame voids = {.store = a->store,
                                 .rules = f->frame.rules,
                                 .unit = f->number,
                                 .size = f->index,
                                 .control_size = a->control.size,
                                 .faults = &a->faults,
                                 .doubt_ms = have_clocks(f) && !rf_folding_away(f) ? RF_DOUBT_MS : INT64_MAX};
    if (a->withheld) {
        rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, f->number, f->index, "withheld",
                 "the %llu records of unit %u are not published", (unsigned long long)f->index, f->number);
        return RAFFLE_OK;
    }
    rf_orders_end(&f->walk, &a->faults, f->number, f->index);
    raffle_rc rc = rf_voids_check(&voids, &f->log->voids, err);
    check_foreseen(f);
    check_allowed(f);
    add_totals(f);
    return rc;
}

raffle_rc rf_unit_verdict(rf_folding *f, raffle_error *err)
{
    raffle_rc rc = check_records(f, err);
    if (rc == RAFFLE_OK)
        rc = check_signed(f, err);
    if (rc != RAFFLE_OK)
        return rc;
    check_seals(f);
    check_syncs(f);
    check_promises(f);
    return RAFFLE_OK;
}
