/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a report: its head is read, the report is made again from the records that it names, and compared byte for byte while it is read. */
#include "report_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "timestamp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_MAX = 16 << 20,                   /* bytes before the columns: about 110 a unit */
    NOTE_LINE_MAX = 6 * RF_NOTE_MAX + 256, /* of a note */
    CELL_MAX = 6 * RF_REPORT_SCRATCH + 2   /* of a private cell */
};

struct rf_compare {
    raffle_read read;
    void *ctx;
    char *bytes;
    size_t at, used, cap;
    bool ended;
    uint64_t line;
    uint64_t skipped; /* private cells that could not be compared */
};

/* --- reading --- */

static raffle_rc grow(rf_compare *c, raffle_error *err)
{
    if (c->used < c->cap)
        return RAFFLE_OK;
    const size_t cap = c->cap == 0 ? 65536 : 2 * c->cap;
    char *grown = realloc(c->bytes, cap);
    if (grown == NULL)
        return rf_nomem(err);
    c->bytes = grown;
    c->cap = cap;
    return RAFFLE_OK;
}

/* More bytes behind those that are there; what was used up is dropped first. */
static raffle_rc fill(rf_compare *c, raffle_error *err)
{
    if (c->at > 0) {
        memmove(c->bytes, c->bytes + c->at, c->used - c->at);
        c->used -= c->at;
        c->at = 0;
    }
    raffle_error theirs = RAFFLE_ERROR_INIT;
    size_t n = SIZE_MAX;
    raffle_rc rc = grow(c, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (c->read(c->ctx, c->bytes + c->used, c->cap - c->used, &n, &theirs) != RAFFLE_OK)
        return rf_fail_host(err, "the report could not be read", &theirs);
    if (n > c->cap - c->used)
        return rf_fail(err, RAFFLE_HOST, "the host gave more of the report than was asked for");
    c->ended = n == 0;
    c->used += n;
    return RAFFLE_OK;
}

static raffle_rc differs(const rf_compare *c, raffle_error *err)
{
    const uint32_t line = c->line < UINT32_MAX ? (uint32_t)c->line : UINT32_MAX;
    return rf_fail_at(err, RAFFLE_MISMATCH, line, "line %llu of the report says something else than the records",
                      (unsigned long long)c->line);
}

static raffle_rc peek(rf_compare *c, char *next, raffle_error *err)
{
    raffle_rc rc = RAFFLE_OK;
    while (c->at == c->used && !c->ended && rc == RAFFLE_OK)
        rc = fill(c, err);
    if (rc == RAFFLE_OK && c->at == c->used)
        return differs(c, err);
    if (rc == RAFFLE_OK)
        *next = c->bytes[c->at];
    return rc;
}

raffle_rc rf_compare_bytes(rf_compare *c, const char *bytes, size_t length, raffle_error *err)
{
    while (length > 0) {
        char next;
        raffle_rc rc = peek(c, &next, err);
        if (rc != RAFFLE_OK)
            return rc;
        const size_t have = c->used - c->at, n = have < length ? have : length;
        for (size_t i = 0; i < n; i++) {
            if (c->bytes[c->at + i] != bytes[i])
                return differs(c, err);
            c->line += bytes[i] == '\n';
        }
        c->at += n;
        bytes += n;
        length -= n;
    }
    return RAFFLE_OK;
}

/* A string, to its end. */
static raffle_rc skip_string(rf_compare *c, raffle_error *err)
{
    char next = 0;
    raffle_rc rc = rf_compare_bytes(c, "\"", 1, err);
    for (size_t i = 0; rc == RAFFLE_OK && i < CELL_MAX; i++) {
        rc = peek(c, &next, err);
        if (rc != RAFFLE_OK)
            return rc;
        c->at++;
        if (next == '"')
            return RAFFLE_OK;
        if ((unsigned char)next < 0x20)
            break;
        if (next == '\\' && (rc = peek(c, &next, err)) == RAFFLE_OK)
            c->at++;
    }
    return rc == RAFFLE_OK ? differs(c, err) : rc;
}

/* Who made the report may have had private parts and keys that are not here, or the other way round; all private columns are texts. */
raffle_rc rf_compare_private(rf_compare *c, const char *json, size_t length, raffle_error *err)
{
    char next = 0;
    const bool here = length != 4 || memcmp(json, "null", 4) != 0;
    raffle_rc rc = peek(c, &next, err);
    if (rc != RAFFLE_OK || (next == 'n') != here)
        return rc == RAFFLE_OK && !here ? rf_compare_bytes(c, "null", 4, err)
               : rc == RAFFLE_OK        ? rf_compare_bytes(c, json, length, err)
                                        : rc;
    c->skipped++;
    return next == 'n' ? rf_compare_bytes(c, "null", 4, err) : skip_string(c, err);
}

/* --- the head --- */

/* Until the head is there whole. */
static raffle_rc read_head(rf_compare *c, size_t *length, raffle_error *err)
{
    static const char end[] = ",\n\"draws_aborted\":";
    size_t seen = 0;
    for (;;) {
        const size_t from = seen < sizeof end ? 0 : seen - sizeof end;
        const char *found = c->used > from ? memmem(c->bytes + from, c->used - from, end, sizeof end - 1) : NULL;
        if (found != NULL) {
            *length = (size_t)(found - c->bytes);
            return RAFFLE_OK;
        }
        if (c->ended || c->used > HEAD_MAX)
            return rf_fail(err, RAFFLE_INVALID, "it is no report in JSON");
        seen = c->used;
        raffle_rc rc = fill(c, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
}

static bool is(const char *name, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(name, word, length) == 0;
}

static bool take_text(rf_json_reader *in, char *out, size_t cap)
{
    rf_json_text text;
    return rf_json_take_string(in, &text) && rf_text_copy(&text, out, cap);
}

static bool take_time(rf_json_reader *in, int64_t *at)
{
    rf_json_text text;
    return rf_json_take_string(in, &text) && !text.escaped && rf_time_parse(text.text, text.length, at);
}

static bool take_any(rf_json_reader *in)
{
    const char *json;
    size_t length;
    return rf_json_take_any(in, &json, &length);
}

static bool take_interval(rf_json_reader *in, raffle_report_options *how)
{
    const char *name;
    size_t length;
    bool good = rf_json_enter_object(in);
    while (good && rf_json_next_key(in, &name, &length))
        good = is(name, length, "from") ? take_time(in, &how->from)
               : is(name, length, "to") ? take_time(in, &how->to)
                                        : take_any(in);
    return good && in->fault == NULL;
}

static bool take_log(rf_json_reader *in, rf_report_log *log)
{
    const char *name;
    size_t length;
    int64_t size = -1;
    rf_json_text root = {0};
    bool good = rf_json_enter_object(in);
    while (good && rf_json_next_key(in, &name, &length))
        good = is(name, length, "size")   ? rf_json_take_int(in, &size)
               : is(name, length, "root") ? rf_json_take_string(in, &root)
                                          : take_any(in);
    log->size = (uint64_t)size;
    return good && in->fault == NULL && size >= 0 && rf_hex_decode(log->root, 32, root.text, root.length);
}

static bool add_unit(rf_report *p, rf_json_reader *in, size_t *cap)
{
    if (p->units == RAFFLE_UNIT_MAX)
        return false;
    if (p->units == *cap) {
        const size_t more = *cap == 0 ? 64 : 2 * *cap;
        rf_report_log *grown = realloc(p->unit_log, more * sizeof *grown);
        if (grown == NULL) {
            p->rc = rf_nomem(p->err);
            return false;
        }
        p->unit_log = grown;
        *cap = more;
    }
    p->unit_log[p->units] = (rf_report_log){0};
    return take_log(in, &p->unit_log[p->units++]);
}

static bool take_units(rf_report *p, rf_json_reader *in)
{
    size_t cap = 0;
    bool good = rf_json_enter_array(in);
    while (good && rf_json_next_element(in))
        good = add_unit(p, in, &cap);
    return good && in->fault == NULL;
}

static bool take_checkpoint(rf_report *p, rf_json_reader *in)
{
    const char *name;
    size_t length;
    bool good = p->unit_log == NULL && rf_json_enter_object(in);
    while (good && rf_json_next_key(in, &name, &length))
        good = is(name, length, "control") ? take_log(in, &p->control_log)
               : is(name, length, "units") ? take_units(p, in)
                                           : take_any(in);
    return good && in->fault == NULL;
}

static bool take_number(rf_json_reader *in, uint32_t *out)
{
    int64_t value = -1;
    const bool good = rf_json_take_int(in, &value) && value >= 0 && value <= RAFFLE_UNIT_MAX;
    *out = good ? (uint32_t)value : 0;
    return good;
}

/* What the report is made again from; all else is compared. */
static bool take_member(rf_report *p, rf_json_reader *in, const char *name, size_t length)
{
    if (is(name, length, "report"))
        return take_text(in, p->how.name, sizeof p->how.name);
    if (is(name, length, "maker"))
        return take_text(in, p->how.maker, sizeof p->how.maker);
    if (is(name, length, "unit"))
        return take_number(in, &p->how.unit);
    if (is(name, length, "made"))
        return take_time(in, &p->made);
    if (is(name, length, "interval"))
        return take_interval(in, &p->how);
    if (is(name, length, "checkpoint"))
        return take_checkpoint(p, in);
    return take_any(in);
}

/* The head is cut behind its last member, whose comma is the object's end here. */
static raffle_rc parse_head(rf_report *p, rf_compare *c, raffle_error *err)
{
    size_t head = 0, length;
    const char *name;
    rf_json_reader in;
    raffle_rc rc = read_head(c, &head, err);
    if (rc != RAFFLE_OK)
        return rc;
    c->bytes[head] = '}';
    rf_json_reader_init(&in, c->bytes, head + 1, false);
    bool good = rf_json_enter_object(&in);
    while (good && rf_json_next_key(&in, &name, &length))
        good = take_member(p, &in, name, length);
    good = good && rf_json_done(&in);
    c->bytes[head] = ',';
    if (p->rc != RAFFLE_OK)
        return p->rc;
    return good && p->control_log.size > 0 ? RAFFLE_OK
                                           : rf_fail(err, RAFFLE_INVALID, "the head of the report is malformed");
}

/* --- the notes --- */

/* The next line without its newline, in the buffer; its length. */
static raffle_rc take_line(rf_compare *c, const char **line, size_t *length, raffle_error *err)
{
    for (;;) {
        const char *end = memchr(c->bytes + c->at, '\n', c->used - c->at);
        if (end != NULL) {
            *line = c->bytes + c->at;
            *length = (size_t)(end - *line);
            c->at += *length + 1;
            c->line++;
            return RAFFLE_OK;
        }
        if (c->ended || c->used - c->at > NOTE_LINE_MAX)
            return differs(c, err);
        raffle_rc rc = fill(c, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
}

/* A checkpoint of a log's key, of no more records than the report has, whose root the records have. */
static raffle_rc check_note(rf_report *p, uint32_t number, const char *note, size_t length)
{
    rf_log *log;
    const rf_vkey *vkey;
    char key[RF_VKEY_SIZE];
    raffle_checkpoint_info info = RAFFLE_CHECKPOINT_INFO_INIT;
    uint8_t root[32];
    if (number > p->units)
        return rf_fail(p->err, RAFFLE_MISMATCH, "the report has a checkpoint of log %u, which there is not", number);
    raffle_rc rc = rf_log_named(p->raffle, number, &log, &vkey, p->err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_vkey_format(vkey, key);
    rc = raffle_checkpoint_verify(note, length, key, &info, p->err);
    const rf_report_log *is_log = number == 0 ? &p->control_log : &p->unit_log[number - 1];
    if (rc == RAFFLE_OK && info.size > is_log->size)
        return rf_fail(p->err, RAFFLE_MISMATCH, "the report's checkpoint of log %u is of more records than the report",
                       number);
    if (rc == RAFFLE_OK)
        rc = rf_log_root_at(log, info.size, root, p->err);
    if (rc == RAFFLE_OK && memcmp(root, info.root, sizeof root) != 0)
        return rf_fail(p->err, RAFFLE_HISTORY, "the report's signed checkpoint of log %u is of other records", number);
    return rc;
}

/* "{"log":N,"note":"…"}" */
static bool parse_note(const char *line, size_t length, uint32_t *number, rf_json_text *note)
{
    rf_json_reader in;
    const char *name;
    size_t n;
    int members = 0;
    rf_json_reader_init(&in, line, length, false);
    bool good = rf_json_enter_object(&in);
    while (good && rf_json_next_key(&in, &name, &n)) {
        good = is(name, n, "log") ? take_number(&in, number) : is(name, n, "note") && rf_json_take_string(&in, note);
        members++;
    }
    return good && members == 2 && rf_json_done(&in);
}

static raffle_rc take_note(rf_report *p, const char *line, size_t length)
{
    uint32_t number = 0;
    rf_json_text text = {0};
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(p->err);
    const bool good = parse_note(line, length, &number, &text);
    const size_t n = good ? rf_json_unescape(&text, note, RF_NOTE_MAX) : SIZE_MAX;
    raffle_rc rc = n != SIZE_MAX ? check_note(p, number, note, n) : differs(p->compare, p->err);
    free(note);
    return rc;
}

/* Lines that end with a comma, but for the last, and "]}" behind it. */
static raffle_rc check_notes(rf_report *p, uint32_t *notes)
{
    const char *line;
    size_t length;
    bool last = false;
    raffle_rc rc = take_line(p->compare, &line, &length, p->err);
    if (rc != RAFFLE_OK || (length == 2 && memcmp(line, "]}", 2) == 0))
        return rc;
    if (length != 0)
        return differs(p->compare, p->err);
    while (!last && rc == RAFFLE_OK) {
        rc = take_line(p->compare, &line, &length, p->err);
        if (rc != RAFFLE_OK)
            return rc;
        last = length > 2 && memcmp(line + length - 2, "]}", 2) == 0;
        if (!last && (length == 0 || line[length - 1] != ','))
            return differs(p->compare, p->err);
        rc = take_note(p, line, length - (last ? 2 : 1));
        ++*notes;
    }
    return rc;
}

static raffle_rc check_end(rf_compare *c, raffle_error *err)
{
    while (c->at == c->used && !c->ended) {
        raffle_rc rc = fill(c, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    return c->at == c->used ? RAFFLE_OK : differs(c, err);
}

/* --- the call --- */

static raffle_rc verify(rf_report *p, raffle_report_info *info)
{
    p->how.format = RAFFLE_REPORT_JSON;
    p->hash = rf_sha256_new();
    if (p->hash == NULL)
        return rf_nomem(p->err);
    raffle_rc rc = parse_head(p, p->compare, p->err);
    if (rc == RAFFLE_OK)
        rc = rf_report_check(p, p->err);
    if (rc == RAFFLE_OK)
        rc = rf_report_snapshot(p, p->err);
    if (rc == RAFFLE_OK)
        rc = rf_report_run(p);
    if (rc == RAFFLE_OK)
        rc = check_notes(p, &info->notes);
    return rc == RAFFLE_OK ? check_end(p->compare, p->err) : rc;
}

static void describe(const rf_report *p, raffle_report_info *info)
{
    info->unit = p->how.unit;
    memcpy(info->name, p->how.name, sizeof info->name);
    info->from = p->how.from;
    info->to = p->how.to;
    info->made = p->made;
    info->control_size = p->control_log.size;
    info->records = p->control_log.size;
    for (size_t i = 0; i < p->units; i++)
        info->records += p->unit_log[i].size;
    info->rows = p->rows;
    info->private_cells = p->compare->skipped;
}

raffle_rc raffle_report_verify(raffle *r, raffle_read read, void *ctx, raffle_report_info *info, raffle_error *err)
{
    raffle_error mine = RAFFLE_ERROR_INIT;
    raffle_report_info found = {0};
    rf_compare compare = {.read = read, .ctx = ctx, .line = 1};
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && read == NULL)
        rc = rf_null(err, "read");
    if (rc == RAFFLE_OK && info != NULL)
        rc = rf_struct_check(info, "info", err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_report *p = calloc(1, sizeof *p);
    if (p == NULL)
        return rf_nomem(err);
    p->raffle = r;
    p->compare = &compare;
    p->err = &mine;
    rc = verify(p, &found);
    if (rc == RAFFLE_OK && info != NULL) {
        describe(p, &found);
        rf_struct_out(info, rf_struct_size(info), &found, sizeof found);
    }
    rf_report_clear(p);
    free(compare.bytes);
    return rc == RAFFLE_OK ? rc : rf_fail_as(err, &mine);
}
