/* SPDX-License-Identifier: Apache-2.0 */
/* The units' logs: folded in order from what the segments found, what is said of them is judged in unit_verdict.c. */
#include "unit_folding.h"

#include "error.h"
#include "fold_keys.h"
#include "fold_tiers.h"
#include "scan.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* --- what is to be read --- */

static int compare_marks(const void *left, const void *right)
{
    const uint64_t a = ((const rf_mark *)left)->size, b = ((const rf_mark *)right)->size;
    return (a > b) - (a < b);
}

static void add_mark(rf_unit_log *u, uint64_t size)
{
    if (size <= u->size)
        u->mark[u->marks++] = (rf_mark){.size = size};
}

/* The sizes that anybody named, each once, and the whole log's. */
static void sort_marks(rf_unit_log *u)
{
    size_t kept = 0;
    qsort(u->mark, u->marks, sizeof *u->mark, compare_marks);
    for (size_t i = 0; i < u->marks; i++)
        if (kept == 0 || u->mark[kept - 1].size != u->mark[i].size)
            u->mark[kept++] = u->mark[i];
    u->marks = kept;
}

static int compare_sealed(const void *left, const void *right)
{
    const rf_sealed *a = left, *b = right;
    if (a->says.unit != b->says.unit)
        return a->says.unit < b->says.unit ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* They are sorted by unit. */
const rf_sealed *rf_seals_of(const raffle_audit *a, uint32_t unit, size_t *n)
{
    size_t low = 0, high = a->seals;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (a->sealed[middle].says.unit < unit)
            low = middle + 1;
        else
            high = middle;
    }
    *n = 0;
    while (low + *n < a->seals && a->sealed[low + *n].says.unit == unit)
        ++*n;
    return *n > 0 ? a->sealed + low : NULL;
}

static bool counts_tiers(const raffle_audit *a)
{
    return a->control.rules != NULL && rf_tiers_counted(a->control.rules);
}

static raffle_rc prepare_tiers(const raffle_audit *a, rf_unit_log *u, raffle_error *err)
{
    if (!counts_tiers(a))
        return RAFFLE_OK;
    const size_t tiers = a->control.rules->tiers, n = u->marks * tiers;
    u->tier = calloc(n > 0 ? n : 1, sizeof *u->tier);
    if (u->tier == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < u->marks; i++)
        u->mark[i].tier = u->tier + i * tiers;
    return RAFFLE_OK;
}

static raffle_rc prepare_marks(raffle_audit *a, uint32_t number, raffle_error *err)
{
    rf_unit_log *u = &a->unit[number - 1];
    size_t seals, syncs, promises;
    const rf_sealed *sealed = rf_seals_of(a, number, &seals);
    const rf_sync *sync = rf_syncs_of(&a->syncs, number, &syncs);
    const rf_promise *promise = rf_promises_of(&a->promises, number, &promises);
    u->mark = malloc((seals + syncs + promises + 3) * sizeof *u->mark);
    if (u->mark == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < seals; i++)
        add_mark(u, sealed[i].says.size);
    for (size_t i = 0; i < syncs; i++)
        add_mark(u, sync[i].size);
    for (size_t i = 0; i < promises; i++)
        add_mark(u, promise[i].unit_size);
    if (u->seen.has_note)
        add_mark(u, u->seen.note_size);
    if (u->seen.has_anchor)
        add_mark(u, u->seen.anchor_size);
    add_mark(u, u->size);
    sort_marks(u);
    return prepare_tiers(a, u, err);
}

static raffle_rc prepare_unit(raffle_audit *a, uint32_t number, raffle_error *err)
{
    rf_unit_log *u = &a->unit[number - 1];
    raffle_store_head head;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_seen_read(&u->seen, a->store, number, &a->faults, err);
    if (rc != RAFFLE_OK)
        return rc;
    head.size = 0;
    rc = rf_store_head(a->store, number, &head, &why);
    if (a->published && rc == RAFFLE_OK && !u->seen.has_note)
        rf_fault(&a->faults, RAFFLE_FAULT_COMPLETENESS, number, 0, "checkpoint", "the log has no checkpoint");
    if (rc != RAFFLE_OK && (rc = rf_fault_or_fail(&a->faults, number, 0, "store", &why, err)) != RAFFLE_OK)
        return rc;
    u->size = head.size;
    a->total += head.size;
    if (number <= a->control.units)
        rf_signer_init(&u->signer, number, a->origin, a->control.unit[number - 1].key, 0, &a->faults);
    else
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, number, 0, "not-enrolled",
                 "unit %u has a log, and was never enrolled", number);
    return prepare_marks(a, number, err);
}

/* The logs of the units that were enrolled; and beyond, as far as there are any: in a published copy those are nobody's. */
static raffle_rc count_logs(raffle_audit *a, raffle_error *err)
{
    a->units = a->control.units;
    while (!a->published && a->units < RAFFLE_UNIT_MAX) {
        raffle_store_head head;
        raffle_rc rc = rf_store_head(a->store, (uint32_t)a->units + 1, &head, err);
        if (rc != RAFFLE_OK)
            return rc;
        if (head.size == 0)
            break;
        a->units++;
    }
    a->unit = calloc(a->units > 0 ? a->units : 1, sizeof *a->unit);
    return a->unit != NULL ? RAFFLE_OK : rf_nomem(err);
}

/* Those in the control log go to their units. */
static raffle_rc hand_out_voids(raffle_audit *a, raffle_error *err)
{
    for (size_t i = 0; i < a->control_voids; i++) {
        const struct rf_control_void *v = &a->control_void[i];
        if (v->unit < 1 || v->unit > a->units)
            continue; /* the fold says so */
        raffle_rc rc = rf_voids_add(&a->unit[v->unit - 1].voids, &v->is, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

/* --- folding --- */

static void begin_unit(rf_folding *f, uint32_t number)
{
    f->number = number;
    f->log = &f->audit->unit[number - 1];
    f->frame.unit = number;
    f->index = 0;
    f->resync = f->set_back = f->late = false;
    f->latest = f->enabled_to = INT64_MIN;
    f->enabled_from = INT64_MAX;
    f->barred = 0;
    f->next_mark = 0;
    f->walk = (rf_order_walk){0};
    memset(f->tier, 0, sizeof f->tier);
    rf_unit_state_init(&f->state);
    rf_range_init(&f->range);
}

static void reach_mark(rf_folding *f)
{
    rf_mark *m = &f->log->mark[f->next_mark++];
    m->reached = true;
    m->state = f->state;
    if (m->tier != NULL)
        memcpy(m->tier, f->tier, f->frame.rules->tiers * sizeof *m->tier);
}

/* The record at f->index was folded. When a mark stands right before it, its time tells whether a seal left it out that was made much later. */
static void follow_mark(rf_folding *f, const rf_brief *b)
{
    rf_mark *m = f->next_mark > 0 ? &f->log->mark[f->next_mark - 1] : NULL;
    if (m == NULL || m->size != f->index || b->kind == RF_BRIEF_LOST)
        return;
    m->has_next = true;
    m->next_at = f->state.last_at;
}

static void refuse(rf_folding *f, const rf_record *r, const raffle_error *why)
{
    rf_fault(&f->audit->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "fold", "%s", why->message);
    f->state.size++;
    f->state.last_at = r->at;
    f->state.closed = f->state.closed || r->type == RF_UNIT_CLOSE;
    f->resync = true;
}

/* Whether the unit was enabled at a time, or a little before or after it. What is before all of them is left out: a raffle is often made on another day, by
 * a clock that is mended since. */
static bool was_enabled(rf_folding *f, const rf_allowed *allowed, int64_t at)
{
    if (at >= f->enabled_from && at <= f->enabled_to)
        return true;
    for (size_t i = 0; i < allowed->changes; i++) {
        const int64_t from = i == 0 ? INT64_MIN : allowed->change[i].at - RF_DOUBT_MS;
        const int64_t to = i + 1 == allowed->changes ? INT64_MAX : allowed->change[i + 1].at + RF_DOUBT_MS;
        if (!allowed->change[i].on || at < from || at > to)
            continue;
        f->enabled_from = from;
        f->enabled_to = to;
        return true;
    }
    return false;
}

/* A clock that was set back lets a unit sell when the sales are over. In a rehearsal the file's times are the clock, and those of the control log others. */
static void check_sale_time(rf_folding *f, const rf_record *r)
{
    raffle_audit *a = f->audit;
    if (!f->late && f->latest >= f->frame.rules->closes) {
        f->late = true;
        rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "window",
                 "a sale, though the log had passed the end of the sales: its clock was set back");
    }
    if (f->number > a->alloweds || f->frame.rules->rehearsal || rf_folding_away(f) ||
        was_enabled(f, &a->allowed[f->number - 1], r->at))
        return;
    f->first_barred = f->barred == 0 ? f->index : f->first_barred;
    f->barred++;
}

static void follow_time(rf_folding *f, int64_t at)
{
    f->set_back = f->set_back || at < f->latest;
    f->latest = at > f->latest ? at : f->latest;
}

/* The fold judges. A record that it refuses is left out of the sums, and the next one is judged as it would have been. */
static bool apply(rf_folding *f, const rf_record *r, rf_taken_list *taken)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (f->resync && rf_has(r, RF_F_N))
        f->state.next = (uint64_t)r->n;
    f->resync = false;
    if (rf_unit_apply(&f->frame, &f->state, r, taken, &why) == RAFFLE_OK) {
        if (r->type == RF_SALE) {
            check_sale_time(f, r);
            rf_tiers_sold(f->frame.rules, r, f->tier);
        }
        follow_time(f, r->at);
        return true;
    }
    follow_time(f, r->at);
    if (taken != NULL)
        taken->n = 0;
    refuse(f, r, &why);
    return false;
}

/* The fold does not see orders, which are private. */
static void check_order(const rf_folding *f, const rf_brief *b)
{
    if (f->frame.rules != NULL && b->line == 0 && b->lines > f->frame.rules->order_tickets)
        rf_fault(&f->audit->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "order-lines",
                 "the order has %u tickets; the rules allow %lld", (unsigned)b->lines,
                 (long long)f->frame.rules->order_tickets);
}

/* Nor buyers. */
static raffle_rc add_buyer(rf_folding *f, const rf_brief *b, raffle_error *err)
{
    if (f->frame.rules == NULL || f->frame.rules->buyer_tickets == 0)
        return RAFFLE_OK;
    if (b->buyer != 0)
        return rf_buyers_add(&f->buyers, b->buyer, f->number, f->index, err);
    rf_fault(&f->audit->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "buyer",
             "the sale has no buyer, whose tickets the rules limit");
    return RAFFLE_OK;
}

static raffle_rc add_order(rf_folding *f, const rf_brief *b, raffle_error *err)
{
    check_order(f, b);
    raffle_rc rc = add_buyer(f, b, err);
    if (rc != RAFFLE_OK)
        return rc;
    return rf_orders_add(&f->orders, &f->walk, &f->audit->faults, f->number, f->index, b, err);
}

static raffle_rc fold_sale(rf_folding *f, const rf_brief *b, raffle_error *err)
{
    const rf_tier *tier = &f->frame.rules->tier[b->tier];
    rf_record r;
    r.type = RF_SALE;
    r.has = rf_bit(RF_F_T) | rf_bit(RF_F_AT) | rf_bit(RF_F_BY) | rf_bit(RF_F_P) | rf_bit(RF_F_N) | rf_bit(RF_F_COUNT) |
            rf_bit(RF_F_PRICE) | rf_bit(RF_F_TIER);
    r.at = b->at;
    r.by = b->by;
    r.n = b->n;
    r.count = b->count;
    r.price = b->price;
    r.tier = (rf_text){tier->name, strlen(tier->name), false};
    (void)apply(f, &r, NULL);
    if (b->has_order)
        return add_order(f, b, err);
    rf_orders_unknown(&f->walk);
    return RAFFLE_OK;
}

static raffle_rc check_taken(rf_folding *f, const rf_taken_list *taken, raffle_error *err)
{
    raffle_audit *a = f->audit;
    for (size_t i = 0; !a->published && i < taken->n; i++) {
        const rf_taken *key = &taken->key[i];
        raffle_store_key row;
        raffle_error why = RAFFLE_ERROR_INIT;
        if (key->scope == RF_SCOPE_VOID)
            continue; /* compared with their keys all together */
        raffle_rc rc = rf_store_find(a->store, key->scope, key->key, key->length, &row, &why);
        if (rc == RAFFLE_OK && (row.log != f->number || row.index != f->index))
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "key-wrong",
                     "a key of this record names record %llu of log %u", (unsigned long long)row.index, row.log);
        if (rc == RAFFLE_NOT_FOUND)
            rf_fault(&a->faults, RAFFLE_FAULT_INTEGRITY, f->number, f->index, "key-missing",
                     "a key of this record is not there");
        else if (rc != RAFFLE_OK &&
                 (rc = rf_fault_or_fail(&a->faults, f->number, f->index, "key-missing", &why, err)) != RAFFLE_OK)
            return rc;
    }
    return RAFFLE_OK;
}

/* Also one that the fold refused: it may hide that a ticket is void twice. */
static raffle_rc collect_void(rf_folding *f, const rf_record *r, raffle_error *err)
{
    if (r->unit != f->number)
        return RAFFLE_OK; /* the fold says so */
    const rf_void v = {.serial = (uint64_t)r->serial,
                       .index = f->index,
                       .log = f->number,
                       .tier = -1,
                       .count = (uint32_t)(r->count <= UINT32_MAX ? r->count : UINT32_MAX),
                       .price = r->price,
                       .at = r->at};
    return rf_voids_add(&f->log->voids, &v, err);
}

static raffle_rc fold_full(rf_folding *f, const rf_segment *s, const rf_brief *b, raffle_error *err)
{
    rf_record r;
    rf_taken_list taken = {0};
    raffle_rc rc = rf_record_decode(&r, s->leaves + b->n, b->count, err);
    if (rc != RAFFLE_OK)
        return rc; /* it was decoded before: this cannot be */
    if (f->frame.rules != NULL)
        (void)apply(f, &r, &taken);
    rc = check_taken(f, &taken, err);
    if (rc == RAFFLE_OK && r.type == RF_VOID)
        rc = collect_void(f, &r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (r.type == RF_SALE && b->has_order)
        return add_order(f, b, err);
    if (r.type == RF_SALE)
        rf_orders_unknown(&f->walk);
    else
        rf_orders_end(&f->walk, &f->audit->faults, f->number, f->index);
    return RAFFLE_OK;
}

static raffle_rc fold_brief(rf_folding *f, const rf_segment *s, const rf_brief *b, raffle_error *err)
{
    switch ((rf_brief_kind)b->kind) {
    case RF_BRIEF_SALE:
        return fold_sale(f, b, err);
    case RF_BRIEF_FULL:
        return fold_full(f, s, b, err);
    case RF_BRIEF_LOST:
        break;
    }
    f->state.size++;
    f->resync = true;
    rf_orders_unknown(&f->walk);
    return RAFFLE_OK;
}

/* --- the tree --- */

static void push_range(rf_sha256 *hash, rf_range *range, const rf_range *part, rf_node_sink sink, void *ctx)
{
    rf_node_id nodes[RF_TREE_MAX_LEVEL + 1];
    const size_t n = rf_range_nodes(part->size, nodes);
    for (size_t i = 0; i < n; i++)
        rf_range_push_node(hash, range, nodes[i].level, part->hash[i], sink, ctx);
}

typedef struct upper_nodes {
    rf_folding *folding;
    raffle_rc rc;
    raffle_error *err;
} upper_nodes;

/* Nodes above a segment; those inside were compared with it. */
static void check_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    upper_nodes *u = ctx;
    raffle_audit *a = u->folding->audit;
    bool broken;
    if (level > RF_SEGMENT_LEVEL && u->rc == RAFFLE_OK)
        u->rc = rf_kept_node_check(a->store, u->folding->number, level, index, hash, &broken, &a->faults, u->err);
}

rf_mark *rf_mark_find(const rf_unit_log *u, uint64_t size)
{
    const rf_mark wanted = {.size = size};
    return bsearch(&wanted, u->mark, u->marks, sizeof wanted, compare_marks);
}

static void root_at(const rf_folding *f, const rf_range *part, uint64_t size)
{
    rf_mark *m = rf_mark_find(f->log, size);
    if (m == NULL)
        return;
    rf_range whole = f->range;
    push_range(f->audit->hash, &whole, part, NULL, NULL);
    rf_range_root(f->audit->hash, &whole, m->root);
}

static raffle_rc grow_tree(rf_folding *f, const rf_segment *s, raffle_error *err)
{
    upper_nodes upper = {f, RAFFLE_OK, err};
    for (size_t i = 0; i < s->cuts; i++)
        root_at(f, &s->cut[i].range, s->cut[i].size);
    root_at(f, &s->range, s->to);
    push_range(f->audit->hash, &f->range, &s->range, check_node, &upper);
    return upper.rc;
}

/* --- callbacks of the scan --- */

/* Of a log whose records are withheld nothing is known but its tree. */
static raffle_rc take_hashes(rf_folding *f, const rf_segment *s, raffle_error *err)
{
    for (; f->index < s->to; f->index++)
        if (f->next_mark < f->log->marks && f->log->mark[f->next_mark].size == f->index)
            reach_mark(f);
    raffle_rc rc = grow_tree(f, s, err);
    return rc == RAFFLE_OK ? rf_audit_progress(f->audit, s->to - s->from, err) : rc;
}

static raffle_rc take_segment(void *ctx, size_t log, rf_segment *s, raffle_error *err)
{
    rf_folding *f = ctx;
    raffle_audit *a = f->audit;
    (void)log;
    rf_faults_move(&a->faults, &s->faults);
    a->verdict.private_missing += s->private_missing;
    if (a->withheld)
        return take_hashes(f, s, err);
    for (uint64_t i = 0; i < s->to - s->from; i++) {
        if (f->next_mark < f->log->marks && f->log->mark[f->next_mark].size == f->index)
            reach_mark(f);
        raffle_rc rc = fold_brief(f, s, &s->brief[i], err);
        if (rc != RAFFLE_OK)
            return rc;
        follow_mark(f, &s->brief[i]);
        f->index++;
    }
    raffle_rc rc = grow_tree(f, s, err);
    return rc == RAFFLE_OK ? rf_audit_progress(a, s->to - s->from, err) : rc;
}

static raffle_rc finish_unit(void *ctx, size_t log, raffle_error *err)
{
    rf_folding *f = ctx;
    raffle_audit *a = f->audit;
    if (f->next_mark < f->log->marks && f->log->mark[f->next_mark].size == f->index)
        reach_mark(f);
    if (f->log->marks > 0 && f->log->mark[0].size == 0)
        memcpy(f->log->mark[0].root, rf_empty_root, 32);
    raffle_rc rc = rf_unit_verdict(f, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (log + 1 < a->units)
        begin_unit(f, (uint32_t)log + 2);
    return RAFFLE_OK;
}

/* --- the whole --- */

static raffle_rc make_scan_logs(const raffle_audit *a, rf_scan_log **out, uint64_t **wants, raffle_error *err)
{
    size_t marks = 0, at = 0;
    for (size_t i = 0; i < a->units; i++)
        marks += a->unit[i].marks;
    *out = calloc(a->units > 0 ? a->units : 1, sizeof **out);
    *wants = calloc(marks > 0 ? marks : 1, sizeof **wants);
    if (*out == NULL || *wants == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < a->units; i++) {
        const rf_unit_log *u = &a->unit[i];
        (*out)[i] = (rf_scan_log){.log = (uint32_t)i + 1, .size = u->size, .want = *wants + at, .wants = u->marks};
        for (size_t k = 0; k < u->marks; k++)
            (*wants)[at++] = u->mark[k].size;
    }
    return RAFFLE_OK;
}

static raffle_rc scan_units(rf_folding *f, raffle_error *err)
{
    raffle_audit *a = f->audit;
    rf_scan_log *logs = NULL;
    uint64_t *wants = NULL;
    const rf_scan_sink sink = {f, take_segment, finish_unit};
    raffle_rc rc = make_scan_logs(a, &logs, &wants, err);
    if (a->units > 0)
        begin_unit(f, 1);
    if (rc == RAFFLE_OK)
        rc = rf_scan(&f->segments, a->options.threads, logs, a->units, &sink, err);
    free(logs);
    free(wants);
    return rc;
}

static raffle_rc check_orders(rf_folding *f, raffle_error *err)
{
    raffle_audit *a = f->audit;
    uint64_t *size = calloc(a->units > 0 ? a->units : 1, sizeof *size);
    if (size == NULL)
        return rf_nomem(err);
    for (size_t i = 0; i < a->units; i++)
        size[i] = a->unit[i].size;
    raffle_rc rc = rf_orders_check(&f->orders, &f->segments, size, a->units, &a->control, &a->faults, err);
    free(size);
    return rc;
}

raffle_rc rf_check_units(raffle_audit *a, raffle_error *err)
{
    rf_folding *f = calloc(1, sizeof *f);
    if (f == NULL)
        return rf_nomem(err);
    f->audit = a;
    f->frame.rules = a->control.rules;
    memcpy(f->frame.open, a->control.open, 32);
    f->segments = (rf_segment_frame){.store = a->store, .rules = a->control.rules};
    randombytes_buf(f->segments.order_key, sizeof f->segments.order_key);
    if (a->seals > 1)
        qsort(a->sealed, a->seals, sizeof *a->sealed, compare_sealed);
    raffle_rc rc = count_logs(a, err);
    for (uint32_t number = 1; rc == RAFFLE_OK && number <= a->units; number++)
        rc = prepare_unit(a, number, err);
    if (rc == RAFFLE_OK && a->published)
        rc = rf_manifest_check(a->store, &a->control, a->control.size, &a->withheld, &a->faults, err);
    f->segments.withheld = a->withheld;
    if (rc == RAFFLE_OK)
        rc = hand_out_voids(a, err);
    if (rc == RAFFLE_OK)
        rc = scan_units(f, err);
    if (rc == RAFFLE_OK)
        rc = check_orders(f, err);
    if (rc == RAFFLE_OK && f->frame.rules != NULL && f->frame.rules->buyer_tickets > 0)
        rf_buyers_check(&f->buyers, (uint64_t)f->frame.rules->buyer_tickets, &a->faults);
    sodium_memzero(f->segments.order_key, sizeof f->segments.order_key);
    rf_orders_clear(&f->orders);
    rf_buyers_clear(&f->buyers);
    free(f);
    return rc;
}
