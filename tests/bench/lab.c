/* SPDX-License-Identifier: Apache-2.0 */
/* A lab's collection: picks in a second of one core's time, with and without replacement, from one seed and from a seed for each draw. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    NUMBERS = 2000000
};

/* No waiting is in it: the time of the processor is what other work does not change. */
static double processor_now(void)
{
    struct timespec t = {0, 0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void measure(raffle_rng *rng, const char *what, uint32_t flags, uint64_t range, size_t picks)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    double seconds[BENCH_RUNS];
    const size_t draws = NUMBERS / picks;
    uint64_t *numbers = malloc(draws * picks * sizeof *numbers);
    for (size_t i = 0; i < BENCH_RUNS && numbers != NULL; i++) {
        double began = processor_now();
        bench_check(raffle_rng_collect(rng, flags, range, picks, numbers, draws, -1, &err), &err, what);
        seconds[i] = processor_now() - began;
    }
    if (numbers != NULL)
        printf("  %s: %.2f million picks a second\n", what, NUMBERS / bench_median(seconds, BENCH_RUNS) / 1e6);
    free(numbers);
}

int bench_picks(void)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rng *rng = NULL;
    bench_check(raffle_rng_open("system:", NULL, &rng, &err), &err, "system:");
    measure(rng, "range 10^9, with replacement, 1,000 a draw", RAFFLE_COLLECT_REPLACE, 1000000000, 1000);
    measure(rng, "range 10^9, without, 1,000 a draw", 0, 1000000000, 1000);
    measure(rng, "range 10^9, without, 2 million in one draw", 0, 1000000000, NUMBERS);
    measure(rng, "6 of 49, a seed for each draw", 0, 49, 6);
    measure(rng, "6 of 49, one seed", RAFFLE_COLLECT_ONE_SEED, 49, 6);
    raffle_rng_free(rng);
    return 0;
}
