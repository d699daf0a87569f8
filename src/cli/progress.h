/* SPDX-License-Identifier: Apache-2.0 */
/* A bar for long work, on stderr, and only when that is a terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    const char *what;
    bool shown;
    bool drawn;
    int64_t last_ms; /* when it was drawn last */
} progress;

/* `wanted` is false for machines. */
void progress_begin(progress *p, const char *what, bool wanted);
/* `total` 0: not known. */
void progress_at(progress *p, uint64_t done, uint64_t total);
/* Takes the bar away. Also before a line is printed. */
void progress_clear(progress *p);

#endif
