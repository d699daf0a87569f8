/* SPDX-License-Identifier: Apache-2.0 */
/* The disk fails, everywhere: night after night another write, sync or truncation of the store's files gives an error, or is the last thing that the
 * process does. What was acknowledged is there, what was not can be done again, and the night ends as all others do. */
#include "faulty_vfs.h"
#include "night.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct plan {
    const char *name;
    int code;
    bool lasting, kill;
    int stride, offset, total;
    int nights, failures;
} plan;

static bool wrong(const plan *p, int nth, const char *step, const char *what, const raffle_error *err)
{
    printf("# %s at call %d: %s: %s (%s: %s)\n", p->name, nth, step, what, raffle_rc_name(err->rc), err->message);
    return false;
}

static raffle_rc run_once(night *n, const night_step *s, raffle_error *err)
{
    raffle_error_init(err, sizeof *err);
    raffle_rc rc = s->run(n, err);
    err->rc = rc;
    return rc;
}

/* --- errors --- */

static bool repeat(const plan *p, night *n, const night_step *s, int nth, const raffle_error *first)
{
    raffle_error err;
    const bool full = first->rc == RAFFLE_FULL && p->code == SQLITE_FULL;
    if (!full && first->rc != RAFFLE_IO && first->rc != RAFFLE_UNKNOWN)
        return wrong(p, nth, s->name, "fails with another status", first);
    raffle_rc rc = night_again(n, s, first->rc == RAFFLE_UNKNOWN, &err);
    if (rc == RAFFLE_OK)
        return true;
    (void)wrong(p, nth, s->name, "failed first", first);
    return wrong(p, nth, s->name, "does not succeed when it is repeated", &err);
}

static bool run_step(const plan *p, night *n, const night_step *s, int nth, int *count)
{
    raffle_error err;
    faulty_vfs_clear();
    atomic_store(&faults.code, p->code);
    atomic_store(&faults.lasting, p->lasting);
    atomic_store(&faults.any_in, nth > *count ? nth - *count : 0);
    raffle_rc rc = run_once(n, s, &err);
    const bool struck = atomic_load(&faults.faults) > 0;
    *count += atomic_load(&faults.calls);
    faulty_vfs_clear();
    if (rc == RAFFLE_OK)
        return true;
    return struck ? repeat(p, n, s, nth, &err) : wrong(p, nth, s->name, "fails for no reason", &err);
}

static bool end_night(const plan *p, night *n, int nth, bool good)
{
    const raffle_error none = RAFFLE_ERROR_INIT;
    const char *missing = good ? night_check(n) : NULL;
    night_end(n);
    return missing == NULL ? good : wrong(p, nth, "at the end", missing, &none);
}

static bool night_with_error(const plan *p, int nth, int *count)
{
    night n;
    bool good = true;
    *count = 0;
    night_begin(&n);
    for (size_t i = 0; good && i < night_step_count; i++)
        good = run_step(p, &n, &night_steps[i], nth, count);
    return end_night(p, &n, nth, good);
}

/* --- the last thing that the process does --- */

/* The child: a byte for each step that was acknowledged. */
static void live(night *n, int nth, int to)
{
    raffle_error err;
    faulty_vfs_clear();
    atomic_store(&faults.kill_in, nth);
    for (size_t i = 0; i < night_step_count; i++)
        if (run_once(n, &night_steps[i], &err) != RAFFLE_OK || write(to, "", 1) != 1)
            _exit(2);
    _exit(0);
}

/* How many steps were acknowledged; `*killed`: the child came to its end. */
static size_t live_and_die(night *n, int nth, bool *killed)
{
    int ends[2], status = 0;
    size_t done = 0;
    char byte;
    if (pipe(ends) != 0)
        exit(1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        live(n, nth, ends[1]);
    close(ends[1]);
    while (read(ends[0], &byte, 1) == 1)
        done++;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(1);
    *killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return *killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0) ? done : SIZE_MAX;
}

static bool has_no_fault(night *n, raffle_error *err)
{
    raffle_audit *audit = NULL;
    raffle_verdict verdict = RAFFLE_VERDICT_INIT;
    raffle_error_init(err, sizeof *err);
    raffle_rc rc = raffle_audit_run(n->uri, NULL, NULL, &audit, err);
    if (rc == RAFFLE_OK)
        rc = raffle_audit_verdict(audit, &verdict, err);
    raffle_audit_free(audit);
    return rc == RAFFLE_OK && verdict.passed;
}

/* A step that was not acknowledged may be done. */
static bool do_step(const plan *p, night *n, size_t i, int nth)
{
    raffle_error err;
    const night_step *s = &night_steps[i];
    raffle_rc rc = night_again(n, s, true, &err);
    return rc == RAFFLE_OK || wrong(p, nth, s->name, "cannot be done afterwards", &err);
}

static bool check_acknowledged(const plan *p, night *n, size_t done, int nth)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    for (size_t i = 0; i < done; i++)
        if (!night_has_sales(n, i))
            return wrong(p, nth, night_steps[i].name, "was acknowledged, and is gone", &err);
    return has_no_fault(n, &err) || wrong(p, nth, "the audit", "finds a fault", &err);
}

/* Steps 0 to 2 make the provider's handle, the raffle and the unit's. */
static bool go_on(const plan *p, night *n, size_t done, int nth)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    bool good = do_step(p, n, 0, nth) && (done >= 2 || do_step(p, n, 1, nth));
    if (good && night_open(n, &err) != RAFFLE_OK)
        good = wrong(p, nth, "opening", "fails", &err);
    good = good && check_acknowledged(p, n, done, nth);
    for (size_t i = done < 3 ? 3 : done; good && i < night_step_count; i++)
        good = do_step(p, n, i, nth);
    return good;
}

static bool night_with_end(const plan *p, int nth, bool *killed)
{
    night n;
    const raffle_error none = RAFFLE_ERROR_INIT;
    night_begin(&n);
    const size_t done = live_and_die(&n, nth, killed);
    faulty_vfs_clear();
    const bool good = done != SIZE_MAX ? go_on(p, &n, done, nth) : wrong(p, nth, "the night", "fails", &none);
    return end_night(p, &n, nth, good);
}

/* --- all of them --- */

static bool some_night(plan *p, int nth, bool *more)
{
    int count = 0;
    p->nights++;
    if (p->kill)
        return night_with_end(p, nth, more);
    const bool good = night_with_error(p, nth, &count);
    *more = count >= nth;
    p->total = count > p->total ? count : p->total;
    return good;
}

static void run_all(plan *p)
{
    bool more = true;
    for (int nth = 1 + p->offset; more && p->failures < 20; nth += p->stride) {
        if (!some_night(p, nth, &more))
            p->failures++;
    }
}

/* io STRIDE [OFFSET]: every STRIDEth call, from the OFFSETth on (by default another one each time). */
int main(int argc, char **argv)
{
    plan plans[] = {{.name = "an error once", .code = SQLITE_IOERR_WRITE},
                    {.name = "errors from then on", .code = SQLITE_IOERR_WRITE, .lasting = true},
                    {.name = "a full disk once", .code = SQLITE_FULL},
                    {.name = "a full disk from then on", .code = SQLITE_FULL, .lasting = true},
                    {.name = "the end", .kill = true}};
    const int n = (int)(sizeof plans / sizeof *plans);
    const int stride = argc > 1 ? atoi(argv[1]) : 0;
    if (stride < 1) {
        fprintf(stderr, "io STRIDE [OFFSET]\n");
        return 2;
    }
    faulty_vfs_install();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..%d\n", n);
    int status = 0;
    for (int i = 0; i < n; i++) {
        plan *p = &plans[i];
        p->stride = stride;
        p->offset = argc > 2 ? atoi(argv[2]) % stride : (int)(getpid() % stride);
        run_all(p);
        printf("%sok %d - %s: %d nights, stride %d, offset %d\n", p->failures > 0 ? "not " : "", i + 1, p->name,
               p->nights, p->stride, p->offset);
        status |= p->failures > 0;
    }
    return status;
}
