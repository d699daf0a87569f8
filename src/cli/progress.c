/* SPDX-License-Identifier: Apache-2.0 */
/* A bar for long work, drawn ten times a second at most. */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BAR_WIDTH = 40,
    BETWEEN_MS = 100
};

void progress_begin(progress *p, const char *what, bool wanted)
{
    *p = (progress){.what = what, .shown = wanted && isatty(STDERR_FILENO)};
}

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void progress_at(progress *p, uint64_t done, uint64_t total)
{
    if (!p->shown)
        return;
    const int64_t now = now_ms();
    if (p->drawn && now - p->last_ms < BETWEEN_MS)
        return;
    p->drawn = true;
    p->last_ms = now;
    if (total == 0 || done > total) {
        fprintf(stderr, "\r%s: %llu\033[K", p->what, (unsigned long long)done);
        return;
    }
    const double share = (double)done / (double)total;
    const int filled = (int)(share * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '.', (size_t)(BAR_WIDTH - filled));
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r%s: [%s] %3d%%\033[K", p->what, bar, (int)(share * 100));
}

void progress_clear(progress *p)
{
    if (!p->drawn)
        return;
    fputs("\r\033[K", stderr);
    p->drawn = false;
}
