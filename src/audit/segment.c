/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a segment, checking each record's bytes, and the nodes of its tree. */
#include "segment.h"

#include "bytes.h"
#include "error.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    FULL_MOST = 4096,    /* a longer leaf has no place in a unit's log */
    MISSING_MOST = 1000, /* after so many missing records, the log is taken to end */
    LINES_MOST = UINT16_MAX
};

typedef struct node {
    uint32_t level;
    uint64_t index; /* in the segment */
    uint8_t hash[32];
} node;

struct rf_segment_worker {
    rf_leaf_check check;
    rf_leaf leaf;
    rf_sale_memory memory;
    rf_segment *segment;
    uint64_t next; /* record */
    size_t next_cut, nodes;
    bool published; /* leaf hashes are published too */
    rf_leaf_tile leaves;
    node node[RF_SEGMENT_NODES];
};

rf_segment_worker *rf_segment_worker_new(void)
{
    rf_segment_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    w->check.hash = rf_sha256_new();
    if (w->check.hash == NULL) {
        free(w);
        return NULL;
    }
    return w;
}

void rf_segment_worker_free(rf_segment_worker *w)
{
    if (w == NULL)
        return;
    rf_sha256_free(w->check.hash);
    free(w);
}

uint64_t rf_order_print(const uint8_t key[16], const char *order, size_t length)
{
    uint64_t print;
    uint8_t hash[crypto_shorthash_BYTES];
    _Static_assert(crypto_shorthash_BYTES == sizeof print && crypto_shorthash_KEYBYTES == 16, "SipHash-2-4");
    crypto_shorthash(hash, (const uint8_t *)order, length, key);
    memcpy(&print, hash, sizeof print);
    return print;
}

/* --- the tree --- */

static void keep_node(void *ctx, uint32_t level, uint64_t index, const uint8_t hash[32])
{
    rf_segment_worker *w = ctx;
    if (level < RF_NODE_LEVEL_MIN)
        return;
    node *n = &w->node[w->nodes++];
    n->level = level;
    n->index = index;
    memcpy(n->hash, hash, 32);
}

static raffle_rc compare_published(rf_segment_worker *w, const uint8_t leaf_hash[32], raffle_error *err)
{
    const rf_segment *s = w->segment;
    return w->published
               ? rf_leaf_tile_check(&w->leaves, s->frame->store, s->log, w->next, leaf_hash, w->check.faults, err)
               : RAFFLE_OK;
}

static void push(rf_segment_worker *w, const uint8_t leaf_hash[32])
{
    rf_segment *s = w->segment;
    rf_range_push(w->check.hash, &s->range, leaf_hash, keep_node, w);
    w->next++;
    while (w->next_cut < s->cuts && s->cut[w->next_cut].size == w->next)
        s->cut[w->next_cut++].range = s->range;
}

/* --- records --- */

static raffle_rc keep_leaf(rf_segment *s, const raffle_record *bytes, rf_brief *brief, raffle_error *err)
{
    if (s->leaves_cap - s->leaves_length < bytes->leaf_length) {
        size_t cap = 2 * s->leaves_cap + FULL_MOST;
        char *grown = realloc(s->leaves, cap);
        if (grown == NULL)
            return rf_nomem(err);
        s->leaves = grown;
        s->leaves_cap = cap;
    }
    memcpy(s->leaves + s->leaves_length, bytes->leaf, bytes->leaf_length);
    brief->kind = RF_BRIEF_FULL;
    brief->n = (int64_t)s->leaves_length;
    brief->count = bytes->leaf_length;
    s->leaves_length += bytes->leaf_length;
    return RAFFLE_OK;
}

static void keep_order(const rf_segment *s, rf_brief *brief, int64_t line, int64_t lines, const char *order,
                       size_t length)
{
    brief->line = (uint16_t)(line > LINES_MOST ? LINES_MOST : line);
    brief->lines = (uint16_t)(lines > LINES_MOST ? LINES_MOST : lines);
    brief->order = rf_order_print(s->frame->order_key, order, length);
    brief->has_order = true;
}

static void keep_buyer(const rf_segment *s, rf_brief *brief, const char *buyer, size_t length)
{
    if (length == 0 || s->frame->rules == NULL || s->frame->rules->buyer_tickets == 0)
        return;
    const uint64_t print = rf_order_print(s->frame->order_key, buyer, length);
    brief->buyer = print != 0 ? print : 1;
}

/* The private part's hash, against the 64 digits in the leaf. */
static bool same_hash(rf_segment_worker *w, const raffle_record *bytes, const char *digits)
{
    uint8_t hash[32];
    char hex[64];
    rf_sha256_of(w->check.hash, hash, bytes->private_part, bytes->private_length);
    rf_hex_encode(hex, hash, 32);
    return memcmp(hex, digits, 64) == 0;
}

/* The private part of a sale; one that was erased, or is not published, is counted. */
static bool take_plain_private(rf_segment_worker *w, const raffle_record *bytes, const char *p, rf_brief *brief)
{
    rf_sale_private part;
    if (bytes->private_length == 0) {
        w->check.private_missing++;
        return true;
    }
    if (bytes->private_length > RAFFLE_PRIVATE_MAX ||
        !rf_sale_read_private(bytes->private_part, bytes->private_length, &part) || !same_hash(w, bytes, p))
        return false;
    keep_order(w->segment, brief, part.line, part.lines, part.order, part.order_length);
    keep_buyer(w->segment, brief, part.buyer, part.buyer_length);
    return true;
}

/* True when the record is a sale that has nothing unusual. */
static bool take_plain_sale(rf_segment_worker *w, const raffle_record *bytes, rf_brief *brief)
{
    const rf_segment *s = w->segment;
    rf_sale_leaf sale;
    if (s->frame->rules == NULL)
        return false;
    if (!rf_sale_read(&w->memory, s->frame->rules, bytes->leaf, bytes->leaf_length, &sale) || sale.count > UINT32_MAX)
        return false;
    if (!take_plain_private(w, bytes, sale.p, brief))
        return false;
    brief->kind = RF_BRIEF_SALE;
    brief->at = sale.at;
    brief->n = sale.n;
    brief->price = sale.price;
    brief->count = (uint32_t)sale.count;
    brief->by = (uint8_t)sale.by;
    brief->tier = (uint8_t)sale.tier;
    return true;
}

static void take_order(rf_segment_worker *w, uint64_t index, rf_brief *brief)
{
    const rf_private *p = &w->leaf.private_part;
    const rf_members must = rf_bit(RF_P_ORDER) | rf_bit(RF_P_LINE) | rf_bit(RF_P_LINES);
    if (p->has & rf_bit(RF_P_BUYER))
        keep_buyer(w->segment, brief, p->buyer.text, p->buyer.length);
    if ((p->has & must) == must)
        keep_order(w->segment, brief, p->line, p->lines, p->order.text, p->order.length);
    else
        rf_fault(w->check.faults, RAFFLE_FAULT_INTEGRITY, w->segment->log, index, "private",
                 "the private part of a sale lacks its order");
}

static raffle_rc take_other(rf_segment_worker *w, const raffle_record *bytes, rf_brief *brief, raffle_error *err)
{
    rf_segment *s = w->segment;
    rf_leaf_inspect(&w->check, s->log, bytes, &w->leaf);
    if (!w->leaf.decoded)
        return RAFFLE_OK;
    if (w->leaf.record.type == RF_SALE && w->leaf.has_private)
        take_order(w, bytes->index, brief);
    if (bytes->leaf_length <= FULL_MOST)
        return keep_leaf(s, bytes, brief, err);
    rf_fault(&s->faults, RAFFLE_FAULT_INTEGRITY, s->log, bytes->index, "fold", "a %s has no place in a unit's log",
             rf_type_name(w->leaf.record.type));
    return RAFFLE_OK;
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    rf_segment_worker *w = ctx;
    rf_brief *brief = &w->segment->brief[w->next - w->segment->from];
    uint8_t leaf_hash[32];
    *brief = (rf_brief){.kind = RF_BRIEF_LOST};
    rf_leaf_hash(w->check.hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    raffle_rc rc = take_plain_sale(w, bytes, brief) ? RAFFLE_OK : take_other(w, bytes, brief, err);
    if (rc == RAFFLE_OK)
        rc = compare_published(w, leaf_hash, err);
    if (rc == RAFFLE_OK)
        push(w, leaf_hash);
    return rc;
}

/* --- the whole --- */

/* A record that the store does not give counts as one of no bytes that is known: the tree's roots will not be those that were signed. */
static void skip_record(rf_segment_worker *w, const char *sentence)
{
    static const uint8_t unknown[32] = {0};
    rf_segment *s = w->segment;
    rf_fault(&s->faults, RAFFLE_FAULT_COMPLETENESS, s->log, w->next, "missing", "%s", sentence);
    s->brief[w->next - s->from] = (rf_brief){.kind = RF_BRIEF_LOST};
    push(w, unknown);
}

static raffle_rc read_records(rf_segment_worker *w, raffle_error *err)
{
    rf_segment *s = w->segment;
    int missing = 0; /* one after the other */
    while (w->next < s->to) {
        const uint64_t before = w->next;
        raffle_error why = RAFFLE_ERROR_INIT;
        raffle_rc rc = rf_store_read(s->frame->store, s->log, w->next, s->to - w->next, take_record, w, &why);
        if (rc != RAFFLE_OK && rc != RAFFLE_CORRUPT)
            return rf_fail_as(err, &why);
        if (w->next > before)
            missing = 0;
        if (rc == RAFFLE_CORRUPT && w->next == s->to)
            rf_fault(&s->faults, RAFFLE_FAULT_INTEGRITY, s->log, w->next, "store", "%s", why.message);
        if (w->next == s->to)
            break;
        skip_record(w, rc == RAFFLE_OK ? "the record is missing" : why.message);
        if (++missing == MISSING_MOST && w->next < s->to) {
            s->to = w->next;
            s->ended = true;
        }
    }
    return RAFFLE_OK;
}

/* Without records the leaf hashes alone; one that is not there counts as a hash that nothing has. */
static raffle_rc read_hashes(rf_segment_worker *w, raffle_error *err)
{
    rf_segment *s = w->segment;
    for (int missing = 0; w->next < s->to && missing < MISSING_MOST;) {
        uint8_t hash[32] = {0};
        bool there;
        raffle_rc rc =
            rf_leaf_tile_get(&w->leaves, s->frame->store, s->log, w->next, hash, &there, w->check.faults, err);
        if (rc != RAFFLE_OK)
            return rc;
        s->brief[w->next - s->from] = (rf_brief){.kind = RF_BRIEF_LOST};
        push(w, hash);
        missing = there ? 0 : missing + 1;
    }
    s->ended = w->next < s->to;
    s->to = w->next;
    return RAFFLE_OK;
}

static raffle_rc check_nodes(const rf_segment_worker *w, raffle_error *err)
{
    rf_segment *s = w->segment;
    bool broken = false;
    raffle_rc rc = RAFFLE_OK;
    for (size_t i = 0; rc == RAFFLE_OK && !broken && i < w->nodes; i++) {
        const node *n = &w->node[i];
        rc = rf_kept_node_check(s->frame->store, s->log, n->level, (s->from >> n->level) + n->index, n->hash, &broken,
                                &s->faults, err);
    }
    return rc;
}

void rf_segment_run(rf_segment_worker *w, rf_segment *segment)
{
    w->segment = segment;
    w->next = segment->from;
    w->next_cut = w->nodes = 0;
    w->check.faults = &segment->faults;
    w->check.private_missing = 0;
    segment->leaves_length = 0;
    segment->ended = false;
    rf_range_init(&segment->range);
    w->published = rf_store_published(segment->frame->store);
    w->leaves.next = 0;
    segment->rc = segment->frame->withheld ? read_hashes(w, &segment->error) : read_records(w, &segment->error);
    if (segment->rc == RAFFLE_OK)
        segment->rc = check_nodes(w, &segment->error);
    segment->private_missing = w->check.private_missing;
}
