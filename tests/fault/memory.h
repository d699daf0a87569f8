/* SPDX-License-Identifier: Apache-2.0 */
/* Allocations that fail: those of the library's layers, by wrapping what they call, and SQLite's, by its own table. */
#ifndef RF_TESTS_MEMORY_H
#define RF_TESTS_MEMORY_H

#include <stdbool.h>

/* Takes SQLite's allocations instead of the library's. Before SQLite is used. */
void memory_of_sqlite(void);
/* From now on the `nth` allocation fails, counted from 1; with `lasting` all that follow too. 0: none, but they are counted. */
void memory_arm(long nth, bool lasting);
/* No failures from now on; how many allocations there were, and whether one failed. */
long memory_disarm(bool *failed);

#endif
