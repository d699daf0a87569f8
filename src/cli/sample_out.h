/* SPDX-License-Identifier: Apache-2.0 */
/* Where a sample goes: standard output, a file, or parts of one; and the state beside it from which a broken collection goes on. */
#ifndef CLI_SAMPLE_OUT_H
#define CLI_SAMPLE_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SAMPLE_PATH_MAX = 4000,
    SAMPLE_WHAT_MAX = 200,
    SAMPLE_BUFFER = 1 << 16
};

typedef struct sample_out {
    const char *path; /* NULL: standard output, which has no state */
    uint64_t split;   /* bytes that a part may have; 0: one file */
    const char *what; /* the collection in a line: a state of another is refused */
    int fd;
    bool kept;                 /* a regular file: made durable, with a state */
    uint64_t part, part_bytes; /* the part that is written, from 1, and what it has, the buffer included */
    uint64_t done;             /* draws, or bytes, that the state counts */
    int64_t saved_ms;
    char *buffer;
    size_t used;
    char fault[300]; /* a sentence, after a function returned false */
} sample_out;

/* Opens it; where a state lies beside the file, `done` is what it counts, and what was written after it is cut off. */
bool sample_out_open(sample_out *o, const char *path, uint64_t split, const char *what);
/* A record, which is never cut in two. */
bool sample_out_record(sample_out *o, const void *bytes, size_t n);
/* `done` is reached; every few seconds, or when it is `last`, what was written is made durable and the state says so. */
bool sample_out_done(sample_out *o, uint64_t done, bool last);
/* After the last record: removes the state. */
bool sample_out_finish(sample_out *o);
/* Without finishing: the state stays. */
void sample_out_close(sample_out *o);

#endif
