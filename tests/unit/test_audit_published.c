/* SPDX-License-Identifier: Apache-2.0 */
/* A published raffle in memory: its audit says what the store's says, and no byte, file or length of it can be altered without a fault. */
#include "published/published.h"
#include "vectors.h"
#include <dirent.h>
#include <openssl/sha.h>
#include <raffle/ext/key.h>
#include <raffle/raffle.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILES = 64
};

typedef struct part {
    char path[128];
    uint8_t *bytes;
    size_t length;
    raffle_rc rc; /* what asking for it gives instead */
} part;

typedef struct copy {
    size_t n;
    part part[FILES];
} copy;

static char folder[] = "/tmp/raffle-published-XXXXXX";
static raffle_error err = RAFFLE_ERROR_INIT;
static copy small, hashes, large, huge; /* the last one has more files than are kept in memory */
static raffle_verdict stored;           /* of the small one's store */

static const raffle_actor boss = RAFFLE_ACTOR_INIT("boss", RAFFLE_MANAGER),
                          ann = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER),
                          sue = RAFFLE_ACTOR_INIT("sue", RAFFLE_SUPERVISOR);

static const char rules[] =
    "{\"origin\":\"raffle.example/p\",\"name\":\"P\",\"organisation\":\"C\",\"currency\":\"CAD\","
    "\"sales\":{\"opens\":\"2020-01-01T00:00:00.000Z\",\"closes\":\"2100-01-01T00:00:00.000Z\"},"
    "\"tiers\":[{\"name\":\"one\",\"count\":1,\"price\":500}],\"prizes\":[{\"name\":\"a\",\"alternates\":1}],"
    "\"rng\":[\"system\"]}";

/* The raffles are made before any test runs, where Check's assertions cannot be used. */
static void require(bool good, int line, const char *sentence)
{
    if (good)
        return;
    fprintf(stderr, "test_audit_published.c, line %d: %s\n", line, sentence);
    exit(EXIT_FAILURE);
}
#define OK(call) require((call) == RAFFLE_OK, __LINE__, err.message)

/* --- reading what was published --- */

static void add_part(copy *c, const char *root, const char *path)
{
    char whole[1024];
    struct stat found;
    part *p = &c->part[c->n++];
    require(c->n <= FILES, __LINE__, "too many files");
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    require(strlen(path) < sizeof p->path, __LINE__, path);
    memcpy(p->path, path, strlen(path) + 1);
    FILE *in = fopen(whole, "rb");
    require(in != NULL && fstat(fileno(in), &found) == 0, __LINE__, whole);
    p->length = (size_t)found.st_size;
    p->bytes = malloc(p->length);
    require(p->bytes != NULL && fread(p->bytes, 1, p->length, in) == p->length, __LINE__, whole);
    fclose(in);
}

static void load(copy *c, const char *root, const char *path)
{
    char whole[1024], below[512];
    snprintf(whole, sizeof whole, "%s/%s", root, path);
    DIR *dir = opendir(whole);
    require(dir != NULL, __LINE__, whole);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(below, sizeof below, "%s%s%s", path, path[0] != 0 ? "/" : "", entry->d_name);
        if (entry->d_type == DT_DIR)
            load(c, root, below);
        else
            add_part(c, root, below);
    }
    closedir(dir);
}

/* --- making raffles --- */

static void sell(raffle *r, int n)
{
    raffle_unit *unit;
    OK(raffle_unit_open(r, 1, &unit, &err));
    for (int i = 0; i < n; i++) {
        raffle_sale sale = RAFFLE_SALE_INIT;
        raffle_ticket ticket = RAFFLE_TICKET_INIT;
        snprintf(sale.tier, sizeof sale.tier, "one");
        snprintf(sale.order, sizeof sale.order, "order %d", i);
        OK(raffle_unit_sell(unit, &ann, &sale, 1, 5000, &ticket, &err));
    }
    raffle_unit_free(unit);
}

static void sell_at_once(raffle *r, size_t n)
{
    raffle_unit *unit;
    raffle_sale *sales = calloc(n, sizeof *sales);
    raffle_ticket *tickets = calloc(n, sizeof *tickets);
    require(sales != NULL && tickets != NULL, __LINE__, "memory");
    for (size_t i = 0; i < n; i++) {
        sales[i] = (raffle_sale)RAFFLE_SALE_INIT;
        snprintf(sales[i].tier, sizeof sales[i].tier, "one");
    }
    tickets[0].struct_size = sizeof *tickets;
    OK(raffle_unit_open(r, 1, &unit, &err));
    OK(raffle_unit_sell(unit, &ann, sales, n, 5000, tickets, &err));
    raffle_unit_free(unit);
    free(sales);
    free(tickets);
}

static void finish(raffle *r)
{
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    raffle_rng *rng;
    raffle_draw *draw;
    OK(raffle_void(r, &sue, 1, 2, "refund", &err));
    OK(raffle_seal(r, &boss, NULL, RAFFLE_SEAL_FINAL, &seal, &err));
    OK(raffle_voids_ack(r, &boss, seal.index, &err));
    OK(raffle_rng_open("system:", NULL, &rng, &err));
    OK(raffle_draw_begin(r, &boss, "a", NULL, &draw, &err));
    OK(raffle_draw_finish(draw, rng, NULL, 5000, &err));
    raffle_draw_free(draw);
    raffle_rng_free(rng);
}

static void publish(raffle *r, const char *name, uint32_t flags, copy *c)
{
    char path[128];
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    options.flags = flags;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(raffle_publish(r, path, &options, NULL, &err));
    load(c, path, "");
}

static raffle *make(const char *name, int sales, raffle_verdict *verdict)
{
    char path[128];
    raffle *r;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    OK(raffle_create(path, NULL, NULL, rules, strlen(rules), &boss, &r, &err));
    if (sales > 1000)
        sell_at_once(r, (size_t)sales);
    else
        sell(r, sales);
    finish(r);
    raffle_verdict_init(verdict, sizeof *verdict);
    OK(raffle_audit_store(path, NULL, NULL, verdict, &err));
    return r;
}

static void make_all(void)
{
    raffle_verdict unused;
    require(mkdtemp(folder) != NULL, __LINE__, folder);
    raffle *r = make("small.raffle", 4, &stored);
    publish(r, "small", 0, &small);
    publish(r, "hashes", RAFFLE_PUBLISH_HASHES, &hashes);
    raffle_free(r);
    r = make("large.raffle", 300, &unused);
    publish(r, "large", 0, &large);
    raffle_free(r);
    r = make("huge.raffle", 6000, &unused);
    publish(r, "huge", 0, &huge);
    raffle_free(r);
}

/* --- auditing a copy --- */

static const part *again; /* a file that is another when it is read again */
static bool was_read;

static bool lies; /* every bundle of records is another when it is read again */
static unsigned reads[FILES];

static raffle_rc get(void *ctx, const char *path, size_t max, rf_bytes *out, raffle_error *why)
{
    const copy *c = ctx;
    for (size_t i = 0; i < c->n; i++) {
        const part *p = &c->part[i];
        if (strcmp(p->path, path) != 0)
            continue;
        if (p->rc != RAFFLE_OK)
            return raffle_error_set(why, p->rc, 0, "it is hostile");
        if (p->length > max)
            return raffle_error_set(why, RAFFLE_CORRUPT, 0, "it is too large");
        if (!rf_bytes_room(out, p->length + 1))
            return raffle_error_set(why, RAFFLE_NOMEM, 0, "");
        memcpy(out->at, p->bytes, p->length);
        out->length = p->length;
        out->at[0] ^= (uint8_t)(p == again && was_read);
        was_read = was_read || p == again;
        if (lies && reads[i]++ > 0 && strstr(path, "entries/") != NULL)
            out->at[p->length - 40] ^= 1; /* of the last record's text */
        return RAFFLE_OK;
    }
    return raffle_error_set(why, RAFFLE_NOT_FOUND, 0, "it is missing");
}

static unsigned threads = 1;

/* True when the audit was run and passed. */
static bool passes(copy *c, raffle_verdict *verdict)
{
    const rf_source source = {c, get, NULL};
    raffle_store_table table;
    raffle_audit_options options = RAFFLE_AUDIT_OPTIONS_INIT;
    raffle_audit *audit = NULL;
    raffle_store *store;
    void *ctx;
    options.threads = threads;
    raffle_verdict_init(verdict, sizeof *verdict);
    if (rf_published_open(&source, &table, &ctx, &err) != RAFFLE_OK)
        return false;
    ck_assert_int_eq(raffle_store_new(&table, ctx, &store, &err), RAFFLE_OK);
    raffle_rc rc = raffle_audit_run_with(store, &options, &audit, &err);
    raffle_store_free(store);
    if (rc == RAFFLE_OK)
        ck_assert_int_eq(raffle_audit_verdict(audit, verdict, &err), RAFFLE_OK);
    raffle_audit_free(audit);
    return rc == RAFFLE_OK && verdict->passed;
}

/* Of a copy whose records are withheld, as it must be: incomplete, and all there is is right. */
static bool is_right(copy *c)
{
    raffle_verdict verdict;
    const bool passed = passes(c, &verdict);
    return c == &hashes ? verdict.withheld && verdict.integrity == 0 && verdict.incomplete == 2 : passed;
}

static copy *const copies[] = {&small, &hashes, &large};

/* --- tests --- */

START_TEST(audits_as_the_store_does)
{
    raffle_verdict v;
    ck_assert(stored.passed);
    ck_assert_msg(passes(&small, &v), "%s", err.message);
    ck_assert_uint_eq(v.records, stored.records);
    ck_assert_uint_eq(v.tickets, 4);
    ck_assert_uint_eq(v.numbers, stored.numbers);
    ck_assert_uint_eq(v.voids, 1);
    ck_assert_int_eq(v.gross, stored.gross);
    ck_assert_int_eq(v.void_gross, 500);
    ck_assert_uint_eq(v.draws, 1);
    ck_assert_str_eq(v.currency, "CAD");
    ck_assert_uint_eq(v.digits, 2);
    ck_assert_int_eq(v.withheld, 0);
    ck_assert_uint_eq(v.private_missing, v.records);
    ck_assert(passes(&large, &v));
    ck_assert_uint_eq(v.tickets, 300);
}
END_TEST

START_TEST(from_several_threads)
{
    raffle_verdict v;
    threads = 4;
    for (int i = 0; i < 20; i++) {
        ck_assert(passes(&large, &v));
        ck_assert(is_right(&hashes));
        large.part[i % large.n].rc = RAFFLE_NOT_FOUND;
        ck_assert(!passes(&large, &v));
        large.part[i % large.n].rc = RAFFLE_OK;
    }
    threads = 1;
}
END_TEST

/* Published anew while it is read: what does not fit together then is no fault. */
START_TEST(another_moment)
{
    raffle_verdict v;
    ck_assert(passes(&small, &v));
    for (size_t i = 0; i < small.n; i++) {
        if (strcmp(small.part[i].path, "control/checkpoint") != 0)
            continue;
        again = &small.part[i];
        ck_assert(!passes(&small, &v));
        ck_assert_int_eq(err.rc, RAFFLE_BUSY);
        again = NULL;
    }
}
END_TEST

/* A server that is asked again gives what was never checked: a draw looks into records when all are read, and may find another ticket under the number that won. */
START_TEST(a_server_that_changes_its_mind)
{
    raffle_verdict v;
    ck_assert_msg(passes(&huge, &v), "%s", err.message);
    memset(reads, 0, sizeof reads);
    lies = true;
    ck_assert(!passes(&huge, &v));
    lies = false;
    unsigned most = 0;
    for (size_t i = 0; i < FILES; i++)
        most = reads[i] > most ? reads[i] : most;
    ck_assert_uint_gt(most, 1);
}
END_TEST

START_TEST(withheld_records_are_incomplete)
{
    raffle_verdict v;
    ck_assert(!passes(&hashes, &v));
    ck_assert_uint_eq(v.integrity, 0);
    ck_assert_uint_eq(v.incomplete, 2); /* a unit, and a draw */
    ck_assert_int_eq(v.withheld, 1);
    ck_assert_uint_eq(v.draws, 0);
    ck_assert_uint_eq(v.tickets, 0);
}
END_TEST

static void alter(copy *c, part *p, size_t at)
{
    const uint8_t bit = (uint8_t)(1u << (at + p->path[0]) % 8);
    p->bytes[at] ^= bit;
    ck_assert_msg(!is_right(c), "%s: byte %zu may be altered", p->path, at);
    p->bytes[at] ^= bit;
}

/* Every byte of the small raffles, by turns: which of its bits is another for each. Of the large one some of each file. */
START_TEST(no_byte_can_be_altered)
{
    copy *c = copies[_i];
    for (size_t i = 0; i < c->n; i++)
        for (size_t at = 0; at < c->part[i].length; at += c != &large ? 1 : c->part[i].length / 16 + 1)
            alter(c, &c->part[i], at);
    ck_assert(is_right(c));
}
END_TEST

START_TEST(no_file_can_be_left_out)
{
    copy *c = copies[_i];
    for (size_t i = 0; i < c->n; i++) {
        for (raffle_rc rc = RAFFLE_OK; rc != RAFFLE_MISUSE;) {
            rc = rc == RAFFLE_OK ? RAFFLE_NOT_FOUND : rc == RAFFLE_NOT_FOUND ? RAFFLE_CORRUPT : RAFFLE_IO;
            c->part[i].rc = rc;
            ck_assert_msg(!is_right(c), "%s is not needed", c->part[i].path);
            if (rc == RAFFLE_IO)
                break;
        }
        c->part[i].rc = RAFFLE_OK;
    }
    ck_assert(is_right(c));
}
END_TEST

/* Cut short, empty, and with a byte too many. */
START_TEST(no_length_can_be_altered)
{
    copy *c = copies[_i];
    for (size_t i = 0; i < c->n; i++) {
        part *p = &c->part[i];
        const size_t length = p->length;
        uint8_t *longer = malloc(length + 1);
        ck_assert_ptr_nonnull(longer);
        memcpy(longer, p->bytes, length);
        longer[length] = '\n';
        free(p->bytes);
        p->bytes = longer;
        const size_t lengths[] = {0, 1, length / 2, length - 1, length + 1};
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            p->length = lengths[k];
            ck_assert_msg(!is_right(c), "%s may have %zu bytes", p->path, lengths[k]);
        }
        p->length = length;
    }
    ck_assert(is_right(c));
}
END_TEST

/* A file in the place of another. */
START_TEST(no_two_files_can_change_places)
{
    copy *c = copies[_i];
    for (size_t i = 0; i < c->n; i++) {
        for (size_t k = i + 1; k < c->n; k++) {
            const part a = c->part[i], b = c->part[k];
            memcpy(c->part[i].path, b.path, sizeof b.path);
            memcpy(c->part[k].path, a.path, sizeof a.path);
            ck_assert_msg(!is_right(c), "%s may stand for %s", a.path, b.path);
            c->part[i] = a;
            c->part[k] = b;
        }
    }
    ck_assert(is_right(c));
}
END_TEST

/* A checkpoint that nobody signed, of the largest log that there can be, ends in faults and not in a walk without end. */
START_TEST(a_size_without_end_ends)
{
    for (size_t i = 0; i < small.n; i++) {
        part *p = &small.part[i];
        if (strstr(p->path, "checkpoint") == NULL)
            continue;
        const part before = *p;
        char *end = memchr(p->bytes, '\n', p->length), *rest = strchr(end + 1, '\n');
        char forged[4096];
        const int n = snprintf(forged, sizeof forged, "%.*s\n1099511627776%.*s", (int)(end - (char *)p->bytes),
                               (char *)p->bytes, (int)(p->length - (size_t)(rest - (char *)p->bytes)), rest);
        p->bytes = (uint8_t *)forged;
        p->length = (size_t)n;
        ck_assert(!is_right(&small));
        *p = before;
    }
}
END_TEST

/* Through the handle of a raffle: it is read, and never written. */
START_TEST(is_opened_to_be_read)
{
    char path[160];
    raffle *r;
    raffle_info info = RAFFLE_INFO_INIT;
    snprintf(path, sizeof path, "folder:%s/small", folder);
    ck_assert_int_eq(raffle_open(path, NULL, NULL, &r, &err), RAFFLE_OK);
    ck_assert_int_eq(raffle_describe(r, &info, &err), RAFFLE_OK);
    ck_assert_uint_eq(info.tickets, 4);
    ck_assert_int_eq(raffle_event(r, &sue, 0, "power.lost", "house", NULL, &err), RAFFLE_KEY);
    raffle_free(r);
    ck_assert_int_eq(raffle_create(path, NULL, NULL, rules, strlen(rules), &boss, &r, &err), RAFFLE_EXISTS);
    snprintf(path, sizeof path, "folder:%s/none", folder);
    ck_assert_int_eq(raffle_open(path, NULL, NULL, &r, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(raffle_open(folder, NULL, NULL, &r, &err), RAFFLE_NOT_RAFFLE);
}
END_TEST

static void add(TCase *tests)
{
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, audits_as_the_store_does);
    tcase_add_test(tests, from_several_threads);
    tcase_add_test(tests, another_moment);
    tcase_add_test(tests, a_server_that_changes_its_mind);
    tcase_add_test(tests, withheld_records_are_incomplete);
    tcase_add_loop_test(tests, no_byte_can_be_altered, 0, 3);
    tcase_add_loop_test(tests, no_file_can_be_left_out, 0, 3);
    tcase_add_loop_test(tests, no_length_can_be_altered, 0, 3);
    tcase_add_loop_test(tests, no_two_files_can_change_places, 0, 3);
    tcase_add_test(tests, a_size_without_end_ends);
    tcase_add_test(tests, is_opened_to_be_read);
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (system(command) != 0)
        perror(folder);
}

static void drop(copy *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->part[i].bytes);
}

int main(void)
{
    make_all();
    const int status = run_tests("published", add);
    for (size_t i = 0; i < sizeof copies / sizeof *copies; i++)
        drop(copies[i]);
    remove_folder();
    return status;
}
