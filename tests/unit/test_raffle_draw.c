/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing: what must come first, providers that fail, interruptions, and who wins, against a walk that is too plain to be wrong. */
#include "fixture.h"

#include "fold.h"
#include "note.h"
#include "select.h"
#include <sys/wait.h>
#include <unistd.h>

static raffle_rc begin(const raffle_actor *by, const char *prize, raffle_draw **draw)
{
    return raffle_draw_begin(fx.raffle, by, prize, NULL, draw, &fx.err);
}

static raffle_rc finish(raffle_draw *draw)
{
    return raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err);
}

/* --- what must come first --- */

START_TEST(prizes_are_drawn_in_their_order_from_their_seals)
{
    raffle_draw *draw = NULL;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    FX_REFUSED(RAFFLE_NOT_SEALED, begin(&fx_boss, "bird", &draw));
    FX_REFUSED(RAFFLE_NOT_FOUND, begin(&fx_boss, "third", &draw));
    FX_REFUSED(RAFFLE_NOT_FOUND, begin(&fx_boss, "", &draw));
    FX_REFUSED(RAFFLE_SEQUENCE, begin(&fx_boss, "first", &draw));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    FX_REFUSED(RAFFLE_NOT_ACKED, begin(&fx_boss, "bird", &draw));
    FX_OK(raffle_voids_ack(fx.raffle, &fx_boss, seal.index, &fx.err));
    FX_REFUSED(RAFFLE_ROLE, begin(&fx_super, "bird", &draw));
    FX_REFUSED(RAFFLE_ROLE, begin(&fx_auditor, "bird", &draw));
    ck_assert_ptr_null(draw);
    fx_draw("bird");
    FX_REFUSED(RAFFLE_DRAWN, begin(&fx_boss, "bird", &draw));
    FX_REFUSED(RAFFLE_NOT_SEALED, begin(&fx_boss, "first", &draw));
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_REFUSED(RAFFLE_SEQUENCE, begin(&fx_boss, "second", &draw));
    fx_said("second");
    fx_draw("first");
    fx_draw("second");
    FX_REFUSED(RAFFLE_DRAWN, begin(&fx_boss, "second", &draw));
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_by_name(fx.raffle, "first", &prize, &fx.err));
    ck_assert_int_eq(prize.state, RAFFLE_PRIZE_DRAWN);
    ck_assert_int_eq(prize.value, 1000);
    ck_assert_uint_eq(prize.attempt, 1);
}
END_TEST

START_TEST(an_empty_drum_is_refused)
{
    raffle_draw *draw = NULL;
    fx_create(FX_RULES);
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_REFUSED(RAFFLE_EMPTY, begin(&fx_boss, "bird", &draw));
}
END_TEST

START_TEST(between_intent_and_result_the_control_log_takes_events_only)
{
    raffle_draw *draw = NULL, *second = NULL;
    raffle_draw_info info = {.struct_size = sizeof info};
    uint32_t number = 0;
    raffle_unit_options options;
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_draw_pending(fx.raffle, &info, &fx.err));
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(begin(&fx_boss, "bird", &draw));
    ck_assert_int_eq(fx_info().drawing, 1);
    raffle_unit_options_init(&options, sizeof options);
    strcpy(options.name, "new");
    FX_REFUSED(RAFFLE_DRAW_OPEN, begin(&fx_boss, "bird", &second));
    FX_REFUSED(RAFFLE_DRAW_OPEN, begin(&fx_boss, "first", &second));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_EARLY, NULL, &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_seal(fx.raffle, &fx_boss, NULL, RAFFLE_SEAL_FINAL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_unit_disable(fx.raffle, &fx_boss, 1, "lunch", &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.note", NULL, NULL, &fx.err));
    fx_sell("b", "one");
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 2, "refund", &fx.err)); /* into the unit's log */
    FX_OK(raffle_draw_pending(fx.raffle, &info, &fx.err));
    ck_assert_str_eq(info.prize, "bird");
    ck_assert_uint_eq(info.numbers, 10);
    ck_assert_uint_eq(info.asked, 0);
    FX_OK(finish(draw));
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    ck_assert_int_eq(info.finished, 1);
    FX_REFUSED(RAFFLE_DRAWN, finish(draw));
    raffle_draw_free(draw);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "none", &fx.err));
}
END_TEST

START_TEST(the_intent_is_signed_before_anything_is_asked)
{
    raffle_draw *draw = NULL;
    rf_note note;
    rf_vkey vkey;
    rf_checkpoint checkpoint;
    uint8_t root[32];
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(begin(&fx_boss, "bird", &draw));
    ck_assert_uint_eq(fx.coins, 0);
    const char *text = raffle_draw_checkpoint(draw);
    raffle_info info = fx_info();
    ck_assert_int_eq(rf_note_parse(&note, text, strlen(text), NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_vkey_parse(&vkey, info.control_key, strlen(info.control_key), NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_note_verify(&note, &vkey, NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_checkpoint_parse(&checkpoint, note.text, note.text_length, NULL), RAFFLE_OK);
    ck_assert_uint_eq(checkpoint.size, info.control_size);
    FX_OK(raffle_root(fx.raffle, 0, checkpoint.size, NULL, root, &fx.err));
    ck_assert_mem_eq(root, checkpoint.root, 32);
    FX_OK(finish(draw));
    char result[4096];
    fx_leaf(0, fx_size(0) - 1, result, sizeof result);
    ck_assert_ptr_nonnull(strstr(result, "\"evidence\":\"toss 2\""));
    raffle_draw_free(draw);
    ck_assert_ptr_null(raffle_draw_checkpoint(NULL));
}
END_TEST

/* --- providers --- */

static raffle_draw *open_draw(void)
{
    raffle_draw *draw = NULL;
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(begin(&fx_boss, "bird", &draw));
    return draw;
}

/* Another handle on the coin, for one that was found unhealthy stays so. */
static void renew_rng(void)
{
    raffle_rng_free(fx.rng);
    fx.rng = fx_new_rng();
    fx.coin = FX_COIN_GOOD;
}

START_TEST(a_provider_that_fails_draws_nothing)
{
    static const struct {
        fx_coin coin;
        raffle_rc rc;
    } faults[] = {{FX_COIN_FAILS, RAFFLE_RNG},
                  {FX_COIN_SHORT, RAFFLE_RNG},
                  {FX_COIN_LIES, RAFFLE_HOST},
                  {FX_COIN_SAME, RAFFLE_RNG_UNHEALTHY}};
    char event[1024];
    raffle_draw_info info = {.struct_size = sizeof info};
    raffle_draw *draw = open_draw();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fx.coin = faults[i].coin;
        FX_FAILS(faults[i].rc, finish(draw));
        FX_OK(raffle_draw_describe(draw, &info, &fx.err));
        ck_assert_uint_eq(info.asked, i + 1); /* each asking stands in the log */
        ck_assert_int_eq(info.pending, 0);
        ck_assert_int_eq(info.finished, 0);
    }
    fx_leaf(0, fx_size(0) - 1, event, sizeof event);
    ck_assert_ptr_nonnull(strstr(event, "\"code\":\"rng.unhealthy\",\"component\":\"host\""));
    fx.coin = FX_COIN_GOOD;
    FX_REFUSED(RAFFLE_RNG_UNHEALTHY, finish(draw)); /* until it is opened anew */
    raffle_draw_free(draw);
    fx_close();
    fx_open();
    renew_rng();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err)); /* its answer is known: nobody approves */
    FX_OK(finish(draw));
    raffle_draw_free(draw);
}
END_TEST

START_TEST(the_same_seed_again_is_refused)
{
    raffle_draw *draw = open_draw();
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_OK(begin(&fx_boss, "first", &draw));
    fx.coin = FX_COIN_AGAIN;
    FX_FAILS(RAFFLE_RNG_SEED, finish(draw));
    fx.coin = FX_COIN_GOOD;
    FX_OK(finish(draw));
    raffle_draw_free(draw);
}
END_TEST

START_TEST(a_provider_that_is_not_pinned)
{
    raffle_rng *test = NULL, *other = NULL;
    raffle_rng_table table = {.struct_size = sizeof table};
    raffle_draw *draw = open_draw(), *second = NULL;
    raffle_draw_options options;
    FX_OK(raffle_rng_open("test:seed=00", NULL, &test, &fx.err));
    FX_REFUSED(RAFFLE_RNG_NOT_PINNED, raffle_draw_finish(draw, test, NULL, 0, &fx.err));
    fx_said("test");
    FX_FAILS(RAFFLE_MISUSE, raffle_rng_new("host:dice", &table, NULL, &other, &fx.err));
    FX_OK(raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "retry", &fx.err));
    raffle_draw_options_init(&options, sizeof options);
    options.rng = test;
    FX_REFUSED(RAFFLE_RNG_NOT_PINNED, raffle_draw_begin(fx.raffle, &fx_boss, "bird", &options, &second, &fx.err));
    options.rng = fx.rng;
    fx.coin = FX_COIN_SAME;
    const uint64_t size = fx_size(0);
    FX_FAILS(RAFFLE_RNG_UNHEALTHY, raffle_draw_begin(fx.raffle, &fx_boss, "bird", &options, &second, &fx.err));
    ck_assert_uint_eq(fx_size(0), size + 1); /* an event, and no intent */
    renew_rng();
    options.rng = fx.rng;
    options.flags = 1;
    FX_REFUSED(RAFFLE_UNSUPPORTED, raffle_draw_begin(fx.raffle, &fx_boss, "bird", &options, &second, &fx.err));
    options.flags = 0;
    options.commitment[31] = 1;
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "bird", &options, &second, &fx.err));
    options.commitment[31] = 0;
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", &options, &second, &fx.err));
    raffle_finish_options end;
    for (int kind = 0; kind < 5; kind++) {
        raffle_finish_options_init(&end, sizeof end);
        end.flags = kind == 0;
        end.round = kind == 1;
        end.beacon[47] = kind == 2;
        end.seed[0] = kind == 3;
        end.fallback[1] = kind == 4;
        FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(second, fx.rng, &end, 0, &fx.err));
    }
    FX_FAILS(RAFFLE_NOT_FOUND, finish(draw)); /* the handle of the attempt before */
    raffle_finish_options_init(&end, sizeof end);
    FX_OK(raffle_draw_finish(second, fx.rng, &end, 0, &fx.err));
    raffle_draw_free(draw);
    raffle_draw_free(second);
    raffle_rng_free(test);
}
END_TEST

/* --- interruptions --- */

START_TEST(an_intent_is_resumed_after_a_crash)
{
    raffle_draw *draw = open_draw();
    raffle_draw_info before = {.struct_size = sizeof before}, after = {.struct_size = sizeof after};
    char note[2048];
    FX_OK(raffle_draw_describe(draw, &before, &fx.err));
    strcpy(note, raffle_draw_checkpoint(draw));
    raffle_draw_free(draw);
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_ROLE, raffle_draw_resume(fx.raffle, &fx_seller, NULL, &draw, &fx.err));
    fx_remember();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_chief, NULL, &draw, &fx.err));
    fx_check_same(__FILE__, __LINE__, "resume");
    ck_assert_str_eq(raffle_draw_checkpoint(draw), note);
    FX_OK(raffle_draw_describe(draw, &after, &fx.err));
    ck_assert_mem_eq(&before, &after, sizeof before);
    FX_OK(finish(draw));
    raffle_draw_free(draw);
}
END_TEST

/* The process ends while the provider is asked. */
static void die_while_asking(void)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        raffle *r = NULL;
        raffle_draw *draw = NULL;
        fx.coin = FX_COIN_EXITS;
        fx.rng = fx_new_rng();
        if (raffle_open(fx.store, NULL, &fx.host, &r, NULL) == RAFFLE_OK &&
            raffle_draw_resume(r, &fx_boss, &fx_chief, &draw, NULL) == RAFFLE_OK)
            (void)!raffle_draw_finish(draw, fx.rng, NULL, 0, NULL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 77);
}

START_TEST(an_answer_that_is_lost_needs_an_approver)
{
    raffle_draw *draw = open_draw(), *early = draw;
    raffle_draw_info info = {.struct_size = sizeof info};
    fx_close();
    die_while_asking();
    fx_open();
    FX_OK(raffle_draw_pending(fx.raffle, &info, &fx.err));
    ck_assert_int_eq(info.pending, 1);
    ck_assert_uint_eq(info.asked, 1);
    FX_FAILS(RAFFLE_APPROVAL, finish(early));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_resume(fx.raffle, &fx_boss, &fx_boss, &draw, &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_resume(fx.raffle, &fx_boss, &fx_seller, &draw, &fx.err));
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, &fx_super, &draw, &fx.err));
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    ck_assert_int_eq(info.pending, 0);
    raffle_draw_free(draw);
    fx_close();
    die_while_asking(); /* once more */
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, &fx_super, &draw, &fx.err));
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    ck_assert_uint_eq(info.asked, 2);
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    raffle_draw_free(early);
}
END_TEST

/* A provider whose own answer is overtaken: while it is asked, somebody else gives the answer up for lost and asks again. */
typedef struct overtaken {
    raffle *other;
    raffle_draw *draw;
    bool fails; /* and then it says that it failed */
} overtaken;

static raffle_rc overtake(void *ctx, uint8_t *out, size_t length, size_t *filled, char evidence[RAFFLE_NAME_SIZE],
                          int32_t timeout_ms, raffle_error *err)
{
    (void)evidence;
    overtaken *o = ctx;
    (void)timeout_ms;
    (void)err;
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(i * 7 + 1);
    *filled = length;
    if (o->draw == NULL && raffle_draw_resume(o->other, &fx_boss, &fx_chief, &o->draw, NULL) == RAFFLE_OK) {
        pid_t pid = fork();
        if (pid == 0) {
            raffle *r = NULL;
            raffle_draw *draw = NULL;
            fx.coin = FX_COIN_EXITS;
            fx.rng = fx_new_rng();
            if (raffle_open(fx.store, NULL, &fx.host, &r, NULL) == RAFFLE_OK &&
                raffle_draw_resume(r, &fx_boss, NULL, &draw, NULL) == RAFFLE_OK)
                (void)!raffle_draw_finish(draw, fx.rng, NULL, 0, NULL);
            _exit(1);
        }
        (void)waitpid(pid, NULL, 0);
    }
    return o->fails ? RAFFLE_RNG : RAFFLE_OK;
}

static raffle_rng *slow_provider(overtaken *o)
{
    raffle_rng *slow = NULL;
    raffle_rng_table table;
    fx_create("{\"origin\":\"raffle.example/slow\",\"name\":\"S\",\"organisation\":\"S\",\"currency\":\"CAD\","
              "\"sales\":{\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},"
              "\"rng\":[\"host:slow\",\"host:coin\"]," FX_TIERS "\"prizes\":[{\"name\":\"bird\"}]}");
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_FINAL);
    raffle_rng_table_init(&table, sizeof table);
    table.fill = overtake;
    o->other = fx_another();
    FX_OK(raffle_rng_new("host:slow", &table, o, &slow, &fx.err));
    return slow;
}

START_TEST(a_seed_that_was_given_up_for_lost_draws_nothing)
{
    overtaken o = {0};
    raffle_rng *slow = slow_provider(&o);
    raffle_draw *draw = NULL;
    FX_OK(begin(&fx_boss, "bird", &draw));
    FX_FAILS(RAFFLE_APPROVAL, raffle_draw_finish(draw, slow, NULL, 0, &fx.err));
    FX_FAILS(RAFFLE_APPROVAL, finish(draw));
    raffle_draw_free(draw);
    raffle_draw_free(o.draw);
    raffle_free(o.other);
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, &fx_chief, &draw, &fx.err));
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    raffle_rng_free(slow);
}
END_TEST

/* Who failed late ends its own asking, and not the one that came after: else that could be thrown away without an approver. */
START_TEST(a_late_failure_leaves_the_newer_asking)
{
    overtaken o = {.fails = true};
    raffle_rng *slow = slow_provider(&o);
    raffle_draw_info info = {.struct_size = sizeof info};
    raffle_draw *draw = NULL;
    FX_OK(begin(&fx_boss, "bird", &draw));
    FX_FAILS(RAFFLE_RNG, raffle_draw_finish(draw, slow, NULL, 0, &fx.err));
    FX_OK(raffle_draw_pending(fx.raffle, &info, &fx.err));
    ck_assert_int_eq(info.pending, 1);
    ck_assert_uint_eq(info.asked, 2);
    FX_FAILS(RAFFLE_APPROVAL, finish(draw));
    raffle_draw_free(draw);
    raffle_draw_free(o.draw);
    raffle_free(o.other);
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, &fx_chief, &draw, &fx.err));
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    raffle_rng_free(slow);
}
END_TEST

/* A note in the store that is validly signed, but over another size, takes no part in a draw. */
START_TEST(the_intents_checkpoint_is_compared)
{
    raffle_draw *draw = NULL;
    fx_create(FX_RULES);
    fx_sell("a", "ten");
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(begin(&fx_boss, "bird", &draw));
    const unsigned long long size = (unsigned long long)fx_size(0);
    raffle_draw_free(draw);
    fx_sql(1,
           "UPDATE note SET note = (SELECT note FROM note WHERE log = 0 AND size < %llu ORDER BY size DESC LIMIT 1) "
           "WHERE log = 0 AND size = %llu",
           size, size);
    fx.spoilt = true;
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_FAILS(RAFFLE_CORRUPT, finish(draw));
    raffle_draw_free(draw);
}
END_TEST

START_TEST(an_abort_leads_to_another_attempt)
{
    raffle_draw_info info = {.struct_size = sizeof info};
    raffle_draw *draw = open_draw();
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_abort(fx.raffle, &fx_boss, NULL, "power", &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_abort(fx.raffle, &fx_boss, &fx_boss, "power", &fx.err));
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_abort(fx.raffle, &fx_boss, &fx_auditor, "power", &fx.err));
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "No Word", &fx.err));
    FX_REFUSED(RAFFLE_ROLE, raffle_draw_abort(fx.raffle, &fx_super, &fx_chief, "power", &fx.err));
    FX_OK(raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "power", &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, finish(draw));
    raffle_draw_free(draw);
    FX_OK(begin(&fx_boss, "bird", &draw));
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    ck_assert_uint_eq(info.attempt, 2);
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_at(fx.raffle, 0, &prize, &fx.err));
    ck_assert_uint_eq(prize.attempt, 2);
}
END_TEST

START_TEST(a_draw_outlives_its_raffle)
{
    raffle_draw *draw = open_draw();
    fx_close();
    FX_OK(finish(draw));
    raffle_draw_free(draw);
    fx_open();
    ck_assert_int_eq(fx_pick("bird", 1).state, RAFFLE_PLACE_DRAWN);
}
END_TEST

FX_MAIN("raffle_draw", prizes_are_drawn_in_their_order_from_their_seals, an_empty_drum_is_refused,
        between_intent_and_result_the_control_log_takes_events_only, the_intent_is_signed_before_anything_is_asked,
        a_provider_that_fails_draws_nothing, the_same_seed_again_is_refused, a_provider_that_is_not_pinned,
        an_intent_is_resumed_after_a_crash, an_answer_that_is_lost_needs_an_approver,
        a_seed_that_was_given_up_for_lost_draws_nothing, a_late_failure_leaves_the_newer_asking,
        the_intents_checkpoint_is_compared, an_abort_leads_to_another_attempt, a_draw_outlives_its_raffle)
