/* SPDX-License-Identifier: Apache-2.0 */
/* What people read, and what machines read. */
#include "output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
    fputs("raffle: out of memory\n", stderr);
    exit(1);
}

void *memory_grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size);
    if (grown == NULL)
        out_of_memory();
    return grown;
}

void count_format(uint64_t count, char out[MONEY_SIZE])
{
    char plain[24];
    const size_t length = (size_t)snprintf(plain, sizeof plain, "%" PRIu64, count);
    size_t to = 0;
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = plain[i];
    }
    out[to] = 0;
}

void money_format(int64_t minor, uint32_t digits, const char *currency, char out[MONEY_SIZE])
{
    const uint64_t value = minor < 0 ? 0 - (uint64_t)minor : (uint64_t)minor;
    char whole[MONEY_SIZE], fraction[16] = "";
    uint64_t unit = 1;
    if (digits > 8)
        digits = 8;
    for (uint32_t i = 0; i < digits; i++)
        unit *= 10;
    count_format(value / unit, whole);
    if (digits > 0)
        snprintf(fraction, sizeof fraction, ".%0*u", (int)digits, (unsigned)(value % unit));
    snprintf(out, MONEY_SIZE, "%s%.30s%s%s%.8s", minor < 0 ? "-" : "", whole, fraction, currency[0] != 0 ? " " : "",
             currency);
}

void hex_format(const uint8_t *bytes, size_t n, char *out)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digit[bytes[i] >> 4];
        out[2 * i + 1] = digit[bytes[i] & 15];
    }
    out[2 * n] = 0;
}

void text_clean(char *text)
{
    for (unsigned char *s = (unsigned char *)text; *s != 0; s++) {
        if (*s < 0x20 || *s == 0x7f)
            *s = '?';
        else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) /* U+0080 to U+009F */
            s[0] = s[1] = '?';
    }
}

void html_text(const char *text, FILE *to)
{
    for (; *text != 0; text++) {
        if (strchr("<>&\"'", *text) != NULL)
            fprintf(to, "&#%d;", *text);
        else
            fputc(*text, to);
    }
}

/* --- tables --- */

void table_begin(table *t, const column *columns, size_t n)
{
    *t = (table){.columns = columns, .n = n};
}

void table_add(table *t, const char *format, ...)
{
    char *text;
    va_list list;
    va_start(list, format);
    const int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0)
        out_of_memory();
    text_clean(text);
    if (t->cells == t->room) {
        t->room = t->room == 0 ? 64 : 2 * t->room;
        t->cell = memory_grow(t->cell, t->room * sizeof *t->cell);
    }
    t->cell[t->cells++] = text;
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != 0; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

static size_t widest(const table *t, size_t col)
{
    size_t width = t->columns[col].heading != NULL ? width_of(t->columns[col].heading) : 0;
    for (size_t i = col; i < t->cells; i += t->n) {
        const size_t own = width_of(t->cell[i]);
        width = own > width ? own : width;
    }
    return width;
}

/* Blanks wait for what follows them, so that no line ends in some. */
static void print_row(const table *t, const size_t *width, const char *const *cell, FILE *to)
{
    size_t blanks = 0;
    for (size_t col = 0; col < t->n; col++) {
        const size_t pad = width[col] - width_of(cell[col]);
        blanks += t->columns[col].right ? pad : 0;
        if (cell[col][0] != 0) {
            fprintf(to, "%*s%s", (int)blanks, "", cell[col]);
            blanks = 0;
        }
        blanks += t->columns[col].right ? 2 : pad + 2;
    }
    fputc('\n', to);
}

static void print_headings(const table *t, const size_t *width, FILE *to)
{
    const char **heading = memory_grow(NULL, t->n * sizeof *heading);
    for (size_t col = 0; col < t->n; col++)
        heading[col] = t->columns[col].heading;
    print_row(t, width, heading, to);
    free(heading);
}

void table_end(table *t, FILE *to)
{
    size_t *width = memory_grow(NULL, t->n * sizeof *width);
    for (size_t col = 0; col < t->n; col++)
        width[col] = widest(t, col);
    if (t->cells > 0 && t->columns[0].heading != NULL)
        print_headings(t, width, to);
    for (size_t i = 0; i + t->n <= t->cells; i += t->n)
        print_row(t, width, (const char *const *)t->cell + i, to);
    for (size_t i = 0; i < t->cells; i++)
        free(t->cell[i]);
    free(t->cell);
    free(width);
    *t = (table){0};
}

/* --- JSON --- */

json_t *json_must(json_t *value)
{
    if (value == NULL)
        out_of_memory();
    return value;
}

json_t *json_text(const char *text)
{
    json_t *value = json_string(text);
    if (value != NULL)
        return value;
    char *copy = memory_grow(NULL, strlen(text) + 1);
    for (size_t i = 0; i <= strlen(text); i++)
        copy[i] = (signed char)text[i] < 0 ? '?' : text[i];
    value = json_must(json_string(copy));
    free(copy);
    return value;
}

void json_put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, json_must(value)) != 0)
        out_of_memory();
}

void json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, json_must(value)) != 0)
        out_of_memory();
}

void json_end(json_t *value, bool pretty, FILE *to)
{
    if (json_dumpf(value, to, pretty ? JSON_INDENT(2) : JSON_COMPACT) == 0)
        fputc('\n', to);
    json_decref(value);
}
