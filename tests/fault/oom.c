/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory, everywhere: night after night another allocation fails. The call that meets it says so and leaves nothing half done; made again, it
 * succeeds, and the night ends as all others do. */
#include "memory.h"
#include "night.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct plan {
    bool sqlite, lasting;
    long stride, offset, total;
    long nights, struck, failures; /* nights, those in which an allocation failed, and those that went wrong */
} plan;

static bool wrong(const plan *p, long nth, const char *step, const char *what, const raffle_error *err)
{
    printf("# %s allocation %ld%s: %s: %s (%s: %s)\n", p->sqlite ? "SQLite's" : "the library's", nth,
           p->lasting ? " and all after it" : "", step, what, raffle_rc_name(err->rc), err->message);
    return false;
}

/* After a failure: once more, with all the memory there is. */
static bool repeat(const plan *p, night *n, const night_step *s, long nth, const raffle_error *first)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    if (first->rc != RAFFLE_NOMEM && first->rc != RAFFLE_UNKNOWN)
        return wrong(p, nth, s->name, "fails with another status", first);
    if (first->message[0] == 0)
        return wrong(p, nth, s->name, "fails without a sentence", first);
    raffle_rc rc = night_again(n, s, first->rc == RAFFLE_UNKNOWN, &err);
    if (rc == RAFFLE_OK)
        return true;
    (void)wrong(p, nth, s->name, "failed first", first);
    return wrong(p, nth, s->name, "does not succeed when it is repeated", &err);
}

/* `*count`: allocations so far, over all steps. */
static bool run_step(plan *p, night *n, const night_step *s, long nth, long *count)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    bool struck = false;
    memory_arm(nth > *count ? nth - *count : 0, p->lasting);
    raffle_rc rc = s->run(n, &err);
    *count += memory_disarm(&struck);
    p->struck += struck;
    err.rc = rc;
    if (rc == RAFFLE_OK)
        return true;
    return struck ? repeat(p, n, s, nth, &err) : wrong(p, nth, s->name, "fails for no reason", &err);
}

static bool run_night(plan *p, long nth, long *count)
{
    night n;
    bool good = true;
    const raffle_error none = RAFFLE_ERROR_INIT;
    *count = 0;
    night_begin(&n);
    for (size_t i = 0; good && i < night_step_count; i++)
        good = run_step(p, &n, &night_steps[i], nth, count);
    const char *missing = good ? night_check(&n) : NULL;
    if (missing != NULL)
        good = wrong(p, nth, "at the end", missing, &none);
    night_end(&n);
    return good;
}

static void run_all(plan *p)
{
    if (!run_night(p, 0, &p->total))
        p->failures++;
    /* Some more than were counted: threads take turns. */
    for (long nth = 1 + p->offset; nth <= p->total + p->stride && p->failures < 20; nth += p->stride) {
        long count;
        p->nights++;
        if (!run_night(p, nth, &count))
            p->failures++;
    }
}

/* oom library|sqlite STRIDE [OFFSET]: every STRIDEth allocation, from the OFFSETth on (by default another one each time). */
int main(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "library") != 0 && strcmp(argv[1], "sqlite") != 0) || atol(argv[2]) < 1) {
        fprintf(stderr, "oom library|sqlite STRIDE [OFFSET]\n");
        return 2;
    }
    plan p = {.sqlite = strcmp(argv[1], "sqlite") == 0, .stride = atol(argv[2])};
    p.offset = argc > 3 ? atol(argv[3]) % p.stride : getpid() % p.stride;
    if (p.sqlite)
        memory_of_sqlite();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("1..2\n");
    int status = 0;
    for (int i = 0; i < 2; i++) {
        p.lasting = i == 1;
        p.nights = p.struck = p.failures = 0;
        run_all(&p);
        if (p.struck < p.total / p.stride * 9 / 10) {
            printf("# an allocation failed in %ld nights only\n", p.struck);
            p.failures++;
        }
        printf("%sok %d - %s out of memory%s: %ld allocations, %ld nights, stride %ld, offset %ld\n",
               p.failures > 0 ? "not " : "", i + 1, argv[1], p.lasting ? " and staying so" : "", p.total, p.nights,
               p.stride, p.offset);
        status |= p.failures > 0;
    }
    return status;
}
