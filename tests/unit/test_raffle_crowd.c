/* SPDX-License-Identifier: Apache-2.0 */
/* One handle, and a till's, in many threads at once: sales while units are disabled and enabled, uploads are taken, tickets taken back, receipts made, units closed and
 * everything sealed. For the thread sanitizer: the locks of the raffle, its units and its logs are taken in one order. */
#include "fixture.h"

#include <pthread.h>

enum {
    SELLERS = 3,
    ROUNDS = 12,
    UNITS = 60
};

#define ONE_PRIZE "\"prizes\":[{\"name\":\"first\",\"alternates\":2,\"share\":5000}]}"

typedef struct parcel {
    char *bytes;
    size_t length, cap;
} parcel;

static char till_store[120], till_keys[120];
static raffle *till;
static _Atomic bool ended;
static _Atomic uint64_t sold, refused, strange, deals;

static void begin(const char *rules)
{
    ended = false;
    sold = refused = strange = deals = 0;
    fx.host.timeout_ms = -1; /* the thread sanitizer knows nothing of sem_clockwait() */
    fx_create(rules);
}

static raffle_rc pack(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    parcel *p = ctx;
    if (p->length + length > p->cap) {
        char *grown = realloc(p->bytes, 2 * (p->length + length));
        if (grown == NULL)
            return raffle_error_set(err, RAFFLE_NOMEM, 0, "no memory");
        p->bytes = grown;
        p->cap = 2 * (p->length + length);
    }
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
    return RAFFLE_OK;
}

/* A failure that none of the others' doings explains. */
static void judge(const char *call, raffle_rc rc, const raffle_error *err)
{
    if (rc == RAFFLE_OK)
        return;
    refused++;
    if (rc == RAFFLE_DISABLED || rc == RAFFLE_CLOSED || rc == RAFFLE_BUSY || rc == RAFFLE_EXISTS ||
        rc == RAFFLE_TIMEOUT)
        return;
    strange++;
    fprintf(stderr, "%s gives %s: %s\n", call, raffle_rc_name(rc), err->message);
}

typedef struct stall {
    raffle *raffle;
    uint32_t unit;
    unsigned me;
} stall;

/* Once the till is closed, that is the raffle's to do. */
static void take_back(const stall *s, uint64_t serial)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    const raffle_rc rc = raffle_void(s->raffle, &fx_super, s->unit, serial, "refund", &err);
    if (rc != RAFFLE_AWAY || s->unit != 2)
        judge("raffle_void", rc, &err);
}

static void *seller(void *arg)
{
    const stall *s = arg;
    raffle_error err = RAFFLE_ERROR_INIT;
    for (unsigned i = 0; !ended; i++) {
        raffle_unit *unit = NULL;
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        char order[48];
        snprintf(order, sizeof order, "%u-%u-%u", s->unit, s->me, i);
        raffle_sale sale = fx_line(order, "one");
        raffle_rc rc = raffle_unit_open(s->raffle, s->unit, &unit, &err);
        if (rc == RAFFLE_OK)
            rc = raffle_unit_sell(unit, &fx_seller, &sale, 1, -1, &ticket, &err);
        judge("raffle_unit_sell", rc, &err);
        sold += rc == RAFFLE_OK;
        if (rc == RAFFLE_OK && i % 4 == 0)
            take_back(s, ticket.serial);
        raffle_unit_free(unit);
        if (rc == RAFFLE_CLOSED)
            break;
    }
    return NULL;
}

static void *looker(void *arg)
{
    raffle *r = arg;
    raffle_error err = RAFFLE_ERROR_INIT;
    while (!ended) {
        raffle_info info = RAFFLE_INFO_INIT;
        raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
        char text[RAFFLE_CLOSE_RECEIPT_MAX + 1];
        size_t n;
        judge("raffle_describe", raffle_describe(r, &info, &err), &err);
        for (uint32_t i = 1; i <= info.units; i++) {
            raffle_unit_info unit = RAFFLE_UNIT_INFO_INIT;
            judge("raffle_unit_describe", raffle_unit_describe(r, i, &unit, &err), &err);
            const raffle_rc rc = raffle_unit_close_receipt(r, i, text, sizeof text, &n, &err);
            if (rc != RAFFLE_SEQUENCE)
                judge("raffle_unit_close_receipt", rc, &err);
        }
        const raffle_rc rc = raffle_seal_latest(r, RAFFLE_SEAL_FINAL, &seal, &err);
        if (rc != RAFFLE_NOT_SEALED)
            judge("raffle_seal_latest", rc, &err);
    }
    return NULL;
}

/* Unit 1 is shut and opened, and units enrolled. */
static void *manager(void *arg)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit_options o;
    uint32_t number;
    (void)arg;
    for (unsigned i = 0; i < ROUNDS && !ended; i++) {
        judge("raffle_unit_disable", raffle_unit_disable(fx.raffle, &fx_boss, 1, "pause", &err), &err);
        judge("raffle_unit_enable", raffle_unit_enable(fx.raffle, &fx_boss, 1, &err), &err);
        judge("raffle_event", raffle_event(fx.raffle, &fx_boss, 0, "x.a", NULL, NULL, &err), &err);
        raffle_unit_options_init(&o, sizeof o);
        snprintf(o.name, sizeof o.name, "more %u", i);
        judge("raffle_unit_enrol", raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &err), &err);
        deals++;
    }
    return NULL;
}

static void deal(raffle_unit *unit, raffle_error *err)
{
    char challenge[RAFFLE_CHALLENGE_SIZE];
    parcel box = {NULL, 0, 0};
    raffle_upload_info info = RAFFLE_UPLOAD_INFO_INIT;
    raffle_rc rc = raffle_unit_challenge(fx.raffle, 2, challenge, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_export(unit, challenge, pack, &box, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_upload(fx.raffle, &fx_boss, box.bytes, box.length, &info, err);
    judge("raffle_unit_upload", rc, err);
    box.length = 0;
    rc = raffle_unit_news(fx.raffle, 2, rc == RAFFLE_OK ? info.control_size : 0, pack, &box, err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_update(till, box.bytes, box.length, err);
    judge("raffle_unit_update", rc, err);
    free(box.bytes);
}

static void *courier(void *arg)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_unit *unit = NULL;
    (void)arg;
    if (raffle_unit_open(till, 2, &unit, &err) != RAFFLE_OK)
        return NULL;
    for (unsigned i = 0; i < ROUNDS; i++)
        deal(unit, &err);
    raffle_rc rc = RAFFLE_BUSY; /* overtaken by sales at every try */
    while (rc == RAFFLE_BUSY)
        rc = raffle_unit_close(unit, &fx_super, &err);
    judge("raffle_unit_close", rc, &err);
    deal(unit, &err);
    raffle_unit_free(unit);
    return NULL;
}

static void make_till(void)
{
    raffle_unit_options o;
    uint32_t number;
    parcel box = {NULL, 0, 0};
    snprintf(till_store, sizeof till_store, "sqlite:%s/till.raffle", fx.folder);
    snprintf(till_keys, sizeof till_keys, "file:%s/till.keys", fx.folder);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "tent");
    o.quota = 1000000;
    o.away = 1;
    FX_OK(raffle_unit_apply(till_keys, NULL, "raffle.example/fixture", 2, o.key, o.proof, &fx.err));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, &box, &fx.err));
    FX_OK(raffle_unit_install(till_store, till_keys, &fx.host, box.bytes, box.length, NULL, &till, &fx.err));
    free(box.bytes);
}

START_TEST(a_crowd)
{
    pthread_t office[SELLERS], tent[SELLERS], eyes[2], boss, van;
    stall stalls[2 * SELLERS];
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    begin(FX_HEAD FX_TIERS ONE_PRIZE);
    make_till();
    for (unsigned i = 0; i < SELLERS; i++) {
        stalls[i] = (stall){fx.raffle, 1, i};
        stalls[SELLERS + i] = (stall){till, 2, i};
        pthread_create(&office[i], NULL, seller, &stalls[i]);
        pthread_create(&tent[i], NULL, seller, &stalls[SELLERS + i]);
    }
    pthread_create(&eyes[0], NULL, looker, fx.raffle);
    pthread_create(&eyes[1], NULL, looker, till);
    pthread_create(&boss, NULL, manager, NULL);
    pthread_create(&van, NULL, courier, NULL);
    pthread_join(van, NULL);
    pthread_join(boss, NULL);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rc rc = RAFFLE_BUSY;
    while (rc == RAFFLE_BUSY)
        rc = raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &err);
    ended = true;
    for (unsigned i = 0; i < SELLERS; i++) {
        pthread_join(office[i], NULL);
        pthread_join(tent[i], NULL);
    }
    pthread_join(eyes[0], NULL);
    pthread_join(eyes[1], NULL);
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", raffle_rc_name(rc), err.message);
    ck_assert_uint_eq(strange, 0);
    ck_assert_uint_eq(deals, ROUNDS);
    ck_assert_uint_eq(seal.unreconciled, 0);
    ck_assert_uint_eq(seal.tickets, sold);
    raffle_free(till);
}
END_TEST

/* Unit after unit is closed while it sells: what a transaction under way has folded is no damage. */
START_TEST(units_closed_while_they_sell)
{
    raffle_unit_options o;
    raffle_error err = RAFFLE_ERROR_INIT;
    begin(FX_HEAD FX_TIERS ONE_PRIZE);
    for (unsigned i = 0; i < UNITS; i++) {
        pthread_t thread[SELLERS];
        stall stalls[SELLERS];
        uint32_t number;
        raffle_unit_options_init(&o, sizeof o);
        snprintf(o.name, sizeof o.name, "gate %u", i);
        FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
        FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
        const uint64_t start = sold;
        for (unsigned k = 0; k < SELLERS; k++) {
            stalls[k] = (stall){fx.raffle, number, k};
            pthread_create(&thread[k], NULL, seller, &stalls[k]);
        }
        raffle_unit *unit = fx_unit(number);
        while (sold < start + 20)
            (void)fx_unit_info(number);
        raffle_rc rc = RAFFLE_BUSY;
        while (rc == RAFFLE_BUSY)
            rc = raffle_unit_close(unit, &fx_boss, &err);
        ended = true;
        for (unsigned k = 0; k < SELLERS; k++)
            pthread_join(thread[k], NULL);
        ended = false;
        ck_assert_msg(rc == RAFFLE_OK, "%s: %s", raffle_rc_name(rc), err.message);
        ck_assert_uint_eq(fx_unit_info(number).tickets, sold - start);
        raffle_unit_free(unit);
    }
    ck_assert_uint_eq(strange, 0);
}
END_TEST

/* --- voids in the control log while seals are made --- */

static void *refunder(void *arg)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    (void)arg;
    for (uint64_t serial = 1; serial <= 400 && !ended; serial++)
        judge("raffle_void", raffle_void(fx.raffle, &fx_super, 1, serial, "refund", &err), &err);
    ended = true;
    return NULL;
}

/* Each seal has the voids that stand before it: the audit at the end says so. */
START_TEST(seals_while_tickets_are_taken_back)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    pthread_t thread;
    begin(FX_RULES);
    fx_sell_many(fx.unit, "one", 401);
    FX_OK(raffle_unit_close(fx.unit, &fx_boss, &fx.err));
    pthread_create(&thread, NULL, refunder, NULL);
    do {
        raffle_error err = RAFFLE_ERROR_INIT;
        const raffle_rc rc = raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &err);
        judge("raffle_seal", rc, &err);
    } while (!ended);
    pthread_join(thread, NULL);
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    ck_assert_uint_eq(seal.voids, 400);
    ck_assert_uint_eq(strange, 0);
}
END_TEST

FX_MAIN("raffle_crowd", a_crowd, units_closed_while_they_sell, seals_while_tickets_are_taken_back)
