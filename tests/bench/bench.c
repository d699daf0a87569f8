/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark: each row side by side with its baseline in one run, alternating, medians of five. Bare SQLite writes the same rows (leaf and
 * private part) and the same order keys into a unique index, in the same batches, settings and durability. Usage: bench [ROW ...] */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static const bench_row rows[] = {
    {"sell-uuid7", "selling in batches of 1,000, durable, order keys UUIDv7", bench_sell_uuid7},
    {"sell-random", "the same with random order keys", bench_sell_random},
    {"sell-one", "selling one by one, durable, one thread", bench_sell_one},
    {"sell-32", "selling from 32 threads into one unit, durable", bench_sell_threads},
    {"till", "a till beside those who import batches of 1,000", bench_till},
    {"split", "the cost of a sale, split", bench_split},
    {"open", "opening a raffle", bench_open},
    {"proof", "inclusion proofs: made and verified", bench_proof},
    {"events", "events among a million, found by each index and by several", bench_events},
    {"receipt", "receipts: made, and verified by the control key alone", bench_receipt},
    {"draw", "drawing 10 and 1,000 winners", bench_draw},
    {"audit", "auditing everything", bench_audit},
    {"publish", "publishing everything, and auditing the folder", bench_publish},
    {"backup", "backups: written, checked and put back", bench_backup},
    {"picks", "picks for a lab's collection", bench_picks},
};

int main(int argc, char **argv)
{
    int failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted |= strcmp(argv[k], rows[i].name) == 0;
        if (!wanted)
            continue;
        printf("%s: %s\n", rows[i].name, rows[i].what);
        fflush(stdout);
        failed |= rows[i].run();
        fflush(stdout);
    }
    return failed;
}
