/* SPDX-License-Identifier: Apache-2.0 */
/* Events with more than a code: altered data (GLI-31 5.2.4), remote access (6.3.2), and what happens when there is no room for one (5.6.1(g)). */
#include "failing_store.h"
#include "fixture.h"

#include "raffle_impl.h"

static raffle_event_details details;
static raffle_event_hit hits[64];
static size_t n;

static const char rules[] = FX_HEAD FX_TIERS FX_PRIZES ",\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]}";

static raffle_rc gather(void *ctx, const raffle_event_hit *hit, raffle_error *err)
{
    (void)ctx;
    (void)err;
    ck_assert_uint_lt(n, 64);
    hits[n++] = *hit;
    return RAFFLE_OK;
}

static void find(raffle *r, const char *code, uint32_t flags)
{
    raffle_event_query query = RAFFLE_EVENT_QUERY_INIT;
    snprintf(query.code, sizeof query.code, "%s", code);
    query.flags = flags;
    n = 0;
    FX_OK(raffle_event_find(r, &query, gather, NULL, NULL, &fx.err));
}

static raffle_rc write_it(uint64_t *index)
{
    return raffle_event_write(fx.raffle, &fx_super, &details, index, &fx.err);
}

static void event_of(const char *code, uint32_t unit)
{
    details = (raffle_event_details)RAFFLE_EVENT_DETAILS_INIT;
    details.code = code;
    details.unit = unit;
}

/* --- altered data --- */

static void alteration(uint32_t unit)
{
    event_of("data.altered", unit);
    details.component = "accounting";
    details.element = "float of drawer 3";
    details.old_value = "200.00";
    details.new_value = "250.00";
    details.text = "counted again";
    details.ok = &fx_boss;
}

START_TEST(altered_data)
{
    uint64_t index = 0;
    fx_create(rules);
    for (uint32_t unit = 0; unit < 3; unit++) {
        alteration(unit);
        FX_OK(write_it(&index));
        ck_assert_uint_eq(index, fx_size(unit) - 1);
    }
    find(fx.raffle, "data.altered", 0);
    ck_assert_uint_eq(n, 3);
    for (uint32_t unit = 0; unit < 3; unit++) {
        ck_assert_uint_eq(hits[unit].log, unit);
        ck_assert_str_eq(hits[unit].component, "accounting");
        ck_assert_str_eq(hits[unit].element, "float of drawer 3");
        ck_assert_str_eq(hits[unit].old_value, "200.00");
        ck_assert_str_eq(hits[unit].new_value, "250.00");
        ck_assert_str_eq(hits[unit].text, "counted again");
        ck_assert_str_eq(hits[unit].actor, fx_super.id);
        ck_assert_str_eq(hits[unit].approver, fx_boss.id);
        ck_assert_int_eq(hits[unit].by, fx_super.role);
        ck_assert_int_eq(hits[unit].ok, fx_boss.role);
    }
}
END_TEST

START_TEST(altered_from_nothing_and_to_nothing)
{
    fx_create(rules);
    alteration(0);
    details.old_value = NULL;
    FX_OK(write_it(NULL));
    alteration(1);
    details.new_value = "";
    FX_OK(write_it(NULL));
    find(fx.raffle, "data.altered", 0);
    ck_assert_str_eq(hits[0].old_value, "");
    ck_assert_str_eq(hits[1].new_value, "");
}
END_TEST

/* Texts of the greatest length, of characters that JSON doubles. */
START_TEST(the_longest_texts)
{
    char text[RAFFLE_TEXT_MAX + 1], name[RAFFLE_NAME_MAX + 1];
    fx_create(rules);
    memset(text, '"', RAFFLE_TEXT_MAX);
    memset(name, '\\', RAFFLE_NAME_MAX);
    text[RAFFLE_TEXT_MAX] = name[RAFFLE_NAME_MAX] = 0;
    for (uint32_t unit = 0; unit < 2; unit++) {
        alteration(unit);
        details.element = name;
        details.text = details.old_value = details.new_value = text;
        FX_OK(write_it(NULL));
    }
    find(fx.raffle, "data.altered", 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_str_eq(hits[1].new_value, text);
    ck_assert_str_eq(hits[0].element, name);
}
END_TEST

static void refuse_alteration(raffle_rc rc)
{
    for (details.unit = 0; details.unit < 2; details.unit++)
        FX_REFUSED(rc, write_it(NULL));
}

START_TEST(alterations_refused)
{
    char text[RAFFLE_TEXT_MAX + 2];
    fx_create(rules);
    alteration(0);
    details.ok = NULL;
    refuse_alteration(RAFFLE_APPROVAL);
    details.ok = &fx_super; /* the first */
    refuse_alteration(RAFFLE_APPROVAL);
    details.ok = &fx_seller; /* may not approve */
    refuse_alteration(RAFFLE_APPROVAL);
    alteration(0);
    details.element = NULL;
    refuse_alteration(RAFFLE_INVALID);
    alteration(0);
    details.text = "";
    refuse_alteration(RAFFLE_INVALID);
    alteration(0);
    details.old_value = details.new_value = NULL;
    refuse_alteration(RAFFLE_INVALID);
    alteration(0);
    details.old_value = "two\nlines";
    refuse_alteration(RAFFLE_INVALID);
    memset(text, 'a', RAFFLE_TEXT_MAX + 1);
    text[RAFFLE_TEXT_MAX + 1] = 0;
    details.old_value = text;
    refuse_alteration(RAFFLE_INVALID);
    alteration(0);
    details.element = text;
    refuse_alteration(RAFFLE_INVALID);
    alteration(0);
    details.code = "x.altered";
    refuse_alteration(RAFFLE_INVALID);
    fx_said("data.altered");
    alteration(0);
    details.login = "root";
    refuse_alteration(RAFFLE_INVALID);
}
END_TEST

START_TEST(misuse)
{
    fx_create(rules);
    alteration(0);
    FX_FAILS(RAFFLE_MISUSE, raffle_event_write(NULL, &fx_super, &details, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_event_write(fx.raffle, NULL, &details, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_event_write(fx.raffle, &fx_super, NULL, NULL, &fx.err));
    details.code = NULL;
    FX_FAILS(RAFFLE_MISUSE, write_it(NULL));
    alteration(0);
    details.struct_size = 3;
    FX_FAILS(RAFFLE_MISUSE, write_it(NULL));
    alteration(7);
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it(NULL));
    fx_said("7");
}
END_TEST

/* --- remote access --- */

static uint64_t begin_session(uint32_t unit)
{
    uint64_t index = 0;
    event_of("remote.begin", unit);
    details.component = "vpn";
    details.login = "vendor-7";
    details.from = "203.0.113.9";
    details.text = "update of the printer's firmware";
    FX_OK(write_it(&index));
    return index;
}

static void session_end(uint32_t unit, uint64_t begin)
{
    event_of("remote.end", unit);
    details.begin = begin;
    details.text = "firmware 2.1 installed";
}

START_TEST(remote_access)
{
    fx_create(rules);
    for (uint32_t unit = 0; unit < 2; unit++) {
        const uint64_t first = begin_session(unit), second = begin_session(unit);
        fx.now += FX_HOUR;
        session_end(unit, second);
        FX_OK(write_it(NULL));
        session_end(unit, first);
        FX_OK(write_it(NULL));
        find(fx.raffle, "remote.begin", 0);
        ck_assert_uint_eq(n, 2 * (unit + 1));
        ck_assert_str_eq(hits[n - 1].login, "vendor-7");
        ck_assert_str_eq(hits[n - 1].from, "203.0.113.9");
        find(fx.raffle, "remote.end", 0);
        ck_assert_uint_eq(hits[n - 2].begin, second);
        ck_assert_uint_eq(hits[n - 1].begin, first);
        ck_assert_uint_eq(hits[n - 1].log, unit);
    }
}
END_TEST

START_TEST(remote_access_refused)
{
    fx_create(rules);
    event_of("remote.begin", 0);
    details.login = "vendor-7";
    FX_REFUSED(RAFFLE_INVALID, write_it(NULL));
    details.from = "203.0.113.9";
    details.login = "";
    FX_REFUSED(RAFFLE_INVALID, write_it(NULL));
    details.login = "vendor\t7";
    FX_REFUSED(RAFFLE_INVALID, write_it(NULL));
    const uint64_t begin = begin_session(0);
    session_end(0, begin - 1); /* no event */
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it(NULL));
    session_end(0, begin + 1); /* not there */
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it(NULL));
    session_end(0, UINT64_MAX);
    FX_FAILS(RAFFLE_NOT_FOUND, write_it(NULL));
    session_end(1, begin); /* another log's */
    FX_REFUSED(RAFFLE_NOT_FOUND, write_it(NULL));
    session_end(0, begin);
    details.code = "x.end";
    FX_REFUSED(RAFFLE_INVALID, write_it(NULL));
    session_end(0, begin);
    FX_OK(write_it(NULL));
    FX_REFUSED(RAFFLE_EXISTS, write_it(NULL));
}
END_TEST

/* --- no room --- */

/* A full disk, in a store that cannot scan back. */
START_TEST(events_that_found_no_disk)
{
    static failing_store disk; /* outlives the test, with the handle */
    raffle_store *inner = NULL, *store = NULL;
    raffle_keys *keys = NULL;
    raffle *r = NULL;
    char uri[96];
    fx_create(rules);
    snprintf(uri, sizeof uri, "file:%s.keys", fx.path);
    FX_OK(raffle_store_open(fx.store, NULL, &inner, &fx.err));
    disk = (failing_store){.inner = inner, .rc = RAFFLE_FULL};
    FX_OK(failing_store_new(&disk, &store, &fx.err));
    FX_OK(raffle_keys_open(uri, NULL, &keys, &fx.err));
    FX_OK(raffle_open_with(store, keys, &fx.host, &r, &fx.err));
    disk.which = FAILING_APPEND;
    for (int i = 0; i < 3; i++)
        FX_FAILS(RAFFLE_FULL, raffle_event(r, &fx_super, 2, "x.lost", NULL, NULL, &fx.err));
    disk.which = FAILING_NONE;
    FX_FAILS(RAFFLE_ROLE,
             raffle_event(r, &fx_seller, 2, "clock.reset", NULL, NULL, &fx.err)); /* but the count is said */
    FX_OK(raffle_event(r, &fx_super, 2, "x.kept", NULL, NULL, &fx.err));
    FX_OK(raffle_event(r, &fx_super, 2, "x.later", NULL, NULL, &fx.err));
    find(r, "", RAFFLE_EVENT_NEWEST);
    ck_assert_uint_eq(n, 3);
    ck_assert_str_eq(hits[0].code, "x.later");
    ck_assert_str_eq(hits[1].code, "x.kept");
    ck_assert_str_eq(hits[2].code, "evbuf.full");
    ck_assert_int_eq(hits[2].count, 3);
    raffle_free(r);
    raffle_keys_free(keys);
    raffle_store_free(store);
}
END_TEST

/* Whatever call forgot to look at it: nobody could open the raffle again. */
START_TEST(what_nobody_could_read_is_not_written)
{
    fx_create(rules);
    const rf_record event = {.type = RF_EVENT,
                             .has = rf_bit(RF_F_CODE) | rf_bit(RF_F_COMPONENT),
                             .code = rf_text_of("x.a"),
                             .component = rf_text_of("two words")};
    FX_REFUSED(RAFFLE_CORRUPT, rf_control_one(fx.raffle, &fx_boss, NULL, NULL, &event, NULL, &fx.err));
    fx_said("\"component\" is malformed");
}
END_TEST

FX_MAIN("raffle_event", altered_data, altered_from_nothing_and_to_nothing, the_longest_texts, alterations_refused,
        misuse, remote_access, remote_access_refused, events_that_found_no_disk, what_nobody_could_read_is_not_written)
