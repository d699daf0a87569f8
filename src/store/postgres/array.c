/* SPDX-License-Identifier: Apache-2.0 */
/* Values in PostgreSQL's binary form (PostgreSQL 15 source, array_recv and array_send): parameters, arrays, and the columns of answers. */
#include "postgres/db.h"

#include "bytes.h"
#include "error.h"
#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 20 /* dimensions, whether there are NULLs, type, elements, the first one's number: 32 bits each */
};

void rf_pg_bytes(rf_pg_params *p, const void *bytes, size_t length)
{
    p->value[p->n] = bytes;
    p->length[p->n] = (int)length;
    p->n++;
}

void rf_pg_text(rf_pg_params *p, const char *text)
{
    rf_pg_bytes(p, text, strlen(text));
}

static void add_number(rf_pg_params *p, uint64_t value, size_t bytes)
{
    rf_put_be(p->number[p->n], value, bytes);
    rf_pg_bytes(p, p->number[p->n], bytes);
}

void rf_pg_int4(rf_pg_params *p, uint32_t value)
{
    add_number(p, value, 4);
}

void rf_pg_int8(rf_pg_params *p, uint64_t value)
{
    add_number(p, value, 8);
}

/* --- arrays --- */

void rf_pg_array_reset(rf_pg_array *a, uint32_t type)
{
    a->type = type;
    a->length = HEAD;
    a->count = 0;
    a->nulls = false;
}

void rf_pg_array_free(rf_pg_array *a)
{
    free(a->bytes);
    a->bytes = NULL;
    a->cap = 0;
}

raffle_rc rf_pg_array_add(rf_pg_array *a, const void *bytes, size_t length, raffle_error *err)
{
    const size_t need = a->length + 4 + length;
    if (need > INT32_MAX / 2)
        return rf_fail(err, RAFFLE_LIMIT, "a statement would have %zu bytes", need);
    if (need > a->cap) {
        const size_t cap = 2 * need + 1024;
        uint8_t *grown = realloc(a->bytes, cap);
        if (grown == NULL)
            return rf_nomem(err);
        a->bytes = grown;
        a->cap = cap;
    }
    rf_put_be(a->bytes + a->length, bytes == NULL ? UINT32_MAX : length, 4);
    if (bytes != NULL)
        memcpy(a->bytes + a->length + 4, bytes, length);
    a->nulls = a->nulls || bytes == NULL;
    a->length = bytes == NULL ? a->length + 4 : need;
    a->count++;
    return RAFFLE_OK;
}

raffle_rc rf_pg_array_add_number(rf_pg_array *a, uint64_t value, raffle_error *err)
{
    uint8_t bytes[8];
    const size_t length = a->type == RF_PG_INT4 ? 4 : 8;
    rf_put_be(bytes, value, length);
    return rf_pg_array_add(a, bytes, length, err);
}

void rf_pg_array_param(rf_pg_params *p, rf_pg_array *a)
{
    const uint32_t head[] = {1, a->nulls, a->type, a->count, 1};
    for (size_t i = 0; i < 5; i++)
        rf_put_be(a->bytes + 4 * i, head[i], 4);
    rf_pg_bytes(p, a->bytes, a->length);
}

/* --- columns --- */

bool rf_pg_value(const PGresult *r, int row, int column, uint32_t type, size_t max, const char **out, size_t *length,
                 bool *null)
{
    if (row >= PQntuples(r) || column >= PQnfields(r) || PQfformat(r, column) != 1 || PQftype(r, column) != type)
        return false;
    const bool is_null = PQgetisnull(r, row, column) != 0;
    if (null != NULL)
        *null = is_null;
    if (is_null)
        return null != NULL;
    const int n = PQgetlength(r, row, column);
    *out = PQgetvalue(r, row, column);
    *length = (size_t)n;
    return n >= 0 && (size_t)n <= max;
}

bool rf_pg_number(const PGresult *r, int row, int column, uint64_t max, uint64_t *out, bool *null)
{
    const char *bytes = NULL;
    size_t length = 0;
    bool none = false;
    if (column >= PQnfields(r))
        return false;
    const uint32_t type = PQftype(r, column);
    if (type != RF_PG_INT4 && type != RF_PG_INT8)
        return false;
    *out = 0;
    if (!rf_pg_value(r, row, column, type, 8, &bytes, &length, &none))
        return false;
    if (null != NULL)
        *null = none;
    if (none)
        return null != NULL;
    if (length != (type == RF_PG_INT4 ? 4U : 8U))
        return false;
    *out = rf_get_be((const uint8_t *)bytes, length); /* a negative one is beyond every `max` */
    return *out <= max && max <= (type == RF_PG_INT4 ? INT32_MAX : INT64_MAX);
}
