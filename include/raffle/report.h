/* SPDX-License-Identifier: Apache-2.0 */
/* Reports over a raffle's records (GLI-31 2.8.1 and others): made as a stream, and proved by the checkpoint that each of them names. */
#ifndef RAFFLE_REPORT_H
#define RAFFLE_REPORT_H

#include <raffle/till.h>
#include <raffle/types.h>

RAFFLE_BEGIN

/* What a report is written as. */
enum {
    RAFFLE_REPORT_TEXT = 1, /* UTF-8, in columns */
    RAFFLE_REPORT_CSV = 2,  /* RFC 4180 */
    RAFFLE_REPORT_JSON = 3, /* the one that raffle_report_verify() takes */
    RAFFLE_REPORT_HTML = 4  /* a page that prints on A4 and Letter */
};

/* The name of report `i`, from 0 on, "drawing"; its title, "Raffle Drawing Report"; and where it is asked for. NULL beyond the last. Static. */
RAFFLE_API const char *raffle_report_name(uint32_t i);
RAFFLE_API const char *raffle_report_title(uint32_t i);
RAFFLE_API const char *raffle_report_source(uint32_t i);

typedef struct raffle_report_options {
    uint32_t struct_size;
    int32_t format;               /* RAFFLE_REPORT_… */
    char name[RAFFLE_WORD_SIZE];  /* one of raffle_report_name() */
    char maker[RAFFLE_NAME_SIZE]; /* who makes it, for its head; optional */
    int64_t from;                 /* records from this time on; 0: from the first */
    int64_t to;                   /* records before this time; 0: to the last */
    uint32_t unit;                /* of this sales unit alone; 0: of all */
    uint32_t reserved;
    /* Called now and then from the calling thread with the records done and the records there are to read; anything but RAFFLE_OK ends the report and is
     * handed back. Optional. */
    raffle_rc (*progress)(void *ctx, uint64_t done, uint64_t total, raffle_error *err);
    void *progress_ctx;
} raffle_report_options;
#define RAFFLE_REPORT_OPTIONS_INIT RAFFLE_INIT_OF(raffle_report_options)
RAFFLE_API void raffle_report_options_init(raffle_report_options *options, size_t size);

/*
 * Makes a report of the raffle as it is now, and hands it to `write` piece by piece; no lock is held then, and selling may go on. Every record that it is
 * made from is hashed, and the roots that it names are those of these records. Memory: a bit a record of one unit, and what a control log's
 * state takes. It needs no keys; without them, and where private parts are missing, private columns are empty.
 *
 * RAFFLE_NOT_FOUND: there is no report, or no unit, of this name; detail 1 for the report. RAFFLE_INVALID: `from` is not before `to`, a time outside 1970 to
 * 9999, a format that there is not, a unit for a report of the whole raffle. RAFFLE_CORRUPT: the records are not those of the root; what was written then is
 * no report.
 * RAFFLE_HOST: `write` failed, which ends the report.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_report_write(raffle *raffle_, const raffle_report_options *options,
                                                          raffle_write write, void *ctx, raffle_error *err);

/* Gives the next bytes, at most `cap`, and their number; 0: the end. */
typedef raffle_rc (*raffle_read)(void *ctx, char *bytes, size_t cap, size_t *length, raffle_error *err);

/* What a report that was verified is. */
typedef struct raffle_report_info {
    uint32_t struct_size;
    uint32_t unit;
    char name[RAFFLE_WORD_SIZE];
    int64_t from; /* as in the options */
    int64_t to;
    int64_t made;          /* when */
    uint64_t control_size; /* records of the control log that it was computed from, */
    uint64_t records;      /* and of all logs */
    uint64_t rows;
    uint64_t private_cells; /* that could not be compared: their private part, or the keys, are not here */
    uint32_t notes;         /* signed checkpoints in it, which the logs' keys signed and the records bear out */
    uint32_t reserved;
} raffle_report_info;
#define RAFFLE_REPORT_INFO_INIT RAFFLE_INIT_OF(raffle_report_info)
RAFFLE_API void raffle_report_info_init(raffle_report_info *info, size_t size);

/* Makes a report in JSON again, from the first records of each log as its checkpoint names them, and compares it byte for byte while it is read. `info`
 * is optional. RAFFLE_INVALID: it is no report in JSON. RAFFLE_MISMATCH: it is of another raffle, or says something else than the records; err->detail is the
 * line. RAFFLE_HISTORY: the logs had another root, or are shorter. RAFFLE_SIGNATURE. RAFFLE_HOST: `read` failed. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_report_verify(raffle *raffle_, raffle_read read, void *ctx,
                                                           raffle_report_info *info, raffle_error *err);

RAFFLE_END

#endif
