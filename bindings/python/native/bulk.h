/* SPDX-License-Identifier: Apache-2.0 */
/* Columns into and out of arrays of structs, so that a batch of sales crosses the border once. make_native.py declares these to cffi. */
#ifndef RAFFLE_PY_BULK_H
#define RAFFLE_PY_BULK_H

#include <stddef.h>
#include <stdint.h>

/* Copies `n` values, each but the last ended by `separator`, into fixed arrays of `cap` bytes, `stride` bytes apart, which are zero. Returns how many fit: `n`,
 * or the place of the first that is longer than `cap` - 1 bytes or holds a NUL. */
size_t raffle_py_put_texts(char *first, size_t stride, size_t cap, const char *text, size_t length, char separator,
                           size_t n);

/* Copies one value, of less than the arrays' size, into each of `n`. */
void raffle_py_put_text(char *first, size_t stride, const char *text, size_t length, size_t n);

/* Copies `n` values of `width` bytes: into the structs, and out of them. */
void raffle_py_put_values(char *first, size_t stride, const char *values, size_t width, size_t n);
void raffle_py_get_values(const char *first, size_t stride, char *values, size_t width, size_t n);

#endif
