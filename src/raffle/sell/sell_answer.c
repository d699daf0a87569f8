/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of a call to sell, an order at a time: new tickets, or those of an earlier sale of the same order (a retry), or why not. */
#include "sell_impl.h"
#include "ticket.h"

#include "abi.h"
#include "error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct answer {
    rf_sell *sell;
    raffle_ticket *tickets;
    size_t step;
    bool failed; /* the call as a whole: no order was sold by it */
} answer;

static void put(const answer *a, size_t i, const raffle_ticket *ticket)
{
    rf_struct_out((char *)a->tickets + i * a->step, a->step, ticket, sizeof *ticket);
}

static void copy_order(const rf_sell *q, size_t i, char out[RAFFLE_NAME_SIZE])
{
    size_t length = strnlen(rf_sell_order(q, i), RAFFLE_NAME_MAX);
    memcpy(out, rf_sell_order(q, i), length);
    out[length] = 0;
}

static void fail_line(const answer *a, size_t i, raffle_rc rc)
{
    raffle_ticket ticket = {.rc = rc};
    if (a->sell->line != NULL)
        copy_order(a->sell, i, ticket.order);
    put(a, i, &ticket);
}

static void put_sold(const answer *a, size_t i)
{
    const rf_sell *q = a->sell;
    const rf_sell_line_state *line = &q->line[i];
    const rf_tier *tier = &q->unit->raffle->rules->tier[line->tier];
    raffle_ticket ticket = {.rc = RAFFLE_OK,
                            .unit = q->unit->number,
                            .count = (uint32_t)tier->count,
                            .serial = line->serial,
                            .first = line->first,
                            .price = tier->price,
                            .at = line->at};
    memcpy(ticket.tier, tier->name, sizeof ticket.tier);
    copy_order(q, i, ticket.order);
    put(a, i, &ticket);
}

static raffle_rc fail_order(const answer *a, size_t i, raffle_rc rc, const char *sentence)
{
    rf_sell *q = a->sell;
    for (size_t k = i; k < i + q->line[i].order_lines; k++) {
        q->line[k].rc = rc;
        fail_line(a, k, rc);
    }
    if (i <= q->judged.line) {
        q->judged.line = SIZE_MAX;
        (void)rf_sell_fail(&q->judged, i, rc, sentence);
    }
    return rc;
}

static bool same_line(const rf_sell *q, size_t i, const rf_sold *sold)
{
    const raffle_sale *s = rf_sell_line(q, i);
    const rf_sell_line_state *line = &q->line[i];
    return strcmp(s->tier, sold->ticket.tier) == 0 && sold->line == (int64_t)i - line->order_first &&
           sold->lines == line->order_lines && strcmp(s->buyer, sold->buyer) == 0 &&
           strcmp(s->payment, sold->payment) == 0;
}

/* What kept the order from being read is in `err`, in the words of whoever failed. */
static raffle_rc fail_reading(const answer *a, size_t i, raffle_rc rc, raffle_error *err)
{
    char sentence[120];
    snprintf(sentence, sizeof sentence, "the order was sold before, and cannot be read: %.60s", raffle_rc_text(rc));
    (void)fail_order(a, i, rc, sentence);
    return err->rc == rc ? rc : rf_fail(err, rc, "%s", sentence);
}

/* The same content gives the first tickets, other content is a mismatch (design section 7). */
static raffle_rc replay(const answer *a, size_t i, uint32_t log, uint64_t index, raffle_error *err)
{
    rf_sell *q = a->sell;
    const size_t lines = q->line[i].order_lines;
    rf_sold *sold = calloc(lines, sizeof *sold);
    if (sold == NULL)
        return fail_order(a, i, RAFFLE_NOMEM, "there is no memory to read the order that was sold before");
    raffle_rc rc = rf_sold_read(q->unit->raffle, log, index, lines, sold, err);
    if (rc == RAFFLE_NOT_FOUND)
        rc = fail_order(a, i, RAFFLE_MISMATCH, "the order key was used for an order of fewer tickets");
    else if (rc != RAFFLE_OK || (rc = rf_sold_check_order(sold, rf_sell_order(q, i), err)) != RAFFLE_OK)
        rc = fail_reading(a, i, rc, err);
    for (size_t k = 0; rc == RAFFLE_OK && k < lines; k++) {
        if (!sold[k].has_private)
            rc = fail_order(a, i, RAFFLE_ERASED, "the order was sold before, and what it held has been erased");
        else if (!same_line(q, i + k, &sold[k]))
            rc = fail_order(a, i, RAFFLE_MISMATCH, "the order key was used for an order with other content");
    }
    for (size_t k = 0; rc == RAFFLE_OK && k < lines; k++) {
        sold[k].ticket.flags |= RAFFLE_TICKET_REPLAYED;
        q->line[i + k].rc = RAFFLE_OK;
        put(a, i + k, &sold[k].ticket);
    }
    free(sold);
    return rc;
}

/* A refused order may have been sold before: the retry is answered before state or rules are judged. When a call that failed as a whole cannot
 * look it up either, its own failure is the answer. */
static raffle_rc replay_refused(const answer *a, size_t i, raffle_error *err)
{
    rf_sell *q = a->sell;
    uint32_t log;
    uint64_t index;
    raffle_error why = RAFFLE_ERROR_INIT;
    const raffle_rc refused = q->line[i].rc;
    raffle_rc rc = rf_order_find(q->unit->raffle, rf_sell_order(q, i), &log, &index, &why);
    if (rc == RAFFLE_OK)
        return replay(a, i, log, index, err);
    rc = rc == RAFFLE_NOT_FOUND || a->failed ? refused : rf_fail_as(err, &why);
    for (size_t k = i; k < i + q->line[i].order_lines; k++)
        fail_line(a, k, q->line[k].rc = rc);
    return rc;
}

static raffle_rc answer_order(const answer *a, size_t i, raffle_error *err)
{
    rf_sell *q = a->sell;
    rf_sell_line_state *line = &q->line[i];
    switch (line->outcome) {
    case RF_SELL_SOLD:
        for (size_t k = i; k < i + line->order_lines; k++)
            put_sold(a, k);
        return RAFFLE_OK;
    case RF_SELL_TAKEN:
        return replay(a, i, line->owner_log, line->owner_index, err);
    case RF_SELL_REFUSED:
        return replay_refused(a, i, err);
    default:
        for (size_t k = i; k < i + line->order_lines; k++)
            fail_line(a, k, q->line[k].rc);
        return q->line[i].rc;
    }
}

/* The sentence is that of the first line that failed in the end: `why` when something failed while it was answered, `failure` when it is what the
 * whole call failed with. */
static raffle_rc conclude(const answer *a, size_t first, raffle_rc rc, const raffle_error *why,
                          const raffle_error *failure, raffle_error *err)
{
    const rf_sell *q = a->sell;
    const size_t end = first + q->line[first].order_lines;
    const rf_sell_fault *fault = q->checked.line < end ? &q->checked : &q->judged;
    if (why->rc == rc) {
        (void)rf_fail_at(err, rc, (uint32_t)first + 1, "line %zu: %s", first + 1, why->message);
        if (err != NULL)
            err->token = why->token;
        return rc;
    }
    if (fault->line >= first && fault->line < end && fault->error.rc == rc)
        return rf_fail_as(err, &fault->error);
    if (a->failed && failure->rc == rc)
        return rf_fail_as(err, failure);
    return rf_fail_at(err, rc, (uint32_t)first + 1, "line %zu: %s", first + 1, raffle_rc_text(rc));
}

raffle_rc rf_sell_answer(rf_sell *q, const raffle_error *failure, raffle_rc rc, raffle_ticket *tickets,
                         raffle_error *err)
{
    answer a = {q, tickets, tickets->struct_size, rc != RAFFLE_OK};
    if (!q->by_order) {
        for (size_t i = 0; i < q->n; i++)
            fail_line(&a, i, rc);
        return rf_fail_as(err, failure);
    }
    size_t first = SIZE_MAX;
    raffle_rc first_rc = RAFFLE_OK;
    raffle_error first_error = RAFFLE_ERROR_INIT;
    for (size_t i = 0; i < q->n; i += q->line[i].order_lines) {
        raffle_error mine = RAFFLE_ERROR_INIT;
        raffle_rc line_rc = answer_order(&a, i, &mine);
        if (line_rc == RAFFLE_OK || first != SIZE_MAX)
            continue;
        first = i;
        first_rc = line_rc;
        first_error = mine;
    }
    return first == SIZE_MAX ? RAFFLE_OK : conclude(&a, first, first_rc, &first_error, failure, err);
}
