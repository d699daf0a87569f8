/* SPDX-License-Identifier: Apache-2.0 */
/* The anchor file: never back, never lost by a torn write, told apart from another raffle's. */
#include "anchor.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORIGIN "raffle.example/gala"

enum {
    SLOT = 512
};

static char folder[64], path[96];
static rf_anchor *anchor;
static raffle_error err;

static void set_up(void)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.32s/raffle-anchor-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    err = (raffle_error)RAFFLE_ERROR_INIT;
    ck_assert_int_eq(rf_anchor_new(path, &anchor, &err), RAFFLE_OK);
}

static void tear_down(void)
{
    rf_anchor_free(anchor);
    unlink(path);
    rmdir(folder);
}

static raffle_rc put(uint32_t log, uint64_t size, uint8_t fill)
{
    uint8_t root[32];
    memset(root, fill, sizeof root);
    return rf_anchor_put(anchor, ORIGIN, log, size, root, true, &err);
}

/* The size, and that the root is `fill` all over. */
static void expect(uint32_t log, uint64_t size, uint8_t fill)
{
    uint8_t root[32];
    uint64_t found = 0;
    raffle_rc rc = rf_anchor_get(anchor, ORIGIN, log, &found, root, &err);
    ck_assert_msg(rc == RAFFLE_OK, "get: %s", err.message);
    ck_assert_uint_eq(found, size);
    for (size_t i = 0; i < sizeof root; i++)
        ck_assert_uint_eq(root[i], fill);
}

static raffle_rc get(uint32_t log)
{
    uint8_t root[32];
    uint64_t size = 0;
    return rf_anchor_get(anchor, ORIGIN, log, &size, root, &err);
}

static void damage(off_t at)
{
    int fd = open(path, O_RDWR);
    char byte = 0;
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static off_t slot_of(uint32_t log, int which)
{
    return SLOT * (1 + 2 * (off_t)log + which);
}

START_TEST(nothing_at_first)
{
    ck_assert_int_eq(get(0), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(put(1, 5, 0xaa), RAFFLE_OK);
    ck_assert_int_eq(get(0), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(get(2), RAFFLE_NOT_FOUND);
    expect(1, 5, 0xaa);
}
END_TEST

START_TEST(never_back)
{
    ck_assert_int_eq(put(0, 5, 1), RAFFLE_OK);
    ck_assert_int_eq(put(0, 9, 2), RAFFLE_OK);
    ck_assert_int_eq(put(0, 5, 1), RAFFLE_OK);
    expect(0, 9, 2);
    ck_assert_int_eq(put(0, 9, 2), RAFFLE_OK);
    ck_assert_int_eq(put(0, 9, 3), RAFFLE_HISTORY);
    expect(0, 9, 2);
}
END_TEST

START_TEST(empty_log_has_an_anchor_too)
{
    ck_assert_int_eq(put(0, 0, 7), RAFFLE_OK);
    expect(0, 0, 7);
}
END_TEST

START_TEST(highest_log_and_size)
{
    ck_assert_int_eq(put(65535, UINT64_C(1) << 40, 4), RAFFLE_OK);
    expect(65535, UINT64_C(1) << 40, 4);
}
END_TEST

START_TEST(file_is_private_and_readable)
{
    struct stat st;
    char line[SLOT + 1] = "";
    ck_assert_int_eq(put(1, 5, 0xab), RAFFLE_OK);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_int_eq(strncmp(line, "libraffle anchor 1 " ORIGIN " ", 38), 0);
    fseek(file, slot_of(1, 0), SEEK_SET);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_int_eq(strncmp(line, "log 1 size 5 root abab", 22), 0);
    fclose(file);
}
END_TEST

/* Whatever byte of the newer slot is wrong, the older one holds. */
START_TEST(torn_write_leaves_the_older_value)
{
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    ck_assert_int_eq(put(1, 6, 2), RAFFLE_OK);
    for (off_t i = 0; i < SLOT; i++) {
        damage(slot_of(1, 1) + i);
        expect(1, 5, 1);
        damage(slot_of(1, 1) + i);
    }
    expect(1, 6, 2);
    damage(slot_of(1, 1));
    ck_assert_int_eq(put(1, 7, 3), RAFFLE_OK);
    expect(1, 7, 3);
    damage(slot_of(1, 0));
    expect(1, 7, 3);
}
END_TEST

START_TEST(first_write_torn_is_none)
{
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    damage(slot_of(1, 0) + 4);
    ck_assert_int_eq(get(1), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    expect(1, 5, 1);
}
END_TEST

START_TEST(both_damaged)
{
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    ck_assert_int_eq(put(1, 6, 2), RAFFLE_OK);
    damage(slot_of(1, 0));
    damage(slot_of(1, 1));
    ck_assert_int_eq(get(1), RAFFLE_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "log 1"));
    ck_assert_int_eq(put(1, 7, 3), RAFFLE_CORRUPT);
    ck_assert_int_eq(put(2, 7, 3), RAFFLE_OK);
}
END_TEST

/* A slot is bound to its log. */
START_TEST(slot_of_another_log)
{
    char slot[SLOT];
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pread(fd, slot, SLOT, slot_of(1, 0)), SLOT);
    ck_assert_int_eq(pwrite(fd, slot, SLOT, slot_of(2, 0)), SLOT);
    ck_assert_int_eq(pwrite(fd, slot, SLOT, slot_of(2, 1)), SLOT);
    close(fd);
    ck_assert_int_eq(get(2), RAFFLE_CORRUPT);
    expect(1, 5, 1);
}
END_TEST

START_TEST(another_raffle_s)
{
    uint8_t root[32] = {0};
    uint64_t size = 0;
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    ck_assert_int_eq(rf_anchor_get(anchor, ORIGIN "2", 1, &size, root, &err), RAFFLE_MISMATCH);
    ck_assert_int_eq(rf_anchor_put(anchor, "raffle.example", 1, 6, root, false, &err), RAFFLE_MISMATCH);
    ck_assert_ptr_nonnull(strstr(err.message, ORIGIN));
    expect(1, 5, 1);
}
END_TEST

START_TEST(not_an_anchor)
{
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 100; i++)
        fputs("something else\n", file);
    fclose(file);
    ck_assert_int_eq(get(1), RAFFLE_CORRUPT);
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_CORRUPT);
}
END_TEST

START_TEST(unfinished_file_is_begun_again)
{
    FILE *file = fopen(path, "w");
    fputs("libraffle anc", file);
    fclose(file);
    ck_assert_int_eq(get(1), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    expect(1, 5, 1);
}
END_TEST

/* The anchor's path is a host's setting: a file that it names by mistake stays as it is, a short one too. */
START_TEST(short_stranger_is_left_alone)
{
    static const char *const strangers[] = {"{\"origin\":\"raffle.example/gala\"}\n",
                                            "libraffle anchor 1 raffle.example/other", "libraffle bookkeeping\n", "\1"};
    char found[SLOT] = "";
    FILE *file = fopen(path, "w");
    fputs(strangers[_i], file);
    fclose(file);
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_CORRUPT);
    ck_assert_int_eq(get(1), RAFFLE_CORRUPT);
    file = fopen(path, "r");
    ck_assert_uint_eq(fread(found, 1, sizeof found, file), strlen(strangers[_i]));
    fclose(file);
    ck_assert_str_eq(found, strangers[_i]);
}
END_TEST

static int lock_at_once(int fd, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

static void *put_behind_a_lock(void *ctx)
{
    uint8_t root[32] = {1};
    (void)ctx;
    return rf_anchor_put(anchor, ORIGIN, 1, 9, root, false, NULL) == RAFFLE_OK ? NULL : (void *)1;
}

/* Whether some descriptor of this process is that file, beside `but`. */
static bool anchor_is_open(int but)
{
    struct stat anchored, st;
    char name[32];
    ck_assert_int_eq(stat(path, &anchored), 0);
    for (int fd = 3; fd < 256; fd++) {
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        if (fd != but && stat(name, &st) == 0 && st.st_ino == anchored.st_ino && st.st_dev == anchored.st_dev)
            return true;
    }
    return false;
}

/* A child that was forked while the file was open has the same open file, and with it a lock that closing ours does not end. */
START_TEST(lock_ends_when_a_child_has_the_file)
{
    pthread_t thread;
    void *result = NULL;
    char byte;
    int gate[2], status;
    ck_assert_int_eq(put(1, 5, 1), RAFFLE_OK);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(lock_at_once(fd, F_WRLCK), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, put_behind_a_lock, NULL), 0);
    while (!anchor_is_open(fd))
        sched_yield();
    ck_assert_int_eq(pipe(gate), 0);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        close(fd);
        _exit(read(gate[0], &byte, 1) == 0 ? 0 : 1); /* lives as long as its parent wants */
    }
    close(gate[0]);
    ck_assert_int_eq(lock_at_once(fd, F_UNLCK), 0);
    pthread_join(thread, &result);
    const int free_again = lock_at_once(fd, F_WRLCK);
    close(gate[1]);
    close(fd);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_ptr_null(result);
    ck_assert_msg(free_again == 0, "the child keeps the lock of the put that is over");
}
END_TEST

START_TEST(folder_is_missing)
{
    rf_anchor *other = NULL;
    uint8_t root[32] = {0};
    uint64_t size = 0;
    ck_assert_int_eq(rf_anchor_new("/nonexistent/folder/a", &other, &err), RAFFLE_OK);
    ck_assert_int_eq(rf_anchor_get(other, ORIGIN, 1, &size, root, &err), RAFFLE_NOT_FOUND);
    ck_assert_int_eq(rf_anchor_put(other, ORIGIN, 1, 1, root, true, &err), RAFFLE_IO);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/folder/a"));
    rf_anchor_free(other);
}
END_TEST

static void *put_many(void *ctx)
{
    uint8_t root[32];
    size_t failures = 0;
    uint64_t step = *(const uint64_t *)ctx;
    for (uint64_t size = step; size <= 600; size += step) {
        memset(root, (int)(size & 0xff), sizeof root);
        failures += rf_anchor_put(anchor, ORIGIN, 3, size, root, false, NULL) != RAFFLE_OK;
    }
    return failures == 0 ? NULL : (void *)1;
}

START_TEST(threads_and_processes)
{
    static const uint64_t steps[] = {1, 2, 3, 5};
    pthread_t threads[4];
    pid_t child = fork();
    if (child == 0)
        _exit(put_many((void *)&steps[0]) == NULL ? 0 : 1);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, put_many, (void *)&steps[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        ck_assert_ptr_null(result);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    expect(3, 600, 600 & 0xff);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("store_anchor");
    TCase *c = tcase_create("anchor");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 60);
    const TTest *const tests[] = {nothing_at_first,
                                  never_back,
                                  empty_log_has_an_anchor_too,
                                  highest_log_and_size,
                                  file_is_private_and_readable,
                                  torn_write_leaves_the_older_value,
                                  first_write_torn_is_none,
                                  both_damaged,
                                  slot_of_another_log,
                                  another_raffle_s,
                                  not_an_anchor,
                                  unfinished_file_is_begun_again,
                                  lock_ends_when_a_child_has_the_file,
                                  folder_is_missing,
                                  threads_and_processes};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_loop_test(c, short_stranger_is_left_alone, 0, 4);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
