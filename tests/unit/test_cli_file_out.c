/* SPDX-License-Identifier: Apache-2.0 */
/* Giving a file its name, also on a file system that cannot be told to replace nothing. */
#include "file_out.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64], part[80];

/* In place of the C library's: such a file system. */
int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    (void)from_folder;
    (void)from;
    (void)to_folder;
    (void)to;
    (void)flags;
    errno = EINVAL;
    return -1;
}

static void make(const char *name)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void begin(void)
{
    snprintf(path, sizeof path, "file_out-%d", (int)getpid());
    snprintf(part, sizeof part, "%s.part", path);
    make(part);
}

START_TEST(a_name_that_is_free)
{
    begin();
    ck_assert(file_give_name(part, path));
    ck_assert_int_ne(access(part, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(a_name_that_somebody_took)
{
    begin();
    make(path);
    ck_assert(!file_give_name(part, path));
    ck_assert_int_eq(errno, EEXIST);
    ck_assert_int_eq(unlink(part), 0);
    ck_assert_int_eq(unlink(path), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_file_out");
    TCase *tcase = tcase_create("cli_file_out");
    tcase_add_test(tcase, a_name_that_is_free);
    tcase_add_test(tcase, a_name_that_somebody_took);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
