/* SPDX-License-Identifier: Apache-2.0 */
/* Every public call at a till's own handle, and at the raffle's on a unit that is away: each has its status and a sentence, and one that is refused changes nothing. */
#include "fixture.h"

#include <sys/wait.h>
#include <unistd.h>

static char box[1 << 18], sent[1 << 14];
static size_t box_length, sent_length;
static char till_store[120], till_keys[120];
static raffle *till;
static raffle_unit *till_unit, *till_other, *away; /* of the till, its own and unit 1; of the raffle, unit 2 */
static char validation[RAFFLE_VALIDATION_SIZE], office_validation[RAFFLE_VALIDATION_SIZE];

static raffle_rc pack(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    (void)ctx;
    (void)err;
    ck_assert_uint_le(box_length + length, sizeof box);
    memcpy(box + box_length, bytes, length);
    box_length += length;
    return RAFFLE_OK;
}

static raffle_rc take_counterfoil(void *ctx, const raffle_counterfoil *counterfoil, raffle_error *err)
{
    (void)ctx;
    (void)counterfoil;
    (void)err;
    return RAFFLE_OK;
}

static raffle_rc read_nothing(void *ctx, char *bytes, size_t cap, size_t *length, raffle_error *err)
{
    (void)ctx;
    (void)bytes;
    (void)cap;
    (void)err;
    *length = 0;
    return RAFFLE_OK;
}

static void sell_at(raffle_unit *unit, const char *order)
{
    raffle_sale sale = fx_line(order, "ten");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    FX_OK(raffle_unit_sell(unit, &fx_seller, &sale, 1, 5000, &ticket, &fx.err));
}

static void begin(void)
{
    raffle_unit_options o;
    uint32_t number;
    char challenge[RAFFLE_CHALLENGE_SIZE];
    fx_create(FX_RULES);
    fx_sell("office", "ten");
    snprintf(till_store, sizeof till_store, "sqlite:%s/till.raffle", fx.folder);
    snprintf(till_keys, sizeof till_keys, "file:%s/till.keys", fx.folder);
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "tent");
    o.quota = 100;
    o.away = 1;
    FX_OK(raffle_unit_apply(till_keys, NULL, "raffle.example/fixture", 2, o.key, o.proof, &fx.err));
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &o, &number, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, 2, &fx.err));
    box_length = 0;
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, NULL, &fx.err));
    FX_OK(raffle_unit_install(till_store, till_keys, &fx.host, box, box_length, NULL, &till, &fx.err));
    FX_OK(raffle_unit_open(till, 2, &till_unit, &fx.err));
    sell_at(till_unit, "a");
    sell_at(till_unit, "b");
    FX_OK(raffle_unit_challenge(fx.raffle, 2, challenge, &fx.err));
    box_length = 0;
    FX_OK(raffle_unit_export(till_unit, challenge, pack, NULL, &fx.err));
    FX_OK(raffle_unit_upload(fx.raffle, &fx_boss, box, box_length, NULL, &fx.err));
    ck_assert_uint_le(box_length, sizeof sent);
    memcpy(sent, box, box_length);
    sent_length = box_length;
    FX_OK(raffle_unit_validation(till_unit, 1, validation, &fx.err));
    FX_OK(raffle_unit_validation(fx.unit, 1, office_validation, &fx.err));
    FX_OK(raffle_unit_open(till, 1, &till_other, &fx.err));
    away = fx_unit(2);
}

static void end(void)
{
    raffle_unit_free(away);
    raffle_unit_free(till_other);
    raffle_unit_free(till_unit);
    raffle_free(till);
}

/* --- the table --- */

static raffle *r; /* whose turn it is */

typedef struct logs {
    uint64_t size[4];
    uint8_t root[4][32];
} logs;

static void remember(raffle *handle, logs *l)
{
    raffle_info info = RAFFLE_INFO_INIT;
    memset(l, 0, sizeof *l);
    FX_OK(raffle_describe(handle, &info, &fx.err));
    ck_assert_uint_le(info.units, 3);
    for (uint32_t i = 0; i <= info.units; i++)
        FX_OK(raffle_root(handle, i, UINT64_MAX, &l->size[i], l->root[i], &fx.err));
}

static logs before[2];

static void look(logs now[2])
{
    raffle_error_init(&fx.err, sizeof fx.err);
    remember(till, &now[0]);
    remember(fx.raffle, &now[1]);
}

static void judge(const char *call, raffle_rc at_till, raffle_rc at_office, raffle_rc rc)
{
    static logs now[2];
    const raffle_rc wanted = r == till ? at_till : at_office;
    ck_assert_msg(rc == wanted, "%s at the %s: %s, not %s: %s", call, r == till ? "till" : "raffle", raffle_rc_name(rc),
                  raffle_rc_name(wanted), fx.err.message);
    ck_assert_msg((rc == RAFFLE_OK) == (fx.err.message[0] == 0), "%s: its sentence is \"%s\"", call, fx.err.message);
    if (rc == RAFFLE_OK)
        return;
    look(now);
    ck_assert_msg(memcmp(before, now, sizeof now) == 0, "%s was refused, and changes a log", call);
}

/* What the call gives at the till, and what at the raffle. */
#define BOTH(at_till, at_office, call)                                                                                 \
    do {                                                                                                               \
        look(before);                                                                                                  \
        judge(#call, RAFFLE_##at_till, RAFFLE_##at_office, (call));                                                    \
    } while (0)

static void describing(void)
{
    raffle_info info = RAFFLE_INFO_INIT;
    raffle_tier tier = RAFFLE_TIER_INIT;
    raffle_prize prize = RAFFLE_PRIZE_INIT;
    raffle_unit_info unit = RAFFLE_UNIT_INFO_INIT;
    raffle_witness witness = {.struct_size = sizeof witness};
    char local[32], text[4096];
    size_t n;
    BOTH(OK, OK, raffle_describe(r, &info, &fx.err));
    ck_assert_uint_eq(info.till, r == till ? 2 : 0);
    BOTH(OK, OK, raffle_tier_at(r, 0, &tier, &fx.err));
    BOTH(OK, OK, raffle_local_time(r, 0, local, &fx.err));
    BOTH(OK, OK, raffle_prize_at(r, 0, &prize, &fx.err));
    BOTH(OK, OK, raffle_prize_by_name(r, "bird", &prize, &fx.err));
    BOTH(OK, OK, raffle_unit_describe(r, 1, &unit, &fx.err));
    BOTH(OK, OK, raffle_unit_describe(r, 2, &unit, &fx.err));
    ck_assert_uint_eq(unit.numbers, 20);
    BOTH(NOT_FOUND, NOT_FOUND, raffle_witness_at(r, 0, &witness, &fx.err));
    BOTH(NOT_FOUND, NOT_FOUND, raffle_witness_policy(r, text, sizeof text, &n, &fx.err));
}

static void units(void)
{
    raffle_unit *other = r == till ? till_other : away;
    raffle_unit_options o;
    raffle_unit *unit = NULL;
    uint32_t number;
    size_t n;
    char text[RAFFLE_CLOSE_RECEIPT_MAX + 1];
    raffle_unit_options_init(&o, sizeof o);
    strcpy(o.name, "new");
    BOTH(AWAY, OK, raffle_unit_enrol(r, &fx_boss, &o, &number, &fx.err));
    BOTH(AWAY, EXISTS, raffle_unit_enable(r, &fx_boss, 2, &fx.err));
    BOTH(AWAY, EXISTS, raffle_unit_disable(r, &fx_boss, 3, "x", &fx.err));
    BOTH(AWAY, LIMIT, raffle_unit_quota(r, &fx_boss, 2, 5, &fx.err));
    BOTH(AWAY, SEQUENCE, raffle_unit_unenrol(r, &fx_boss, 2, &fx.err));
    BOTH(NOT_FOUND, NOT_FOUND, raffle_unit_open(r, 4, &unit, &fx.err));
    BOTH(AWAY, AWAY, raffle_unit_close(other, &fx_boss, &fx.err));
    BOTH(SEQUENCE, SEQUENCE, raffle_unit_close_receipt(r, 1, text, sizeof text, &n, &fx.err));
    BOTH(SEQUENCE, SEQUENCE, raffle_unit_close_receipt(r, 2, text, sizeof text, &n, &fx.err));
}

static void travelling(void)
{
    raffle_unit *own = r == till ? till_unit : fx.unit, *other = r == till ? till_other : away;
    char challenge[RAFFLE_CHALLENGE_SIZE];
    box_length = 0;
    BOTH(AWAY, OK, raffle_unit_kit(r, 2, pack, NULL, &fx.err));
    BOTH(AWAY, INVALID, raffle_unit_kit(r, 1, pack, NULL, &fx.err));
    BOTH(AWAY, OK, raffle_unit_challenge(r, 2, challenge, &fx.err));
    BOTH(AWAY, INVALID, raffle_unit_challenge(r, 1, challenge, &fx.err));
    BOTH(AWAY, OK, raffle_unit_news(r, 2, 0, pack, NULL, &fx.err));
    BOTH(AWAY, INVALID, raffle_unit_news(r, 1, 0, pack, NULL, &fx.err));
    BOTH(AWAY, OK, raffle_unit_upload(r, &fx_boss, sent, sent_length, NULL, &fx.err));
    BOTH(CORRUPT, INVALID, raffle_unit_update(r, "x", 1, &fx.err));
    BOTH(INVALID, INVALID, raffle_unit_export(other, "x", pack, NULL, &fx.err));
    BOTH(INVALID, INVALID, raffle_unit_export(own, "x", pack, NULL, &fx.err));
}

static void tickets(void)
{
    raffle_unit *own = r == till ? till_unit : fx.unit, *other = r == till ? till_other : away;
    raffle_sale sale = fx_line("x", "one");
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    char text[RAFFLE_RECEIPT_MAX + 1];
    size_t n;
    BOTH(AWAY, AWAY, raffle_unit_sell(other, &fx_seller, &sale, 1, 5000, &ticket, &fx.err));
    BOTH(KEY, OK, raffle_unit_validation(other, 1, text, &fx.err));
    BOTH(OK, OK, raffle_unit_validation(own, 1, text, &fx.err));
    BOTH(OK, OK, raffle_order_tickets(r, "a", &ticket, 1, &n, &fx.err));
    BOTH(NOT_FOUND, OK, raffle_order_tickets(r, "office", &ticket, 1, &n, &fx.err));
    BOTH(NOT_FOUND, OK, raffle_ticket_get(r, 1, 1, &ticket, &fx.err));
    BOTH(OK, OK, raffle_ticket_get(r, 2, 1, &ticket, &fx.err));
    BOTH(NOT_FOUND, OK, raffle_ticket_by_number(r, "1-0000001", &ticket, &fx.err));
    BOTH(OK, OK, raffle_ticket_by_number(r, "2-0000001", &ticket, &fx.err));
    BOTH(OK, OK, raffle_ticket_by_validation(r, validation, &ticket, &fx.err));
    BOTH(KEY, OK, raffle_ticket_by_validation(r, office_validation, &ticket, &fx.err));
    BOTH(NOT_FOUND, OK, raffle_receipt(r, 1, 1, text, sizeof text, &n, &fx.err));
    BOTH(OK, OK, raffle_receipt(r, 2, 1, text, sizeof text, &n, &fx.err));
    BOTH(NOT_FOUND, AWAY, raffle_void(r, &fx_super, r == till ? 1 : 2, 1, "refund", &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_ticket_erase(r, &fx_boss, 2, 9, &fx.err));
}

static void events_and_counterfoils(void)
{
    BOTH(AWAY, OK, raffle_event(r, &fx_boss, 0, "x.a", NULL, NULL, &fx.err));
    BOTH(AWAY, OK, raffle_event(r, &fx_boss, 1, "x.a", NULL, NULL, &fx.err));
    BOTH(OK, AWAY, raffle_event(r, &fx_boss, 2, "x.a", NULL, NULL, &fx.err));
    BOTH(KEY, OK, raffle_counterfoils(r, 1, 1, 1, take_counterfoil, NULL, &fx.err));
    BOTH(OK, OK, raffle_counterfoils(r, 2, 1, 1, take_counterfoil, NULL, &fx.err));
    BOTH(AWAY, OK, raffle_print(r, &fx_boss, 2, 1, 5, &fx.err));
    BOTH(AWAY, OK, raffle_reprint(r, &fx_boss, &fx_chief, 2, 1, 1, "jam", &fx.err));
    BOTH(AWAY, OK, raffle_ticket_reprint(r, &fx_boss, &fx_chief, 2, 1, "jam", &fx.err));
}

static void seals_and_draws(void)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_draw_info info = {.struct_size = sizeof info};
    raffle_draw *draw = NULL;
    raffle_pick pick = RAFFLE_PICK_INIT;
    uint32_t promoted;
    BOTH(AWAY, UNRECONCILED, raffle_seal(r, &fx_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    BOTH(AWAY, UNRECONCILED, raffle_seal(r, &fx_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_voids_ack(r, &fx_boss, 1, &fx.err));
    BOTH(NOT_SEALED, NOT_SEALED, raffle_seal_latest(r, RAFFLE_SEAL_EARLY, &seal, &fx.err));
    BOTH(AWAY, NOT_SEALED, raffle_draw_begin(r, &fx_boss, "bird", NULL, &draw, &fx.err));
    BOTH(NOT_FOUND, NOT_FOUND, raffle_draw_pending(r, &info, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_draw_resume(r, &fx_boss, NULL, &draw, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_draw_abort(r, &fx_boss, &fx_chief, "x", &fx.err));
    BOTH(NOT_FOUND, NOT_FOUND, raffle_pick_at(r, "bird", 1, &pick, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_winner_verify(r, &fx_super, "bird", 1, validation, NULL, NULL, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_winner_official(r, &fx_super, "bird", 1, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_claim(r, &fx_super, &fx_boss, "bird", 1, validation, &fx.err));
    BOTH(AWAY, NOT_FOUND, raffle_forfeit(r, &fx_boss, &fx_chief, "bird", 1, "x", &promoted, &fx.err));
}

static void checkpoints(void)
{
    char note[RAFFLE_NOTE_SIZE];
    size_t n;
    BOTH(AWAY, OK, raffle_checkpoint(r, 0, note, sizeof note, &n, &fx.err));
    BOTH(AWAY, OK, raffle_checkpoint(r, 1, note, sizeof note, &n, &fx.err));
    BOTH(OK, OK, raffle_checkpoint(r, 2, note, sizeof note, &n, &fx.err));
    BOTH(OK, OK, raffle_checkpoint_get(r, 0, UINT64_MAX, note, sizeof note, &n, &fx.err));
    BOTH(NOT_FOUND, OK, raffle_checkpoint_get(r, 1, UINT64_MAX, note, sizeof note, &n, &fx.err));
    BOTH(OK, OK, raffle_checkpoint_get(r, 2, UINT64_MAX, note, sizeof note, &n, &fx.err));
}

static void proofs(void)
{
    raffle_cursor *cursor = NULL;
    uint8_t root[32], proof[64 * 32];
    uint64_t size;
    size_t n;
    for (uint32_t log = 0; log < 3; log += 2) {
        BOTH(OK, OK, raffle_cursor_open(r, log, 0, &cursor, &fx.err));
        raffle_cursor_free(cursor);
        BOTH(OK, OK, raffle_root(r, log, UINT64_MAX, &size, root, &fx.err));
        BOTH(OK, OK, raffle_inclusion(r, log, 0, 1, proof, &n, &fx.err));
        BOTH(OK, OK, raffle_consistency(r, log, 1, 2, proof, &n, &fx.err));
    }
    BOTH(NOT_FOUND, OK, raffle_inclusion(r, 1, 0, 1, proof, &n, &fx.err)); /* it is empty there */
    BOTH(NOT_FOUND, OK, raffle_consistency(r, 1, 1, 2, proof, &n, &fx.err));
}

static void witnesses(void)
{
    char text[RAFFLE_NOTE_SIZE];
    uint64_t again;
    int32_t reached;
    size_t n;
    for (uint32_t log = 0; log < 3; log++) {
        BOTH(NOT_FOUND, NOT_FOUND, raffle_witness_request(r, log, 1, 0, text, sizeof text, &n, &fx.err));
        BOTH(AWAY, NOT_FOUND, raffle_witness_answer(r, 0, log, 1, 200, "", 0, &again, &fx.err));
        BOTH(AWAY, NOT_FOUND, raffle_checkpoint_cosign(r, log, 1, "", 0, &fx.err));
        BOTH(NOT_FOUND, NOT_FOUND, raffle_checkpoint_quorum(r, log, 1, &reached, &fx.err));
    }
}

static void reports(void)
{
    raffle_report_options o;
    raffle_report_info info = {.struct_size = sizeof info};
    raffle_publish_info published = {.struct_size = sizeof published};
    char folder[100];
    raffle_report_options_init(&o, sizeof o);
    o.format = RAFFLE_REPORT_TEXT;
    for (uint32_t i = 0; raffle_report_name(i) != NULL; i++) {
        box_length = 0;
        snprintf(o.name, sizeof o.name, "%s", raffle_report_name(i));
        BOTH(OK, OK, raffle_report_write(r, &o, pack, NULL, &fx.err));
    }
    BOTH(INVALID, INVALID, raffle_report_verify(r, read_nothing, NULL, &info, &fx.err));
    snprintf(folder, sizeof folder, "%s/published", fx.folder);
    BOTH(AWAY, OK, raffle_publish(r, folder, NULL, &published, &fx.err));
    ck_assert_int_eq(access(folder, F_OK), r == till ? -1 : 0);
}

START_TEST(every_call_on_both_sides)
{
    static void (*const groups[])(void) = {describing,      units,       travelling, tickets,   events_and_counterfoils,
                                           seals_and_draws, checkpoints, proofs,     witnesses, reports};
    begin();
    raffle *const turns[] = {till, fx.raffle};
    for (size_t turn = 0; turn < 2; turn++) {
        r = turns[turn];
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
            groups[i]();
    }
    end();
}
END_TEST

/* A failure may be seen in the words, too. */
START_TEST(what_a_till_says)
{
    char text[RAFFLE_NOTE_SIZE];
    size_t n;
    begin();
    FX_FAILS(RAFFLE_KEY, raffle_unit_validation(till_other, 1, text, &fx.err));
    fx_said("this is the till of unit 2");
    FX_FAILS(RAFFLE_KEY, raffle_counterfoils(till, 1, 1, 1, take_counterfoil, NULL, &fx.err));
    fx_said("this is the till of unit 2");
    FX_FAILS(RAFFLE_AWAY, raffle_checkpoint(till, 1, text, sizeof text, &n, &fx.err));
    fx_said("this is the till of another unit than 1");
    end();
}
END_TEST

/* --- fork --- */

static raffle_keys *keys;
static raffle_store *store;

static void in_child(void)
{
    char challenge[RAFFLE_CHALLENGE_SIZE], key[RAFFLE_VKEY_SIZE], proof[RAFFLE_PROOF_SIZE], text[9000];
    raffle *out = NULL;
    raffle_unit_info info = RAFFLE_UNIT_INFO_INIT;
    size_t n;
    const raffle_rc got[] = {raffle_unit_export(till_unit, "x", pack, NULL, NULL),
                             raffle_unit_update(till, "x", 1, NULL),
                             raffle_unit_close(till_unit, &fx_boss, NULL),
                             raffle_unit_describe(till, 2, &info, NULL),
                             raffle_unit_close_receipt(till, 2, text, sizeof text, &n, NULL),
                             raffle_unit_challenge(fx.raffle, 2, challenge, NULL),
                             raffle_unit_kit(fx.raffle, 2, pack, NULL, NULL),
                             raffle_unit_news(fx.raffle, 2, 0, pack, NULL, NULL),
                             raffle_unit_upload(fx.raffle, &fx_boss, sent, sent_length, NULL, NULL),
                             raffle_unit_enable(fx.raffle, &fx_boss, 2, NULL),
                             raffle_unit_disable(fx.raffle, &fx_boss, 2, "x", NULL),
                             raffle_unit_quota(fx.raffle, &fx_boss, 2, 9, NULL),
                             raffle_unit_unenrol(fx.raffle, &fx_boss, 2, NULL),
                             raffle_seal_latest(fx.raffle, RAFFLE_SEAL_FINAL, NULL, NULL),
                             raffle_voids_ack(fx.raffle, &fx_boss, 1, NULL),
                             raffle_unit_apply_with(keys, "raffle.example/fixture", 2, key, proof, NULL),
                             raffle_unit_install_with(store, keys, NULL, box, box_length, NULL, &out, NULL)};
    for (size_t i = 0; i < sizeof got / sizeof *got; i++)
        if (got[i] != RAFFLE_FORKED)
            _exit((int)i + 1);
    raffle_unit_free(till_unit);
    raffle_unit_free(till_other);
    raffle_free(till);
    raffle_keys_free(keys);
    raffle_store_free(store);
    _exit(0);
}

START_TEST(after_fork)
{
    int status;
    begin();
    FX_OK(raffle_keys_open(till_keys, NULL, &keys, &fx.err));
    FX_OK(raffle_store_open(fx.store, NULL, &store, &fx.err));
    box_length = 0;
    FX_OK(raffle_unit_kit(fx.raffle, 2, pack, NULL, &fx.err));
    const pid_t pid = fork();
    if (pid == 0)
        in_child();
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(status == 0, "call %d", status >> 8);
    sell_at(till_unit, "c"); /* the parent goes on */
    raffle_keys_free(keys);
    raffle_store_free(store);
    end();
}
END_TEST

FX_MAIN("raffle_away", every_call_on_both_sides, what_a_till_says, after_fork)
