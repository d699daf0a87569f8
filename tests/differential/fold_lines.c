/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads records from standard input, a line each, and answers each with a line: "taken", or "refused" and why the library's fold does not take it.
 * The line "control" begins a new control log and "unit N" a new log of unit N, of the raffle whose raffle.open stands in the file that is named.
 */
#include "error.h"
#include "fold.h"
#include "sha256.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_SIZE = RAFFLE_RECORD_MAX + 2 /* with its end and a NUL */
};

typedef struct differential {
    rf_sha256 *hash;
    rf_control control;
    rf_rules rules;
    rf_unit_frame frame;
    rf_unit_state unit;
    bool in_unit; /* which of the two logs is written */
    rf_record record;
    char line[LINE_SIZE];
    char frozen[RF_RULES_MAX];
} differential;

static size_t read_line(differential *d, FILE *in)
{
    if (!fgets(d->line, sizeof d->line, in))
        return 0;
    size_t n = strlen(d->line);
    if (n > 0 && d->line[n - 1] == '\n')
        n--;
    d->line[n] = '\0';
    return n;
}

static raffle_rc read_opening(differential *d, const char *path, raffle_error *err)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return rf_fail(err, RAFFLE_IO, "%s cannot be opened", path);
    size_t n = read_line(d, in);
    (void)fclose(in);
    raffle_rc rc = rf_record_decode(&d->record, d->line, n, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_leaf_hash(d->hash, d->frame.open, d->line, n);
    d->frame.rules = &d->rules;
    return rf_rules_parse(&d->rules, d->record.rules.text, d->record.rules.length, err);
}

/* Whether the line begins a log, which it then does. */
static bool begin_log(differential *d)
{
    unsigned unit = 0;
    if (strcmp(d->line, "control") == 0) {
        rf_control_clear(&d->control);
        rf_control_init(&d->control);
        d->in_unit = false;
        return true;
    }
    if (sscanf(d->line, "unit %u", &unit) != 1)
        return false;
    d->frame.unit = unit;
    rf_unit_state_init(&d->unit);
    d->in_unit = true;
    return true;
}

/* Whether the log begins with rules in their frozen form, which the library's audit asks. */
static raffle_rc check_frozen(differential *d, raffle_error *err)
{
    const size_t length = rf_rules_format(d->control.rules, d->frozen, sizeof d->frozen);
    if (length == d->record.rules.length && memcmp(d->frozen, d->record.rules.text, length) == 0)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_INVALID, "the rules are not in their frozen form");
}

static raffle_rc take(differential *d, size_t n, raffle_error *err)
{
    rf_taken_list taken;
    uint8_t leaf[32];
    raffle_rc rc = rf_record_decode(&d->record, d->line, n, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (d->in_unit)
        return rf_unit_apply(&d->frame, &d->unit, &d->record, &taken, err);
    rf_leaf_hash(d->hash, leaf, d->line, n);
    rc = rf_control_apply(&d->control, &d->record, leaf, &taken, err);
    return rc == RAFFLE_OK && d->record.type == RF_RAFFLE_OPEN ? check_frozen(d, err) : rc;
}

static void answer_all(differential *d)
{
    for (size_t n; (n = read_line(d, stdin)) > 0;) {
        raffle_error err = RAFFLE_ERROR_INIT;
        if (begin_log(d))
            continue;
        if (take(d, n, &err) == RAFFLE_OK)
            puts("taken");
        else
            printf("refused %s\n", err.message);
    }
}

int main(int argc, char **argv)
{
    raffle_error err = RAFFLE_ERROR_INIT;
    differential *d = calloc(1, sizeof *d);
    if (argc != 2 || sodium_init() < 0 || !d || !(d->hash = rf_sha256_new())) {
        (void)fprintf(stderr, "fold_lines OPENING < RECORDS\n");
        free(d);
        return 2;
    }
    rf_control_init(&d->control);
    raffle_rc rc = read_opening(d, argv[1], &err);
    if (rc == RAFFLE_OK)
        answer_all(d);
    else
        (void)fprintf(stderr, "%s\n", err.message);
    rf_control_clear(&d->control);
    rf_sha256_free(d->hash);
    free(d);
    return rc == RAFFLE_OK ? 0 : 1;
}
