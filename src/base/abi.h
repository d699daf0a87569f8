/* SPDX-License-Identifier: Apache-2.0 */
/* Structs across the ABI: they begin with their size and only grow at the end (the rules are at the top of raffle/raffle.h). */
#ifndef RF_BASE_ABI_H
#define RF_BASE_ABI_H

#include <raffle/error.h>
#include <raffle/ext/host.h>
#include <stddef.h>
#include <stdint.h>

/* Reads a caller's struct into ours of `size` bytes: a shorter one is filled up with zeros, a longer one refused when it has unknown non-zero
 * bytes. RAFFLE_MISUSE names the struct. */
raffle_rc rf_struct_in(void *mine, size_t size, const void *theirs, const char *name, raffle_error *err);
/* The same for the host that any handle is opened with; NULL is one of defaults. RAFFLE_UNSUPPORTED: flags that this version does not know. */
raffle_rc rf_host_in(raffle_host *mine, const raffle_host *theirs, raffle_error *err);
/* Whether a caller's struct can be written to. RAFFLE_MISUSE. */
raffle_rc rf_struct_check(const void *theirs, const char *name, raffle_error *err);
/* Writes ours to the caller's, of `theirs_size` bytes: what is longer there becomes zero, `struct_size` is set to `theirs_size`. */
void rf_struct_out(void *theirs, size_t theirs_size, const void *mine, size_t size);
/* What the `_init` functions do: zeroes `size` bytes and stores the size. */
void rf_struct_init(void *theirs, size_t size);

static inline uint32_t rf_struct_size(const void *theirs)
{
    return *(const uint32_t *)theirs;
}

#endif
