/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into and out of arrays of structs: bulk.h. */
#include "bulk.h"

#include <string.h>

size_t raffle_py_put_texts(char *first, size_t stride, size_t cap, const char *text, size_t length, char separator,
                           size_t n)
{
    const char *end = text + length;
    for (size_t i = 0; i < n; i++) {
        const char *stop = i + 1 < n ? memchr(text, separator, (size_t)(end - text)) : end;
        if (stop == NULL)
            return i;
        const size_t size = (size_t)(stop - text);
        if (size >= cap || memchr(text, '\0', size) != NULL)
            return i;
        memcpy(first + i * stride, text, size);
        text = stop + (i + 1 < n);
    }
    return n;
}

void raffle_py_put_text(char *first, size_t stride, const char *text, size_t length, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(first + i * stride, text, length);
}

void raffle_py_put_values(char *first, size_t stride, const char *values, size_t width, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(first + i * stride, values + i * width, width);
}

void raffle_py_get_values(const char *first, size_t stride, char *values, size_t width, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(values + i * width, first + i * stride, width);
}
