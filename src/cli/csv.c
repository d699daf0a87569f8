/* SPDX-License-Identifier: Apache-2.0 */
/* A strict reader of CSV: first a bounded line, then its bytes as a whole, then its fields in place. */
#include "csv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void csv_init(csv *c, FILE *file, size_t columns)
{
    memset(c, 0, sizeof *c);
    c->file = file;
    c->columns = columns;
}

__attribute__((format(printf, 2, 3))) static csv_result bad(csv *c, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(c->fault, sizeof c->fault, format, list);
    va_end(list);
    return CSV_BAD;
}

/* Reads to the end of the line; what is beyond the buffer is counted and dropped. */
static csv_result read_line(csv *c, size_t *length)
{
    int byte;
    *length = 0;
    while ((byte = getc_unlocked(c->file)) != EOF) {
        c->bytes++;
        if (byte == '\n')
            break;
        if (*length < CSV_LINE_MAX + 1)
            c->text[*length] = (char)byte;
        if (++*length == CSV_ENDLESS) {
            errno = EFBIG;
            return CSV_ERROR;
        }
    }
    if (ferror(c->file))
        return CSV_ERROR;
    if (byte == EOF && *length == 0)
        return CSV_END;
    c->line++;
    const bool cr = byte == '\n' && *length > 0 && *length <= CSV_LINE_MAX + 1 && c->text[*length - 1] == '\r';
    *length -= cr;
    return *length > CSV_LINE_MAX ? bad(c, "the line has %zu bytes; %d are the most", *length, CSV_LINE_MAX) : CSV_ROW;
}

/* The length of the UTF-8 character at `s`, or 0 (RFC 3629: no overlong forms, no surrogates, not beyond U+10FFFF). */
static size_t character(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

static csv_result check_bytes(csv *c, size_t length)
{
    const unsigned char *s = (const unsigned char *)c->text;
    for (size_t i = 0, step; i < length; i += step) {
        step = character(s + i, length - i);
        if (step == 0)
            return bad(c, "byte %zu is not UTF-8", i + 1);
        if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && s[i + 1] < 0xa0))
            return bad(c, "byte %zu is a control character, 0x%02x", i + 1, s[i] == 0xc2 ? s[i + 1] : s[i]);
    }
    return CSV_ROW;
}

/* Unquotes the field at `*at` in place, and leaves `*at` behind it: at a comma or at the line's end. */
static csv_result quoted(csv *c, size_t column, char **at)
{
    char *from = *at + 1, *to = *at;
    for (; *from != '"' || from[1] == '"'; from++) {
        if (*from == 0)
            return bad(c, "column %zu: the quote is not closed on its line", column);
        from += *from == '"'; /* of two quotes, the second */
        *to++ = *from;
    }
    from++;
    if (*from != 0 && *from != ',')
        return bad(c, "column %zu: text follows the closing quote", column);
    *to = 0;
    *at = from;
    return CSV_ROW;
}

static csv_result plain(csv *c, size_t column, char **at)
{
    char *end = *at + strcspn(*at, ",\"");
    if (*end == '"')
        return bad(c, "column %zu: a quote in a field without quotes", column);
    *at = end;
    return CSV_ROW;
}

static csv_result split(csv *c)
{
    char *at = c->text;
    for (size_t n = 1;; n++) {
        if (n > c->columns)
            return bad(c, "the line has more than %zu columns", c->columns);
        c->field[n - 1] = at;
        csv_result result = *at == '"' ? quoted(c, n, &at) : plain(c, n, &at);
        if (result != CSV_ROW)
            return result;
        if (*at == 0)
            return n == c->columns ? CSV_ROW : bad(c, "the line has %zu columns; it must have %zu", n, c->columns);
        *at++ = 0;
    }
}

csv_result csv_next(csv *c)
{
    size_t length;
    csv_result result = read_line(c, &length);
    if (result != CSV_ROW)
        return result;
    if (length == 0)
        return bad(c, "the line is empty");
    result = check_bytes(c, length);
    if (result != CSV_ROW)
        return result;
    c->text[length] = 0;
    return split(c);
}
