/* SPDX-License-Identifier: Apache-2.0 */
/* A store in memory, as a host would write one: one mutex, arrays, nothing of the library's but raffle/ext/store.h. */
#ifndef RF_TESTS_MEMORY_STORE_H
#define RF_TESTS_MEMORY_STORE_H

#include <raffle/ext/store.h>

typedef struct memory_store memory_store;

memory_store *memory_store_new(void);
/* The table; its functions take the memory_store as their context, and `free` frees it. */
void memory_store_table(raffle_store_table *table);

#endif
