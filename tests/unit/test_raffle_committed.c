/* SPDX-License-Identifier: Apache-2.0 */
/* Committed draws: the seed before the intent, the beacon after it, every step cut off and resumed, and what somebody might try who wants another
 * winner. The beacon's values here are hashes of their rounds; the real one is tested by tests/integration/beacon.py and cli.sh. */
#include "fixture.h"

#include <openssl/evp.h>

#define RULES                                                                                                          \
    FX_HEAD FX_TIERS "\"beacon\":\"quicknet\",\"prizes\":["                                                            \
                     "{\"name\":\"car\",\"alternates\":1,\"seed\":\"committed\",\"beacon_delay\":60},"                 \
                     "{\"name\":\"hat\"},{\"name\":\"bus\",\"seed\":\"committed\",\"beacon_delay\":60}]}"

enum {
    DAY_ROUNDS = 28800
};

typedef struct secret {
    uint8_t seed[48], commitment[32];
    char evidence[RAFFLE_NAME_SIZE];
} secret;

static size_t verified; /* how often the hook was asked */

static void value_of(uint64_t round, uint8_t value[48])
{
    ck_assert_int_eq(EVP_Digest(&round, sizeof round, value, NULL, EVP_sha384(), NULL), 1);
}

static raffle_rc verify(void *ctx, uint64_t round, const uint8_t value[48], raffle_error *err)
{
    uint8_t wanted[48];
    (void)ctx;
    (void)err;
    verified++;
    value_of(round, wanted);
    return memcmp(wanted, value, sizeof wanted) == 0 ? RAFFLE_OK : RAFFLE_SIGNATURE;
}

/* A raffle that is sealed and acknowledged, and a seed. */
static secret prepare(void)
{
    secret s;
    fx_create(RULES);
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    fx_seal(RAFFLE_SEAL_FINAL);
    FX_OK(raffle_rng_seed(fx.rng, s.seed, s.commitment, s.evidence, 0, &fx.err));
    return s;
}

static raffle_draw_options options_of(const secret *s)
{
    raffle_draw_options o;
    raffle_draw_options_init(&o, sizeof o);
    o.rng = fx.rng;
    memcpy(o.commitment, s->commitment, sizeof o.commitment);
    memcpy(o.evidence, s->evidence, sizeof o.evidence);
    return o;
}

static raffle_draw *begin(const secret *s)
{
    const raffle_draw_options o = options_of(s);
    raffle_draw *draw = NULL;
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    return draw;
}

static raffle_draw_info info_of(const raffle_draw *draw)
{
    raffle_draw_info info = {.struct_size = sizeof info};
    FX_OK(raffle_draw_describe(draw, &info, &fx.err));
    return info;
}

static raffle_finish_options ending(const secret *s, uint64_t round)
{
    raffle_finish_options o;
    raffle_finish_options_init(&o, sizeof o);
    o.round = round;
    value_of(round, o.beacon);
    memcpy(o.seed, s->seed, sizeof o.seed);
    o.verify = verify;
    return o;
}

static raffle_finish_options lost(uint64_t round)
{
    const secret none = {.evidence = ""};
    raffle_finish_options o = ending(&none, round);
    o.flags = RAFFLE_FINISH_SEED_LOST;
    value_of(round + DAY_ROUNDS, o.fallback);
    return o;
}

/* Audits with the hook, and gives the only draw; how many faults of which code there are. */
static raffle_audit_draw audited(const char *code, uint64_t faults)
{
    raffle_audit_options o = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    raffle_verdict v = RAFFLE_VERDICT_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    raffle_audit *audit = NULL;
    o.beacon = verify;
    FX_OK(raffle_audit_run(fx.store, NULL, &o, &audit, &fx.err));
    FX_OK(raffle_audit_verdict(audit, &v, &fx.err));
    ck_assert_uint_eq(v.faults, faults);
    for (uint64_t i = 0; i < faults; i++) {
        FX_OK(raffle_audit_fault_at(audit, i, &fault, &fx.err));
        ck_assert_str_eq(fault.code, code);
    }
    FX_OK(raffle_audit_draw_at(audit, 0, &d, &fx.err));
    raffle_audit_free(audit);
    return d;
}

START_TEST(the_whole_way)
{
    secret s = prepare();
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    FX_OK(raffle_prize_at(fx.raffle, 0, &prize, &fx.err));
    ck_assert_int_eq(prize.committed, 1);
    raffle_draw *draw = begin(&s);
    raffle_draw_info info = info_of(draw);
    ck_assert_int_eq(info.committed, 1);
    ck_assert_uint_eq(info.round, raffle_beacon_round(FX_NOW + 60000));
    ck_assert_int_eq(info.round_at, raffle_beacon_time(info.round));
    ck_assert_uint_eq(info.fallback_round, info.round + DAY_ROUNDS);
    ck_assert_int_eq(info.fallback_at, info.round_at + FX_DAY);
    const raffle_finish_options end = ending(&s, info.round);
    fx.now = info.round_at;
    verified = 0;
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    ck_assert_uint_eq(verified, 1);
    FX_REFUSED(RAFFLE_DRAWN, raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    ck_assert_int_eq(fx_pick("car", 1).state, RAFFLE_PLACE_DRAWN);
    raffle_draw_free(draw);
    raffle_audit_draw d = audited("", 0);
    ck_assert_int_eq(d.committed, 1);
    ck_assert_int_eq(d.beacon_verified, 1);
    ck_assert_int_eq(d.seed_lost, 0);
    ck_assert_uint_eq(d.round, info.round);
    ck_assert_str_eq(d.provider, "host:coin");
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_OPERATOR); /* nobody cosigned the intent */
    fx_draw("hat");                                           /* a random one after it */
    const raffle_draw_options again = options_of(&s);
    FX_REFUSED(RAFFLE_RNG_SEED,
               raffle_draw_begin(fx.raffle, &fx_boss, "bus", &again, &draw, &fx.err)); /* it is public */
}
END_TEST

START_TEST(what_the_intent_needs)
{
    secret s = prepare();
    raffle_draw_options o = options_of(&s);
    raffle_draw *draw = NULL;
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "car", NULL, &draw, &fx.err));
    memset(o.commitment, 0, sizeof o.commitment);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    o = options_of(&s);
    o.rng = NULL;
    FX_REFUSED(RAFFLE_MISUSE, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    o = options_of(&s);
    memset(o.evidence, 'x', sizeof o.evidence);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    strcpy(o.evidence, "a\nb"); /* no record that says so could be read again */
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    strcpy(o.evidence, "\xff");
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    o = options_of(&s);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_begin(fx.raffle, &fx_boss, "hat", &o, &draw, &fx.err));
    raffle_rng *other = NULL;
    FX_OK(raffle_rng_open("test:seed=00", NULL, &other, &fx.err));
    o.rng = other;
    FX_REFUSED(RAFFLE_RNG_NOT_PINNED, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    raffle_rng_free(other);
    fx.coin = FX_COIN_SAME;
    FX_REFUSED(RAFFLE_RNG_UNHEALTHY, raffle_rng_seed(fx.rng, s.seed, s.commitment, s.evidence, 0, &fx.err));
}
END_TEST

START_TEST(what_the_end_refuses)
{
    secret s = prepare(), another;
    FX_OK(raffle_rng_seed(fx.rng, another.seed, another.commitment, another.evidence, 0, &fx.err));
    raffle_draw *draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    raffle_finish_options o = ending(&s, info.round);
    fx.now = info.round_at - 1; /* the round is not there yet: its value cannot be known */
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    fx.now = info.round_at;
    FX_REFUSED(RAFFLE_MISUSE, raffle_draw_finish(draw, NULL, NULL, 0, &fx.err));
    o = ending(&another, info.round); /* a second seed */
    FX_REFUSED(RAFFLE_MISMATCH, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round + 1); /* a round of the operator's choice */
    FX_REFUSED(RAFFLE_MISMATCH, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    o.beacon[47] ^= 1;
    FX_REFUSED(RAFFLE_SIGNATURE, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    o.verify = NULL;
    FX_REFUSED(RAFFLE_UNSUPPORTED, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    memset(o.beacon, 0, sizeof o.beacon);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    memset(o.seed, 0, sizeof o.seed);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    o.fallback[0] = 1;
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    o.flags = 4;
    FX_REFUSED(RAFFLE_UNSUPPORTED, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o.flags = RAFFLE_FINISH_SEED_LOST; /* and given all the same */
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = ending(&s, info.round);
    FX_OK(raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    raffle_draw_free(draw);
}
END_TEST

/* Whoever saw the seed and the beacon, and so the winner, gets no second draw. */
START_TEST(nobody_draws_again)
{
    secret s = prepare(), another;
    FX_OK(raffle_rng_seed(fx.rng, another.seed, another.commitment, another.evidence, 0, &fx.err));
    raffle_draw *draw = begin(&s), *second = NULL;
    const raffle_draw_options o = options_of(&another);
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "power", &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &second, &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &second, &fx.err));
    const raffle_draw_info info = info_of(draw);
    const raffle_finish_options end = ending(&s, info.round);
    fx.now = info.round_at;
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_draw_abort(fx.raffle, &fx_boss, &fx_chief, "power", &fx.err));
    FX_REFUSED(RAFFLE_DRAWN, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &second, &fx.err));
    raffle_draw_free(draw);
}
END_TEST

START_TEST(prizes_keep_their_order)
{
    raffle_draw *draw = NULL;
    prepare();
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &draw, &fx.err));
}
END_TEST

/* After each step the process ends; what comes next takes it up with the same seed and the same round, and the winner is the same. */
START_TEST(every_step_is_resumed)
{
    secret s = prepare();
    raffle_draw *draw = begin(&s);
    const raffle_draw_info before = info_of(draw);
    raffle_draw_free(draw);
    fx_close();
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    const raffle_draw_info after = info_of(draw);
    ck_assert_uint_eq(after.round, before.round);
    ck_assert_uint_eq(after.intent, before.intent);
    ck_assert_int_eq(after.pending, 0);
    raffle_draw_free(draw);
    fx_close();
    fx.now = before.round_at + FX_HOUR; /* late is fine */
    fx_open();
    raffle_finish_options o = ending(&s, before.round);
    o.beacon[0] ^= 1; /* a beacon that was mistyped costs nothing */
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_SIGNATURE, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    raffle_draw_free(draw);
    o = ending(&s, before.round);
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_OK(raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    raffle_draw_free(draw);
    fx_close();
    fx_open();
    FX_REFUSED(RAFFLE_NOT_FOUND, raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    audited("", 0);
}
END_TEST

START_TEST(a_seed_that_is_lost)
{
    secret s = prepare();
    raffle_draw *draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    const raffle_finish_options end = lost(info.round);
    raffle_draw_free(draw);
    fx_close();
    fx.now = info.round_at;
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_SEQUENCE, raffle_draw_finish(draw, NULL, &end, 0, &fx.err)); /* a day too early */
    raffle_draw_free(draw);
    fx_close();
    fx.now = info.fallback_at;
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    raffle_finish_options o = end;
    memset(o.fallback, 0, sizeof o.fallback);
    FX_REFUSED(RAFFLE_INVALID, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    o = end;
    o.fallback[9] ^= 1;
    FX_REFUSED(RAFFLE_SIGNATURE, raffle_draw_finish(draw, NULL, &o, 0, &fx.err));
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    raffle_draw_free(draw);
    fx.spoilt = true; /* the audit reports it */
    raffle_audit_draw d = audited("seed-lost", 1);
    ck_assert_int_eq(d.seed_lost, 1);
    ck_assert_int_eq(d.beacon_verified, 1);
}
END_TEST

/* The clock is set back before the intent, so that its round is of a time that has passed. */
START_TEST(an_intent_that_is_backdated)
{
    secret s = prepare();
    fx.now -= FX_HOUR / 2;
    const raffle_draw_options o = options_of(&s);
    raffle_draw *draw = NULL;
    FX_REFUSED(RAFFLE_CLOCK, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "clock.reset", NULL, NULL, &fx.err));
    draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    fx.now = info.round_at;
    const raffle_finish_options end = ending(&s, info.round);
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    raffle_draw_free(draw);
    fx.spoilt = true;
    audited("backdated", 1);
}
END_TEST

static raffle_rc believe(void *ctx, uint64_t round, const uint8_t value[48], raffle_error *err)
{
    (void)ctx;
    (void)round;
    (void)value;
    (void)err;
    return RAFFLE_OK;
}

/* An operator who chooses the value himself convinces his own hook alone. */
START_TEST(a_beacon_of_the_operators_choice)
{
    secret s = prepare();
    raffle_draw *draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    raffle_finish_options end = ending(&s, info.round);
    end.beacon[5] ^= 1;
    end.verify = believe;
    fx.now = info.round_at;
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    raffle_draw_free(draw);
    raffle_audit *audit = NULL;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    FX_OK(raffle_audit_run(fx.store, NULL, NULL, &audit, &fx.err)); /* without a hook it stands as it is */
    FX_OK(raffle_audit_draw_at(audit, 0, &d, &fx.err));
    ck_assert_int_eq(d.beacon_verified, 0);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_OPERATOR);
    raffle_audit_free(audit);
    fx.spoilt = true;
    d = audited("beacon", 1);
    ck_assert_int_eq(d.beacon_verified, 0);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_WRONG);
}
END_TEST

/* A store that is put back to before the draw, to draw again: the anchor knows better. */
START_TEST(a_restored_store_draws_nothing)
{
    char before[128], after[128];
    secret s = prepare();
    fx_close();
    snprintf(before, sizeof before, "%s/before", fx.folder);
    fx_copy(fx.path, before, false);
    fx_open();
    raffle_draw *draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    const raffle_finish_options end = ending(&s, info.round);
    fx.now = info.round_at;
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    raffle_draw_free(draw);
    fx_close();
    snprintf(after, sizeof after, "%s", fx.path);
    fx_copy(before, after, false);
    fx_open();
    const raffle_draw_options o = options_of(&s);
    FX_FAILS(RAFFLE_HISTORY, raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &draw, &fx.err));
    fx.spoilt = true;
}
END_TEST

/* From the round's time on whoever has the seed knows the winners: before the result he cannot take their tickets back. */
START_TEST(nobody_takes_back_a_ticket_when_the_round_is_there)
{
    secret s;
    fx_create(FX_HEAD FX_TIERS
              "\"beacon\":\"quicknet\",\"prizes\":[{\"name\":\"car\",\"seal\":\"early\",\"alternates\":1,"
              "\"seed\":\"committed\",\"beacon_delay\":60}]}");
    for (int i = 0; i < 4; i++)
        fx_sell((const char *[]){"a", "b", "c", "d"}[i], "one");
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_sell("e", "one");
    FX_OK(raffle_rng_seed(fx.rng, s.seed, s.commitment, s.evidence, 0, &fx.err));
    raffle_draw *draw = begin(&s);
    const raffle_draw_info info = info_of(draw);
    fx.now = info.round_at - 1;
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 1, "payment", &fx.err)); /* nobody can know anything */
    fx.now = info.round_at;
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_void(fx.raffle, &fx_super, 1, 2, "payment", &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 5, "payment", &fx.err)); /* it is not in the drum */
    const raffle_finish_options end = ending(&s, info.round);
    FX_OK(raffle_draw_finish(draw, NULL, &end, 0, &fx.err));
    raffle_draw_free(draw);
    for (uint64_t serial = 2; serial <= 4; serial++) {
        if (fx_pick("car", 1).serial == serial || fx_pick("car", 2).serial == serial)
            FX_REFUSED(RAFFLE_DRAWN, raffle_void(fx.raffle, &fx_super, 1, serial, "payment", &fx.err));
        else
            FX_OK(raffle_void(fx.raffle, &fx_super, 1, serial, "payment", &fx.err));
    }
}
END_TEST

FX_MAIN("raffle_committed", nobody_takes_back_a_ticket_when_the_round_is_there, the_whole_way, what_the_intent_needs,
        what_the_end_refuses, nobody_draws_again, prizes_keep_their_order, every_step_is_resumed, a_seed_that_is_lost,
        an_intent_that_is_backdated, a_beacon_of_the_operators_choice, a_restored_store_draws_nothing)
