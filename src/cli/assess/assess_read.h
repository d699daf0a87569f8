/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of a sample: draws as text, a line each, or as binary records. */
#ifndef CLI_ASSESS_READ_H
#define CLI_ASSESS_READ_H

#include "assess.h"
#include <stdio.h>

typedef struct assess_file {
    FILE *file;
    const char *path;
    assess_shape shape;
    bool binary;
    uint64_t line;       /* text: the one that was read last, from 1; binary: the draw */
    uint64_t size, read; /* bytes; a binary file has whole draws */
    uint64_t *sorted;    /* to see that a draw without replacement repeats nothing */
    char fault[300];
} assess_file;

/* False, with a sentence in `fault`: it cannot be opened, or is no regular file, or has no whole number of draws. */
bool assess_file_open(assess_file *f, const char *path, bool binary, const assess_shape *shape);
/* 1: a draw; 0: the end; -1: it is damaged, with a sentence in `fault`. */
int assess_file_next(assess_file *f, uint64_t *numbers);
void assess_file_close(assess_file *f);

#endif
