/* SPDX-License-Identifier: Apache-2.0 */
/* A whole raffle for the audit's tests, made once a program through the public API; copies of its store that are altered by SQL; and what the
 * audit of a copy must find. */
#ifndef TESTS_UNIT_AUDIT_RAFFLE_H
#define TESTS_UNIT_AUDIT_RAFFLE_H

#include <check.h>
#include <openssl/sha.h>
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
#include <raffle/raffle.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is in the raffle. */
enum {
    AR_SALES = 700,     /* in unit 1, serials 1 … 700: 500 single, then 40 orders of 5 */
    AR_FEW = 20,        /* in unit 2 */
    AR_ERASED = 11,     /* serial in unit 1 whose private part was erased */
    AR_VOID_FIRST = 701 /* the void of serial 10 in unit 1; those of 20 and 30 follow */
};

static char ar_folder[64] = "/tmp/raffle-audit-XXXXXX";
static char ar_path[160]; /* of the copy under test */

static const char ar_rules[] =
    "{\"origin\":\"raffle.example/audit\",\"name\":\"Audit\",\"organisation\":\"Club\",\"currency\":\"CAD\","
    "\"sales\":{\"opens\":\"2020-01-01T00:00:00.000Z\",\"closes\":\"2100-01-01T00:00:00.000Z\"},"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500},{\"name\":\"ten\",\"count\":10,\"price\":2000}],"
    "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}],"
    "\"prizes\":[{\"name\":\"bird\",\"seal\":\"early\",\"winners\":1,\"alternates\":1},"
    "{\"name\":\"first\",\"winners\":1,\"alternates\":2},"
    "{\"name\":\"many\",\"winners\":600,\"alternates\":10,\"one_win\":\"number\"}],\"rng\":[\"system\"]}";

static raffle_error ar_err = RAFFLE_ERROR_INIT;
static uint32_t ar_claimed; /* the place that was claimed */

/* The raffle is made before any test runs, where Check's assertions cannot be used. */
static inline void ar_require(int good, int line, const char *sentence)
{
    if (good)
        return;
    fprintf(stderr, "audit_raffle.h, line %d: %s\n", line, sentence);
    exit(EXIT_FAILURE);
}

#define AR_OK(call) ar_require((call) == RAFFLE_OK, __LINE__, ar_err.message)

static const raffle_actor ar_boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER),
                          ar_ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER),
                          ar_sue = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR);

static inline void ar_sell(raffle *r, uint32_t number, int from, int n, int lines)
{
    raffle_unit *u;
    raffle_sale sale[8];
    raffle_ticket ticket[8];
    AR_OK(raffle_unit_open(r, number, &u, &ar_err));
    for (int i = 0; i < n; i += lines) {
        for (int k = 0; k < lines; k++) {
            raffle_sale_init(&sale[k], sizeof sale[k]);
            raffle_ticket_init(&ticket[k], sizeof ticket[k]);
            strcpy(sale[k].tier, (from + i + k) % 3 == 0 ? "one" : "ten");
            snprintf(sale[k].order, sizeof sale[k].order, "order-%u-%05d", number, from + i);
            if (i % 7 == 0) {
                strcpy(sale[k].buyer, "J\303\274rgen \"the\" buyer"); /* no plain ASCII */
                strcpy(sale[k].channel, "web");
                strcpy(sale[k].payment, "card 17");
            }
        }
        AR_OK(raffle_unit_sell(u, &ar_ann, sale, (size_t)lines, 5000, ticket, &ar_err));
    }
    raffle_unit_free(u);
}

static inline void ar_draw(raffle *r, raffle_rng *rng, const char *prize)
{
    raffle_draw *draw;
    AR_OK(raffle_draw_begin(r, &ar_boss, prize, NULL, &draw, &ar_err));
    AR_OK(raffle_draw_finish(draw, rng, NULL, 5000, &ar_err));
    raffle_draw_free(draw);
}

static inline uint32_t ar_verify(raffle *r, const char *prize, uint32_t place, char number[RAFFLE_VALIDATION_SIZE])
{
    raffle_pick pick = RAFFLE_PICK_INIT;
    raffle_unit *u;
    uint32_t promoted = 0;
    AR_OK(raffle_pick_at(r, prize, place, &pick, &ar_err));
    AR_OK(raffle_unit_open(r, pick.unit, &u, &ar_err));
    AR_OK(raffle_unit_validation(u, pick.serial, number, &ar_err));
    raffle_unit_free(u);
    AR_OK(raffle_winner_verify(r, &ar_sue, prize, place, number, NULL, &promoted, &ar_err));
    return promoted;
}

/* The first place whose ticket is not void: one that was taken back after the seal is drawn now and then. */
static inline void ar_claim(raffle *r, const char *prize)
{
    char number[RAFFLE_VALIDATION_SIZE];
    ar_claimed = 1;
    for (uint32_t next; (next = ar_verify(r, prize, ar_claimed, number)) != 0;)
        ar_claimed = next;
    AR_OK(raffle_winner_official(r, &ar_sue, prize, ar_claimed, &ar_err));
    AR_OK(raffle_claim(r, &ar_boss, &ar_sue, prize, ar_claimed, number, &ar_err));
}

static inline void ar_copy(const char *from, const char *to)
{
    static const char *const parts[] = {"", "-anchor"};
    for (size_t i = 0; i < 2; i++) {
        char a[200], b[200], buffer[65536];
        size_t n;
        snprintf(a, sizeof a, "%s/%s%s", ar_folder, from, parts[i]);
        snprintf(b, sizeof b, "%s/%s%s", ar_folder, to, parts[i]);
        FILE *in = fopen(a, "rb"), *out = fopen(b, "wb");
        ar_require(in != NULL && out != NULL, __LINE__, b);
        while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
            ar_require(fwrite(buffer, 1, n, out) == n, __LINE__, b);
        fclose(in);
        fclose(out);
    }
}

static inline raffle *ar_open(const char *name)
{
    char path[160];
    raffle *r;
    snprintf(path, sizeof path, "%s/%s", ar_folder, name);
    AR_OK(raffle_open(path, NULL, NULL, &r, &ar_err));
    return r;
}

/* "old" is the store before the final seal, "good" the whole night. */
static inline void ar_make(void)
{
    char path[160];
    raffle *r;
    raffle_rng *rng;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    ar_require(mkdtemp(ar_folder) != NULL, __LINE__, ar_folder);
    snprintf(path, sizeof path, "sqlite:%s/good", ar_folder);
    AR_OK(raffle_rng_open("system:", NULL, &rng, &ar_err));
    AR_OK(raffle_create(path, NULL, NULL, ar_rules, strlen(ar_rules), &ar_boss, &r, &ar_err));
    ar_sell(r, 1, 0, 500, 1);
    ar_sell(r, 1, 500, 200, 5);
    AR_OK(raffle_void(r, &ar_sue, 1, 10, "refund", &ar_err));
    AR_OK(raffle_void(r, &ar_sue, 1, 20, "refund", &ar_err));
    AR_OK(raffle_void(r, &ar_sue, 1, 30, "misprint", &ar_err));
    AR_OK(raffle_event(r, &ar_sue, 1, "printer.paper-out", "printer", "drawer two", &ar_err));
    AR_OK(raffle_seal(r, &ar_boss, NULL, RAFFLE_SEAL_EARLY, &seal, &ar_err));
    AR_OK(raffle_voids_ack(r, &ar_boss, seal.index, &ar_err));
    ar_draw(r, rng, "bird");
    raffle_free(r);
    ar_copy("good", "old");
    r = ar_open("good");
    ar_sell(r, 2, 0, AR_FEW, 1);
    AR_OK(raffle_ticket_erase(r, &ar_boss, 1, AR_ERASED, &ar_err));
    AR_OK(raffle_seal(r, &ar_boss, NULL, RAFFLE_SEAL_FINAL, &seal, &ar_err));
    AR_OK(raffle_void(r, &ar_sue, 2, 5, "refund", &ar_err));
    AR_OK(raffle_voids_ack(r, &ar_boss, seal.index, &ar_err));
    ar_draw(r, rng, "first");
    ar_draw(r, rng, "many");
    ar_claim(r, "first");
    raffle_free(r);
    raffle_rng_free(rng);
}

static inline void ar_remove(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", ar_folder);
    if (system(command) != 0)
        perror("rm");
}

/* A fresh copy of a store, to be altered. */
static inline void ar_use(const char *name)
{
    char to[32];
    snprintf(to, sizeof to, "copy-%ld", (long)getpid());
    ar_copy(name, to);
    snprintf(ar_path, sizeof ar_path, "%s/%s", ar_folder, to);
}

static inline void ar_unuse(void)
{
    static const char *const parts[] = {"", "-anchor", "-wal", "-shm"};
    for (size_t i = 0; i < 4; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s%s", ar_path, parts[i]);
        (void)unlink(path);
    }
}

/* --- altering the copy --- */

/* Runs SQL, which must change `rows` rows. */
static inline void ar_sql(int rows, const char *format, ...)
{
    sqlite3 *db;
    char sql[8192], *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    ck_assert(length >= 0 && (size_t)length < sizeof sql);
    ck_assert_int_eq(sqlite3_open(ar_path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK, "%s: %s", sql, message);
    ck_assert_int_eq(sqlite3_total_changes(db), rows);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

static inline long long ar_id(uint32_t log, uint64_t index)
{
    return (long long)(((uint64_t)log << 40) + index);
}

/* The first column of the first row, copied into `out`. */
static inline void ar_text(char *out, size_t cap, const char *format, ...)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char sql[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sql, sizeof sql, format, arguments);
    va_end(arguments);
    ck_assert_int_eq(sqlite3_open(ar_path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_msg(sqlite3_step(statement) == SQLITE_ROW, "%s", sql);
    ck_assert_int_lt((int)snprintf(out, cap, "%s", (const char *)sqlite3_column_text(statement, 0)), (int)cap);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static inline uint64_t ar_number(const char *sql)
{
    char text[32];
    ar_text(text, sizeof text, "%s", sql);
    return strtoull(text, NULL, 10);
}

/* The index of the `nth` (from 0) record of a type in a log. */
static inline uint64_t ar_find(uint32_t log, const char *type, int nth)
{
    char sql[256];
    snprintf(sql, sizeof sql,
             "SELECT id & 1099511627775 FROM record WHERE id >> 40 = %u AND json_extract(leaf, '$.t') = '%s' ORDER BY "
             "id LIMIT 1 OFFSET %d",
             log, type, nth);
    return ar_number(sql);
}

/* Replaces the first occurrence of `from` in a leaf. */
static inline void ar_leaf(uint32_t log, uint64_t index, const char *from, const char *to)
{
    ar_sql(1,
           "UPDATE record SET leaf = substr(leaf, 1, instr(leaf, '%s') - 1) || '%s' || substr(leaf, instr(leaf, '%s') "
           "+ length('%s')) WHERE id = %lld "
           "AND instr(leaf, '%s') > 0",
           from, to, from, from, ar_id(log, index), from);
}

/* Replaces a private part, and its hash in the leaf. */
static inline void ar_private(uint32_t log, uint64_t index, const char *json)
{
    unsigned char hash[32];
    char hex[65];
    SHA256((const unsigned char *)json, strlen(json), hash);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    ar_sql(1,
           "UPDATE record SET private = '%s', leaf = substr(leaf, 1, instr(leaf, '\"p\":\"') + 4) || '%s' || "
           "substr(leaf, instr(leaf, '\"p\":\"') + 69) "
           "WHERE id = %lld",
           json, hex, ar_id(log, index));
}

/* Replaces a word by its value, wherever it stands. */
static inline void ar_fill(char *leaf, size_t cap, const char *word, const char *value)
{
    for (char *at; (at = strstr(leaf, word)) != NULL;) {
        char rest[4096];
        ck_assert_int_lt((int)snprintf(rest, sizeof rest, "%s", at + strlen(word)), (int)sizeof rest);
        ck_assert_int_lt((int)snprintf(at, cap - (size_t)(at - leaf), "%s%s", value, rest),
                         (int)(cap - (size_t)(at - leaf)));
    }
}

/* What a dishonest operator writes: a record more at the end of a log, as it should be in every byte. `@at` is the time of the record before it,
 * `@p` the hash of `private`. Returns its index; its keys are the caller's matter. */
static inline uint64_t ar_forge(uint32_t log, const char *private, const char *leaf)
{
    unsigned char hash[32];
    char filled[4096], value[80], sql[128];
    snprintf(sql, sizeof sql, "SELECT size FROM log WHERE log = %u", log);
    const uint64_t size = ar_number(sql);
    snprintf(filled, sizeof filled, "%s", leaf);
    ar_text(value, sizeof value, "SELECT json_extract(leaf, '$.at') FROM record WHERE id = %lld", ar_id(log, size - 1));
    ar_fill(filled, sizeof filled, "@at", value);
    SHA256((const unsigned char *)private, strlen(private), hash);
    for (int i = 0; i < 32; i++)
        snprintf(value + 2 * i, 3, "%02x", hash[i]);
    ar_fill(filled, sizeof filled, "@p", value);
    ar_sql(2, "INSERT INTO record VALUES (%lld, '%s', '%s'); UPDATE log SET size = size + 1 WHERE log = %u",
           ar_id(log, size), filled, private, log);
    return size;
}

#define AR_ALONE "{\"actor\":\"mallory\",\"salt\":\"00000000000000000000000000000000\"}"
#define AR_BOTH "{\"actor\":\"mallory\",\"ok\":\"eve\",\"salt\":\"00000000000000000000000000000000\"}"

/* --- auditing it --- */

static inline raffle_audit *ar_audit(unsigned threads, raffle_verdict *verdict)
{
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    options.threads = threads;
    raffle_verdict_init(verdict, sizeof *verdict);
    AR_OK(raffle_audit_run(ar_path, NULL, &options, &audit, &ar_err));
    AR_OK(raffle_audit_verdict(audit, verdict, &ar_err));
    return audit;
}

/* How often a fault is among those that were kept. */
static inline unsigned ar_count(const raffle_audit *audit, int32_t kind, uint32_t log, uint64_t index, const char *code)
{
    raffle_fault fault = RAFFLE_FAULT_INIT;
    unsigned found = 0;
    for (uint64_t i = 0; raffle_audit_fault_at(audit, i, &fault, NULL) == RAFFLE_OK; i++)
        found += fault.kind == kind && fault.log == log && fault.index == index && strcmp(fault.code, code) == 0;
    return found;
}

static inline void ar_print(const raffle_audit *audit)
{
    raffle_fault fault = RAFFLE_FAULT_INIT;
    for (uint64_t i = 0; i < 20 && raffle_audit_fault_at(audit, i, &fault, NULL) == RAFFLE_OK; i++)
        fprintf(stderr, "# %d %u/%llu %s: %s\n", fault.kind, fault.log, (unsigned long long)fault.index, fault.code,
                fault.message);
}

/* The copy's audit has this fault, whatever the number of threads. */
static inline void ar_expect(int32_t kind, uint32_t log, uint64_t index, const char *code)
{
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        raffle_verdict verdict;
        raffle_audit *audit = ar_audit(threads, &verdict);
        const unsigned found = ar_count(audit, kind, log, index, code);
        if (found == 0)
            ar_print(audit);
        ck_assert_msg(found > 0, "no fault %s at %u/%llu", code, log, (unsigned long long)index);
        ck_assert_int_eq(verdict.passed, 0);
        ck_assert_uint_gt(kind == RAFFLE_FAULT_INTEGRITY ? verdict.integrity : verdict.incomplete, 0);
        ck_assert_uint_eq(verdict.faults, verdict.integrity + verdict.incomplete);
        raffle_audit_free(audit);
    }
}

static inline void ar_expect_integrity(uint32_t log, uint64_t index, const char *code)
{
    ar_expect(RAFFLE_FAULT_INTEGRITY, log, index, code);
}

static inline void ar_expect_incomplete(uint32_t log, uint64_t index, const char *code)
{
    ar_expect(RAFFLE_FAULT_COMPLETENESS, log, index, code);
}

/* Runs the tests of a program over a raffle that it makes. */
static inline int ar_run(const char *name, void (*make)(void), const TTest *const *tests, size_t n)
{
    Suite *s = suite_create(name);
    TCase *c = tcase_create(name);
    make();
    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_checked_fixture(c, NULL, ar_unuse);
    tcase_set_timeout(c, 60);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    ar_remove();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int ar_main(const char *name, const TTest *const *tests, size_t n)
{
    return ar_run(name, ar_make, tests, n);
}

#endif
