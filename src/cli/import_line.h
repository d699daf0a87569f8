/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the file that `raffle import` reads: its columns, and what must stand in them. */
#ifndef CLI_IMPORT_LINE_H
#define CLI_IMPORT_LINE_H

#include <raffle/raffle.h>
#include <stdbool.h>

/* kind,at,unit,order,tier,count,payment,buyer,channel,reason,by */
enum {
    IMPORT_KIND,
    IMPORT_AT,
    IMPORT_UNIT,
    IMPORT_ORDER,
    IMPORT_TIER,
    IMPORT_COUNT,
    IMPORT_PAYMENT,
    IMPORT_BUYER,
    IMPORT_CHANNEL,
    IMPORT_REASON,
    IMPORT_BY,
    IMPORT_COLUMNS
};

typedef struct import_line {
    uint64_t line; /* of the file */
    bool is_void;
    int64_t at;     /* 0 when the column was not asked for */
    uint32_t unit;  /* of a void: 0 when it does not say */
    uint32_t count; /* tickets of the order */
    raffle_sale sale;
    raffle_actor by;
    char reason[RAFFLE_WORD_SIZE]; /* of a void */
} import_line;

/* Whether these are the names of the columns, in their order; else err says what is wrong. */
bool import_header(const char *const *field, raffle_error *err);

/* Reads a line. `at` is looked at only when `timed`. An empty `by` is `who`. False: err says which column is wrong, and why. */
bool import_read(const char *const *field, bool timed, const raffle_actor *who, import_line *out, raffle_error *err);

#endif
