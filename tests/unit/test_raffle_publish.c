/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing: continued and from nothing, cut off anywhere, and all that must not be published over. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TWO_UNITS FX_HEAD FX_TIERS "\"units\":[{\"name\":\"a\"},{\"name\":\"b\"}]," FX_PRIZES "}"
#define ANOTHER                                                                                                        \
    "{\"origin\":\"raffle.example/another\",\"name\":\"A\",\"organisation\":\"S\",\"currency\":\"CAD\",\"sales\":{"    \
    "\"opens\":\"2026-11-21T19:00:00.000Z\",\"closes\":\"2026-11-22T05:00:00.000Z\"},\"rng\":[\"system\"]," FX_TIERS   \
    "\"prizes\":[{\"name\":\"first\"}]}"

static unsigned drafts_synced;

/* The C library's, which counts drafts of published files. */
int fdatasync(int fd)
{
    char link[64], target[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = 0;
    drafts_synced += strstr(target, "/.publish.new") != NULL;
    return (int)syscall(SYS_fdatasync, fd);
}

static char path[2][256];

/* A path in the fixture's folder; two at a time. */
static const char *in_folder(const char *name)
{
    static int turn;
    turn ^= 1;
    snprintf(path[turn], sizeof path[turn], "%s/%s", fx.folder, name);
    return path[turn];
}

static raffle_publish_info publish(const char *folder)
{
    raffle_publish_info info = RAFFLE_PUBLISH_INFO_INIT;
    FX_OK(raffle_publish(fx.raffle, in_folder(folder), NULL, &info, &fx.err));
    return info;
}

static raffle_rc try_publish(const char *folder)
{
    return raffle_publish(fx.raffle, in_folder(folder), NULL, NULL, &fx.err);
}

static bool is_there(const char *name)
{
    return access(in_folder(name), F_OK) == 0;
}

static void run(const char *format, const char *a, const char *b)
{
    char command[700];
    snprintf(command, sizeof command, format, a, b);
    ck_assert_int_eq(system(command), 0);
}

/* All that `fresh` has stands in `folder` too, byte for byte; `folder` may have partial tiles of the checkpoint before. */
static void is_like_fresh(const char *folder)
{
    publish("fresh");
    run("cd '%s' && find . -type f -exec cmp {} '%s/{}' \\;", in_folder("fresh"), in_folder(folder));
    run("rm -r '%s'%s", in_folder("fresh"), "");
}

static void audits(const char *folder, uint64_t tickets)
{
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    FX_OK(raffle_audit_store(in_folder(folder), NULL, NULL, &verdict, &fx.err));
    ck_assert_int_eq(verdict.passed, 1);
    ck_assert_uint_eq(verdict.tickets, tickets);
}

/* What a file holds, to see whether it was written. */
static void read_file(const char *name, char out[4096])
{
    FILE *in = fopen(in_folder(name), "rb");
    ck_assert_ptr_nonnull(in);
    out[fread(out, 1, 4095, in)] = 0;
    fclose(in);
}

static void write_file(const char *name, const char *text)
{
    FILE *out = fopen(in_folder(name), "wb");
    ck_assert(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

/* --- publishing --- */

START_TEST(is_continued)
{
    fx_create(TWO_UNITS);
    raffle_publish_info info = publish("p");
    ck_assert_uint_eq(info.logs, 3);
    ck_assert_uint_eq(info.records, info.added);
    ck_assert_uint_eq(info.files, 6); /* three checkpoints, the manifest, the control log's records and their hashes */
    fx_sell_many(fx.unit, "one", 300);
    info = publish("p");
    ck_assert_uint_eq(info.added, 301); /* with unit.start */
    ck_assert_uint_eq(info.files, 6);   /* two tiles, two bundles, the level above, and the unit's checkpoint */
    is_like_fresh("p");
    audits("p", 300);
    info = publish("p");
    ck_assert_uint_eq(info.added, 0);
    ck_assert_uint_eq(info.files, 0);
    fx_sell_many(fx.unit, "ten", 1);
    info = publish("p");
    ck_assert_uint_eq(info.added, 1);
    ck_assert_uint_eq(info.files, 3);
    fx_seal(RAFFLE_SEAL_EARLY);
    fx_draw("bird");
    publish("p");
    is_like_fresh("p");
    audits("p", 301);
}
END_TEST

START_TEST(every_size_over_two_tiles)
{
    fx_create(FX_RULES);
    uint64_t sold = 0;
    for (size_t n = 0; sold < 600; n++) {
        const size_t more = sold < 3 || (sold > 250 && sold < 260) || (sold > 508 && sold < 515) ? 1 : 41;
        fx_sell_many(fx.unit, "one", more);
        sold += more;
        publish("p");
        is_like_fresh("p");
    }
    audits("p", sold);
}
END_TEST

/* Those of the checkpoint before stay, for whoever began to read then. */
START_TEST(partial_tiles_go_after_two_checkpoints)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 9); /* ten records */
    publish("p");
    ck_assert(is_there("p/unit/1/tile/entries/000.p/10"));
    fx_sell_many(fx.unit, "one", 10);
    ck_assert_uint_eq(publish("p").removed, 0);
    ck_assert(is_there("p/unit/1/tile/entries/000.p/10") && is_there("p/unit/1/tile/0/000.p/20"));
    fx_sell_many(fx.unit, "one", 300);
    ck_assert_uint_eq(publish("p").removed, 2);
    ck_assert(!is_there("p/unit/1/tile/entries/000.p/10") && is_there("p/unit/1/tile/0/000.p/20"));
    fx_sell_many(fx.unit, "one", 1);
    ck_assert_uint_eq(publish("p").removed, 2);
    ck_assert(!is_there("p/unit/1/tile/0/000.p") && is_there("p/unit/1/tile/1/000.p/1"));
    is_like_fresh("p");
}
END_TEST

START_TEST(hashes_alone)
{
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    options.flags = RAFFLE_PUBLISH_HASHES;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    FX_OK(raffle_publish(fx.raffle, in_folder("h"), &options, NULL, &fx.err));
    ck_assert(!is_there("h/unit/1/tile/entries") && is_there("h/unit/1/tile/0/000"));
    ck_assert(is_there("h/control/tile/entries"));
    FX_OK(raffle_audit_store(in_folder("h"), NULL, NULL, &verdict, &fx.err));
    ck_assert_int_eq(verdict.withheld, 1);
    ck_assert_uint_eq(verdict.integrity, 0);
    ck_assert_uint_eq(verdict.incomplete, 1);
    FX_FAILS(RAFFLE_MISMATCH, try_publish("h"));
    publish("p");
    FX_FAILS(RAFFLE_MISMATCH, raffle_publish(fx.raffle, in_folder("p"), &options, NULL, &fx.err));
}
END_TEST

/* Without keys nothing is signed: what was signed before is published. */
START_TEST(without_keys)
{
    raffle *reader;
    raffle_publish_info info = RAFFLE_PUBLISH_INFO_INIT;
    fx_create(FX_RULES);
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_publish(reader, in_folder("reader"), NULL, NULL, &fx.err));
    fx_sell_many(fx.unit, "one", 30);
    publish("p");
    fx_sell_many(fx.unit, "one", 30);
    FX_OK(raffle_publish(reader, in_folder("reader"), NULL, &info, &fx.err));
    run("diff -r '%s' '%s'", in_folder("p"), in_folder("reader"));
    publish("p");
    FX_OK(raffle_publish(reader, in_folder("reader"), NULL, &info, &fx.err));
    ck_assert_uint_eq(info.added, 30);
    audits("reader", 60);
    raffle_free(reader);
}
END_TEST

/* What is published can be published again: a mirror, which has no keys. */
START_TEST(a_mirror)
{
    raffle *copy;
    char from[300];
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    publish("p");
    snprintf(from, sizeof from, "folder:%s", in_folder("p"));
    FX_OK(raffle_open(from, NULL, &fx.host, &copy, &fx.err));
    FX_OK(raffle_publish(copy, in_folder("m"), NULL, NULL, &fx.err));
    raffle_free(copy);
    run("diff -r '%s' '%s'", in_folder("p"), in_folder("m"));
}
END_TEST

/* --- cut off --- */

typedef struct cutting {
    int at, calls;
    bool by_exit;
} cutting;

static raffle_rc cut(void *ctx, uint64_t done, uint64_t total, raffle_error *err)
{
    cutting *c = ctx;
    ck_assert_uint_le(done, total);
    if (c->calls++ != c->at)
        return RAFFLE_OK;
    if (c->by_exit)
        _exit(0);
    return raffle_error_set(err, RAFFLE_HOST, 77, "enough");
}

START_TEST(an_end_that_the_host_wants)
{
    cutting c = {.at = 1};
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    options.progress = cut;
    options.progress_ctx = &c;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 600);
    raffle_error why = RAFFLE_ERROR_INIT;
    ck_assert_int_eq(raffle_publish(fx.raffle, in_folder("p"), &options, NULL, &why), RAFFLE_HOST);
    ck_assert_uint_eq(why.token, 77);
    ck_assert_str_eq(why.message, "enough");
    ck_assert(is_there("p/unit/1/tile/0/000") && !is_there("p/unit/1/checkpoint") && !is_there("p/control"));
    publish("p");
    is_like_fresh("p");
    audits("p", 600);
}
END_TEST

/* A process that ends in the midst leaves a folder that still holds what it held, and that the next call completes. */
START_TEST(a_process_that_ends)
{
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    char before[4096], after[4096];
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 200);
    publish("p");
    fx_sell_many(fx.unit, "one", 700);
    read_file("p/unit/1/checkpoint", before);
    for (int at = 0; at < 4; at++) {
        cutting c = {.at = at, .by_exit = true};
        int status;
        options.progress = cut;
        options.progress_ctx = &c;
        fx_close();
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            fx_open();
            (void)!raffle_publish(fx.raffle, in_folder("p"), &options, NULL, NULL);
            _exit(1);
        }
        ck_assert(waitpid(child, &status, 0) == child && WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        fx_open();
        read_file("p/unit/1/checkpoint", after);
        ck_assert_str_eq(before, after);
        audits("p", 200);
    }
    write_file("p/.publish.new", "what a file was, when it was cut off");
    publish("p");
    ck_assert(!is_there("p/.publish.new"));
    is_like_fresh("p");
    audits("p", 900);
}
END_TEST

START_TEST(one_at_a_time)
{
    fx_create(FX_RULES);
    publish("p");
    const int fd = open(in_folder("p"), O_RDONLY | O_DIRECTORY);
    ck_assert(fd >= 0 && flock(fd, LOCK_EX) == 0);
    FX_FAILS(RAFFLE_BUSY, try_publish("p"));
    close(fd);
    publish("p");
}
END_TEST

/* --- what is not published over --- */

/* Nothing of the folder was written: it still audits as it was. */
static void refuses(raffle_rc rc, uint64_t tickets)
{
    char before[4096], after[4096];
    read_file("p/control/checkpoint", before);
    FX_FAILS(rc, try_publish("p"));
    read_file("p/control/checkpoint", after);
    ck_assert_str_eq(before, after);
    if (tickets > 0)
        audits("p", tickets);
}

/* A store that was restored from a copy, by somebody who has no anchor. */
static void restore(const char *copy)
{
    fx_close();
    fx_copy(in_folder(copy), fx.path, false);
    fx_open();
}

START_TEST(a_restored_copy)
{
    snprintf(fx.store, sizeof fx.store, "sqlite:%.70s?anchor=none", fx.path);
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 100);
    fx_close();
    fx_copy(fx.path, in_folder("old"), false);
    fx_open();
    fx_sell_many(fx.unit, "one", 50);
    publish("p");
    restore("old");
    refuses(RAFFLE_HISTORY, 150);
    fx_said("the folder has 151 records");
    fx_sell_many(fx.unit, "ten", 60); /* further than the folder, by another way */
    refuses(RAFFLE_HISTORY, 150);
    fx_said("are not those of the store");
}
END_TEST

/* A unit that lost records is published as the seal took it: with what its key signed. */
START_TEST(a_unit_that_lost_records)
{
    char note[4096];
    size_t length;
    raffle *reader;
    raffle_seal_info seal = RAFFLE_SEAL_INFO_INIT;
    fx_create(TWO_UNITS);
    fx_sell_many(fx.unit, "one", 5);
    FX_OK(raffle_checkpoint(fx.raffle, 1, note, sizeof note, &length, &fx.err));
    fx_sell_many(fx.unit, "one", 3);
    fx_close();
    fx_copy(fx.path, in_folder("old"), false);
    fx_open();
    fx_sell_many(fx.unit, "one", 10);
    fx_close();
    fx_copy(in_folder("old"), fx.path, false);
    fx.spoilt = true;
    fx_open();
    FX_FAILS(RAFFLE_HISTORY, try_publish("p"));
    FX_OK(raffle_seal(fx.raffle, &fx_boss, &fx_super, RAFFLE_SEAL_FINAL, &seal, &fx.err));
    ck_assert_uint_eq(seal.unreconciled, 1);
    publish("p");
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    FX_OK(raffle_audit_store(in_folder("p"), NULL, NULL, &verdict, &fx.err));
    ck_assert_uint_eq(verdict.tickets, 5);
    ck_assert_uint_eq(verdict.integrity, 0);
    ck_assert_uint_eq(verdict.incomplete, 1); /* that there was more is not hidden by its being gone */
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    FX_OK(raffle_publish(reader, in_folder("reader"), NULL, NULL, &fx.err));
    raffle_free(reader);
    run("diff -r '%s' '%s'", in_folder("p"), in_folder("reader"));
}
END_TEST

START_TEST(another_raffle)
{
    raffle *other;
    fx_create(FX_RULES);
    publish("p");
    FX_OK(raffle_create(in_folder("another"), NULL, &fx.host, ANOTHER, strlen(ANOTHER), &fx_boss, &other, &fx.err));
    FX_FAILS(RAFFLE_HISTORY, raffle_publish(other, in_folder("p"), NULL, NULL, &fx.err));
    fx_said("not signed");
    raffle_free(other);
}
END_TEST

START_TEST(a_checkpoint_that_nobody_signed)
{
    char note[4096];
    fx_create(FX_RULES);
    publish("p");
    read_file("p/control/checkpoint", note);
    note[strlen(note) - 10] ^= 1;
    write_file("p/control/checkpoint", note);
    refuses(RAFFLE_HISTORY, 0);
    write_file("p/control/checkpoint", "");
    refuses(RAFFLE_HISTORY, 0);
}
END_TEST

/* What is replaced for good may not have its name before its bytes are on the disk: else a power cut leaves an empty checkpoint, over which nobody publishes. */
START_TEST(power_that_is_cut)
{
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    drafts_synced = 0; /* of the tests before, where they share a process */
    publish("p");
    ck_assert_uint_eq(drafts_synced, 3); /* two checkpoints and the manifest */
    fx_sell_many(fx.unit, "one", 1);
    publish("p");
    ck_assert_uint_eq(drafts_synced, 4);
}
END_TEST

START_TEST(a_manifest_of_something_else)
{
    fx_create(FX_RULES);
    ck_assert_int_eq(mkdir(in_folder("p"), 0755), 0);
    write_file("p/manifest.json", "{\"name\":\"a web page\"}");
    FX_FAILS(RAFFLE_MISMATCH, try_publish("p"));
    ck_assert(!is_there("p/control") && !is_there("p/unit"));
    write_file("p/manifest.json", "");
    FX_FAILS(RAFFLE_MISMATCH, try_publish("p"));
}
END_TEST

/* Links in the folder are not followed out of it, and what is no file is not replaced. */
START_TEST(links_and_folders)
{
    fx_create(FX_RULES);
    ck_assert_int_eq(mkdir(in_folder("p"), 0755), 0);
    ck_assert_int_eq(mkdir(in_folder("outside"), 0755), 0);
    ck_assert_int_eq(symlink(in_folder("outside"), in_folder("p/control")), 0);
    FX_FAILS(RAFFLE_IO, try_publish("p"));
    ck_assert(!is_there("outside/tile"));
    ck_assert_int_eq(unlink(in_folder("p/control")), 0);
    run("mkdir -p '%s'%s", in_folder("p/control/checkpoint"), "");
    FX_FAILS(RAFFLE_HISTORY, try_publish("p"));
    ck_assert_int_eq(rmdir(in_folder("p/control/checkpoint")), 0);
    run("mkdir -p '%s'%s", in_folder("p/control/tile/0/000.p/3"), "");
    FX_FAILS(RAFFLE_IO, try_publish("p"));
    ck_assert_int_eq(rmdir(in_folder("p/control/tile/0/000.p/3")), 0);
    write_file("outside/kept", "as it was");
    ck_assert_int_eq(symlink(in_folder("outside/kept"), in_folder("p/control/tile/0/000.p/3")), 0);
    run("rm -r '%s'%s", in_folder("p/control/tile/entries"), "");
    ck_assert_int_eq(link(in_folder("outside/kept"), in_folder("p/control/tile/entries")), 0);
    FX_FAILS(RAFFLE_IO, try_publish("p"));
    ck_assert_int_eq(unlink(in_folder("p/control/tile/entries")), 0);
    publish("p");
    char text[4096];
    read_file("outside/kept", text);
    ck_assert_str_eq(text, "as it was");
    audits("p", 0);
}
END_TEST

START_TEST(a_damaged_store)
{
    raffle *reader;
    fx.spoilt = true;
    fx_create(FX_RULES);
    fx_sell_many(fx.unit, "one", 300);
    publish("p");
    FX_OK(raffle_open(fx.store, "", &fx.host, &reader, &fx.err));
    fx_sql(1, "UPDATE record SET leaf = replace(leaf, '500', '501') WHERE id = (1 << 40) + 7");
    FX_FAILS(RAFFLE_CORRUPT, raffle_publish(reader, in_folder("q"), NULL, NULL, &fx.err));
    ck_assert(!is_there("q/unit/1/checkpoint") && !is_there("q/control/checkpoint"));
    fx_sql(1, "DELETE FROM record WHERE id = (1 << 40) + 7");
    FX_FAILS(RAFFLE_CORRUPT, raffle_publish(reader, in_folder("q"), NULL, NULL, &fx.err));
    raffle_free(reader);
}
END_TEST

START_TEST(where_no_folder_can_be)
{
    fx_create(FX_RULES);
    FX_FAILS(RAFFLE_NOT_FOUND, try_publish("none/below"));
    write_file("file", "a file");
    FX_FAILS(RAFFLE_IO, try_publish("file"));
    FX_FAILS(RAFFLE_INVALID, raffle_publish(fx.raffle, "", NULL, NULL, &fx.err));
}
END_TEST

START_TEST(misuse)
{
    raffle_publish_options options = RAFFLE_PUBLISH_OPTIONS_INIT;
    raffle_publish_info info = {0};
    fx_create(FX_RULES);
    FX_FAILS(RAFFLE_MISUSE, raffle_publish(NULL, in_folder("p"), NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_publish(fx.raffle, NULL, NULL, NULL, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_publish(fx.raffle, in_folder("p"), NULL, &info, &fx.err));
    options.flags = 2;
    FX_FAILS(RAFFLE_UNSUPPORTED, raffle_publish(fx.raffle, in_folder("p"), &options, NULL, &fx.err));
    options.struct_size = 0;
    FX_FAILS(RAFFLE_MISUSE, raffle_publish(fx.raffle, in_folder("p"), &options, NULL, &fx.err));
    ck_assert(!is_there("p"));
}
END_TEST

FX_MAIN("publish", is_continued, every_size_over_two_tiles, partial_tiles_go_after_two_checkpoints, hashes_alone,
        without_keys, a_mirror, an_end_that_the_host_wants, a_process_that_ends, one_at_a_time, a_restored_copy,
        a_unit_that_lost_records, another_raffle, a_checkpoint_that_nobody_signed, power_that_is_cut,
        a_manifest_of_something_else, links_and_folders, a_damaged_store, where_no_folder_can_be, misuse)
