/* SPDX-License-Identifier: Apache-2.0 */
/* Witnesses: what they are asked, every answer that they have, and draws that wait for their quorum, in both modes, to the audit's verdict. */
#include "fixture.h"

#include "bytes.h"
#include "fold.h"
#include "note.h"
#include <openssl/evp.h>
#include <sodium.h>

enum {
    WITNESSES = 3
};

static uint8_t public_key[WITNESSES + 1][32], secret_key[WITNESSES + 1][64];
static char rules[4000];

static const char *name_of(unsigned i)
{
    static const char *const names[] = {"w0.example", "w1.example", "w2.example", "stranger.example"};
    return names[i];
}

static void make_keys(void)
{
    uint8_t seed[32];
    ck_assert_int_ge(sodium_init(), 0);
    for (unsigned i = 0; i <= WITNESSES; i++) {
        memset(seed, (int)(i + 1), sizeof seed);
        crypto_sign_seed_keypair(public_key[i], secret_key[i], seed);
    }
}

/* Rules with two of three, and these prizes. */
static const char *rules_with(const char *prizes)
{
    rf_vkey vkey;
    char key[WITNESSES][RF_VKEY_SIZE];
    make_keys();
    for (unsigned i = 0; i < WITNESSES; i++) {
        ck_assert_int_eq(rf_vkey_make(&vkey, name_of(i), RF_NOTE_COSIGNATURE, public_key[i], &fx.err), RAFFLE_OK);
        rf_vkey_format(&vkey, key[i]);
    }
    snprintf(rules, sizeof rules,
             FX_HEAD FX_TIERS
             "\"beacon\":\"quicknet\",\"witnesses\":[\"witness a %s https://w0.example/raffle/\","
             "\"witness b %s http://127.0.0.1:8080\",\"witness c %s\",\"group g 2 a b c\",\"quorum g\"],"
             "\"prizes\":[%s]}",
             key[0], key[1], key[2], prizes);
    return rules;
}

/* Witness `i`'s line over a note's text, given the whole note. */
static size_t line_of(char *out, unsigned i, const char *note, uint64_t seconds)
{
    char message[2000];
    uint8_t raw[76];
    const size_t text = (size_t)(strstr(note, "\n\n") - note) + 1;
    rf_key_id(raw, name_of(i), RF_NOTE_COSIGNATURE, public_key[i]);
    rf_put_be(raw + 4, seconds, 8);
    int n = snprintf(message, sizeof message, "cosignature/v1\ntime %llu\n%.*s", (unsigned long long)seconds, (int)text,
                     note);
    crypto_sign_detached(raw + 12, NULL, (const uint8_t *)message, (size_t)n, secret_key[i]);
    size_t at = (size_t)sprintf(out, "\xe2\x80\x94 %s ", name_of(i));
    at += rf_base64_encode(out + at, raw, sizeof raw);
    memcpy(out + at, "\n", 2);
    return at + 1;
}

static uint64_t newest(char note[RAFFLE_NOTE_SIZE])
{
    size_t length;
    FX_OK(raffle_checkpoint(fx.raffle, 0, note, RAFFLE_NOTE_SIZE, &length, &fx.err));
    return strtoull(strchr(note, '\n') + 1, NULL, 10);
}

static raffle_rc cosigned_by(unsigned i, uint64_t size, uint64_t seconds)
{
    char note[RAFFLE_NOTE_SIZE], line[400];
    size_t length;
    FX_OK(raffle_checkpoint_get(fx.raffle, 0, size, note, sizeof note, &length, &fx.err));
    const size_t n = line_of(line, i, note, seconds);
    return raffle_checkpoint_cosign(fx.raffle, 0, size, line, n, &fx.err);
}

static int32_t quorum(uint64_t size)
{
    int32_t reached = -1;
    FX_OK(raffle_checkpoint_quorum(fx.raffle, 0, size, &reached, &fx.err));
    return reached;
}

#define RANDOM "{\"name\":\"hat\"},{\"name\":\"coat\"}"
#define COMMITTED "{\"name\":\"car\",\"seed\":\"committed\",\"beacon_delay\":60}"

START_TEST(the_policy_is_shown)
{
    raffle_witness w = RAFFLE_WITNESS_INIT;
    char policy[4000];
    size_t length;
    fx_create(rules_with(RANDOM));
    ck_assert_uint_eq(fx_info().witnesses, 3);
    FX_OK(raffle_witness_at(fx.raffle, 0, &w, &fx.err));
    ck_assert_str_eq(w.name, "a");
    ck_assert_str_eq(w.url, "https://w0.example/raffle");
    ck_assert_int_eq(strncmp(w.vkey, "w0.example+", 11), 0);
    FX_OK(raffle_witness_at(fx.raffle, 2, &w, &fx.err));
    ck_assert_str_eq(w.name, "c");
    ck_assert_str_eq(w.url, "");
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_at(fx.raffle, 3, &w, &fx.err));
    FX_OK(raffle_witness_policy(fx.raffle, policy, sizeof policy, &length, &fx.err));
    ck_assert_uint_eq(length, strlen(policy));
    char head[400];
    snprintf(head, sizeof head, "log %s\nwitness a ", fx_info().control_key);
    ck_assert_int_eq(strncmp(policy, head, strlen(head)), 0);
    ck_assert_str_eq(policy + length - 9, "quorum g\n");
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_witness_policy(fx.raffle, policy, length, &length, &fx.err));
}
END_TEST

START_TEST(without_witnesses)
{
    char text[100];
    size_t length;
    int32_t reached;
    raffle_witness w = RAFFLE_WITNESS_INIT;
    fx_create(FX_RULES);
    newest((char[RAFFLE_NOTE_SIZE]){0});
    ck_assert_uint_eq(fx_info().witnesses, 0);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_at(fx.raffle, 0, &w, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_policy(fx.raffle, text, sizeof text, &length, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_checkpoint_cosign(fx.raffle, 0, fx_size(0), "x", 1, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_checkpoint_quorum(fx.raffle, 0, fx_size(0), &reached, &fx.err));
}
END_TEST

START_TEST(what_a_witness_is_asked)
{
    char note[RAFFLE_NOTE_SIZE], body[RAFFLE_WITNESS_REQUEST_SIZE];
    size_t length;
    fx_create(rules_with(RANDOM));
    const uint64_t first = newest(note);
    FX_OK(raffle_witness_request(fx.raffle, 0, first, 0, body, sizeof body, &length, &fx.err));
    ck_assert_uint_eq(length, strlen(body));
    ck_assert_int_eq(strncmp(body, "old 0\n\n", 7), 0);
    ck_assert_str_eq(body + 7, note);
    FX_OK(cosigned_by(0, first, 7)); /* which the others are not shown */
    FX_OK(raffle_witness_request(fx.raffle, 0, first, first, body, sizeof body, &length, &fx.err));
    ck_assert_str_eq(strstr(body, "\n\n") + 2, note);
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.power", NULL, NULL, &fx.err));
    const uint64_t second = newest(note);
    FX_OK(raffle_witness_request(fx.raffle, 0, second, first, body, sizeof body, &length, &fx.err));
    uint8_t proof[64 * 32];
    size_t n, lines = 0;
    FX_OK(raffle_consistency(fx.raffle, 0, first, second, proof, &n, &fx.err));
    for (const char *at = strchr(body, '\n') + 1; *at != '\n'; at = strchr(at, '\n') + 1, lines++) {
        uint8_t hash[32];
        size_t got;
        ck_assert(rf_base64_decode(hash, sizeof hash, &got, at, 44));
        ck_assert_mem_eq(hash, proof + 32 * lines, 32);
    }
    ck_assert_uint_eq(lines, n);
    FX_FAILS(RAFFLE_INVALID, raffle_witness_request(fx.raffle, 0, first, second, body, sizeof body, &length, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND,
             raffle_witness_request(fx.raffle, 0, second + 9, 0, body, sizeof body, &length, &fx.err));
    FX_FAILS(RAFFLE_TOO_SMALL, raffle_witness_request(fx.raffle, 0, second, 0, body, 20, &length, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_request(fx.raffle, 9, second, 0, body, sizeof body, &length, &fx.err));
}
END_TEST

static uint64_t again;

static raffle_rc answer(int32_t status, const char *body)
{
    again = 77;
    return raffle_witness_answer(fx.raffle, 0, 0, fx_size(0), status, body, strlen(body), &again, &fx.err);
}

START_TEST(every_answer)
{
    char note[RAFFLE_NOTE_SIZE], line[1000], number[40];
    fx_create(rules_with(RANDOM));
    const uint64_t size = newest(note);
    line_of(line, 0, note, 7);
    FX_FAILS(RAFFLE_INVALID, answer(400, ""));
    FX_FAILS(RAFFLE_SIGNATURE, answer(403, "no\n"));
    FX_FAILS(RAFFLE_NOT_FOUND, answer(404, ""));
    FX_FAILS(RAFFLE_HISTORY, answer(422, ""));
    static const int32_t others[] = {0, -1, 100, 201, 204, 301, 302, 418, 429, 500, 503, 999};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        FX_FAILS(RAFFLE_IO, answer(others[i], line));
    static const char *const garbage[] = {"",
                                          "\n",
                                          "5",
                                          "05\n",
                                          "-1\n",
                                          "+1\n",
                                          " 1\n",
                                          "1 \n",
                                          "1\n\n",
                                          "1\r\n",
                                          "x\n",
                                          "99999999999999999999\n",
                                          "9223372036854775808\n",
                                          "1\n2\n"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        FX_FAILS(RAFFLE_INVALID, answer(409, garbage[i]));
    ck_assert_uint_eq(again, 77);
    FX_OK(answer(409, "0\n"));
    ck_assert_uint_eq(again, 0);
    snprintf(number, sizeof number, "%llu\n", (unsigned long long)size);
    FX_OK(answer(409, number));
    ck_assert_uint_eq(again, size);
    snprintf(number, sizeof number, "%llu\n", (unsigned long long)size + 1);
    FX_FAILS(RAFFLE_HISTORY, answer(409, number)); /* we are the restored ones */
    fx_said("two stores");
    FX_FAILS(RAFFLE_HISTORY, answer(409, "9223372036854775807\n"));
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.power", NULL, NULL, &fx.err)); /* one voice does not stop us */
    FX_FAILS(RAFFLE_BUSY, raffle_witness_answer(fx.raffle, 0, 0, size, 409, number, strlen(number), &again, &fx.err));
    FX_FAILS(RAFFLE_SIGNATURE, raffle_witness_answer(fx.raffle, 0, 0, size, 200, "", 0, &again, &fx.err));
    FX_FAILS(RAFFLE_SIGNATURE,
             raffle_witness_answer(fx.raffle, 0, 0, size, 200, line, strlen(line) - 1, &again, &fx.err));
    char *large = calloc(1, RAFFLE_WITNESS_ANSWER_MAX + 1);
    FX_FAILS(RAFFLE_LIMIT,
             raffle_witness_answer(fx.raffle, 0, 0, size, 200, large, RAFFLE_WITNESS_ANSWER_MAX + 1, &again, &fx.err));
    free(large);
    char foreign[1000]; /* kept, but not what was asked for */
    line_of(foreign, 1, note, 7);
    FX_FAILS(RAFFLE_SIGNATURE,
             raffle_witness_answer(fx.raffle, 2, 0, size, 200, foreign, strlen(foreign), &again, &fx.err));
    ck_assert_int_eq(quorum(size), 0);
    line_of(line + strlen(line), 3, note, 7); /* a line that nobody knows is left out */
    FX_OK(raffle_witness_answer(fx.raffle, 0, 0, size, 200, line, strlen(line), &again, &fx.err));
    ck_assert_uint_eq(again, UINT64_MAX);
    ck_assert_int_eq(quorum(size), 1);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_answer(fx.raffle, 3, 0, size, 400, "", 0, &again, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_witness_answer(fx.raffle, 0, 9, size, 400, "", 0, &again, &fx.err));
}
END_TEST

START_TEST(cosignatures_are_kept)
{
    char note[RAFFLE_NOTE_SIZE], kept[RAFFLE_NOTE_SIZE];
    size_t length;
    fx_create(rules_with(RANDOM));
    const uint64_t size = newest(note);
    FX_FAILS(RAFFLE_SIGNATURE, cosigned_by(3, size, 7));
    FX_OK(cosigned_by(0, size, 7));
    ck_assert_int_eq(quorum(size), 0);
    FX_OK(cosigned_by(0, size, 8));
    ck_assert_int_eq(quorum(size), 0); /* who signs twice counts once */
    FX_OK(cosigned_by(2, size, 7));
    ck_assert_int_eq(quorum(size), 1);
    fx_close();
    fx_open();
    ck_assert_int_eq(quorum(size), 1);
    FX_OK(raffle_checkpoint_get(fx.raffle, 0, size, kept, sizeof kept, &length, &fx.err));
    ck_assert_int_eq(strncmp(kept, note, strlen(note)), 0);
    ck_assert_uint_gt(length, strlen(note));
    ck_assert_uint_eq(newest(kept), size); /* the same one, cosigned, is given again */
    ck_assert_uint_eq(strlen(kept), length);
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.power", NULL, NULL, &fx.err));
    newest(note);
    FX_FAILS(RAFFLE_HISTORY, cosigned_by(1, size, 7)); /* not the newest any more */
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_checkpoint_cosign(fx.raffle, 0, size + 90, "x", 1, &fx.err));
}
END_TEST

START_TEST(a_units_log_is_cosigned)
{
    char note[RAFFLE_NOTE_SIZE], body[RAFFLE_WITNESS_REQUEST_SIZE], line[400];
    size_t length;
    fx_create(rules_with(RANDOM));
    fx_sell("a", "ten");
    FX_OK(raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
    FX_OK(raffle_witness_request(fx.raffle, 1, 2, 0, body, sizeof body, &length, &fx.err));
    ck_assert_str_eq(body + 7, note);
    line_of(line, 1, note, 9);
    FX_OK(raffle_witness_answer(fx.raffle, 1, 1, 2, 200, line, strlen(line), &again, &fx.err));
    FX_OK(raffle_checkpoint_get(fx.raffle, 1, 2, note, sizeof note, &length, &fx.err));
    ck_assert_ptr_nonnull(strstr(note, line));
}
END_TEST

/* --- draws --- */

static void value_of(uint64_t round, uint8_t value[48])
{
    ck_assert_int_eq(EVP_Digest(&round, sizeof round, value, NULL, EVP_sha384(), NULL), 1);
}

static raffle_rc verify(void *ctx, uint64_t round, const uint8_t value[48], raffle_error *err)
{
    uint8_t wanted[48];
    (void)ctx;
    (void)err;
    value_of(round, wanted);
    return memcmp(wanted, value, sizeof wanted) == 0 ? RAFFLE_OK : RAFFLE_SIGNATURE;
}

/* Audits, and gives the first draw; `code`: what the only fault is, or NULL for none. */
static raffle_audit_draw audited(const char *code, bool with_beacon)
{
    raffle_audit_options o = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit_draw d = RAFFLE_AUDIT_DRAW_INIT;
    raffle_fault fault = RAFFLE_FAULT_INIT;
    raffle_verdict v = RAFFLE_VERDICT_INIT;
    raffle_audit *audit = NULL;
    o.beacon = with_beacon ? verify : NULL;
    FX_OK(raffle_audit_run(fx.store, NULL, &o, &audit, &fx.err));
    FX_OK(raffle_audit_verdict(audit, &v, &fx.err));
    ck_assert_uint_eq(v.faults, code != NULL);
    if (code != NULL) {
        FX_OK(raffle_audit_fault_at(audit, 0, &fault, &fx.err));
        ck_assert_str_eq(fault.code, code);
    }
    FX_OK(raffle_audit_draw_at(audit, 0, &d, &fx.err));
    raffle_audit_free(audit);
    return d;
}

static void sealed(const char *prizes)
{
    fx_create(rules_with(prizes));
    fx_sell("a", "ten");
    fx_sell("b", "ten");
    fx_seal(RAFFLE_SEAL_FINAL);
}

START_TEST(a_random_draw_waits)
{
    char note[RAFFLE_NOTE_SIZE];
    raffle_draw *draw = NULL;
    size_t length;
    sealed(RANDOM);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &draw, &fx.err));
    const uint64_t asked = fx.coins, size = fx_size(0);
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    fx_said("missing: a b c");
    FX_OK(cosigned_by(0, size, 7));
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    fx_said("missing: b c");
    ck_assert_uint_eq(fx.coins, asked); /* nobody saw a seed */
    /* What comes meanwhile is not signed: a witness that had cosigned it could not go back to the intent. */
    FX_OK(raffle_event(fx.raffle, &fx_boss, 0, "x.power", NULL, NULL, &fx.err));
    FX_REFUSED(RAFFLE_DRAW_OPEN, raffle_checkpoint(fx.raffle, 0, note, sizeof note, &length, &fx.err));
    FX_OK(raffle_checkpoint_get(fx.raffle, 0, UINT64_MAX, note, sizeof note, &length, &fx.err));
    ck_assert_int_eq(strncmp(note, raffle_draw_checkpoint(draw), strlen(raffle_draw_checkpoint(draw))), 0);
    raffle_draw_free(draw);
    char folder[100];
    raffle_publish_info published = RAFFLE_PUBLISH_INFO_INIT;
    snprintf(folder, sizeof folder, "%s/public", fx.folder);
    FX_OK(raffle_publish(fx.raffle, folder, NULL, &published, &fx.err)); /* up to the intent */
    fx_close();
    fx_open();
    FX_OK(raffle_draw_resume(fx.raffle, &fx_boss, NULL, &draw, &fx.err));
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    FX_OK(cosigned_by(2, size, 8));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    const raffle_audit_draw d = audited(NULL, false);
    ck_assert_int_eq(d.witnessed, 1);
    ck_assert_int_eq(d.redraw_excluded, 1);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_CERTIFIED);
    newest(note); /* signed again */
}
END_TEST

/* The cosigned note is in the result, verbatim. */
START_TEST(the_result_carries_the_note)
{
    char note[RAFFLE_NOTE_SIZE], leaf[20000], line[400], name[40];
    raffle_draw *draw = NULL;
    size_t length;
    sealed(RANDOM);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &draw, &fx.err));
    const uint64_t size = fx_size(0);
    FX_OK(cosigned_by(0, size, 7));
    FX_OK(cosigned_by(1, size, 7));
    FX_OK(raffle_checkpoint_get(fx.raffle, 0, size, note, sizeof note, &length, &fx.err));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    fx_leaf(0, fx_size(0) - 1, leaf, sizeof leaf);
    for (unsigned i = 0; i < 2; i++) {
        line_of(line, i, note, 7);
        line[strlen(line) - 1] = 0;
        ck_assert_msg(strstr(leaf, line) != NULL, "witness %u", i);
    }
    snprintf(name, sizeof name, "%s", name_of(2));
    ck_assert_ptr_null(strstr(leaf, name));
}
END_TEST

typedef struct committed {
    raffle_draw *draw;
    uint64_t size; /* of the control log with the intent */
    raffle_draw_info info;
    raffle_finish_options end;
} committed;

static committed begin_committed(void)
{
    committed c = {.info.struct_size = sizeof c.info};
    raffle_draw_options o;
    uint8_t seed[48];
    sealed(COMMITTED);
    raffle_draw_options_init(&o, sizeof o);
    o.rng = fx.rng;
    FX_OK(raffle_rng_seed(fx.rng, seed, o.commitment, o.evidence, 0, &fx.err));
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "car", &o, &c.draw, &fx.err));
    c.size = fx_size(0);
    FX_OK(raffle_draw_describe(c.draw, &c.info, &fx.err));
    raffle_finish_options_init(&c.end, sizeof c.end);
    c.end.round = c.info.round;
    value_of(c.info.round, c.end.beacon);
    memcpy(c.end.seed, seed, sizeof seed);
    c.end.verify = verify;
    return c;
}

START_TEST(a_committed_draw_is_verifiable)
{
    committed c = begin_committed();
    const uint64_t round_at = (uint64_t)c.info.round_at / 1000;
    fx.now = c.info.round_at;
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err));
    FX_OK(cosigned_by(0, c.size, round_at - 1));
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err));
    FX_OK(cosigned_by(1, c.size, round_at - 60));
    FX_OK(raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err));
    raffle_draw_free(c.draw);
    raffle_audit_draw d = audited(NULL, true);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_VERIFIABLE);
    ck_assert_int_eq(d.witnessed, 1);
    ck_assert_int_eq(d.redraw_excluded, 1);
    d = audited(NULL, false); /* without the beacon's verifier nothing is proved */
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_OPERATOR);
}
END_TEST

/* Too late for the round: it is finished when that is said, and the audit says so. */
START_TEST(witnesses_that_are_late)
{
    committed c = begin_committed();
    const uint64_t round_at = (uint64_t)c.info.round_at / 1000;
    fx.now = c.info.round_at;
    FX_OK(cosigned_by(0, c.size, round_at - 1));
    c.end.flags = RAFFLE_FINISH_QUORUM_LATE;
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err)); /* late is not never */
    FX_OK(cosigned_by(1, c.size, round_at));                                         /* at the round is late */
    c.end.flags = 0;
    FX_REFUSED(RAFFLE_QUORUM, raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err));
    fx_said("before its round");
    c.end.flags = RAFFLE_FINISH_QUORUM_LATE;
    FX_OK(raffle_draw_finish(c.draw, NULL, &c.end, 0, &fx.err));
    raffle_draw_free(c.draw);
    fx.spoilt = true;
    const raffle_audit_draw d = audited("quorum-late", true);
    ck_assert_int_eq(d.assurance, RAFFLE_ASSURANCE_OPERATOR);
    ck_assert_int_eq(d.witnessed, 0);
}
END_TEST

/* Folds the control log's records, the last one as it is given: what every replay does. */
static raffle_rc folded(const char *last)
{
    static char leaf[20000];
    rf_control control;
    rf_record record;
    uint8_t hash[32] = {0};
    raffle_rc rc = RAFFLE_OK;
    rf_control_init(&control);
    const uint64_t size = fx_size(0);
    for (uint64_t i = 0; i < size && rc == RAFFLE_OK; i++) {
        fx_leaf(0, i, leaf, sizeof leaf);
        const char *bytes = i == size - 1 ? last : leaf;
        FX_OK(rf_record_decode(&record, bytes, strlen(bytes), &fx.err));
        rc = rf_control_apply(&control, &record, hash, NULL, &fx.err);
        ck_assert(i == size - 1 || rc == RAFFLE_OK);
    }
    rf_control_clear(&control);
    return rc;
}

/* Removes the bytes from one text to another one behind it. */
static void cut(char *text, const char *from, const char *to)
{
    char *at = strstr(text, from), *end = strstr(at + 1, to);
    memmove(at, end, strlen(end) + 1);
}

START_TEST(no_replay_takes_a_result_without_its_quorum)
{
    static char good[20000], bad[20000];
    raffle_draw *draw = NULL;
    sealed(RANDOM);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &draw, &fx.err));
    const uint64_t size = fx_size(0);
    FX_OK(cosigned_by(0, size, 7));
    FX_OK(cosigned_by(1, size, 7));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    fx_leaf(0, fx_size(0) - 1, good, sizeof good);
    FX_OK(folded(good));
    strcpy(bad, good);
    cut(bad, "\xe2\x80\x94 w1.example", "\"");
    FX_FAILS(RAFFLE_QUORUM, folded(bad));
    strcpy(bad, good);
    char *byte = strstr(bad, " w1.example ") + 40; /* within the line's base64 */
    *byte = *byte == 'A' ? 'B' : 'A';
    FX_FAILS(RAFFLE_SIGNATURE, folded(bad));
    strcpy(bad, good);
    *strstr(bad, "fixture\\n") = 'F'; /* another log's */
    FX_FAILS(RAFFLE_SIGNATURE, folded(bad));
}
END_TEST

/* The store's owner puts a note there that nobody cosigned, or that somebody else did: the draw does not go on. */
START_TEST(a_note_that_was_put_there)
{
    char note[RAFFLE_NOTE_SIZE], line[400];
    raffle_draw *draw = NULL;
    sealed(RANDOM);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "hat", NULL, &draw, &fx.err));
    snprintf(note, sizeof note, "%s", raffle_draw_checkpoint(draw));
    for (unsigned i = 0; i < 2; i++) {
        line_of(line, i, "raffle.example/other\n1\nAAAA\n\n", 7);
        strcat(note, line);
    }
    fx_sql(1, "UPDATE note SET note = '%s' WHERE log = 0 AND size = %llu", note, (unsigned long long)fx_size(0));
    FX_REFUSED(RAFFLE_SIGNATURE, raffle_draw_finish(draw, fx.rng, NULL, 0, &fx.err));
    raffle_draw_free(draw);
    fx.spoilt = true;
}
END_TEST

/* --- receipts --- */

static char receipt[RAFFLE_RECEIPT_MAX + 1];

static raffle_rc verify_receipt(raffle_receipt_info *info)
{
    raffle_receipt_info_init(info, sizeof *info);
    return raffle_receipt_verify(receipt, strlen(receipt), fx_info().control_key, info, &fx.err);
}

static void make_receipt(uint32_t witnesses, int32_t reached)
{
    raffle_receipt_info info;
    size_t length;
    FX_OK(raffle_receipt(fx.raffle, 1, 1, receipt, sizeof receipt, &length, &fx.err));
    ck_assert_ptr_nonnull(strstr(receipt, "\npart raffle.open\n"));
    FX_OK(verify_receipt(&info));
    ck_assert_uint_eq(info.witnesses, witnesses);
    ck_assert_int_eq(info.quorum, reached);
}

/* Replaces every occurrence in the receipt. */
static void replace(const char *from, const char *to)
{
    static char out[RAFFLE_RECEIPT_MAX + 4096];
    size_t n = 0, done = 0;
    for (const char *at = receipt; *at != 0;) {
        const bool here = strncmp(at, from, strlen(from)) == 0;
        n += (size_t)snprintf(out + n, sizeof out - n, "%.*s", here ? (int)strlen(to) : 1, here ? to : at);
        at += here ? strlen(from) : 1;
        done += here;
    }
    ck_assert_uint_gt(done, 0);
    memcpy(receipt, out, n + 1);
}

static void refused(raffle_rc wanted, const char *words)
{
    raffle_receipt_info info;
    FX_FAILS(wanted, verify_receipt(&info));
    fx_said(words);
}

/* Witnesses' lines are there in the policy's order, whatever the order in which they came; and nobody else's. */
START_TEST(receipts_carry_cosignatures)
{
    char note[RAFFLE_NOTE_SIZE], a[400], c[400], stranger[400], both[800], other[1200];
    fx_create(rules_with(RANDOM));
    fx_sell_many(fx.unit, "one", 3);
    const uint64_t size = newest(note);
    make_receipt(0, 0);
    FX_OK(cosigned_by(2, size, 1800000000));
    make_receipt(1, 0);
    FX_OK(cosigned_by(0, size, 1800000001));
    make_receipt(2, 1);
    line_of(a, 0, note, 1800000001);
    line_of(c, 2, note, 1800000000);
    line_of(stranger, 3, note, 1800000002);
    snprintf(both, sizeof both, "%s%s", a, c);
    snprintf(other, sizeof other, "%s%s", c, a);
    replace(both, other);
    refused(RAFFLE_SIGNATURE, "in another order");
    make_receipt(2, 1);
    snprintf(other, sizeof other, "%s%s", both, stranger);
    replace(both, other);
    refused(RAFFLE_SIGNATURE, "signatures of others");
    make_receipt(2, 1);
    snprintf(other, sizeof other, "%s", c);
    other[strlen(c) - 20] = c[strlen(c) - 20] == 'A' ? 'B' : 'A';
    replace(c, other);
    refused(RAFFLE_SIGNATURE, "w2.example");
}
END_TEST

/* Without raffle.open nobody can tell whose cosignatures count, and without them it says less. */
START_TEST(receipts_whose_rules_are_not_shown)
{
    char note[RAFFLE_NOTE_SIZE];
    raffle_receipt_info info;
    fx_create(rules_with(RANDOM));
    fx_sell_many(fx.unit, "one", 3);
    const uint64_t size = newest(note);
    for (int cosigned = 0; cosigned < 2; cosigned++) {
        make_receipt((uint32_t)cosigned, 0);
        char *open = strstr(receipt, "part raffle.open\n"), *enrol = strstr(receipt, "part unit.enrol\n");
        memmove(open, enrol, strlen(enrol) + 1);
        if (cosigned) {
            refused(RAFFLE_SIGNATURE, "signatures of others");
        } else {
            FX_OK(verify_receipt(&info));
            ck_assert_int_eq(info.quorum, 0);
            FX_OK(cosigned_by(0, size, 1800000000));
        }
    }
    make_receipt(1, 0);
    replace("part raffle.open\n", "part unit.enrol\n");
    refused(RAFFLE_INVALID, "line");
}
END_TEST

FX_MAIN("raffle_witness", the_policy_is_shown, without_witnesses, what_a_witness_is_asked, every_answer,
        cosignatures_are_kept, a_units_log_is_cosigned, a_random_draw_waits, the_result_carries_the_note,
        a_committed_draw_is_verifiable, witnesses_that_are_late, no_replay_takes_a_result_without_its_quorum,
        a_note_that_was_put_there, receipts_carry_cosignatures, receipts_whose_rules_are_not_shown)
