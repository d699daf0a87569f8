/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a report: its columns, the row under way, the snapshot of the logs that it is computed from, and what takes its bytes. */
#ifndef RF_RAFFLE_REPORT_IMPL_H
#define RF_RAFFLE_REPORT_IMPL_H

#include "find_number.h"
#include "unit_impl.h"
#include <raffle/report.h>

enum {
    RF_REPORT_FORMAT = 1, /* version of the JSON form */
    RF_REPORT_CELLS = 24,
    RF_REPORT_TOTALS = 24,
    RF_REPORT_SCRATCH = 8192, /* bytes of the texts of a row */
    RF_REPORT_BUFFER = 32768
};

typedef enum rf_cell_kind {
    RF_CELL_NONE, /* not known, or there is none */
    RF_CELL_TEXT,
    RF_CELL_COUNT,
    RF_CELL_MONEY, /* minor units */
    RF_CELL_TIME
} rf_cell_kind;

typedef struct rf_cell {
    rf_cell_kind kind;
    int64_t value;
    const char *text;
    size_t length;
} rf_cell;

typedef struct rf_column {
    const char *name, *title;
    rf_cell_kind kind;
    int width;
    bool private; /* from a private part or a key: may be missing for who makes the report again */
} rf_column;

typedef struct rf_total {
    const char *name, *title;
    rf_cell cell;
} rf_total;

typedef struct rf_report rf_report;

typedef struct rf_report_def {
    const char *name, *title, *source;
    const rf_column *columns;
    size_t n;
    bool whole; /* of the whole raffle: takes no unit */
    raffle_rc (*run)(rf_report *p);
} rf_report_def;

/* What was sold and voided within the interval. */
typedef struct rf_tally {
    int64_t tickets, numbers, gross;
    int64_t voids, void_numbers, void_gross;
    int64_t misprints, misprint_numbers;
    int64_t first, last; /* draw numbers; 0: none */
} rf_tally;

/* A log as it was when the report was begun. */
typedef struct rf_report_log {
    uint64_t size;
    uint8_t root[32];
    bool damaged; /* its log could not be opened: only the corruption log goes on */
} rf_report_log;

/* What compares instead of writing. */
typedef struct rf_compare rf_compare;

typedef struct rf_format {
    void (*begin)(rf_report *p);
    void (*row)(rf_report *p);
    void (*end)(rf_report *p);
} rf_format;

struct rf_report {
    raffle *raffle;
    raffle_report_options how;
    const rf_report_def *def;
    const rf_format *format;
    rf_sha256 *hash;
    int64_t made;
    rf_report_log control_log, *unit_log; /* [i] is unit i + 1; control.units of them */
    size_t units;                         /* in the snapshot */
    rf_control control;                   /* the control log's state at the snapshot */
    uint64_t aborted, asked_again;        /* draws: every report shows it */
    uint64_t done, total;                 /* records read, and to be read */
    rf_cell cell[RF_REPORT_CELLS];
    size_t cells;
    char scratch[RF_REPORT_SCRATCH];
    size_t scratch_used;
    rf_total totals[RF_REPORT_TOTALS];
    size_t n_totals;
    uint64_t rows;
    raffle_write write;
    void *write_ctx;
    rf_compare *compare; /* NULL: writing */
    char *buffer;
    size_t used;
    raffle_rc rc; /* the first failure of the output; sticks */
    raffle_error *err;
};

/* --- report.c --- */

const rf_report_def *rf_report_find(const char *name);
raffle_rc rf_report_check(rf_report *p, raffle_error *err);
/* Takes the snapshot; with `unit_log` set, checks that the logs had these sizes, and takes their roots. Folds the control log. */
raffle_rc rf_report_snapshot(rf_report *p, raffle_error *err);
raffle_rc rf_report_run(rf_report *p);
void rf_report_clear(rf_report *p);

/* --- scan.c: reading records --- */

typedef raffle_rc (*rf_report_sink)(rf_report *p, void *ctx, uint32_t log, const raffle_record *raw, const rf_record *r,
                                    const uint8_t leaf_hash[32]);
/* The first records of a log, as many as the snapshot has, in order. RAFFLE_CORRUPT: they are not those of its root. */
raffle_rc rf_report_scan(rf_report *p, uint32_t log, rf_report_sink sink, void *ctx);
/* All units that the report is about, in order. */
raffle_rc rf_report_scan_units(rf_report *p, rf_report_sink sink, void *ctx);
bool rf_report_in(const rf_report *p, int64_t at);    /* within the interval */
bool rf_report_of(const rf_report *p, uint32_t unit); /* one that the report is about */
/* The private part, when it is there: `*there`. RAFFLE_CORRUPT: it is not the leaf's. */
raffle_rc rf_report_private(rf_report *p, const raffle_record *raw, const rf_record *r, rf_private *out, bool *there);
/* Who sold, of a sale: "" when that is erased. A unit's operator is who sold there last. */
enum {
    RF_SELLER_SIZE = RAFFLE_TEXT_MAX * 2 + 1
};
raffle_rc rf_report_seller(rf_report *p, const raffle_record *raw, const rf_record *r, char seller[RF_SELLER_SIZE]);
/* The sale of a ticket. */
raffle_rc rf_report_ticket(rf_report *p, uint32_t unit, uint64_t serial, rf_ticket_at *ticket);
/* RAFFLE_LIMIT beyond what a record can say. */
raffle_rc rf_report_add(rf_report *p, int64_t *sum, int64_t value);
raffle_rc rf_report_tally(rf_report *p, rf_tally *t, const rf_record *r);
raffle_rc rf_report_tally_sum(rf_report *p, rf_tally *sum, const rf_tally *t);
/* Everything that was sold and voided, per unit: `tally` has p->units. */
raffle_rc rf_report_tally_units(rf_report *p, rf_tally *tally);

/* --- row.c: the row under way, and totals --- */

void rf_row_begin(rf_report *p);
void rf_row_none(rf_report *p);
void rf_row_bytes(rf_report *p, const char *text, size_t length);
void rf_row_string(rf_report *p, const char *text);  /* NULL and "": none */
void rf_row_text(rf_report *p, const rf_text *text); /* NULL: none */
/* A text of a private part, when it has this one. */
void rf_row_part(rf_report *p, const rf_private *part, rf_private_field field, const rf_text *text);
__attribute__((format(printf, 2, 3))) void rf_row_format(rf_report *p, const char *format, ...);
void rf_row_count(rf_report *p, int64_t value);
void rf_row_money(rf_report *p, int64_t value);
void rf_row_time(rf_report *p, int64_t at);
void rf_row_number(rf_report *p, uint32_t unit, uint64_t number); /* a printed draw number */
raffle_rc rf_row_end(rf_report *p);
void rf_total_count(rf_report *p, const char *name, const char *title, int64_t value);
void rf_total_money(rf_report *p, const char *name, const char *title, int64_t value);
void rf_total_none(rf_report *p, const char *name, const char *title); /* not known */
/* tickets, numbers, voids … of a tally. */
void rf_total_tally(rf_report *p, const rf_tally *t);

/* --- out.c: bytes --- */

void rf_out(rf_report *p, const char *bytes, size_t length);
void rf_out_string(rf_report *p, const char *text);
__attribute__((format(printf, 2, 3))) void rf_out_format(rf_report *p, const char *format, ...);
void rf_out_json_text(rf_report *p, const char *text, size_t length);
/* A cell's JSON of a private column: when comparing, it may be null on either side. */
void rf_out_private(rf_report *p, const char *json, size_t length);
void rf_out_flush(rf_report *p);
enum {
    RF_CELL_SIZE = RF_REPORT_SCRATCH + 1
};
/* A cell as people and spreadsheets read it: money with its decimals, times as the event's local time; "" for none. Returns its length. */
size_t rf_cell_plain(const rf_report *p, const rf_cell *cell, char out[RF_CELL_SIZE]);
/* What stands at the head of a report that is no JSON, line by line. */
void rf_head_lines(rf_report *p, void (*line)(rf_report *p, const char *label, const char *value));
extern const char rf_report_nothing[];

extern const rf_format rf_format_text, rf_format_csv, rf_format_json, rf_format_html;
extern const rf_report_def rf_report_drawing, rf_report_exceptions, rf_report_tickets, rf_report_sales, rf_report_voids,
    rf_report_unit_events, rf_report_corruption, rf_report_events, rf_report_summary, rf_report_accounts,
    rf_report_units;

/* --- verify.c --- */
raffle_rc rf_compare_bytes(rf_compare *c, const char *bytes, size_t length, raffle_error *err);
raffle_rc rf_compare_private(rf_compare *c, const char *json, size_t length, raffle_error *err);

#endif
