/* SPDX-License-Identifier: Apache-2.0 */
/* Lines in and lines out. Every line has one spelling, so that no byte of a receipt is without meaning. */
#include "receipt_text.h"

#include "bytes.h"
#include "error.h"
#include "store.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEADER "libraffle/receipt/v1"
#define HEADER_STEM "libraffle/receipt/v"
#define PROOF_HEADER "c2sp.org/tlog-proof@v1"
#define HASH_TEXT 44 /* base64 of 32 bytes */

const char *rf_receipt_word(int32_t proves)
{
    static const char *const words[] = {
        [RAFFLE_RECEIPT_PROMISE] = "promise", [RAFFLE_RECEIPT_DRUM] = "drum", [RAFFLE_RECEIPT_VOID] = "void"};
    return words[proves];
}

/* --- reading --- */

typedef struct reader {
    const char *at, *end;
    uint32_t line; /* the number of the line that was taken last */
    raffle_error *err;
} reader;

typedef struct line {
    const char *text;
    size_t length;
} line;

static bool fault(reader *in, const char *sentence)
{
    (void)rf_fail_at(in->err, RAFFLE_INVALID, in->line, "line %u of the receipt %s", in->line, sentence);
    return false;
}

static bool take_line(reader *in, line *out)
{
    const char *end = memchr(in->at, '\n', (size_t)(in->end - in->at));
    in->line++;
    if (end == NULL)
        return fault(in, in->at == in->end ? "is missing" : "is not ended by a newline");
    *out = (line){in->at, (size_t)(end - in->at)};
    in->at = end + 1;
    return true;
}

static bool line_is(const line *l, const char *text)
{
    return l->length == strlen(text) && memcmp(l->text, text, l->length) == 0;
}

/* Takes `stem` off the line's beginning. */
static bool skip(line *l, const char *stem)
{
    const size_t n = strlen(stem);
    if (l->length < n || memcmp(l->text, stem, n) != 0)
        return false;
    *l = (line){l->text + n, l->length - n};
    return true;
}

/* Takes what stands before the next `mark`, and the mark. */
static bool cut(line *l, char mark, line *before)
{
    const char *at = memchr(l->text, mark, l->length);
    if (at == NULL)
        return false;
    *before = (line){l->text, (size_t)(at - l->text)};
    *l = (line){at + 1, l->length - before->length - 1};
    return true;
}

static bool expect(reader *in, const char *text)
{
    line l;
    char sentence[80];
    if (!take_line(in, &l))
        return false;
    if (line_is(&l, text))
        return true;
    (void)snprintf(sentence, sizeof sentence, "is not \"%s\"", text);
    return fault(in, sentence);
}

static bool read_number(const line *l, uint64_t max, uint64_t *out)
{
    return rf_decimal_parse(l->text, l->length, max, out);
}

static bool read_title(reader *in, rf_receipt *r)
{
    line l, word, origin, unit;
    uint64_t number;
    if (!take_line(in, &l))
        return false;
    if (!cut(&l, ' ', &word) || !cut(&l, ' ', &origin) || !cut(&l, '/', &unit))
        return fault(in, "is not what it proves, a raffle's origin and a ticket U/SERIAL");
    for (r->proves = RAFFLE_RECEIPT_PROMISE; !line_is(&word, rf_receipt_word(r->proves)); r->proves++)
        if (r->proves == RAFFLE_RECEIPT_VOID)
            return fault(in, "begins with none of promise, drum and void");
    if (!rf_origin_valid(origin.text, origin.length))
        return fault(in, "has no raffle's origin");
    memcpy(r->origin, origin.text, origin.length);
    r->origin[origin.length] = 0;
    if (!read_number(&unit, RAFFLE_UNIT_MAX, &number) || number == 0 ||
        !read_number(&l, RF_LOG_RECORDS_MAX, &r->serial))
        return fault(in, "has no ticket U/SERIAL");
    r->unit = (uint32_t)number;
    return true;
}

static bool read_hash(reader *in, const line *l, rf_receipt_proof *proof)
{
    size_t n;
    if (proof->hashes == RF_RECEIPT_HASHES)
        return fault(in, "is a 64th hash: no proof is so long");
    if (l->length != HASH_TEXT || !rf_base64_decode(proof->hash[proof->hashes], 32, &n, l->text, l->length) || n != 32)
        return fault(in, "is not canonical base64 of a hash");
    proof->hashes++;
    return true;
}

/* Hashes up to the blank line. */
static bool read_hashes(reader *in, rf_receipt_proof *proof)
{
    line l;
    for (proof->hashes = 0;;) {
        if (!take_line(in, &l))
            return false;
        if (l.length == 0)
            return true;
        if (!read_hash(in, &l, proof))
            return false;
    }
}

/* The checkpoint is all up to the next part: none of its lines can begin so, since names hold no space. */
static bool read_note(reader *in, rf_receipt_part *part)
{
    const char *at = in->at;
    while (at < in->end) {
        const char *newline = memchr(at, '\n', (size_t)(in->end - at));
        line ahead = {at, (size_t)(in->end - at)};
        if (skip(&ahead, "part "))
            break;
        in->line++;
        if (newline == NULL)
            return fault(in, "is not ended by a newline");
        at = newline + 1;
    }
    part->note = in->at;
    part->note_length = (size_t)(at - in->at);
    in->at = at;
    return true;
}

/* Into `leaf`, which has room for `most` bytes. */
static bool read_tlog_proof(reader *in, char *leaf, size_t most, rf_receipt_part *part)
{
    line l;
    if (!expect(in, PROOF_HEADER) || !take_line(in, &l))
        return false;
    if (!skip(&l, "extra ") || !rf_base64_decode((uint8_t *)leaf, most, &part->leaf_length, l.text, l.length))
        return fault(in, "is not \"extra\" and a record, not too long, in canonical base64");
    part->leaf = leaf;
    if (!take_line(in, &l))
        return false;
    if (!skip(&l, "index ") || !read_number(&l, RF_LOG_RECORDS_MAX, &part->proof.index))
        return fault(in, "is not \"index\" and a record's index");
    return read_hashes(in, &part->proof) && read_note(in, part);
}

/* `most`: bytes of the record. */
static bool read_part(reader *in, rf_receipt *r, const char *title, rf_receipt_part *part, size_t most)
{
    if (!expect(in, title) || !read_tlog_proof(in, r->leaves + r->used, most, part))
        return false;
    r->used += part->leaf_length;
    return true;
}

static bool read_void(reader *in, rf_receipt *r)
{
    line l, serial;
    if (!take_line(in, &l))
        return false;
    if (r->voids == 2)
        return fault(in, "is more than two voids");
    rf_receipt_void *v = &r->near[r->voids++];
    if (!skip(&l, "void ") || !cut(&l, ' ', &serial) || !read_number(&serial, RF_LOG_RECORDS_MAX, &v->serial) ||
        !read_number(&l, RF_LOG_RECORDS_MAX, &v->proof.index))
        return fault(in, "is not \"void\", a serial and its place among the voids");
    return read_hashes(in, &v->proof);
}

static bool read_voids(reader *in, rf_receipt *r)
{
    if (!expect(in, "part voids"))
        return false;
    for (r->voids = 0; in->at < in->end;)
        if (!read_void(in, r))
            return false;
    return true;
}

static bool read_small_part(reader *in, rf_receipt *r, const char *title, rf_receipt_part *part)
{
    return read_part(in, r, title, part, RF_RECEIPT_LEAF_MAX);
}

static bool ends(reader *in, const char *sentence)
{
    if (in->at == in->end)
        return true;
    in->line++;
    return fault(in, sentence);
}

static bool read_parts(reader *in, rf_receipt *r)
{
    line ahead = {in->at, (size_t)(in->end - in->at)};
    r->has_open = skip(&ahead, "part raffle.open\n");
    if (r->has_open && !read_part(in, r, "part raffle.open", &r->open, RAFFLE_RECORD_MAX))
        return false;
    if (!read_small_part(in, r, "part unit.enrol", &r->enrol) || !read_small_part(in, r, "part sale", &r->sale))
        return false;
    if (r->proves != RAFFLE_RECEIPT_PROMISE)
        return read_small_part(in, r, "part seal.unit", &r->seal_unit) &&
               read_small_part(in, r, "part seal", &r->seal) && read_voids(in, r);
    return ends(in, "is one more than a promise has");
}

raffle_rc rf_receipt_read(rf_receipt *receipt, const char *text, size_t length, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    line first = {text, length};
    if (!skip(&first, HEADER "\n"))
        return skip(&first, HEADER_STEM) ? rf_fail_at(err, RAFFLE_NEWER, 1, "the receipt is not of version 1")
                                         : rf_fail_at(err, RAFFLE_INVALID, 1, "line 1 is not that of a receipt");
    reader in = {.at = first.text, .end = text + length, .line = 1, .err = &why};
    receipt->voids = 0;
    receipt->used = 0;
    return read_title(&in, receipt) && read_parts(&in, receipt) ? RAFFLE_OK : rf_fail_as(err, &why);
}

raffle_rc rf_tlog_proof_read(rf_receipt_part *part, char leaf[RF_RECEIPT_LEAF_MAX], const char *text, size_t length,
                             raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    reader in = {.at = text, .end = text + length, .err = &why};
    return read_tlog_proof(&in, leaf, RF_RECEIPT_LEAF_MAX, part) && ends(&in, "is one more than a proof has")
               ? RAFFLE_OK
               : rf_fail_as(err, &why);
}

/* --- writing --- */

size_t rf_receipt_note(const rf_note *note, const rf_vkey *own, const rf_policy *policy, char *out)
{
    size_t n = note->text_length;
    if (n + 1 > RF_NOTE_MAX)
        return 0;
    memcpy(out, note->text, n);
    out[n++] = '\n';
    const size_t signature = rf_note_copy_line(note, own, out + n, RF_NOTE_MAX - n);
    if (signature == 0)
        return 0;
    n += signature;
    for (size_t i = 0; policy != NULL && i < policy->witnesses; i++)
        n += rf_note_copy_line(note, &policy->witness[i].vkey, out + n, RF_NOTE_MAX - n);
    return n;
}

typedef struct writer {
    char *out;
    size_t cap, at;
    bool full;
} writer;

static void put(writer *w, const void *bytes, size_t n)
{
    w->full = w->full || n > w->cap - w->at;
    if (w->full)
        return;
    memcpy(w->out + w->at, bytes, n);
    w->at += n;
}

static void put_text(writer *w, const char *text)
{
    put(w, text, strlen(text));
}

static void put_number(writer *w, uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    put_text(w, text);
}

static void put_base64(writer *w, const void *bytes, size_t n)
{
    const size_t length = rf_base64_length(n);
    w->full = w->full || length > w->cap - w->at;
    if (!w->full)
        w->at += rf_base64_encode(w->out + w->at, bytes, n);
    put_text(w, "\n");
}

static void put_hashes(writer *w, const rf_receipt_proof *proof)
{
    for (size_t i = 0; i < proof->hashes; i++)
        put_base64(w, proof->hash[i], 32);
    put_text(w, "\n");
}

static void put_tlog_proof(writer *w, const rf_receipt_part *part)
{
    put_text(w, PROOF_HEADER "\nextra ");
    put_base64(w, part->leaf, part->leaf_length);
    put_text(w, "index ");
    put_number(w, part->proof.index);
    put_text(w, "\n");
    put_hashes(w, &part->proof);
    put(w, part->note, part->note_length);
}

static void put_part(writer *w, const char *title, const rf_receipt_part *part)
{
    put_text(w, title);
    put_text(w, "\n");
    put_tlog_proof(w, part);
}

static void put_void(writer *w, const rf_receipt_void *v)
{
    put_text(w, "void ");
    put_number(w, v->serial);
    put_text(w, " ");
    put_number(w, v->proof.index);
    put_text(w, "\n");
    put_hashes(w, &v->proof);
}

size_t rf_receipt_write(const rf_receipt *receipt, char *out, size_t cap)
{
    writer w = {.out = out, .cap = cap};
    put_text(&w, HEADER "\n");
    put_text(&w, rf_receipt_word(receipt->proves));
    put_text(&w, " ");
    put_text(&w, receipt->origin);
    put_text(&w, " ");
    put_number(&w, receipt->unit);
    put_text(&w, "/");
    put_number(&w, receipt->serial);
    put_text(&w, "\n");
    if (receipt->has_open)
        put_part(&w, "part raffle.open", &receipt->open);
    put_part(&w, "part unit.enrol", &receipt->enrol);
    put_part(&w, "part sale", &receipt->sale);
    if (receipt->proves != RAFFLE_RECEIPT_PROMISE) {
        put_part(&w, "part seal.unit", &receipt->seal_unit);
        put_part(&w, "part seal", &receipt->seal);
        put_text(&w, "part voids\n");
        for (size_t i = 0; i < receipt->voids; i++)
            put_void(&w, &receipt->near[i]);
    }
    return w.full ? 0 : w.at;
}

size_t rf_tlog_proof_write(const rf_receipt_part *part, char *out, size_t cap)
{
    writer w = {.out = out, .cap = cap};
    put_tlog_proof(&w, part);
    return w.full ? 0 : w.at;
}
