/* SPDX-License-Identifier: Apache-2.0 */
/* The fold by itself: each record that it must refuse is refused, changes nothing, and takes no key. */
#include "fold_draw.h"
#include "fold_keys.h"

#include "bytes.h"
#include "fixture.h"

static const char rules_json[] = FX_RULES;
static rf_rules rules;
static rf_unit_frame frame;
static raffle_error err;

static const uint8_t open_hash[32] = {1, 2, 3};

static void load(void)
{
    raffle_error_init(&err, sizeof err);
    ck_assert_int_eq(rf_rules_parse(&rules, rules_json, strlen(rules_json), &err), RAFFLE_OK);
    frame = (rf_unit_frame){.rules = &rules, .unit = 2};
    memcpy(frame.open, open_hash, 32);
}

/* --- a unit's log --- */

static rf_record unit_record(rf_type type, const rf_unit_state *s)
{
    return (rf_record){.type = type, .has = rf_bit(RF_F_N), .by = RAFFLE_MANAGER, .at = FX_NOW, .n = (int64_t)s->next};
}

static rf_record start(const rf_unit_state *s)
{
    rf_record r = unit_record(RF_UNIT_START, s);
    r.unit = 2;
    memcpy(r.open, open_hash, 32);
    return r;
}

static rf_record sale(const rf_unit_state *s)
{
    rf_record r = unit_record(RF_SALE, s);
    r.tier = rf_text_of("ten");
    r.count = 10;
    r.price = 2000;
    return r;
}

static rf_record take_back(const rf_unit_state *s, int64_t serial)
{
    rf_record r = unit_record(RF_VOID, s);
    r.unit = 2;
    r.serial = serial;
    r.reason = rf_text_of("refund");
    r.count = 10;
    r.price = 2000;
    return r;
}

static rf_record close(const rf_unit_state *s)
{
    rf_record r = unit_record(RF_UNIT_CLOSE, s);
    r.tickets = (int64_t)s->tickets;
    r.numbers = (int64_t)s->numbers;
    r.voids = (int64_t)s->voids;
    r.void_numbers = (int64_t)s->void_numbers;
    r.gross = s->gross;
    r.void_gross = s->void_gross;
    return r;
}

static void good(rf_unit_state *s, rf_record r)
{
    rf_taken_list taken;
    ck_assert_msg(rf_unit_apply(&frame, s, &r, &taken, &err) == RAFFLE_OK, "%s", err.message);
}

static void bad(const rf_unit_state *s, rf_record r, raffle_rc rc)
{
    rf_unit_state state = *s;
    rf_taken_list taken = {.n = 3};
    raffle_error_init(&err, sizeof err);
    raffle_rc got = rf_unit_apply(&frame, &state, &r, &taken, &err);
    ck_assert_msg(got == rc, "%s, not %s: %s", raffle_rc_name(got), raffle_rc_name(rc), err.message);
    ck_assert_int_eq(err.rc, rc);
    ck_assert_mem_eq(&state, s, sizeof state);
    ck_assert_uint_eq(taken.n, 0);
}

#define BAD(make, rc, ...)                                                                                             \
    do {                                                                                                               \
        rf_record r = make;                                                                                            \
        __VA_ARGS__;                                                                                                   \
        bad(&s, r, rc);                                                                                                \
    } while (0)

START_TEST(what_a_unit_refuses)
{
    rf_unit_state s;
    load();
    rf_unit_state_init(&s);
    BAD(sale(&s), RAFFLE_CORRUPT, (void)0); /* before its start */
    BAD(start(&s), RAFFLE_MISMATCH, r.unit = 1);
    BAD(start(&s), RAFFLE_MISMATCH, r.open[31] = 1);
    BAD(start(&s), RAFFLE_CORRUPT, r.n = 2);
    BAD(start(&s), RAFFLE_CORRUPT, r.has = 0);
    good(&s, start(&s));
    BAD(start(&s), RAFFLE_CORRUPT, (void)0);
    BAD(sale(&s), RAFFLE_NOT_FOUND, r.tier = rf_text_of("two"));
    BAD(sale(&s), RAFFLE_INVALID, r.count = 9);
    BAD(sale(&s), RAFFLE_INVALID, r.price = 1999);
    BAD(sale(&s), RAFFLE_WINDOW, r.at = FX_NOW + 9 * FX_HOUR);
    BAD(sale(&s), RAFFLE_CLOCK, r.at = FX_NOW - 1);
    BAD(sale(&s), RAFFLE_ROLE, r.by = RAFFLE_AUDITOR);
    BAD(sale(&s), RAFFLE_CORRUPT, r.n = 2);
    BAD(sale(&s), RAFFLE_CORRUPT, r.has = 0);
    BAD(take_back(&s, 1), RAFFLE_NOT_FOUND, (void)0);
    good(&s, sale(&s));
    good(&s, sale(&s));
    BAD(take_back(&s, 0), RAFFLE_NOT_FOUND, (void)0);
    BAD(take_back(&s, 3), RAFFLE_NOT_FOUND, (void)0);
    BAD(take_back(&s, 1), RAFFLE_NOT_FOUND, r.unit = 1);
    BAD(take_back(&s, 1), RAFFLE_ROLE, r.by = RAFFLE_SELLER);
    BAD(take_back(&s, 1), RAFFLE_CORRUPT, r.count = 21);
    BAD(take_back(&s, 1), RAFFLE_CORRUPT, r.price = 4001);
    good(&s, take_back(&s, 1));
    BAD(unit_record(RF_SEAL, &s), RAFFLE_CORRUPT, (void)0);
    BAD(unit_record(RF_RAFFLE_OPEN, &s), RAFFLE_CORRUPT, (void)0);
    BAD(unit_record(RF_CLAIM, &s), RAFFLE_CORRUPT, (void)0);
    BAD(unit_record(RF_EVENT, &s), RAFFLE_ROLE, (r.code = rf_text_of("clock.reset"), r.by = RAFFLE_SELLER));
    BAD(close(&s), RAFFLE_ROLE, r.by = RAFFLE_SELLER);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.tickets++);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.numbers++);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.voids--);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.void_numbers--);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.gross++);
    BAD(close(&s), RAFFLE_STATE_DIFFERS, r.void_gross++);
    good(&s, close(&s));
    BAD(sale(&s), RAFFLE_CLOSED, (void)0);
    BAD(close(&s), RAFFLE_CLOSED, (void)0);
    BAD(unit_record(RF_EVENT, &s), RAFFLE_CLOSED, r.code = rf_text_of("x.a"));
}
END_TEST

START_TEST(what_a_unit_can_say)
{
    rf_unit_state s, full;
    load();
    rf_unit_state_init(&s);
    good(&s, start(&s));
    full = s;
    full.numbers = (UINT64_C(1) << 40) - 1 - 10;
    full.next = full.numbers + 1;
    ck_assert(rf_unit_has_room(&full, 10, 0));
    ck_assert(!rf_unit_has_room(&full, 11, 0));
    s = full;
    good(&s, sale(&s));
    BAD(sale(&s), RAFFLE_LIMIT, (void)0);
    s = full;
    s.numbers = 0;
    s.gross = INT64_C(9007199254740991) - 2000;
    good(&s, sale(&s));
    BAD(sale(&s), RAFFLE_LIMIT, (void)0);
}
END_TEST

START_TEST(a_reset_alone_goes_back)
{
    rf_unit_state s;
    load();
    rf_unit_state_init(&s);
    good(&s, start(&s));
    BAD(unit_record(RF_EVENT, &s), RAFFLE_CLOCK, (r.code = rf_text_of("x.a"), r.at = FX_NOW - 1));
    rf_record reset = unit_record(RF_EVENT, &s);
    reset.code = rf_text_of("clock.reset");
    reset.at = FX_NOW - FX_HOUR;
    good(&s, reset);
    ck_assert_int_eq(s.last_at, FX_NOW - FX_HOUR);
    rf_record next = sale(&s);
    next.at = FX_NOW - FX_HOUR;
    good(&s, next);
}
END_TEST

/* A session's end names an earlier record, and nothing else names one; altered data has a second approver, of a role that may be one. */
START_TEST(events_that_say_too_little)
{
    rf_unit_state s;
    load();
    rf_unit_state_init(&s);
    good(&s, start(&s));
    rf_record event = unit_record(RF_EVENT, &s);
    event.code = rf_text_of("remote.begin");
    good(&s, event);
    BAD(unit_record(RF_EVENT, &s), RAFFLE_CORRUPT, (r.code = rf_text_of("remote.end")));
    BAD(unit_record(RF_EVENT, &s), RAFFLE_CORRUPT,
        (r.code = rf_text_of("remote.end"), r.first = 2, r.has |= rf_bit(RF_F_FIRST)));
    BAD(unit_record(RF_EVENT, &s), RAFFLE_CORRUPT,
        (r.code = rf_text_of("remote.begin"), r.first = 1, r.has |= rf_bit(RF_F_FIRST)));
    BAD(unit_record(RF_EVENT, &s), RAFFLE_APPROVAL, (r.code = rf_text_of("data.altered")));
    BAD(unit_record(RF_EVENT, &s), RAFFLE_APPROVAL,
        (r.code = rf_text_of("data.altered"), r.ok = RAFFLE_SELLER, r.has |= rf_bit(RF_F_OK)));
    event = unit_record(RF_EVENT, &s);
    event.code = rf_text_of("remote.end");
    event.first = 1;
    event.has |= rf_bit(RF_F_FIRST);
    good(&s, event);
    event = unit_record(RF_EVENT, &s);
    event.code = rf_text_of("data.altered");
    event.ok = RAFFLE_MANAGER;
    event.has |= rf_bit(RF_F_OK);
    good(&s, event);
}
END_TEST

START_TEST(keys_that_records_take)
{
    rf_unit_state s;
    rf_taken_list taken;
    load();
    rf_unit_state_init(&s);
    good(&s, start(&s));
    good(&s, sale(&s));
    rf_record r = take_back(&s, 1);
    ck_assert_int_eq(rf_unit_apply(&frame, &s, &r, &taken, &err), RAFFLE_OK);
    ck_assert_uint_eq(taken.n, 2);
    ck_assert_uint_eq(taken.key[0].scope, RF_SCOPE_VOID);
    ck_assert_mem_eq(taken.key[0].key, "\x00\x02\x00\x00\x00\x00\x01", 7);
    ck_assert_mem_eq(taken.key[1].key, "\x00\x02v\x00\x00\x00\x00\x00", 8);
    r = unit_record(RF_EVENT, &s);
    r.code = rf_text_of("x.abcdefghijklmnopqrstuvwxyz0123");
    r.component = rf_text_of("printer");
    r.has |= rf_bit(RF_F_COMPONENT);
    ck_assert_int_eq(rf_unit_apply(&frame, &s, &r, &taken, &err), RAFFLE_OK);
    ck_assert_uint_eq(taken.n, 4);
    for (size_t i = 0; i < 4; i++) {
        const rf_taken *key = &taken.key[i];
        ck_assert_uint_le(key->length, RAFFLE_STORE_KEY_MAX);
        ck_assert_mem_eq(key->key + key->length - 7, "\x00\x02\x00\x00\x00\x00\x03", 7);
        ck_assert_uint_eq(rf_get_be(key->key + key->length - RF_EVENT_PLACE, 6), FX_NOW);
    }
    ck_assert_uint_eq(taken.key[0].scope, RF_SCOPE_TIME);
    ck_assert_uint_eq(taken.key[0].length, RF_EVENT_PLACE);
    ck_assert_uint_eq(taken.key[1].scope, RF_SCOPE_LOG);
    ck_assert_mem_eq(taken.key[1].key,
                     "\x00\x02"
                     "e",
                     3);
    ck_assert_uint_eq(taken.key[2].scope, RF_SCOPE_CODE);
    ck_assert_uint_eq(taken.key[2].length, 32 + 14);
    ck_assert_uint_eq(taken.key[3].scope, RF_SCOPE_COMPONENT);
    ck_assert_mem_eq(taken.key[3].key, "printer\0", 8);
}
END_TEST

/* --- the control log --- */

static rf_control control;

static raffle_rc apply(rf_record r, rf_taken_list *taken)
{
    static const uint8_t hash[32] = {9};
    if (r.at == 0)
        r.at = FX_NOW;
    if (r.by == 0)
        r.by = RAFFLE_MANAGER;
    raffle_error_init(&err, sizeof err);
    return rf_control_apply(&control, &r, hash, taken, &err);
}

static void good_control(rf_record r)
{
    const uint64_t size = control.size;
    raffle_rc rc = apply(r, NULL);
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", raffle_rc_name(rc), err.message);
    ck_assert_uint_eq(control.size, size + 1);
}

static void bad_control(rf_record r, raffle_rc rc)
{
    rf_taken_list taken = {.n = 3};
    const rf_control before = control;
    const rf_prize_state prize = control.prize != NULL ? control.prize[0] : (rf_prize_state){0};
    raffle_rc got = apply(r, &taken);
    ck_assert_msg(got == rc, "%s, not %s: %s", raffle_rc_name(got), raffle_rc_name(rc), err.message);
    ck_assert_uint_eq(control.size, before.size);
    ck_assert_int_eq(control.last_at, before.last_at);
    ck_assert_uint_eq(control.units, before.units);
    ck_assert_uint_eq(control.run, before.run);
    ck_assert_uint_eq(control.voids, before.voids);
    ck_assert_uint_eq(control.events, before.events);
    ck_assert_int_eq(control.open_prize, before.open_prize);
    ck_assert_int_eq(control.ask, before.ask);
    ck_assert_uint_eq(control.picks, before.picks);
    if (control.prize != NULL)
        ck_assert_mem_eq(&control.prize[0], &prize, sizeof prize);
    ck_assert_uint_eq(taken.n, 0);
}

static rf_record opening(void)
{
    return (rf_record){.type = RF_RAFFLE_OPEN, .format = 1, .key = rf_text_of("key"), .rules = rf_text_of(rules_json)};
}

static rf_record enrol(int64_t unit)
{
    return (rf_record){.type = RF_UNIT_ENROL, .unit = unit, .name = rf_text_of("till"), .key = rf_text_of("key")};
}

/* Of a unit that is away; its proof is the audit's matter. */
static rf_record enrol_away(int64_t unit)
{
    rf_record r = enrol(unit);
    r.has = rf_bit(RF_F_AWAY) | rf_bit(RF_F_NOTE);
    r.away = 24;
    r.quota = 100;
    r.note = rf_text_of("note");
    return r;
}

static rf_record unit_sync(int64_t unit, int64_t size)
{
    rf_record r = {.type = RF_UNIT_SYNC, .unit = unit, .size = size, .note = rf_text_of("note")};
    r.root[0] = (uint8_t)size;
    return r;
}

static rf_record enable(int64_t unit)
{
    return (rf_record){.type = RF_UNIT_ENABLE, .unit = unit};
}

static rf_record seal_unit(int64_t unit, int64_t numbers)
{
    return (rf_record){.type = RF_SEAL_UNIT,
                       .unit = unit,
                       .size = numbers + 1,
                       .tickets = numbers,
                       .numbers = numbers,
                       .gross = numbers * 500,
                       .reconciled = true};
}

static rf_record seal(const char *kind, int64_t units, int64_t numbers)
{
    return (rf_record){.type = RF_SEAL,
                       .kind = rf_text_of(kind),
                       .first = (int64_t)control.size - units,
                       .units = units,
                       .tickets = numbers,
                       .numbers = numbers,
                       .gross = numbers * 500};
}

static rf_record intent(const char *prize, int64_t seal_index, int64_t numbers, int64_t attempt)
{
    return (rf_record){
        .type = RF_DRAW_INTENT, .prize = rf_text_of(prize), .seal = seal_index, .numbers = numbers, .attempt = attempt};
}

static rf_record event(const char *code)
{
    return (rf_record){.type = RF_EVENT, .code = rf_text_of(code)};
}

static rf_record result(int64_t at_intent, int64_t winners, int64_t alternates, const char *places)
{
    rf_record r = {.type = RF_DRAW_RESULT,
                   .prize = rf_text_of("bird"),
                   .attempt = 1,
                   .intent = at_intent,
                   .numbers = 5,
                   .provider = rf_text_of("system"),
                   .winners = winners,
                   .alternates = alternates,
                   .places = rf_text_of(places)};
    r.has = places[0] != 0 ? rf_bit(RF_F_PLACES) : 0;
    if (control.ask != 0) {
        r.has |= rf_bit(RF_F_ASK);
        r.ask = (int64_t)control.ask;
    }
    return r;
}

#define P1 "{\"number\":1,\"serial\":1,\"unit\":1}"
#define P2 "{\"number\":2,\"serial\":2,\"unit\":1}"

#define BAD_CONTROL(make, rc, ...)                                                                                     \
    do {                                                                                                               \
        rf_record r = make;                                                                                            \
        __VA_ARGS__;                                                                                                   \
        bad_control(r, rc);                                                                                            \
    } while (0)

static void begin(void)
{
    rf_control_init(&control);
    BAD_CONTROL(event("x.a"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(opening(), RAFFLE_NEWER, r.format = 2);
    BAD_CONTROL(opening(), RAFFLE_ROLE, r.by = RAFFLE_SUPERVISOR);
    BAD_CONTROL(opening(), RAFFLE_INVALID, r.rules = rf_text_of("{}"));
    good_control(opening());
    BAD_CONTROL(opening(), RAFFLE_CORRUPT, (void)0);
}

START_TEST(units_and_seals)
{
    begin();
    BAD_CONTROL(enrol(2), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(enrol(1), RAFFLE_ROLE, r.by = RAFFLE_SELLER);
    BAD_CONTROL(seal("early", 0, 0), RAFFLE_CORRUPT, (void)0); /* of nothing */
    BAD_CONTROL(seal("final", 0, 0), RAFFLE_CORRUPT, (void)0);
    good_control(enrol(1));
    good_control(enrol(2));
    BAD_CONTROL(event("x.a"), RAFFLE_CORRUPT, r.has = rf_bit(RF_F_N));
    BAD_CONTROL(event("x.a"), RAFFLE_CLOCK, r.at = FX_NOW - 1);
    BAD_CONTROL(((rf_record){.type = RF_SALE}), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_UNIT_ENABLE, .unit = 3}), RAFFLE_NOT_FOUND, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_UNIT_DISABLE, .unit = 1}), RAFFLE_EXISTS, (void)0);
    BAD_CONTROL(seal_unit(2, 5), RAFFLE_SEQUENCE, (void)0);
    BAD_CONTROL(seal_unit(1, 5), RAFFLE_DISABLED, (void)0); /* who enabled it? */
    good_control(enable(1));
    BAD_CONTROL(seal_unit(1, 5), RAFFLE_CORRUPT, r.voids = 6);
    BAD_CONTROL(seal_unit(1, 5), RAFFLE_CORRUPT, r.void_numbers = 6);
    BAD_CONTROL(seal_unit(1, 5), RAFFLE_CORRUPT, r.void_gross = 2501);
    good_control(seal_unit(1, 5));
    BAD_CONTROL(seal("early", 1, 5), RAFFLE_CORRUPT, (void)0); /* unit 2 is missing */
    good_control(event("x.a"));                                /* the run counts for nothing */
    BAD_CONTROL(seal_unit(2, 0), RAFFLE_SEQUENCE, (void)0);
    good_control(seal_unit(1, 5));
    good_control(seal_unit(2, 0));
    BAD_CONTROL(seal_unit(3, 0), RAFFLE_SEQUENCE, (void)0);
    BAD_CONTROL(seal("early", 2, 5), RAFFLE_CORRUPT, r.first--);
    BAD_CONTROL(seal("early", 2, 5), RAFFLE_STATE_DIFFERS, r.numbers++);
    BAD_CONTROL(seal("early", 2, 5), RAFFLE_STATE_DIFFERS, r.gross++);
    BAD_CONTROL(seal("early", 2, 5), RAFFLE_STATE_DIFFERS, r.unreconciled = 1);
    BAD_CONTROL(seal("late", 2, 5), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(seal("early", 2, 5), RAFFLE_ROLE, r.by = RAFFLE_SUPERVISOR);
    good_control(seal("early", 2, 5));
    rf_record lost = seal_unit(2, 0);
    lost.reconciled = false;
    good_control(seal_unit(1, 5));
    good_control(lost);
    BAD_CONTROL(seal("final", 2, 5), RAFFLE_APPROVAL, r.unreconciled = 1);
    BAD_CONTROL(seal("final", 2, 5), RAFFLE_APPROVAL,
                (r.unreconciled = 1, r.has = rf_bit(RF_F_OK), r.ok = RAFFLE_SELLER));
    BAD_CONTROL(seal("final", 2, 5), RAFFLE_CORRUPT,
                (control.run_unit[1].reconciled = true, r.has = rf_bit(RF_F_OK),
                 r.ok = RAFFLE_SUPERVISOR)); /* of one record: no close */
    control.run_unit[1].reconciled = false;
    rf_record last = seal("final", 2, 5);
    last.unreconciled = 1;
    last.has = rf_bit(RF_F_OK);
    last.ok = RAFFLE_SUPERVISOR;
    good_control(last);
    BAD_CONTROL(seal_unit(1, 5), RAFFLE_CLOSED, (void)0);
    BAD_CONTROL(enrol(3), RAFFLE_CLOSED, (void)0);
    rf_control_clear(&control);
}
END_TEST

START_TEST(units_that_are_away)
{
    begin();
    good_control(enrol(1));
    good_control(enable(1));
    BAD_CONTROL(enrol_away(2), RAFFLE_CORRUPT, r.has = rf_bit(RF_F_AWAY));
    BAD_CONTROL(enrol_away(2), RAFFLE_CORRUPT, r.has = rf_bit(RF_F_NOTE));
    BAD_CONTROL(enrol_away(2), RAFFLE_LIMIT, r.quota = 0);
    BAD_CONTROL(enrol_away(2), RAFFLE_LIMIT, r.away = RAFFLE_AWAY_HOURS_MAX + 1);
    good_control(enrol_away(2));
    ck_assert_int_eq(control.unit[1].heard, FX_NOW);
    good_control(enable(2));
    BAD_CONTROL(((rf_record){.type = RF_UNIT_QUOTA, .unit = 2}), RAFFLE_LIMIT, (void)0);
    BAD_CONTROL(unit_sync(1, 6), RAFFLE_CORRUPT, (void)0); /* its log is here */
    BAD_CONTROL(unit_sync(3, 6), RAFFLE_NOT_FOUND, (void)0);
    BAD_CONTROL(unit_sync(2, 0), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(unit_sync(2, 6), RAFFLE_ROLE, r.by = RAFFLE_SELLER);
    good_control(seal_unit(1, 5));
    BAD_CONTROL(seal_unit(2, 5), RAFFLE_CORRUPT, (void)0); /* it uploaded nothing */
    rf_record first = unit_sync(2, 6);
    first.by = RAFFLE_SYSTEM;
    good_control(first);
    BAD_CONTROL(unit_sync(2, 5), RAFFLE_HISTORY, (void)0);
    BAD_CONTROL(unit_sync(2, 6), RAFFLE_HISTORY, r.root[0]++);
    BAD_CONTROL(((rf_record){.type = RF_UNIT_UNENROL, .unit = 2}), RAFFLE_SEQUENCE, (void)0);
    rf_record second = unit_sync(2, 8);
    second.twice = 1;
    good_control(second);
    BAD_CONTROL(unit_sync(2, 9), RAFFLE_HISTORY, (void)0); /* an order less that was sold twice */
    ck_assert_uint_eq(control.unit[1].sync_index, control.size - 1);
    ck_assert_int_eq(control.unit[1].heard, FX_NOW);
    rf_record part = seal_unit(2, 7);
    part.root[0] = 8;
    good_control(seal_unit(1, 5));
    BAD_CONTROL(part, RAFFLE_CORRUPT, r.root[0]++);
    BAD_CONTROL(part, RAFFLE_CORRUPT, r.size--);
    good_control(part);
    BAD_CONTROL(seal("final", 2, 12), RAFFLE_APPROVAL, (void)0); /* an order was sold twice */
    rf_record last = seal("final", 2, 12);
    last.has = rf_bit(RF_F_OK);
    last.ok = RAFFLE_SUPERVISOR;
    good_control(last);
    second.at = FX_NOW;
    good_control(second); /* the same again: it heard from the raffle */
    BAD_CONTROL(second, RAFFLE_CLOSED, (r.size = 9, r.root[0] = 9));
    rf_control_clear(&control);
}
END_TEST

START_TEST(sums_that_no_record_can_say)
{
    const int64_t most = INT64_C(9007199254740991);
    begin();
    for (int64_t unit = 1; unit <= 1100; unit++) {
        good_control(enrol(unit));
        good_control(enable(unit));
    }
    for (int64_t unit = 1; unit <= 1100; unit++) {
        rf_record part = seal_unit(unit, 1);
        part.gross = most;
        good_control(part);
    }
    BAD_CONTROL(seal("early", 1100, 1100), RAFFLE_LIMIT, r.gross = most);
    rf_record lost = {
        .type = RF_VOID, .unit = 1, .serial = 1, .count = 1, .price = most, .reason = rf_text_of("refund")};
    good_control(lost);
    lost.serial = 2;
    BAD_CONTROL(lost, RAFFLE_LIMIT, (void)0);
    rf_control_clear(&control);
}
END_TEST

START_TEST(draws)
{
    begin();
    good_control(enrol(1));
    good_control(enable(1));
    BAD_CONTROL(intent("bird", 0, 0, 1), RAFFLE_NOT_SEALED, (void)0);
    good_control(seal_unit(1, 5));
    good_control(seal("early", 1, 5));
    const int64_t index = (int64_t)control.size - 1;
    BAD_CONTROL(intent("bird", index, 5, 1), RAFFLE_NOT_ACKED, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_VOIDS_ACK, .seal = index, .voids = 1}), RAFFLE_STATE_DIFFERS, (void)0);
    good_control((rf_record){.type = RF_VOIDS_ACK, .seal = index});
    BAD_CONTROL(intent("bird", index + 1, 5, 1), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(intent("bird", index, 6, 1), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(intent("bird", index, 5, 2), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(intent("bird", index, 5, 1), RAFFLE_INVALID, r.has = rf_bit(RF_F_COMMITMENT));
    BAD_CONTROL(event("draw.ask"), RAFFLE_SEQUENCE, (void)0);
    good_control(intent("bird", index, 5, 1));
    const int64_t at = (int64_t)control.size - 1;
    BAD_CONTROL(intent("bird", index, 5, 2), RAFFLE_DRAW_OPEN, (void)0);
    BAD_CONTROL(enrol(2), RAFFLE_DRAW_OPEN, (void)0);
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_SEQUENCE, (void)0); /* nobody was asked */
    BAD_CONTROL(event("draw.ask-failed"), RAFFLE_SEQUENCE, (void)0);
    BAD_CONTROL(event("draw.ask"), RAFFLE_ROLE, r.by = RAFFLE_SUPERVISOR);
    good_control(event("draw.ask"));
    BAD_CONTROL(event("draw.ask"), RAFFLE_APPROVAL, (void)0);
    const rf_record again = {
        .type = RF_EVENT, .has = rf_bit(RF_F_ASK), .code = rf_text_of("draw.ask-again"), .ask = (int64_t)control.ask};
    const rf_record failed = {
        .type = RF_EVENT, .has = rf_bit(RF_F_ASK), .code = rf_text_of("draw.ask-failed"), .ask = (int64_t)control.ask};
    BAD_CONTROL(again, RAFFLE_APPROVAL, (void)0);
    BAD_CONTROL(again, RAFFLE_SEQUENCE, r.has = 0);
    BAD_CONTROL(again, RAFFLE_SEQUENCE, r.ask--);
    BAD_CONTROL(failed, RAFFLE_SEQUENCE, r.has = 0);
    BAD_CONTROL(failed, RAFFLE_SEQUENCE, r.ask++);
    BAD_CONTROL(failed, RAFFLE_CORRUPT, r.code = rf_text_of("x.a"));
    good_control(failed);
    BAD_CONTROL(failed, RAFFLE_SEQUENCE, (void)0);
    BAD_CONTROL(failed, RAFFLE_CORRUPT, r.code = rf_text_of("draw.ask"));
    good_control(event("draw.ask"));
    BAD_CONTROL(failed, RAFFLE_SEQUENCE, (void)0); /* late */
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_SEQUENCE, r.ask--);
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_SEQUENCE, r.has &= ~rf_bit(RF_F_ASK));
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_ROLE, r.by = RAFFLE_SUPERVISOR);
    BAD_CONTROL(result(at + 1, 1, 1, "[" P1 "," P2 "]"), RAFFLE_NOT_FOUND, (void)0);
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_CORRUPT, r.attempt = 2);
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_CORRUPT, r.numbers = 4);
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_CORRUPT, r.prize = rf_text_of("first"));
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_RNG_NOT_PINNED, r.provider = rf_text_of("test"));
    BAD_CONTROL(result(at, 1, 1, "[" P1 "," P2 "]"), RAFFLE_INVALID, r.has |= rf_bit(RF_F_BEACON));
    BAD_CONTROL(result(at, 1, 1, "[" P1 "]"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(result(at, 1, 2, "[" P1 "," P2 "," P2 "]"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(result(at, 0, 1, "[" P1 "]"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(result(at, 0, 0, "[]"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(result(at, 1, 0, "[{}]"), RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_DRAW_PICKS, .intent = at, .first = 2, .places = rf_text_of("[" P1 "]")}),
                RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_DRAW_PICKS, .intent = at + 1, .first = 1, .places = rf_text_of("[" P1 "]")}),
                RAFFLE_NOT_FOUND, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_DRAW_PICKS, .intent = at, .first = 1, .places = rf_text_of("[" P1 "]")}),
                RAFFLE_ROLE, r.by = RAFFLE_SUPERVISOR);
    BAD_CONTROL(
        ((rf_record){.type = RF_DRAW_PICKS, .intent = at, .first = 1, .places = rf_text_of("[" P1 "," P2 "," P2 "]")}),
        RAFFLE_CORRUPT, (void)0);
    BAD_CONTROL(((rf_record){.type = RF_DRAW_PICKS, .intent = at, .first = 1, .places = rf_text_of("[" P1 "]")}),
                RAFFLE_CORRUPT, (void)0); /* one has 500 places */
    good_control(result(at, 1, 1, "[" P1 "," P2 "]"));
    ck_assert_uint_eq(control.prize[0].places, 2);
    ck_assert_int_eq(control.prize[0].state, RAFFLE_PRIZE_DRAWN);
    ck_assert(rf_control_holds_place(&control, 1, 2));
    ck_assert(!rf_control_holds_place(&control, 2, 2));
    const rf_place first = {1, 1, 1}, second = {2, 2, 1};
    ck_assert(rf_control_barred(&control, RF_ONE_WIN_TICKET, &first));
    ck_assert(!rf_control_barred(&control, RF_ONE_WIN_NONE, &first));
    ck_assert(!rf_control_barred(&control, RF_ONE_WIN_TICKET, &second)); /* an alternate bars from its promotion on */
    ck_assert_uint_eq(rf_control_promotion(&control, 0), 2);
    BAD_CONTROL(((rf_record){.type = RF_DRAW_ABORT, .intent = at}), RAFFLE_NOT_FOUND, (void)0);
    rf_record lost = {.type = RF_FORFEIT, .prize = rf_text_of("bird"), .place = 1, .result = (int64_t)control.size - 1};
    BAD_CONTROL(lost, RAFFLE_APPROVAL, (void)0);
    lost.at = FX_NOW + 30 * FX_DAY;
    BAD_CONTROL(lost, RAFFLE_CORRUPT, (void)0); /* who is promoted? */
    BAD_CONTROL(lost, RAFFLE_CORRUPT, (r.has = rf_bit(RF_F_PROMOTED), r.promoted = 1));
    BAD_CONTROL(lost, RAFFLE_NOT_FOUND, r.result--);
    BAD_CONTROL(lost, RAFFLE_NOT_FOUND, r.place = 3);
    BAD_CONTROL(lost, RAFFLE_NOT_FOUND, r.place = 0);
    lost.has = rf_bit(RF_F_PROMOTED);
    lost.promoted = 2;
    good_control(lost);
    ck_assert(rf_control_barred(&control, RF_ONE_WIN_TICKET, &second));
    lost.place = 2;                                /* nobody is left, and place 0 is nobody */
    BAD_CONTROL(lost, RAFFLE_APPROVAL, r.has = 0); /* its claim period began when it took over */
    lost.at += 30 * FX_DAY;
    BAD_CONTROL(lost, RAFFLE_CORRUPT, r.promoted = 0);
    rf_control_clear(&control);
}
END_TEST

FX_MAIN("raffle_fold", what_a_unit_refuses, what_a_unit_can_say, a_reset_alone_goes_back, events_that_say_too_little,
        keys_that_records_take, units_and_seals, units_that_are_away, sums_that_no_record_can_say, draws)
