/* SPDX-License-Identifier: Apache-2.0 */
/* A till in a store of its own, as a machine without a link has it. Every step opens it anew. */
#include "night_till.h"

#include <stdio.h>
#include <string.h>

enum {
    UNIT = 3
};
static const raffle_actor seller = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER),
                          super = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR),
                          boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER);

/* What travels. */
static char parcel[1 << 17];
static size_t parcel_length;

static raffle_rc pack(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)ctx;
    if (length > sizeof parcel - parcel_length)
        return raffle_error_set(err, RAFFLE_FULL, 0, "the parcel is full");
    memcpy(parcel + parcel_length, bytes, length);
    parcel_length += length;
    return RAFFLE_OK;
}

typedef struct place {
    char store[96], keys[96];
} place;

static place place_of(const night *n)
{
    place p;
    snprintf(p.store, sizeof p.store, "sqlite:%s/till", n->folder);
    snprintf(p.keys, sizeof p.keys, "file:%s/till.keys", n->folder);
    return p;
}

typedef struct till {
    raffle *raffle;
    raffle_unit *unit;
} till;

static raffle_rc open_till(const night *n, till *t, raffle_error *err)
{
    const place p = place_of(n);
    memset(t, 0, sizeof *t);
    raffle_rc rc = raffle_open(p.store, p.keys, &n->host, &t->raffle, err);
    return rc == RAFFLE_OK ? raffle_unit_open(t->raffle, UNIT, &t->unit, err) : rc;
}

static void free_till(till *t)
{
    raffle_unit_free(t->unit);
    raffle_free(t->raffle);
}

raffle_rc night_enrol_till(night *n, raffle_error *err)
{
    raffle_unit_options options;
    uint32_t number = 0;
    raffle_unit_options_init(&options, sizeof options);
    snprintf(options.name, sizeof options.name, "tent");
    options.quota = 100;
    options.away = 1;
    options.hours = 24;
    raffle_rc rc =
        raffle_unit_apply(place_of(n).keys, &n->host, "raffle.example/fault", UNIT, options.key, options.proof, err);
    return rc == RAFFLE_OK ? raffle_unit_enrol(n->raffle, &boss, &options, &number, err) : rc;
}

raffle_rc night_enable_till(night *n, raffle_error *err)
{
    return raffle_unit_enable(n->raffle, &boss, UNIT, err);
}

/* A till that is there already was made whole: an earlier try came to its end. */
raffle_rc night_install_till(night *n, raffle_error *err)
{
    raffle *made = NULL;
    const place p = place_of(n);
    parcel_length = 0;
    raffle_rc rc = raffle_unit_kit(n->raffle, UNIT, pack, NULL, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_install(p.store, p.keys, &n->host, parcel, parcel_length, NULL, &made, err);
    if (rc == RAFFLE_EXISTS) {
        raffle_error_init(err, sizeof *err);
        rc = raffle_open(p.store, p.keys, &n->host, &made, err);
    }
    raffle_free(made);
    return rc;
}

raffle_rc night_sell_at_till(night *n, raffle_error *err)
{
    till t;
    raffle_sale sales[NIGHT_TILL_TICKETS];
    raffle_ticket tickets[NIGHT_TILL_TICKETS];
    memset(sales, 0, sizeof sales);
    memset(tickets, 0, sizeof tickets);
    for (size_t i = 0; i < NIGHT_TILL_TICKETS; i++) {
        sales[i].struct_size = sizeof *sales;
        tickets[i].struct_size = sizeof *tickets;
        snprintf(sales[i].order, sizeof sales[i].order, "tent");
        snprintf(sales[i].tier, sizeof sales[i].tier, "one");
    }
    raffle_rc rc = open_till(n, &t, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_sell(t.unit, &seller, sales, NIGHT_TILL_TICKETS, -1, tickets, err);
    free_till(&t);
    return rc;
}

raffle_rc night_close_till(night *n, raffle_error *err)
{
    till t;
    raffle_rc rc = open_till(n, &t, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_close(t.unit, &super, err);
    free_till(&t);
    return rc;
}

static raffle_rc export(const night *n, raffle_error *err)
{
    till t;
    char challenge[RAFFLE_CHALLENGE_SIZE];
    parcel_length = 0;
    raffle_rc rc = raffle_unit_challenge(n->raffle, UNIT, challenge, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = open_till(n, &t, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_export(t.unit, challenge, pack, NULL, err);
    free_till(&t);
    return rc;
}

raffle_rc night_upload_till(night *n, raffle_error *err)
{
    raffle_rc rc = export(n, err);
    return rc == RAFFLE_OK ? raffle_unit_upload(n->raffle, &boss, parcel, parcel_length, NULL, err) : rc;
}

raffle_rc night_inform_till(night *n, raffle_error *err)
{
    till t;
    raffle_info info = RAFFLE_INFO_INIT;
    parcel_length = 0;
    raffle_rc rc = open_till(n, &t, err);
    if (rc == RAFFLE_OK)
        rc = raffle_describe(t.raffle, &info, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_news(n->raffle, UNIT, info.control_size, pack, NULL, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_update(t.raffle, parcel, parcel_length, err);
    free_till(&t);
    return rc;
}
