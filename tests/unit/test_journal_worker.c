/* SPDX-License-Identifier: Apache-2.0 */
/* The helper thread: order, what runs where, signals, tasks that are used again, and ends without a beginning. */
#include "worker.h"

#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MANY = 20000
};

/* What the tasks of a test leave behind; one thread at a time runs them. */
typedef struct trace {
    size_t n;
    size_t order[MANY];
    pthread_t thread[MANY];
} trace;

typedef struct step {
    rf_task task;
    size_t number;
} step;

static trace *seen;
static step *steps;
static rf_worker *worker;

static void set_up(void)
{
    seen = calloc(1, sizeof *seen);
    steps = calloc(MANY, sizeof *steps);
    ck_assert(seen != NULL && steps != NULL);
    worker = NULL;
}

static void tear_down(void)
{
    rf_worker_free(worker);
    free(steps);
    free(seen);
}

static void note_step(void *ctx)
{
    const step *s = ctx;
    seen->order[seen->n] = s->number;
    seen->thread[seen->n++] = pthread_self();
}

static void submit(size_t i)
{
    steps[i].number = i;
    steps[i].task.run = note_step;
    steps[i].task.ctx = &steps[i];
    rf_worker_submit(worker, &steps[i].task);
}

/* All of the first `n` ran, in order, and in one thread. */
static void check_order(size_t n, bool here)
{
    ck_assert_uint_eq(seen->n, n);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(seen->order[i], i);
        ck_assert(pthread_equal(seen->thread[i], seen->thread[0]));
        ck_assert(!pthread_equal(seen->thread[i], pthread_self()) == !here);
    }
}

START_TEST(tasks_run_in_order)
{
    worker = rf_worker_new(true);
    for (size_t i = 0; i < MANY; i++)
        submit(i);
    rf_worker_wait(worker, &steps[MANY - 1].task);
    check_order(MANY, false);
    for (size_t i = 0; i < MANY; i++) {
        rf_worker_wait(worker, &steps[i].task);
        ck_assert(steps[i].task.done);
    }
}
END_TEST

START_TEST(each_waited_for)
{
    worker = rf_worker_new(true);
    for (size_t i = 0; i < 1000; i++) {
        submit(i);
        rf_worker_wait(worker, &steps[i].task);
        ck_assert_uint_eq(seen->n, i + 1);
    }
    check_order(1000, false);
}
END_TEST

START_TEST(inline_runs_at_once_and_here)
{
    worker = rf_worker_new(false);
    for (size_t i = 0; i < 100; i++) {
        submit(i);
        ck_assert_uint_eq(seen->n, i + 1);
        ck_assert(steps[i].task.done);
        rf_worker_wait(worker, &steps[i].task);
    }
    check_order(100, true);
}
END_TEST

/* A task that holds the worker up until it is let go. */
typedef struct gate {
    sem_t entered, open;
} gate;

static void pass_gate(void *ctx)
{
    gate *g = ctx;
    sem_post(&g->entered);
    while (sem_wait(&g->open) != 0)
        ;
}

START_TEST(submitting_does_not_wait)
{
    gate g;
    sem_init(&g.entered, 0, 0);
    sem_init(&g.open, 0, 0);
    rf_task hold = {.run = pass_gate, .ctx = &g};
    worker = rf_worker_new(true);
    rf_worker_submit(worker, &hold);
    while (sem_wait(&g.entered) != 0)
        ;
    for (size_t i = 0; i < 10; i++)
        submit(i);
    ck_assert_uint_eq(seen->n, 0);
    sem_post(&g.open);
    rf_worker_wait(worker, &steps[9].task);
    ck_assert(hold.done);
    check_order(10, false);
    sem_destroy(&g.entered);
    sem_destroy(&g.open);
}
END_TEST

START_TEST(a_task_is_used_again)
{
    worker = rf_worker_new(true);
    for (size_t i = 0; i < 100; i++) {
        submit(0);
        rf_worker_wait(worker, &steps[0].task);
    }
    ck_assert_uint_eq(seen->n, 100);
}
END_TEST

static void read_mask(void *ctx)
{
    pthread_sigmask(SIG_SETMASK, NULL, ctx);
}

START_TEST(signals_are_blocked_there_and_not_here)
{
    sigset_t there, before, after;
    rf_task task = {.run = read_mask, .ctx = &there};
    sigemptyset(&there);
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    worker = rf_worker_new(true);
    rf_worker_submit(worker, &task);
    rf_worker_wait(worker, &task);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2, SIGPIPE};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        ck_assert_int_eq(sigismember(&there, signals[i]), 1);
        ck_assert_int_eq(sigismember(&after, signals[i]), sigismember(&before, signals[i]));
    }
}
END_TEST

START_TEST(free_without_start)
{
    rf_worker_free(NULL);
    rf_worker_free(rf_worker_new(true));
    rf_worker_free(rf_worker_new(false));
    worker = rf_worker_new(true);
    ck_assert_ptr_nonnull(worker);
}
END_TEST

START_TEST(free_after_work)
{
    for (size_t i = 0; i < 50; i++) {
        worker = rf_worker_new(true);
        submit(i);
        rf_worker_wait(worker, &steps[i].task);
        rf_worker_free(worker);
    }
    worker = NULL;
    ck_assert_uint_eq(seen->n, 50);
}
END_TEST

/* The thread is the parent's: a child that joined it would wait for ever. */
START_TEST(a_forked_child_frees_only_memory)
{
    worker = rf_worker_new(true);
    submit(0);
    rf_worker_wait(worker, &steps[0].task);
    pid_t child = fork();
    if (child == 0) {
        rf_worker_free(worker);
        _exit(7);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 7);
    submit(1);
    rf_worker_wait(worker, &steps[1].task);
    check_order(2, false);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("journal_worker");
    TCase *c = tcase_create("worker");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_set_timeout(c, 60);
    const TTest *const tests[] = {
        tasks_run_in_order,       each_waited_for,      inline_runs_at_once_and_here,
        submitting_does_not_wait, a_task_is_used_again, signals_are_blocked_there_and_not_here,
        free_without_start,       free_after_work,      a_forked_child_frees_only_memory};
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
