/* SPDX-License-Identifier: Apache-2.0 */
/* Money that was counted, beside what the records say was taken, for a unit and for each of its sellers (GLI-31 2.8.1(g) and the regulators' accounts). */
#include "ticket.h"
#include "unit_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

/* --- counting --- */

raffle_rc raffle_cash(raffle *r, const raffle_actor *by, uint32_t unit, const char *kind, int64_t counted,
                      const char *seller, const char *text, raffle_error *err)
{
    raffle_actor actor;
    rf_unit_row row;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK && kind == NULL)
        rc = rf_null(err, "kind");
    if (rc == RAFFLE_OK && !rf_word_valid(kind, strnlen(kind, RAFFLE_WORD_SIZE), RAFFLE_WORD_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "\"%.40s\" is no word for a kind of money", kind);
    if (rc == RAFFLE_OK && (counted < 0 || counted > RF_JSON_INT_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "%lld is no amount that can be counted", (long long)counted);
    if (rc == RAFFLE_OK && seller != NULL && !rf_text_valid(seller, strnlen(seller, RAFFLE_NAME_SIZE), RAFFLE_NAME_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a seller's id is 1 to %d bytes of UTF-8 without control characters",
                     RAFFLE_NAME_MAX);
    if (rc == RAFFLE_OK && text != NULL && text[0] != 0 &&
        !rf_text_valid(text, strnlen(text, RAFFLE_TEXT_MAX + 1), RAFFLE_TEXT_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a text is at most %d bytes of UTF-8 without control characters",
                     RAFFLE_TEXT_MAX);
    if (rc == RAFFLE_OK)
        rc = rf_unit_row_get(r, unit, &row, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_record record = {.type = RF_CASH,
                        .has = rf_bit(RF_F_UNIT) | rf_bit(RF_F_KIND) | rf_bit(RF_F_COUNTED),
                        .unit = unit,
                        .kind = rf_text_of(kind),
                        .counted = counted};
    return rf_control_cash(r, &actor, seller, text, &record, err);
}

/* --- a balance --- */

/* What a seller sold is known by the private parts, a bit a ticket. */
typedef struct reckoning {
    const char *seller; /* NULL: the unit's */
    uint32_t unit;
    uint64_t size; /* of the unit's log */
    uint8_t *sold;
    raffle_cash_info *info;
} reckoning;

static bool is_seller(const reckoning *k, const rf_text *text)
{
    char id[RAFFLE_NAME_SIZE];
    return rf_text_copy(text, id, sizeof id) && strcmp(id, k->seller) == 0;
}

static void add_void(reckoning *k, const rf_record *r)
{
    const uint64_t serial = (uint64_t)r->serial;
    if (serial >= k->size || (k->sold[serial / 8] & 1u << serial % 8) == 0)
        return;
    k->info->voids++;
    k->info->void_gross += r->price;
}

static void add_sale(reckoning *k, const rf_record *r, uint64_t serial)
{
    k->sold[serial / 8] |= (uint8_t)(1u << serial % 8);
    k->info->tickets++;
    k->info->gross += r->price;
}

static raffle_rc take(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    reckoning *k = ctx;
    rf_record r;
    rf_private p;
    raffle_rc rc = rf_record_decode(&r, bytes->leaf, bytes->leaf_length, err);
    if (rc != RAFFLE_OK || (r.type != RF_SALE && r.type != RF_VOID && r.type != RF_CASH))
        return rc;
    if (r.type == RF_VOID) {
        if (r.unit == k->unit)
            add_void(k, &r);
        return RAFFLE_OK;
    }
    if (bytes->private_part == NULL || bytes->private_length == 0) {
        k->info->unknown += r.type == RF_SALE;
        return RAFFLE_OK;
    }
    rc = rf_private_decode(&p, bytes->private_part, bytes->private_length, err);
    if (rc == RAFFLE_OK && r.type == RF_SALE && is_seller(k, &p.actor))
        add_sale(k, &r, bytes->index);
    if (rc == RAFFLE_OK && r.type == RF_CASH && r.unit == k->unit && (p.has & rf_bit(RF_P_SELLER)) != 0 &&
        is_seller(k, &p.seller))
        k->info->counted += r.counted;
    return rc;
}

static raffle_rc reckon(raffle *r, reckoning *k, raffle_error *err)
{
    pthread_rwlock_rdlock(&r->control_lock);
    const uint64_t control = r->control.size;
    pthread_rwlock_unlock(&r->control_lock);
    k->sold = calloc(k->size / 8 + 1, 1);
    if (k->sold == NULL)
        return rf_nomem(err);
    raffle_rc rc = k->size == 0 ? RAFFLE_OK : rf_store_read(r->store, k->unit, 0, k->size, take, k, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_read(r->store, 0, 0, control, take, k, err);
    free(k->sold);
    return rc;
}

static void whole_unit(raffle *r, uint32_t unit, const rf_unit_state *state, raffle_cash_info *info)
{
    info->tickets = state->tickets;
    info->voids = state->voids;
    info->gross = state->gross;
    info->void_gross = state->void_gross;
    pthread_rwlock_rdlock(&r->control_lock);
    const rf_unit_row *row = rf_control_unit(&r->control, unit);
    info->counted = row->counted;
    info->voids += row->control_voids;
    info->void_gross += row->control_void_gross;
    pthread_rwlock_unlock(&r->control_lock);
}

raffle_rc raffle_cash_balance(raffle *r, uint32_t unit, const char *seller, raffle_cash_info *info, raffle_error *err)
{
    rf_unit *u;
    rf_unit_state state;
    raffle_cash_info mine = {0};
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK && seller != NULL && !rf_text_valid(seller, strnlen(seller, RAFFLE_NAME_SIZE), RAFFLE_NAME_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "a seller's id is 1 to %d bytes of UTF-8 without control characters",
                     RAFFLE_NAME_MAX);
    if (rc == RAFFLE_OK && !rf_log_halted(r->log))
        rc = rf_log_refresh(r->log, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_get(r, unit, &u, err);
    if (rc == RAFFLE_OK)
        rc = rf_unit_current(u, &state, err);
    if (rc != RAFFLE_OK)
        return rc;
    reckoning k = {.seller = seller, .unit = unit, .size = state.size, .info = &mine};
    if (seller == NULL)
        whole_unit(r, unit, &state, &mine);
    else
        rc = reckon(r, &k, err);
    if (rc != RAFFLE_OK)
        return rc;
    mine.unit = unit;
    mine.difference = mine.counted - (mine.gross - mine.void_gross);
    rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return RAFFLE_OK;
}

void raffle_cash_info_init(raffle_cash_info *info, size_t size)
{
    rf_struct_init(info, size);
}
