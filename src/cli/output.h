/* SPDX-License-Identifier: Apache-2.0 */
/* What people read: tables with aligned columns, money by the currency's digits; and what machines read: JSON. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    MONEY_SIZE = 64
};

/* "1,212.50 CAD" of 121250 minor units with 2 digits. At most 8 digits; `currency` "" leaves it out. */
void money_format(int64_t minor, uint32_t digits, const char *currency, char out[MONEY_SIZE]);

/* "12,345" of 12345. */
void count_format(uint64_t count, char out[MONEY_SIZE]);

/* Lower-case hexadecimal; `out` has room for 2 * n + 1. */
void hex_format(const uint8_t *bytes, size_t n, char *out);

/* Replaces control characters, so that no text of a file or log steers a terminal. */
void text_clean(char *text);

/* Writes a text so that it is nothing but text in HTML and XML, in attributes too. */
void html_text(const char *text, FILE *to);

/* A column: its heading (NULL in tables without headings), and whether it is aligned to the right. */
typedef struct column {
    const char *heading;
    bool right;
} column;

/* Cells are added row by row; a row ends when it has a cell for each column. */
typedef struct table {
    const column *columns;
    size_t n;
    char **cell;
    size_t cells, room;
} table;
void table_begin(table *t, const column *columns, size_t n);
__attribute__((format(printf, 2, 3))) void table_add(table *t, const char *format, ...);
/* Prints and empties it. A table without cells prints nothing. */
void table_end(table *t, FILE *to);

/* A value that was made, or the end of the program: out of memory. */
json_t *json_must(json_t *value);
/* A text; in one that is not UTF-8, a file's name say, what is not ASCII becomes '?'. */
json_t *json_text(const char *text);
void json_put(json_t *object, const char *name, json_t *value);
void json_add(json_t *array, json_t *value);
/* Prints it on a line of its own (pretty: with indentation), and releases it. */
void json_end(json_t *value, bool pretty, FILE *to);

/* Memory, or the end of the program. */
void *memory_grow(void *memory, size_t size);

#endif
