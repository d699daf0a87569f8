/* SPDX-License-Identifier: Apache-2.0 */
/* Sales gathered for each unit, and voids between them. */
#include "import_batch.h"

#include "ticket_ref.h"
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MAX = 1000, /* tickets of one call */
    KEYS = 1 << 15,   /* slots for the keys that are pending */
    BEHIND_MS = 2000  /* the library takes a clock this much behind for jitter */
};

/* The sales of one unit that wait. */
typedef struct batch {
    raffle_unit *handle;
    raffle_actor by;
    raffle_sale *sale;
    uint64_t *line; /* of the file, for each sale */
    size_t n, room;
    int64_t sold_at;   /* time of the unit's newest record */
    int64_t newest_at; /* the same, what waits included */
} batch;

struct import_batches {
    cli *c;
    bool replay;
    import_counts *counts;
    import_bad bad;
    void *ctx;
    uint32_t highest; /* unit that has a batch */
    batch *unit[RAFFLE_UNIT_MAX + 1];
    size_t keys;
    uint64_t key[KEYS]; /* hashes of the order keys since all was sold last; 0: free */
    raffle_ticket ticket[BATCH_MAX];
};

import_batches *import_batches_new(cli *c, bool replay, import_counts *counts, import_bad bad, void *ctx)
{
    import_batches *b = memory_grow(NULL, sizeof *b);
    memset(b, 0, sizeof *b);
    b->c = c;
    b->replay = replay;
    b->counts = counts;
    b->bad = bad;
    b->ctx = ctx;
    return b;
}

void import_batches_free(import_batches *b)
{
    if (b == NULL)
        return;
    for (uint32_t i = 0; i <= b->highest; i++) {
        if (b->unit[i] == NULL)
            continue;
        raffle_unit_free(b->unit[i]->handle);
        free(b->unit[i]->sale);
        free(b->unit[i]->line);
        free(b->unit[i]);
    }
    free(b);
}

/* What no other line could escape either. */
static bool ends_all(raffle_rc rc)
{
    return rc == RAFFLE_MISUSE || rc == RAFFLE_CLOCK || rc == RAFFLE_REHEARSAL ||
           (rc >= RAFFLE_NOMEM && rc != RAFFLE_ERASED);
}

static void report(import_batches *b, uint64_t line, raffle_rc rc, const char *reason)
{
    b->counts->bad++;
    b->bad(b->ctx, line, rc, reason);
}

/* --- selling --- */

static void sold(import_batches *b, const raffle_ticket *ticket, size_t n)
{
    if (ticket->flags & RAFFLE_TICKET_REPLAYED) {
        b->counts->replayed++;
        return;
    }
    b->counts->sold++;
    b->counts->tickets += n;
}

static raffle_rc sell(import_batches *b, batch *u, size_t first, size_t n, raffle_error *err)
{
    for (size_t i = first; i < first + n; i++)
        raffle_ticket_init(&b->ticket[i], sizeof b->ticket[i]);
    return raffle_unit_sell(u->handle, &u->by, u->sale + first, n, CLI_TIMEOUT_MS, b->ticket + first, err);
}

/* An order that failed in a batch is sent again by itself, which tells exactly why. */
static bool sell_again(import_batches *b, batch *u, size_t first, size_t n)
{
    raffle_error *err = &b->c->err;
    raffle_rc rc = sell(b, u, first, n, err);
    if (rc == RAFFLE_OK)
        sold(b, &b->ticket[first], n);
    else if (!ends_all(rc))
        report(b, u->line[first], rc, cli_sentence(err));
    return rc == RAFFLE_OK || !ends_all(rc);
}

static bool flush(import_batches *b, batch *u)
{
    if (u == NULL || u->n == 0)
        return true;
    if (b->replay)
        host_set(&b->c->host, u->sale[0].at > u->sold_at ? u->sale[0].at : u->sold_at);
    const size_t all = u->n;
    bool good = true;
    (void)sell(b, u, 0, all, &b->c->err); /* each line has its own outcome */
    for (size_t i = 0, end; i < all; i = end) {
        for (end = i + 1; end < all && u->line[end] == u->line[i]; end++)
            continue;
        if (b->ticket[i].rc == RAFFLE_OK)
            sold(b, &b->ticket[i], end - i);
        else
            good = good && sell_again(b, u, i, end - i);
    }
    u->n = 0;
    u->sold_at = u->newest_at;
    return good;
}

bool import_flush(import_batches *b)
{
    for (uint32_t i = 0; i <= b->highest; i++)
        if (!flush(b, b->unit[i]))
            return false;
    memset(b->key, 0, sizeof b->key);
    b->keys = 0;
    return true;
}

/* --- gathering --- */

/* FNV-1a; two keys of one hash cost an early sale, nothing else. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *key != 0; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return hash | 1;
}

static size_t slot_of(const import_batches *b, uint64_t hash)
{
    size_t slot = (size_t)(hash >> 20) % KEYS;
    while (b->key[slot] != 0 && b->key[slot] != hash)
        slot = (slot + 1) % KEYS;
    return slot;
}

/* Notes the key; what waits is sold first when it may be there already, or when there is no room. */
static bool note_key(import_batches *b, const char *order)
{
    const uint64_t hash = hash_of(order);
    size_t slot = slot_of(b, hash);
    if (b->key[slot] != 0 || b->keys >= KEYS / 2) {
        if (!import_flush(b))
            return false;
        slot = slot_of(b, hash);
    }
    b->key[slot] = hash;
    b->keys++;
    return true;
}

static raffle_rc make_batch(import_batches *b, uint32_t number)
{
    raffle_unit_info info;
    raffle_unit *handle;
    raffle_unit_info_init(&info, sizeof info);
    raffle_rc rc = raffle_unit_describe(b->c->raffle, number, &info, &b->c->err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_open(b->c->raffle, number, &handle, &b->c->err);
    if (rc != RAFFLE_OK)
        return rc;
    b->unit[number] = memory_grow(NULL, sizeof(batch));
    *b->unit[number] = (batch){.handle = handle, .sold_at = info.last_at, .newest_at = info.last_at};
    b->highest = number > b->highest ? number : b->highest;
    return RAFFLE_OK;
}

/* A replayed line whose time is before the unit's newest record is a fault, unless the order was sold before: then it is a retry. */
static raffle_rc check_time(import_batches *b, const batch *u, const import_line *line)
{
    raffle_ticket ticket;
    size_t n;
    char message[120];
    if (!b->replay || line->at >= u->newest_at - BEHIND_MS)
        return RAFFLE_OK;
    raffle_ticket_init(&ticket, sizeof ticket);
    raffle_rc rc = raffle_order_tickets(b->c->raffle, line->sale.order, &ticket, 1, &n, &b->c->err);
    if (rc != RAFFLE_NOT_FOUND)
        return rc == RAFFLE_ERASED ? RAFFLE_OK : rc;
    snprintf(message, sizeof message, "its time is %lld s before the newest one of unit %u",
             (long long)(u->newest_at - line->at) / 1000, line->unit);
    return raffle_error_set(&b->c->err, RAFFLE_INVALID, 0, message);
}

static void gather(batch *u, const import_line *line, bool replay)
{
    if (u->n + line->count > u->room) {
        u->room = u->n + line->count > BATCH_MAX / 4 ? BATCH_MAX : BATCH_MAX / 4;
        u->sale = memory_grow(u->sale, u->room * sizeof *u->sale);
        u->line = memory_grow(u->line, u->room * sizeof *u->line);
    }
    for (uint32_t i = 0; i < line->count; i++) {
        u->sale[u->n] = line->sale;
        u->sale[u->n].at = replay ? line->at : 0;
        u->line[u->n++] = line->line;
    }
    u->by = line->by;
    if (replay && line->at > u->newest_at)
        u->newest_at = line->at;
}

static bool same_actor(const raffle_actor *a, const raffle_actor *b)
{
    return a->role == b->role && strcmp(a->id, b->id) == 0;
}

bool import_add(import_batches *b, const import_line *line)
{
    raffle_rc rc = RAFFLE_OK;
    if (!note_key(b, line->sale.order))
        return false;
    if (b->unit[line->unit] == NULL)
        rc = make_batch(b, line->unit);
    batch *u = b->unit[line->unit];
    if (rc == RAFFLE_OK)
        rc = check_time(b, u, line);
    if (rc != RAFFLE_OK) {
        report(b, line->line, rc, b->c->err.message);
        return !ends_all(rc);
    }
    if (u->n > 0 && (u->n + line->count > BATCH_MAX || !same_actor(&u->by, &line->by)) && !flush(b, u))
        return false;
    gather(u, line, b->replay);
    return true;
}

/* --- voids --- */

/* Whether a ticket holds a place in a result: its order could then be taken back by halves only. */
static raffle_rc holds_place(cli *c, const raffle_ticket *ticket, bool *holds)
{
    raffle_prize prize;
    raffle_pick pick;
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t i = 0; rc == RAFFLE_OK && i < c->info.prizes; i++) {
        raffle_prize_init(&prize, sizeof prize);
        rc = raffle_prize_at(c->raffle, i, &prize, &c->err);
        for (uint32_t place = 1; rc == RAFFLE_OK && prize.state == RAFFLE_PRIZE_DRAWN && place <= prize.places;
             place++) {
            raffle_pick_init(&pick, sizeof pick);
            rc = raffle_pick_at(c->raffle, prize.name, place, &pick, &c->err);
            *holds = *holds || (rc == RAFFLE_OK && pick.unit == ticket->unit && pick.serial == ticket->serial);
        }
    }
    return rc;
}

static raffle_rc check_void(cli *c, const ticket_list *list, const import_line *line)
{
    bool holds = false;
    for (size_t i = 0; i < list->n; i++) {
        if (line->unit != 0 && list->ticket[i].unit != line->unit)
            return raffle_error_set(&c->err, RAFFLE_MISMATCH, 0, "the order was sold by another unit");
        raffle_rc rc = list->n > 1 && !(list->ticket[i].flags & RAFFLE_TICKET_VOID)
                           ? holds_place(c, &list->ticket[i], &holds)
                           : RAFFLE_OK;
        if (rc != RAFFLE_OK)
            return rc;
        if (holds)
            return raffle_error_set(&c->err, RAFFLE_DRAWN, 0, "a ticket of the order holds a place in a result");
    }
    return RAFFLE_OK;
}

static raffle_rc void_tickets(import_batches *b, const ticket_list *list, const import_line *line, size_t *done)
{
    for (size_t i = 0; i < list->n; i++) {
        const raffle_ticket *ticket = &list->ticket[i];
        if (ticket->flags & RAFFLE_TICKET_VOID)
            continue;
        raffle_rc rc = raffle_void(b->c->raffle, &line->by, ticket->unit, ticket->serial, line->reason, &b->c->err);
        if (rc != RAFFLE_OK)
            return rc;
        (*done)++;
        batch *u = b->unit[ticket->unit];
        if (u != NULL && line->at > u->newest_at)
            u->sold_at = u->newest_at = line->at;
    }
    return RAFFLE_OK;
}

bool import_void(import_batches *b, const import_line *line)
{
    ticket_list list = {0};
    size_t done = 0;
    if (!import_flush(b))
        return false;
    if (b->replay)
        host_set(&b->c->host, line->at);
    raffle_rc rc = ticket_order(b->c->raffle, line->sale.order, &list, &b->c->err);
    if (rc == RAFFLE_OK)
        rc = check_void(b->c, &list, line);
    if (rc == RAFFLE_OK)
        rc = void_tickets(b, &list, line, &done);
    ticket_list_free(&list);
    if (rc != RAFFLE_OK)
        report(b, line->line, rc, b->c->err.message);
    else if (done == 0)
        b->counts->replayed++;
    else
        b->counts->voids++;
    return rc == RAFFLE_OK || rc == RAFFLE_CLOCK || !ends_all(rc);
}
