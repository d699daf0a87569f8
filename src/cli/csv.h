/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of CSV (RFC 4180): a record is a line, ended by LF or CRLF, in UTF-8, with exactly so many columns. Quotes are those of
 * RFC 4180, but a line break in quotes is a fault: no value of ours has one, and a forgotten quote then costs its own line alone.
 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CSV_LINE_MAX = 4096,   /* bytes of a line, its end not counted */
    CSV_ENDLESS = 1 << 24, /* a line that has not ended here is no line: CSV_ERROR, errno EFBIG */
    CSV_COLUMNS_MAX = 32
};

typedef enum csv_result {
    CSV_ROW,
    CSV_END,
    CSV_BAD,  /* this line is malformed, `fault` says how; the next one can be read */
    CSV_ERROR /* the file cannot be read; errno says why */
} csv_result;

typedef struct csv {
    FILE *file;
    uint64_t line;  /* of the latest result, from 1 */
    uint64_t bytes; /* read so far */
    size_t columns;
    const char *field[CSV_COLUMNS_MAX]; /* of a row: NUL-ended, unquoted; until the next call */
    char fault[120];
    char text[CSV_LINE_MAX + 1];
} csv;

/* `columns` is how many each line must have, at most CSV_COLUMNS_MAX. The file stays the caller's. */
void csv_init(csv *c, FILE *file, size_t columns);
csv_result csv_next(csv *c);

#endif
