/* SPDX-License-Identifier: Apache-2.0 */
/* Every public call with each pointer NULL in turn, structs of other sizes, handles after fork(), and handles freed in any order. */
#include "fixture.h"
#include "keys.h"

#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#define MISUSE(call) FX_FAILS(RAFFLE_MISUSE, call)

static const char rules[] = FX_RULES;

START_TEST(creating_and_opening)
{
    raffle *r = NULL, **const out = &r;
    raffle_store *store = NULL;
    raffle_keys *keys = NULL;
    char uri[96];
    const size_t n = strlen(rules);
    MISUSE(raffle_create(NULL, NULL, NULL, rules, n, &fx_boss, out, &fx.err));
    MISUSE(raffle_create(fx.store, NULL, NULL, NULL, n, &fx_boss, out, &fx.err));
    MISUSE(raffle_create(fx.store, NULL, NULL, rules, n, NULL, out, &fx.err));
    MISUSE(raffle_create(fx.store, NULL, NULL, rules, n, &fx_boss, NULL, &fx.err));
    MISUSE(raffle_rules_check(NULL, 0, &fx.err));
    FX_OK(raffle_rules_check(rules, n, &fx.err));
    fx_create(rules);
    MISUSE(raffle_open(NULL, NULL, NULL, out, &fx.err));
    MISUSE(raffle_open(fx.store, NULL, NULL, NULL, &fx.err));
    snprintf(uri, sizeof uri, "file:%s.keys", fx.path);
    FX_OK(raffle_store_open(fx.store, NULL, &store, &fx.err));
    FX_OK(raffle_keys_open(uri, NULL, &keys, &fx.err));
    MISUSE(raffle_open_with(NULL, keys, NULL, out, &fx.err));
    MISUSE(raffle_open_with(store, keys, NULL, NULL, &fx.err));
    MISUSE(raffle_create_with(NULL, keys, NULL, rules, n, &fx_boss, out, &fx.err));
    MISUSE(raffle_create_with(store, NULL, NULL, rules, n, &fx_boss, out, &fx.err));
    MISUSE(raffle_create_with(store, keys, NULL, NULL, n, &fx_boss, out, &fx.err));
    MISUSE(raffle_create_with(store, keys, NULL, rules, n, NULL, out, &fx.err));
    MISUSE(raffle_create_with(store, keys, NULL, rules, n, &fx_boss, NULL, &fx.err));
    ck_assert_ptr_null(r);
    FX_OK(raffle_open_with(store, keys, NULL, out, &fx.err));
    raffle_store_free(store);
    raffle_keys_free(keys);
    raffle_info info = RAFFLE_INFO_INIT;
    FX_OK(raffle_describe(r, &info, &fx.err));
    raffle_free(r);
}
END_TEST

START_TEST(describing)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_tier tier = RAFFLE_TIER_INIT;
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    raffle_unit_info unit = RAFFLE_UNIT_INFO_INIT;
    char local[32];
    fx_create(rules);
    raffle *r = fx.raffle;
    MISUSE(raffle_describe(NULL, &info, &fx.err));
    MISUSE(raffle_describe(r, NULL, &fx.err));
    MISUSE(raffle_tier_at(NULL, 0, &tier, &fx.err));
    MISUSE(raffle_tier_at(r, 0, NULL, &fx.err));
    MISUSE(raffle_prize_at(NULL, 0, &prize, &fx.err));
    MISUSE(raffle_prize_at(r, 0, NULL, &fx.err));
    MISUSE(raffle_prize_by_name(NULL, "bird", &prize, &fx.err));
    MISUSE(raffle_prize_by_name(r, NULL, &prize, &fx.err));
    MISUSE(raffle_prize_by_name(r, "bird", NULL, &fx.err));
    MISUSE(raffle_local_time(NULL, 0, local, &fx.err));
    MISUSE(raffle_local_time(r, 0, NULL, &fx.err));
    MISUSE(raffle_unit_describe(NULL, 1, &unit, &fx.err));
    MISUSE(raffle_unit_describe(r, 1, NULL, &fx.err));
    info.struct_size = 0;
    MISUSE(raffle_describe(r, &info, &fx.err));
    info.struct_size = 7;
    MISUSE(raffle_describe(r, &info, &fx.err));
    info.struct_size = UINT32_MAX;
    MISUSE(raffle_describe(r, &info, &fx.err));
}
END_TEST

START_TEST(units)
{
    raffle_unit_options options;
    raffle_unit *unit = NULL;
    uint32_t number;
    fx_create(rules);
    raffle *r = fx.raffle;
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "x");
    MISUSE(raffle_unit_enrol(NULL, &fx_boss, &options, &number, &fx.err));
    MISUSE(raffle_unit_enrol(r, NULL, &options, &number, &fx.err));
    MISUSE(raffle_unit_enrol(r, &fx_boss, NULL, &number, &fx.err));
    MISUSE(raffle_unit_enrol(r, &fx_boss, &options, NULL, &fx.err));
    options.struct_size = 0;
    MISUSE(raffle_unit_enrol(r, &fx_boss, &options, &number, &fx.err));
    MISUSE(raffle_unit_enable(NULL, &fx_boss, 1, &fx.err));
    MISUSE(raffle_unit_enable(r, NULL, 1, &fx.err));
    MISUSE(raffle_unit_disable(NULL, &fx_boss, 1, "x", &fx.err));
    MISUSE(raffle_unit_disable(r, NULL, 1, "x", &fx.err));
    MISUSE(raffle_unit_disable(r, &fx_boss, 1, NULL, &fx.err));
    MISUSE(raffle_unit_quota(NULL, &fx_boss, 1, 0, &fx.err));
    MISUSE(raffle_unit_quota(r, NULL, 1, 0, &fx.err));
    MISUSE(raffle_unit_unenrol(NULL, &fx_boss, 1, &fx.err));
    MISUSE(raffle_unit_unenrol(r, NULL, 1, &fx.err));
    MISUSE(raffle_unit_open(NULL, 1, &unit, &fx.err));
    MISUSE(raffle_unit_open(r, 1, NULL, &fx.err));
    MISUSE(raffle_unit_close(NULL, &fx_boss, &fx.err));
    MISUSE(raffle_unit_close(fx.unit, NULL, &fx.err));
    raffle_unit_free(NULL);
}
END_TEST

START_TEST(sales)
{
    raffle_sale sale = fx_line("a", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    char text[RAFFLE_VALIDATION_SIZE];
    size_t n;
    fx_create(rules);
    raffle *r = fx.raffle;
    MISUSE(raffle_unit_sell(NULL, &fx_seller, &sale, 1, 0, &ticket, &fx.err));
    MISUSE(raffle_unit_sell(fx.unit, NULL, &sale, 1, 0, &ticket, &fx.err));
    MISUSE(raffle_unit_sell(fx.unit, &fx_seller, NULL, 1, 0, &ticket, &fx.err));
    MISUSE(raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 0, NULL, &fx.err));
    MISUSE(raffle_unit_validation(NULL, 1, text, &fx.err));
    MISUSE(raffle_unit_validation(fx.unit, 1, NULL, &fx.err));
    MISUSE(raffle_order_tickets(NULL, "a", &ticket, 1, &n, &fx.err));
    MISUSE(raffle_order_tickets(r, NULL, &ticket, 1, &n, &fx.err));
    MISUSE(raffle_order_tickets(r, "a", NULL, 1, &n, &fx.err));
    MISUSE(raffle_order_tickets(r, "a", &ticket, 1, NULL, &fx.err));
    MISUSE(raffle_ticket_get(NULL, 1, 1, &ticket, &fx.err));
    MISUSE(raffle_ticket_get(r, 1, 1, NULL, &fx.err));
    MISUSE(raffle_ticket_by_number(NULL, "1-0000001", &ticket, &fx.err));
    MISUSE(raffle_ticket_by_number(r, NULL, &ticket, &fx.err));
    MISUSE(raffle_ticket_by_number(r, "1-0000001", NULL, &fx.err));
    MISUSE(raffle_ticket_by_validation(NULL, "x", &ticket, &fx.err));
    MISUSE(raffle_ticket_by_validation(r, NULL, &ticket, &fx.err));
    MISUSE(raffle_ticket_by_validation(r, "x", NULL, &fx.err));
    MISUSE(raffle_void(NULL, &fx_super, 1, 1, "refund", &fx.err));
    MISUSE(raffle_void(r, NULL, 1, 1, "refund", &fx.err));
    MISUSE(raffle_void(r, &fx_super, 1, 1, NULL, &fx.err));
    MISUSE(raffle_ticket_erase(NULL, &fx_boss, 1, 1, &fx.err));
    MISUSE(raffle_ticket_erase(r, NULL, 1, 1, &fx.err));
    MISUSE(raffle_event(NULL, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    MISUSE(raffle_event(r, NULL, 0, "x.a", NULL, NULL, &fx.err));
    MISUSE(raffle_event(r, &fx_boss, 0, NULL, NULL, NULL, &fx.err));
}
END_TEST

START_TEST(seals_and_draws)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_draw *draw = NULL;
    raffle_draw_info info = {.struct_size = sizeof info};
    raffle_pick pick = RAFFLE_PICK_INIT;
    char text[RAFFLE_VALIDATION_SIZE];
    fx_create(rules);
    raffle *r = fx.raffle;
    fx_sell("a", "ten");
    MISUSE(raffle_seal(NULL, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    MISUSE(raffle_seal(r, NULL, NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    MISUSE(raffle_voids_ack(NULL, &fx_boss, 1, &fx.err));
    MISUSE(raffle_voids_ack(r, NULL, 1, &fx.err));
    MISUSE(raffle_seal_latest(NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    MISUSE(raffle_seal_latest(r, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    seal.struct_size = 4;
    MISUSE(raffle_seal(r, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_int_eq(fx_info().closed, 0);
    fx_seal(RAFFLE_SEAL_EARLY);
    MISUSE(raffle_draw_begin(NULL, &fx_boss, "bird", NULL, &draw, &fx.err));
    MISUSE(raffle_draw_begin(r, NULL, "bird", NULL, &draw, &fx.err));
    MISUSE(raffle_draw_begin(r, &fx_boss, NULL, NULL, &draw, &fx.err));
    MISUSE(raffle_draw_begin(r, &fx_boss, "bird", NULL, NULL, &fx.err));
    FX_OK(raffle_draw_begin(r, &fx_boss, "bird", NULL, &draw, &fx.err));
    MISUSE(raffle_draw_pending(NULL, &info, &fx.err));
    MISUSE(raffle_draw_pending(r, NULL, &fx.err));
    MISUSE(raffle_draw_describe(NULL, &info, &fx.err));
    MISUSE(raffle_draw_describe(draw, NULL, &fx.err));
    MISUSE(raffle_draw_resume(NULL, &fx_boss, NULL, &draw, &fx.err));
    MISUSE(raffle_draw_resume(r, NULL, NULL, &draw, &fx.err));
    MISUSE(raffle_draw_resume(r, &fx_boss, NULL, NULL, &fx.err));
    MISUSE(raffle_draw_abort(NULL, &fx_boss, &fx_chief, "x", &fx.err));
    MISUSE(raffle_draw_abort(r, NULL, &fx_chief, "x", &fx.err));
    MISUSE(raffle_draw_abort(r, &fx_boss, &fx_chief, NULL, &fx.err));
    MISUSE(raffle_draw_finish(NULL, fx.rng, NULL, 0, &fx.err));
    MISUSE(raffle_draw_finish(draw, NULL, NULL, 0, &fx.err));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    raffle_draw_free(NULL);
    MISUSE(raffle_pick_at(NULL, "bird", 1, &pick, &fx.err));
    MISUSE(raffle_pick_at(r, NULL, 1, &pick, &fx.err));
    MISUSE(raffle_pick_at(r, "bird", 1, NULL, &fx.err));
    fx_validation(1, fx_pick("bird", 1).serial, text);
    MISUSE(raffle_winner_verify(NULL, &fx_super, "bird", 1, text, NULL, NULL, &fx.err));
    MISUSE(raffle_winner_verify(r, NULL, "bird", 1, text, NULL, NULL, &fx.err));
    MISUSE(raffle_winner_verify(r, &fx_super, NULL, 1, text, NULL, NULL, &fx.err));
    MISUSE(raffle_winner_verify(r, &fx_super, "bird", 1, NULL, NULL, NULL, &fx.err));
    MISUSE(raffle_winner_official(NULL, &fx_super, "bird", 1, &fx.err));
    MISUSE(raffle_winner_official(r, NULL, "bird", 1, &fx.err));
    MISUSE(raffle_winner_official(r, &fx_super, NULL, 1, &fx.err));
    MISUSE(raffle_claim(NULL, &fx_super, &fx_boss, "bird", 1, text, &fx.err));
    MISUSE(raffle_claim(r, NULL, &fx_boss, "bird", 1, text, &fx.err));
    MISUSE(raffle_claim(r, &fx_super, &fx_boss, NULL, 1, text, &fx.err));
    MISUSE(raffle_claim(r, &fx_super, &fx_boss, "bird", 1, NULL, &fx.err));
    MISUSE(raffle_forfeit(NULL, &fx_boss, NULL, "bird", 1, "x", NULL, &fx.err));
    MISUSE(raffle_forfeit(r, NULL, NULL, "bird", 1, "x", NULL, &fx.err));
    MISUSE(raffle_forfeit(r, &fx_boss, NULL, NULL, 1, "x", NULL, &fx.err));
    MISUSE(raffle_forfeit(r, &fx_boss, NULL, "bird", 1, NULL, NULL, &fx.err));
}
END_TEST

START_TEST(logs)
{
    raffle_cursor *cursor = NULL;
    raffle_record record = {.struct_size = sizeof record};
    uint8_t root[32], proof[64 * 32];
    char note[RAFFLE_NOTE_SIZE];
    size_t n = 0;
    fx_create(rules);
    raffle *r = fx.raffle;
    MISUSE(raffle_cursor_open(NULL, 0, 0, &cursor, &fx.err));
    MISUSE(raffle_cursor_open(r, 0, 0, NULL, &fx.err));
    MISUSE(raffle_cursor_next(NULL, &record, &fx.err));
    FX_OK(raffle_cursor_open(r, 0, 0, &cursor, &fx.err));
    MISUSE(raffle_cursor_next(cursor, NULL, &fx.err));
    raffle_cursor_free(cursor);
    raffle_cursor_free(NULL);
    MISUSE(raffle_root(NULL, 0, 0, NULL, root, &fx.err));
    MISUSE(raffle_root(r, 0, 0, NULL, NULL, &fx.err));
    MISUSE(raffle_checkpoint(NULL, 0, note, sizeof note, &n, &fx.err));
    MISUSE(raffle_checkpoint(r, 0, NULL, sizeof note, &n, &fx.err));
    MISUSE(raffle_checkpoint(r, 0, note, sizeof note, NULL, &fx.err));
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_checkpoint(r, 0, NULL, 0, &n, &fx.err));
    const size_t needed = n;
    FX_OK(raffle_checkpoint(r, 0, note, needed + 1, &n, &fx.err));
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_checkpoint(r, 0, note, needed, &n, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_checkpoint_get(r, 1, UINT64_MAX, note, sizeof note, &n, &fx.err));
    MISUSE(raffle_checkpoint_get(NULL, 0, UINT64_MAX, note, sizeof note, &n, &fx.err));
    MISUSE(raffle_checkpoint_get(r, 0, UINT64_MAX, NULL, 5, &n, &fx.err));
    MISUSE(raffle_checkpoint_get(r, 0, UINT64_MAX, note, sizeof note, NULL, &fx.err));
    MISUSE(raffle_leaf_hash(NULL, 1, root, &fx.err));
    MISUSE(raffle_leaf_hash("a", 1, NULL, &fx.err));
    FX_OK(raffle_leaf_hash(NULL, 0, root, &fx.err));
    MISUSE(raffle_inclusion(NULL, 0, 0, 1, proof, &n, &fx.err));
    MISUSE(raffle_inclusion(r, 0, 0, 1, NULL, &n, &fx.err));
    MISUSE(raffle_inclusion(r, 0, 0, 1, proof, NULL, &fx.err));
    MISUSE(raffle_consistency(NULL, 0, 1, 2, proof, &n, &fx.err));
    MISUSE(raffle_consistency(r, 0, 1, 2, NULL, &n, &fx.err));
    MISUSE(raffle_consistency(r, 0, 1, 2, proof, NULL, &fx.err));
    MISUSE(raffle_inclusion_verify(0, 1, NULL, proof, 0, root, &fx.err));
    MISUSE(raffle_inclusion_verify(0, 1, root, NULL, 1, root, &fx.err));
    MISUSE(raffle_inclusion_verify(0, 1, root, proof, 0, NULL, &fx.err));
    MISUSE(raffle_consistency_verify(1, 1, NULL, root, proof, 0, &fx.err));
    MISUSE(raffle_consistency_verify(1, 1, root, NULL, proof, 0, &fx.err));
    MISUSE(raffle_consistency_verify(1, 1, root, root, NULL, 1, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_root(r, 0, 999, NULL, root, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_root(r, 9, 0, NULL, root, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_cursor_open(r, 9, 0, &cursor, &fx.err));
}
END_TEST

START_TEST(actors)
{
    raffle_actor actor;
    char id[80];
    MISUSE(raffle_actor_init(NULL, sizeof actor, "a", RAFFLE_SELLER, &fx.err));
    MISUSE(raffle_actor_init(&actor, 0, "a", RAFFLE_SELLER, &fx.err));
    MISUSE(raffle_actor_init(&actor, sizeof actor, NULL, RAFFLE_SELLER, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_actor_init(&actor, sizeof actor, "", RAFFLE_SELLER, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_actor_init(&actor, sizeof actor, "a", 0, &fx.err));
    FX_FAILS(RAFFLE_INVALID, raffle_actor_init(&actor, sizeof actor, "a", 7, &fx.err));
    memset(id, 'i', 79);
    id[79] = 0;
    FX_FAILS(RAFFLE_INVALID, raffle_actor_init(&actor, sizeof actor, id, RAFFLE_SELLER, &fx.err));
    id[64] = 0;
    FX_OK(raffle_actor_init(&actor, sizeof actor, id, RAFFLE_SYSTEM, &fx.err));
    ck_assert_str_eq(actor.id, id);
    for (raffle_role role = RAFFLE_SELLER; role <= RAFFLE_SYSTEM; role++)
        ck_assert_int_eq(raffle_role_parse(raffle_role_name(role)), role);
    ck_assert_ptr_null(raffle_role_name(0));
    ck_assert_int_eq(raffle_role_parse("boss"), 0);
    ck_assert_int_eq(raffle_role_parse(NULL), 0);
}
END_TEST

/* --- fork --- */

static void in_child(raffle_draw *draw, raffle_cursor *cursor)
{
    raffle_sale sale = fx_line("b", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_draw_info stands = {.struct_size = sizeof stands};
    raffle_record record = {.struct_size = sizeof record};
    raffle_unit *unit = NULL;
    char text[RAFFLE_VALIDATION_SIZE];
    size_t n;
    const raffle_rc got[] = {raffle_unit_sell(fx.unit, &fx_seller, &sale, 1, 0, &ticket, NULL),
                             raffle_describe(fx.raffle, &info, NULL),
                             raffle_ticket_get(fx.raffle, 1, 1, &ticket, NULL),
                             raffle_ticket_by_number(fx.raffle, "1-0000001", &ticket, NULL),
                             raffle_order_tickets(fx.raffle, "a", NULL, 0, &n, NULL),
                             raffle_unit_validation(fx.unit, 1, text, NULL),
                             raffle_unit_close(fx.unit, &fx_boss, NULL),
                             raffle_unit_open(fx.raffle, 1, &unit, NULL),
                             raffle_void(fx.raffle, &fx_super, 1, 1, "refund", NULL),
                             raffle_event(fx.raffle, &fx_boss, 0, "x.a", NULL, NULL, NULL),
                             raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, NULL, NULL),
                             raffle_draw_finish(draw, fx.rng, NULL, 0, NULL),
                             raffle_draw_describe(draw, &stands, NULL),
                             raffle_draw_pending(fx.raffle, &stands, NULL),
                             raffle_cursor_next(cursor, &record, NULL)};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        if (got[i] != RAFFLE_FORKED)
            _exit((int)i + 1);
    raffle_draw_free(draw);
    raffle_cursor_free(cursor);
    raffle_unit_free(fx.unit);
    raffle_free(fx.raffle);
    raffle_rng_free(fx.rng);
    _exit(0);
}

START_TEST(after_fork_handles_are_only_freed)
{
    raffle_draw *draw = NULL;
    raffle_cursor *cursor = NULL;
    int status;
    fx_create(rules);
    fx_sell_many(fx.unit, "ten", 600); /* its thread runs */
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    FX_OK(raffle_cursor_open(fx.raffle, 1, 0, &cursor, &fx.err));
    pid_t pid = fork();
    if (pid == 0)
        in_child(draw, cursor);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    fx_sell("after", "one"); /* the parent goes on */
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_cursor_free(cursor);
    raffle_draw_free(draw);
}
END_TEST

/* --- lifetimes --- */

static unsigned released;

static void count_release(void *ctx)
{
    (void)ctx;
    released++;
}

START_TEST(handles_are_freed_in_any_order)
{
    raffle_cursor *cursor = NULL;
    raffle_record record = {.struct_size = sizeof record};
    fx.host.release = count_release;
    fx_create(rules);
    fx_sell("a", "one");
    FX_OK(raffle_cursor_open(fx.raffle, 1, 0, &cursor, &fx.err));
    raffle_unit *unit = fx_unit(1);
    raffle_free(fx.raffle);
    fx.raffle = NULL;
    fx_sell("b", "one");
    raffle_unit_free(fx.unit);
    fx.unit = NULL;
    FX_OK(raffle_cursor_next(cursor, &record, &fx.err));
    raffle_unit_free(unit);
    FX_OK(raffle_cursor_next(cursor, &record, &fx.err));
    FX_OK(raffle_cursor_next(cursor, &record, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_cursor_next(cursor, &record, &fx.err));
    ck_assert_uint_eq(released, 0);
    raffle_cursor_free(cursor);
    ck_assert_uint_eq(released, 1);
    raffle *r = NULL;
    FX_FAILS(RAFFLE_KEY, raffle_open(fx.store, "file:/nowhere", &fx.host, &r, &fx.err));
    ck_assert_uint_eq(released, 1); /* not after a failure */
    fx.host.release = NULL;
}
END_TEST

/* A callback that calls back. */
static raffle_rc clock_that_sells(void *ctx, int64_t *ms, raffle_error *err)
{
    fixture *f = ctx;
    *ms = f->now;
    if (f->unit != NULL && f->sales == 0) {
        raffle_sale sale = fx_line("inner", "one");
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        f->sales = 1;
        raffle_rc rc = raffle_unit_sell(f->unit, &fx_seller, &sale, 1, 100, &ticket, err);
        if (rc != RAFFLE_MISUSE)
            return raffle_error_set(err, RAFFLE_HOST, 1, "the unit was entered again");
    }
    return RAFFLE_OK;
}

START_TEST(a_callback_does_not_enter_again)
{
    fx.host.clock = clock_that_sells;
    fx_create(rules);
    fx_sell("a", "one");
    ck_assert_uint_eq(fx.sales, 1);
    ck_assert_uint_eq(fx_info().tickets, 1);
}
END_TEST

/* --- callers that were compiled with an earlier header --- */

/* A struct of theirs, and what lies behind it. */
typedef struct older {
    _Alignas(16) uint8_t bytes[4096];
    size_t size;
} older;

static void *made_older(older *o, size_t size)
{
    const uint32_t stamp = (uint32_t)size;
    memset(o->bytes, 0xA5, sizeof o->bytes);
    memset(o->bytes, 0, size);
    memcpy(o->bytes, &stamp, sizeof stamp);
    o->size = size;
    return o->bytes;
}

static void check_older(const older *o)
{
    uint32_t stamp;
    memcpy(&stamp, o->bytes, sizeof stamp);
    ck_assert_uint_eq(stamp, o->size);
    for (size_t i = o->size; i < sizeof o->bytes; i++)
        ck_assert_msg(o->bytes[i] == 0xA5, "byte %zu behind a struct of %zu was written", i - o->size, o->size);
}

START_TEST(smaller_outputs)
{
    static const size_t info_sizes[] = {offsetof(raffle_info, place), offsetof(raffle_info, witnesses),
                                        offsetof(raffle_info, till), sizeof(raffle_info)};
    static const size_t unit_sizes[] = {offsetof(raffle_unit_info, away), offsetof(raffle_unit_info, left_numbers),
                                        offsetof(raffle_unit_info, printed), sizeof(raffle_unit_info)};
    older o;
    fx_create(rules);
    fx_sell("a", "ten");
    const raffle_info info = fx_info();
    const raffle_unit_info unit = fx_unit_info(1);
    for (size_t i = 0; i < 4; i++) {
        FX_OK(raffle_describe(fx.raffle, made_older(&o, info_sizes[i]), &fx.err));
        check_older(&o);
        ck_assert_mem_eq(o.bytes + 4, (const uint8_t *)&info + 4, info_sizes[i] - 4);
        FX_OK(raffle_unit_describe(fx.raffle, 1, made_older(&o, unit_sizes[i]), &fx.err));
        check_older(&o);
        ck_assert_mem_eq(o.bytes + 4, (const uint8_t *)&unit + 4, unit_sizes[i] - 4);
    }
}
END_TEST

/* What lies behind the caller's struct is not read: it would say that the unit is away. */
START_TEST(smaller_options_of_a_unit)
{
    older o;
    raffle_unit_options now;
    uint32_t number;
    fx_create(rules);
    raffle_unit_options *options = made_older(&o, offsetof(raffle_unit_options, away));
    memcpy(o.bytes + offsetof(raffle_unit_options, name), "older", 6);
    options->quota = 7;
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, options, &number, &fx.err));
    check_older(&o);
    ck_assert_int_eq(fx_unit_info(number).away, 0);
    ck_assert_uint_eq(fx_unit_info(number).quota, 7);
    /* And a later header: what is not known here must be zero. */
    uint8_t *later = made_older(&o, sizeof now + 8);
    memcpy(later + offsetof(raffle_unit_options, name), "later", 6);
    later[sizeof now] = 1;
    FX_REFUSED(RAFFLE_UNSUPPORTED, raffle_unit_enrol(fx.raffle, &fx_boss, (void *)later, &number, &fx.err));
    later[sizeof now] = 0;
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, (void *)later, &number, &fx.err));
}
END_TEST

/* --- keys of an earlier header: they know of no till --- */

static raffle_keys *files;

static raffle_rc older_make(void *ctx, const char *origin, const char *name, raffle_error *err)
{
    (void)ctx;
    return rf_keys_make(files, origin, name, err);
}

static raffle_rc older_public_key(void *ctx, const char *origin, const char *name, uint8_t out[32], raffle_error *err)
{
    (void)ctx;
    return rf_keys_public_key(files, origin, name, out, err);
}

static raffle_rc older_sign(void *ctx, const char *origin, const char *name, const uint8_t *message, size_t length,
                            uint8_t out[64], raffle_error *err)
{
    (void)ctx;
    return rf_keys_sign(files, origin, name, message, length, out, err);
}

static raffle_rc older_ticket_key(void *ctx, const char *origin, uint8_t out[32], raffle_error *err)
{
    (void)ctx;
    return rf_keys_ticket_key(files, origin, out, err);
}

static raffle_rc gather(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)err;
    char *kit = ctx;
    ck_assert_uint_lt(strlen(kit) + length, 1 << 16);
    strncat(kit, bytes, length);
    return RAFFLE_OK;
}

static raffle_keys *open_older(older *o, const char *uri)
{
    raffle_keys *keys = NULL;
    raffle_keys_table *table = made_older(o, offsetof(raffle_keys_table, unit_ticket_key));
    table->make = older_make;
    table->public_key = older_public_key;
    table->sign = older_sign;
    table->ticket_key = older_ticket_key;
    FX_OK(raffle_keys_open(uri, NULL, &files, &fx.err));
    FX_OK(raffle_keys_new(table, NULL, &keys, &fx.err));
    check_older(o);
    return keys;
}

START_TEST(a_smaller_table_of_keys)
{
    older o;
    raffle_unit_options options;
    raffle_store *store = NULL;
    raffle *r = NULL;
    uint32_t number;
    char uri[120];
    char *kit = calloc(1, 1 << 16);
    fx_create(rules);
    snprintf(uri, sizeof uri, "file:%s/till.keys", fx.folder);
    raffle_keys *keys = open_older(&o, uri);
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "tent");
    options.away = 1;
    options.quota = 5;
    FX_OK(raffle_unit_apply_with(keys, "raffle.example/fixture", 2, options.key, options.proof, &fx.err));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
    FX_OK(raffle_unit_kit(fx.raffle, 2, gather, kit, &fx.err));
    snprintf(uri, sizeof uri, "sqlite:%s/till.raffle?create=1", fx.folder);
    FX_OK(raffle_store_open(uri, NULL, &store, &fx.err));
    FX_FAILS(RAFFLE_UNSUPPORTED, raffle_unit_install_with(store, keys, NULL, kit, strlen(kit), NULL, &r, &fx.err));
    ck_assert_ptr_null(r);
    raffle_store_free(store);
    raffle_keys_free(keys);
    raffle_keys_free(files);
    free(kit);
}
END_TEST

FX_MAIN("raffle_misuse", creating_and_opening, describing, units, sales, seals_and_draws, logs, actors,
        after_fork_handles_are_only_freed, handles_are_freed_in_any_order, a_callback_does_not_enter_again,
        smaller_outputs, smaller_options_of_a_unit, a_smaller_table_of_keys)
