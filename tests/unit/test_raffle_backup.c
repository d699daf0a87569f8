/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: written while a raffle goes on, checked in every byte, put back with and without an anchor; and mirrors. */
#include "failing_store.h"
#include "fixture.h"

#include "bytes.h"
#include <sodium.h>
#include <unistd.h>

enum {
    MOST = 1 << 20
};

static char backup[96], again[96], keys[112];

/* --- files --- */

typedef struct sink {
    FILE *file;
    size_t most; /* bytes that it takes */
} sink;

static raffle_rc write_part(void *ctx, const char *bytes, size_t length, raffle_error *err)
{
    sink *s = ctx;
    if (length > s->most) {
        snprintf(err->message, sizeof err->message, "the tape is full");
        return RAFFLE_HOST;
    }
    s->most -= length;
    ck_assert_uint_eq(fwrite(bytes, 1, length, s->file), length);
    return RAFFLE_OK;
}

static void begin_with(const char *rules)
{
    snprintf(backup, sizeof backup, "%s/backup", fx.folder);
    snprintf(again, sizeof again, "%s/again", fx.folder);
    snprintf(keys, sizeof keys, "file:%s.keys", fx.path);
    fx_create(rules);
}

static void begin(void)
{
    begin_with(FX_RULES);
}

static void make_backup(void)
{
    sink s = {fopen(backup, "wb"), MOST};
    ck_assert_ptr_nonnull(s.file);
    FX_OK(raffle_backup(fx.raffle, write_part, &s, &fx.err));
    ck_assert_int_eq(fclose(s.file), 0);
}

static char *read_backup(size_t *length)
{
    char *bytes = malloc(MOST);
    FILE *file = fopen(backup, "rb");
    ck_assert(bytes != NULL && file != NULL);
    *length = fread(bytes, 1, MOST, file);
    fclose(file);
    return bytes;
}

static raffle_rc verify_bytes(const char *bytes, size_t length)
{
    char path[120];
    snprintf(path, sizeof path, "%s/altered", fx.folder);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
    return raffle_backup_verify(path, NULL, NULL, NULL);
}

static raffle_rc restore_at(const char *uri, const raffle_actor *by, raffle **out)
{
    return raffle_restore(backup, uri, keys, &fx.host, by, out, &fx.err);
}

/* The store of the fixture is lost; its anchor stays. */
static void lose_store(void)
{
    char path[120];
    fx_close();
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", fx.path, parts[i]);
        (void)unlink(path);
    }
}

/* A night so far: an early draw, its winner, a void, an event, sales after it. */
static void live(void)
{
    char number[RAFFLE_VALIDATION_SIZE];
    fx_sell_many(fx.unit, "ten", 40);
    FX_OK(raffle_void(fx.raffle, &fx_super, 1, 7, "refund", &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_super, 1, "printer.paper-out", "printer", "drawer two", &fx.err));
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    const raffle_pick pick = fx_pick("bird", 1);
    FX_OK(raffle_winner_verify(fx.raffle, &fx_super, "bird", 1, fx_validation(pick.unit, pick.serial, number), NULL,
                               NULL, &fx.err));
    fx_sell("late", "one");
}

static void same_log(raffle *a, raffle *b, uint32_t log, uint64_t size)
{
    uint8_t mine[32], theirs[32];
    FX_OK(raffle_root(a, log, size, NULL, mine, &fx.err));
    FX_OK(raffle_root(b, log, size, NULL, theirs, &fx.err));
    ck_assert_mem_eq(mine, theirs, 32);
}

static uint64_t faults_of(const char *store)
{
    raffle_audit *audit = NULL;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    FX_OK(raffle_audit_run(store, NULL, NULL, &audit, &fx.err));
    FX_OK(raffle_audit_verdict(audit, &verdict, &fx.err));
    raffle_audit_free(audit);
    return verdict.faults;
}

/* --- there and back --- */

START_TEST(a_raffle_comes_back_into_another_store)
{
    raffle_backup_info info = RAFFLE_BACKUP_INFO_INIT;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_unit *unit = NULL;
    raffle *r = NULL;
    char leaf[1024];
    begin();
    live();
    make_backup();
    FX_OK(raffle_backup_verify(backup, fx_info().control_key, &info, &fx.err));
    ck_assert_uint_eq(info.units, 1);
    ck_assert_uint_eq(info.records, fx_size(0) + fx_size(1));
    ck_assert_uint_eq(info.control, fx_size(0));
    ck_assert_str_eq(info.origin, "raffle.example/fixture");
    const uint64_t control = fx_size(0), sold = fx_size(1);
    FX_OK(restore_at(again, &fx_boss, &r));
    same_log(fx.raffle, r, 0, control);
    same_log(fx.raffle, r, 1, sold);
    fx_close();
    fx.raffle = r; /* what the helpers look at */
    ck_assert_uint_eq(fx_size(0), control + 2);
    fx_leaf(0, control, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"raffle.restored\""));
    fx_leaf(0, control + 1, leaf, sizeof leaf);
    ck_assert_ptr_nonnull(strstr(leaf, "\"reason\":\"restored\""));
    /* No anchor tells that nothing was sold since. */
    FX_OK(raffle_unit_open(r, 1, &unit, &fx.err));
    raffle_sale line = fx_line("new", "one");
    FX_FAILS(RAFFLE_DISABLED, raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    line = fx_line("late", "one");
    FX_OK(raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPLAYED);
    ck_assert_uint_eq(ticket.serial, sold - 1);
    raffle_unit_free(unit);
    raffle_free(r);
    fx.raffle = NULL;
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

START_TEST(with_its_anchor_it_goes_on)
{
    char uri[256];
    raffle *r = NULL;
    raffle_unit *unit = NULL;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    begin();
    live();
    make_backup();
    const uint64_t control = fx_size(0), sold = fx_size(1);
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_FAILS(RAFFLE_HISTORY,
             raffle_create(uri, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err)); /* never anew */
    FX_OK(restore_at(uri, &fx_boss, &r));
    fx.raffle = r;
    ck_assert_uint_eq(fx_size(0), control + 1); /* nothing but the event */
    FX_OK(raffle_unit_open(r, 1, &unit, &fx.err));
    raffle_sale line = fx_line("next", "one");
    FX_OK(raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.serial, sold);
    raffle_unit_free(unit);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    raffle_free(r);
    fx.raffle = NULL;
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

START_TEST(an_older_control_log_does_not_come_back)
{
    char uri[256];
    raffle *r = NULL;
    begin();
    live();
    make_backup();
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "clock.sync", NULL, NULL, &fx.err));
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_FAILS(RAFFLE_HISTORY, restore_at(uri, &fx_boss, &r));
    fx_said("the anchor saw");
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(again, keys, &fx.host, &r, &fx.err));
}
END_TEST

/* What it sold since is lost: its numbers would be sold twice. */
START_TEST(a_unit_that_sold_since_sells_no_more)
{
    char uri[256];
    raffle *r = NULL;
    raffle_unit *unit = NULL;
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    raffle_unit_info info = RAFFLE_UNIT_INFO_INIT;
    begin();
    live();
    make_backup();
    fx_sell("lost", "ten");
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_OK(restore_at(uri, &fx_boss, &r));
    FX_OK(raffle_unit_describe(r, 1, &info, &fx.err));
    ck_assert_int_eq(info.enabled, 0);
    ck_assert_int_eq(info.halted, 1);
    FX_OK(raffle_unit_enable(r, &fx_boss, 1, &fx.err));
    FX_OK(raffle_unit_open(r, 1, &unit, &fx.err));
    raffle_sale line = fx_line("next", "one");
    FX_FAILS(RAFFLE_HISTORY, raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    raffle_unit_free(unit);
    /* And a backup of what is left holds what is left. */
    fx.raffle = r;
    make_backup();
    FX_OK(raffle_backup_verify(backup, NULL, NULL, &fx.err));
    fx.raffle = NULL;
    raffle_free(r);
}
END_TEST

/* The anchor of another history: a copy that was sold from elsewhere. */
START_TEST(another_history_does_not_come_back)
{
    char uri[256], other[96];
    raffle *r = NULL;
    begin();
    live();
    make_backup();
    snprintf(other, sizeof other, "%s/other", fx.folder);
    fx_close();
    fx_copy(fx.path, other, false);
    fx_open();
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.here", NULL, NULL, &fx.err));
    fx_close();
    FX_OK(raffle_open(other, keys, &fx.host, &fx.raffle, &fx.err)); /* its own anchor: none */
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.there", NULL, NULL, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.there", NULL, NULL, &fx.err));
    make_backup();
    raffle_free(fx.raffle);
    fx.raffle = NULL;
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_FAILS(RAFFLE_HISTORY, restore_at(uri, &fx_boss, &r));
}
END_TEST

/* An anchor that has not even what the backup was signed over came from an older copy: it cannot tell what was sold since, of no unit. */
START_TEST(an_anchor_older_than_the_backup_tells_nothing)
{
    char uri[256], anchor[128], old[128];
    raffle *r = NULL;
    raffle_unit_options options = {.struct_size = sizeof options, .name = "booth"};
    raffle_unit_info info = RAFFLE_UNIT_INFO_INIT;
    uint32_t booth = 0;
    begin();
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &options, &booth, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, booth, &fx.err));
    raffle_unit *unit = fx_unit(booth);
    fx_sell_many(unit, "ten", 3);
    fx_sell("before", "ten");
    snprintf(anchor, sizeof anchor, "%s-anchor", fx.path);
    snprintf(old, sizeof old, "%s/older-anchor", fx.folder);
    fx_copy(anchor, old, false);
    fx_sell("between", "ten");
    make_backup();
    fx_sell("lost", "ten");
    fx_sell_many(unit, "ten", 2); /* lost, too; and the older anchor has all of this one's in the backup */
    raffle_unit_free(unit);
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s", again, old);
    FX_OK(restore_at(uri, &fx_boss, &r));
    for (uint32_t i = 1; i <= 2; i++) {
        FX_OK(raffle_unit_describe(r, i, &info, &fx.err));
        ck_assert_msg(info.enabled == 0, "unit %u would sell its last numbers twice", i);
    }
    raffle_free(r);
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

START_TEST(a_draw_that_is_open_is_finished_from_the_backup)
{
    char uri[256];
    raffle *r = NULL;
    raffle_draw *draw = NULL;
    begin();
    fx_sell_many(fx.unit, "ten", 10);
    fx_seal(RAFFLE_SEAL_EARLY);
    FX_OK(raffle_draw_begin(fx.raffle, &fx_boss, "bird", NULL, &draw, &fx.err));
    raffle_draw_free(draw);
    make_backup();
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s/none", fx.folder);
    FX_FAILS(RAFFLE_DRAW_OPEN, restore_at(uri, &fx_boss, &r)); /* unit 1 would have to be disabled */
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(uri, keys, &fx.host, &r, &fx.err));
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_OK(restore_at(uri, &fx_boss, &r));
    FX_OK(raffle_draw_resume(r, &fx_boss, NULL, &draw, &fx.err));
    FX_OK(raffle_draw_finish(draw, fx.rng, NULL, 5000, &fx.err));
    raffle_draw_free(draw);
    raffle_free(r);
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

/* --- what is refused --- */

START_TEST(a_backup_altered_in_any_byte)
{
    size_t length;
    begin();
    fx_sell_many(fx.unit, "ten", 2);
    fx_seal(RAFFLE_SEAL_EARLY);
    make_backup();
    char *bytes = read_backup(&length);
    ck_assert_int_eq(verify_bytes(bytes, length), RAFFLE_OK);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(bytes[i] ^ 1 << i % 7);
        const raffle_rc rc = verify_bytes(bytes, length);
        ck_assert_msg(rc == RAFFLE_CORRUPT || rc == RAFFLE_SIGNATURE || rc == RAFFLE_NEWER, "byte %zu: %d", i, rc);
        bytes[i] = (char)(bytes[i] ^ 1 << i % 7);
    }
    for (size_t i = 0; i < length; i++)
        ck_assert_msg(verify_bytes(bytes, i) == RAFFLE_CORRUPT, "cut at %zu", i);
    bytes[length] = '\n';
    ck_assert_int_eq(verify_bytes(bytes, length + 1), RAFFLE_CORRUPT);
    free(bytes);
}
END_TEST

/* Somebody who can hash, and has not the key. */
static void end_again(char *bytes, size_t *length)
{
    uint8_t hash[32];
    char *end = strstr(bytes, "\nend ") + 1;
    crypto_hash_sha256(hash, (const uint8_t *)bytes, (size_t)(end - bytes));
    rf_hex_encode(end + 4, hash, 32);
    end[68] = '\n';
    *length = (size_t)(end - bytes) + 69;
}

START_TEST(a_backup_made_up)
{
    size_t length;
    begin();
    live();
    make_backup();
    char *bytes = read_backup(&length);
    bytes[length] = '\0';
    /* A key that leads elsewhere: nothing but the signature covers it. */
    char *key = strstr(bytes, "\nkey 1 ") + 7, *last = strchr(key, ' ') - 1;
    *last = *last == '0' ? '1' : '0';
    end_again(bytes, &length);
    ck_assert_int_eq(verify_bytes(bytes, length), RAFFLE_SIGNATURE);
    memset(key, 'f', 2); /* before keys that are less */
    end_again(bytes, &length);
    ck_assert_int_eq(verify_bytes(bytes, length), RAFFLE_CORRUPT);
    *key = 'x';
    ck_assert_int_eq(verify_bytes(bytes, length), RAFFLE_CORRUPT);
    free(bytes);
}
END_TEST

START_TEST(who_may_not_and_where_not)
{
    raffle *r = NULL;
    char foreign[128];
    sink full = {NULL, 10};
    begin();
    live();
    make_backup();
    FX_FAILS(RAFFLE_HOST, raffle_backup(fx.raffle, write_part, &full, &fx.err));
    fx_said("the tape is full");
    FX_FAILS(RAFFLE_ROLE, restore_at(again, &fx_super, &r));
    FX_FAILS(RAFFLE_EXISTS, restore_at(fx.store, &fx_boss, &r));
    snprintf(foreign, sizeof foreign, "file:%s/foreign", fx.folder);
    FX_FAILS(RAFFLE_KEY, raffle_restore(backup, again, foreign, &fx.host, &fx_boss, &r, &fx.err));
    ck_assert_int_ne(access(again, F_OK), 0); /* refused before anything is made */
    FX_FAILS(RAFFLE_KEY, raffle_backup_verify(backup, "raffle.example/x+00000000+AAAA", NULL, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_backup_verify("/nonexistent", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_CORRUPT, raffle_backup_verify(fx.path, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_backup_verify(NULL, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_backup(fx.raffle, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_backup(NULL, write_part, &full, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_restore(NULL, again, keys, &fx.host, &fx_boss, &r, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_restore(backup, NULL, keys, &fx.host, &fx_boss, &r, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_restore_with(backup, NULL, NULL, &fx.host, &fx_boss, &r, &fx.err));
    raffle_free(fx.raffle);
    raffle_unit_free(fx.unit);
    fx.unit = NULL;
    FX_OK(raffle_open(fx.store, "", &fx.host, &fx.raffle, &fx.err));
    FX_FAILS(RAFFLE_KEY, raffle_backup(fx.raffle, write_part, &full, &fx.err));
}
END_TEST

START_TEST(who_may_is_what_the_rules_of_the_backup_say)
{
    raffle *r = NULL;
    begin_with(FX_HEAD FX_TIERS FX_PRIZES ",\"roles\":{\"restore\":[\"administrator\"]}}");
    make_backup();
    FX_FAILS(RAFFLE_ROLE, restore_at(again, &fx_boss, &r));
    fx_said("manager may not restore");
    ck_assert_int_ne(access(again, F_OK), 0);
    FX_OK(restore_at(again, &fx_admin, &r));
    raffle_free(r);
}
END_TEST

/* Which is said before anything is written. */
START_TEST(who_may_restore_may_not_disable)
{
    char uri[256];
    raffle *r = NULL;
    begin_with(FX_HEAD FX_TIERS FX_PRIZES ",\"roles\":{\"restore\":[\"supervisor\"]}}");
    fx_sell("a", "ten");
    make_backup();
    FX_FAILS(RAFFLE_ROLE, restore_at(again, &fx_super, &r));
    fx_said("unit 1 lost nothing: it would have to be disabled, which the role supervisor may not");
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(again, keys, &fx.host, &r, &fx.err));
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_OK(restore_at(uri, &fx_super, &r)); /* the anchor tells that nothing was lost */
    raffle_free(r);
}
END_TEST

/* --- what is cut off --- */

/* The store fails after so many appends: what was written of the units stays, and the control log is empty. */
static void restore_half(int appends)
{
    failing_store f = {.which = FAILING_APPEND, .rc = RAFFLE_IO, .good = appends};
    raffle_keys *k = NULL;
    raffle_store *store = NULL;
    raffle *r = NULL;
    char uri[128];
    snprintf(uri, sizeof uri, "sqlite:%s?create=1", again);
    FX_OK(raffle_store_open(uri, NULL, &f.inner, &fx.err));
    FX_OK(failing_store_new(&f, &store, &fx.err));
    FX_OK(raffle_keys_open(keys, &fx.host, &k, &fx.err));
    FX_FAILS(RAFFLE_IO, raffle_restore_with(backup, store, k, NULL, &fx_boss, &r, &fx.err));
    raffle_keys_free(k);
    raffle_store_free(store);
}

START_TEST(a_restore_that_was_cut_off_is_done_again)
{
    raffle *r = NULL;
    begin();
    live();
    make_backup();
    const uint64_t control = fx_size(0), sold = fx_size(1);
    static const int appends[] = {0, 1, 1}; /* nothing; the unit's records; its keys, too */
    for (size_t i = 0; i < sizeof appends / sizeof *appends; i++) {
        restore_half(appends[i]);
        FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(again, keys, &fx.host, &r, &fx.err));
    }
    FX_FAILS(RAFFLE_EXISTS,
             raffle_create(again, keys, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &r, &fx.err)); /* not over it */
    FX_OK(restore_at(again, &fx_boss, &r));
    same_log(fx.raffle, r, 0, control);
    same_log(fx.raffle, r, 1, sold);
    raffle_free(r);
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

/* Only what is the same is gone on with. */
START_TEST(another_backup_does_not_go_on_with_it)
{
    raffle *r = NULL;
    begin();
    fx_sell("kept", "ten");
    fx_sell("erased", "ten");
    make_backup();
    restore_half(2);
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 2, &fx.err));
    make_backup();
    FX_FAILS(RAFFLE_EXISTS, restore_at(again, &fx_boss, &r));
    fx_said("record 2 of log 1");
}
END_TEST

/* A database that undoes a transaction for a conflict: the batch is filled again from its beginning. */
typedef struct conflict {
    raffle_store_fill fill;
    void *ctx;
} conflict;

static raffle_rc fill_in_vain(void *ctx, const raffle_store_head *head, const raffle_store_batch *batch,
                              raffle_error *err)
{
    const conflict *c = ctx;
    raffle_rc rc = c->fill(c->ctx, head, batch, err);
    return rc == RAFFLE_OK ? raffle_error_set(err, RAFFLE_BUSY, 0, "a conflict") : rc;
}

static raffle_rc conflict_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                                 uint64_t *size, raffle_error *err)
{
    failing_store *f = ctx;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    conflict c = {fill, fill_ctx};
    if (f->good-- > 0)
        ck_assert_int_eq(rf_store_append(f->inner, log, fill_in_vain, &c, timeout_ms, &quiet), RAFFLE_BUSY);
    return failing_append(ctx, log, fill, fill_ctx, timeout_ms, size, err);
}

START_TEST(a_conflict_while_it_is_put_back)
{
    failing_store f = {.which = FAILING_NONE, .good = 3}; /* the unit's records, its keys, the control log's */
    raffle_store_table table;
    raffle_keys *k = NULL;
    raffle_store *store = NULL;
    raffle *r = NULL;
    char uri[128];
    begin();
    live();
    make_backup();
    const uint64_t control = fx_size(0), sold = fx_size(1);
    snprintf(uri, sizeof uri, "sqlite:%s?create=1", again);
    FX_OK(raffle_store_open(uri, NULL, &f.inner, &fx.err));
    failing_store_table(&table);
    table.append = conflict_append;
    FX_OK(raffle_store_new(&table, &f, &store, &fx.err));
    FX_OK(raffle_keys_open(keys, &fx.host, &k, &fx.err));
    FX_OK(raffle_restore_with(backup, store, k, NULL, &fx_boss, &r, &fx.err));
    same_log(fx.raffle, r, 0, control);
    same_log(fx.raffle, r, 1, sold);
    raffle_free(r);
    raffle_keys_free(k);
    raffle_store_free(store);
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

/* Somebody puts another file in the backup's place, between its check and the last reading: `altered` waits. */
static raffle_rc swap_append(void *ctx, uint32_t log, raffle_store_fill fill, void *fill_ctx, int32_t timeout_ms,
                             uint64_t *size, raffle_error *err)
{
    char path[120];
    snprintf(path, sizeof path, "%s/altered", fx.folder);
    if (log == 0)
        (void)rename(path, backup);
    return failing_append(ctx, log, fill, fill_ctx, timeout_ms, size, err);
}

START_TEST(a_backup_that_changes_while_it_is_read)
{
    failing_store f = {.which = FAILING_NONE};
    raffle_store_table table;
    raffle_keys *k = NULL;
    raffle_store *store = NULL;
    raffle *r = NULL;
    char uri[128];
    size_t length;
    begin();
    live();
    make_backup();
    char *bytes = read_backup(&length), *line = bytes;
    for (int i = 0; i < 5; i++)
        line = strchr(line, '\n') + 1; /* the private part of the first record */
    ck_assert_int_ne(line[2], '\n');
    line[2] = (char)(line[2] ^ 1);
    ck_assert_int_eq(verify_bytes(bytes, length), RAFFLE_CORRUPT);
    free(bytes);
    snprintf(uri, sizeof uri, "sqlite:%s?create=1", again);
    FX_OK(raffle_store_open(uri, NULL, &f.inner, &fx.err));
    failing_store_table(&table);
    table.append = swap_append;
    FX_OK(raffle_store_new(&table, &f, &store, &fx.err));
    FX_OK(raffle_keys_open(keys, &fx.host, &k, &fx.err));
    FX_FAILS(RAFFLE_CORRUPT, raffle_restore_with(backup, store, k, NULL, &fx_boss, &r, &fx.err));
    fx_said("was changed while it was read");
    raffle_keys_free(k);
    raffle_store_free(store);
    FX_FAILS(RAFFLE_NOT_RAFFLE, raffle_open(again, keys, &fx.host, &r, &fx.err));
}
END_TEST

/* --- mirrors --- */

static raffle *open_mirror(void)
{
    raffle *m = NULL;
    FX_OK(restore_at(again, NULL, &m));
    return m;
}

static raffle_mirror_info follow(raffle *m)
{
    raffle_mirror_info info = RAFFLE_MIRROR_INFO_INIT;
    FX_OK(raffle_mirror(fx.raffle, m, &info, &fx.err));
    return info;
}

static uint64_t all_records(void)
{
    uint64_t n = fx_size(0);
    for (uint32_t i = 1; i <= fx_info().units; i++)
        n += fx_size(i);
    return n;
}

START_TEST(a_mirror_follows_and_takes_over)
{
    uint32_t number = 0;
    raffle_unit_options options = {.struct_size = sizeof options};
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    begin();
    fx_sell("first", "ten");
    make_backup();
    raffle *m = open_mirror();
    ck_assert_uint_eq(follow(m).copied, 0);
    live();
    snprintf(options.name, sizeof options.name, "booth");
    FX_OK(raffle_unit_enrol(fx.raffle, &fx_boss, &options, &number, &fx.err));
    FX_OK(raffle_unit_enable(fx.raffle, &fx_boss, number, &fx.err));
    raffle_unit *booth = fx_unit(number);
    fx_sell_many(booth, "one", 3000);
    raffle_unit_free(booth);
    raffle_mirror_info info = follow(m);
    ck_assert_uint_eq(info.units, 2);
    ck_assert_uint_eq(info.records, all_records());
    ck_assert_uint_eq(follow(m).copied, 0);
    for (uint32_t log = 0; log <= 2; log++)
        same_log(fx.raffle, m, log, fx_size(log));
    raffle_free(m);
    ck_assert_uint_eq(faults_of(again), 0);
    /* The first store is lost, and its anchor says that the mirror lacks nothing. */
    char uri[256];
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_OK(raffle_open(uri, keys, &fx.host, &fx.raffle, &fx.err));
    raffle_unit *unit = fx_unit(1);
    raffle_sale line = fx_line("late", "one");
    FX_OK(raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, RAFFLE_TICKET_REPLAYED);
    line = fx_line("next", "one");
    FX_OK(raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    ck_assert_uint_eq(ticket.flags, 0);
    raffle_unit_free(unit);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    raffle_free(fx.raffle);
    fx.raffle = NULL;
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

START_TEST(a_mirror_that_lacks_the_end_says_so)
{
    char uri[256];
    raffle_ticket ticket = RAFFLE_TICKET_INIT;
    begin();
    live();
    make_backup();
    raffle *m = open_mirror();
    fx_sell("lost", "ten");
    raffle_free(m);
    lose_store();
    snprintf(uri, sizeof uri, "sqlite:%s?anchor=file:%s-anchor", again, fx.path);
    FX_OK(raffle_open(uri, keys, &fx.host, &fx.raffle, &fx.err));
    raffle_unit *unit = fx_unit(1);
    raffle_sale line = fx_line("next", "one");
    FX_FAILS(RAFFLE_HISTORY, raffle_unit_sell(unit, &fx_seller, &line, 1, 5000, &ticket, &fx.err));
    raffle_unit_free(unit);
    raffle_free(fx.raffle);
    fx.raffle = NULL;
}
END_TEST

static bool has_private(raffle *r, uint64_t serial)
{
    raffle_cursor *cursor = NULL;
    raffle_record record = {.struct_size = sizeof record};
    FX_OK(raffle_cursor_open(r, 1, serial, &cursor, &fx.err));
    FX_OK(raffle_cursor_next(cursor, &record, &fx.err));
    const bool has = record.private_part != NULL;
    raffle_cursor_free(cursor);
    return has;
}

START_TEST(what_is_erased_is_erased_in_the_mirror)
{
    begin();
    live();
    make_backup();
    raffle *m = open_mirror();
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 3, &fx.err));
    follow(m);
    ck_assert(!has_private(m, 3));
    raffle_free(m);
}
END_TEST

/* The control log says already that the part is erased; a mirror that was stopped before it was is to make up for that. */
START_TEST(an_erasure_that_was_cut_off_is_made_up_for)
{
    failing_store f = {.which = FAILING_ERASE, .rc = RAFFLE_IO};
    raffle_keys *k = NULL;
    raffle_store *store = NULL;
    raffle *m = NULL;
    begin();
    live();
    make_backup();
    raffle_free(open_mirror());
    FX_OK(raffle_ticket_erase(fx.raffle, &fx_boss, 1, 3, &fx.err));
    FX_OK(raffle_store_open(again, NULL, &f.inner, &fx.err));
    FX_OK(failing_store_new(&f, &store, &fx.err));
    FX_OK(raffle_keys_open(keys, &fx.host, &k, &fx.err));
    FX_OK(raffle_open_with(store, k, NULL, &m, &fx.err));
    FX_FAILS(RAFFLE_IO, raffle_mirror(fx.raffle, m, NULL, &fx.err));
    raffle_free(m);
    raffle_keys_free(k);
    raffle_store_free(store);
    FX_OK(raffle_open(again, keys, &fx.host, &m, &fx.err));
    ck_assert_uint_eq(follow(m).copied, 0); /* but for the private part, all is there */
    ck_assert(!has_private(m, 3));
    ck_assert(has_private(m, 2));
    raffle_free(m);
}
END_TEST

/* Whatever fails on the way, the same handle goes on from what the store has; so does a second one, which another process may have. */
START_TEST(a_mirror_goes_on_after_a_failure)
{
    failing_store f = {.which = FAILING_APPEND, .rc = RAFFLE_IO};
    raffle_keys *k = NULL;
    raffle_store *store = NULL;
    raffle *m = NULL, *second = NULL;
    begin();
    fx_sell("first", "ten");
    make_backup();
    raffle_free(open_mirror());
    live();
    FX_OK(raffle_store_open(again, NULL, &f.inner, &fx.err));
    FX_OK(failing_store_new(&f, &store, &fx.err));
    FX_OK(raffle_keys_open(keys, &fx.host, &k, &fx.err));
    FX_OK(raffle_open_with(store, k, NULL, &m, &fx.err));
    f.good = 0; /* the control log's; then the unit's */
    FX_FAILS(RAFFLE_IO, raffle_mirror(fx.raffle, m, NULL, &fx.err));
    f.good = 1;
    FX_FAILS(RAFFLE_IO, raffle_mirror(fx.raffle, m, NULL, &fx.err));
    f.which = FAILING_NONE;
    ck_assert_uint_eq(follow(m).records, all_records());
    FX_OK(raffle_open(again, keys, &fx.host, &second, &fx.err));
    for (int i = 0; i < 3; i++) {
        char order[8];
        snprintf(order, sizeof order, "m-%d", i);
        fx_sell(order, "one");
        FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.more", NULL, NULL, &fx.err));
        ck_assert_uint_eq(follow(i % 2 == 0 ? m : second).copied, 2);
        ck_assert_uint_eq(follow(i % 2 == 0 ? second : m).copied, 0);
    }
    raffle_free(second);
    raffle_free(m);
    raffle_keys_free(k);
    raffle_store_free(store);
    ck_assert_uint_eq(faults_of(again), 0);
}
END_TEST

START_TEST(what_is_no_mirror)
{
    char path[120];
    raffle *m, *other = NULL;
    begin();
    live();
    make_backup();
    m = open_mirror();
    FX_FAILS(RAFFLE_MISUSE, raffle_mirror(fx.raffle, fx.raffle, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_mirror(fx.raffle, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_mirror(NULL, m, NULL, &fx.err));
    snprintf(path, sizeof path, "%s/stranger", fx.folder);
    FX_OK(raffle_create(path, NULL, &fx.host, FX_RULES, strlen(FX_RULES), &fx_boss, &other, &fx.err));
    FX_FAILS(RAFFLE_MISMATCH, raffle_mirror(fx.raffle, other, NULL, &fx.err));
    raffle_free(other);
    FX_OK(raffle_event(m, &fx_super, 0, "x.own", NULL, NULL, &fx.err)); /* sold from */
    FX_FAILS(RAFFLE_HISTORY, raffle_mirror(fx.raffle, m, NULL, &fx.err));
    FX_OK(raffle_event(fx.raffle, &fx_super, 0, "x.other", NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_HISTORY, raffle_mirror(fx.raffle, m, NULL, &fx.err));
    raffle_free(m);
}
END_TEST

FX_MAIN("raffle_backup", a_raffle_comes_back_into_another_store, with_its_anchor_it_goes_on,
        an_older_control_log_does_not_come_back, a_unit_that_sold_since_sells_no_more,
        another_history_does_not_come_back, an_anchor_older_than_the_backup_tells_nothing,
        a_draw_that_is_open_is_finished_from_the_backup, a_backup_altered_in_any_byte, a_backup_made_up,
        who_may_not_and_where_not, who_may_is_what_the_rules_of_the_backup_say, who_may_restore_may_not_disable,
        a_restore_that_was_cut_off_is_done_again, another_backup_does_not_go_on_with_it,
        a_conflict_while_it_is_put_back, a_backup_that_changes_while_it_is_read, a_mirror_follows_and_takes_over,
        a_mirror_that_lacks_the_end_says_so, what_is_erased_is_erased_in_the_mirror,
        an_erasure_that_was_cut_off_is_made_up_for, a_mirror_goes_on_after_a_failure, what_is_no_mirror)
