// SPDX-License-Identifier: Apache-2.0

// Package inc is the benchmark's other side: the same work, called from C.
package inc

/*
#cgo !raffle_static pkg-config: libraffle
#cgo raffle_static LDFLAGS: -l:libraffle.a -Wl,--as-needed
#cgo raffle_static pkg-config: --static libraffle

#include <malloc.h>
#include <raffle/raffle.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// Sells `batches` times `lines` tickets, one order each, and gives the seconds; negative: it failed.
static double sell(const char *store, int run, int batches, int lines)
{
    const raffle_actor by = RAFFLE_ACTOR_INIT("ann", RAFFLE_SELLER);
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle *r = NULL;
    raffle_unit *unit = NULL;
    raffle_sale *sale = calloc((size_t)lines, sizeof *sale);
    raffle_ticket *ticket = calloc((size_t)lines, sizeof *ticket);
    raffle_rc rc = sale == NULL || ticket == NULL ? RAFFLE_NOMEM : raffle_open(store, NULL, NULL, &r, &err);
    if (rc == RAFFLE_OK)
        rc = raffle_unit_open(r, 1, &unit, &err);
    const double began = now();
    for (int b = 0; rc == RAFFLE_OK && b < batches; b++) {
        for (int i = 0; i < lines; i++) {
            raffle_sale_init(&sale[i], sizeof sale[i]);
            strcpy(sale[i].tier, "ten");
            snprintf(sale[i].order, sizeof sale[i].order, "c-%d-%d-%d", run, b, i);
        }
        ticket[0].struct_size = sizeof ticket[0];
        rc = raffle_unit_sell(unit, &by, sale, (size_t)lines, -1, ticket, &err);
    }
    const double seconds = now() - began;
    raffle_unit_free(unit);
    raffle_free(r);
    free(sale);
    free(ticket);
    return rc == RAFFLE_OK ? seconds : -1;
}

static double format(int calls)
{
    char out[RAFFLE_NUMBER_SIZE];
    raffle_error err = RAFFLE_ERROR_INIT;
    raffle_rc rc = RAFFLE_OK;
    const double began = now();
    for (int i = 0; rc == RAFFLE_OK && i < calls; i++)
        rc = raffle_number_format(1, (uint64_t)i + 1, out, &err);
    return rc == RAFFLE_OK ? now() - began : -1;
}

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}
*/
import "C"

import "unsafe"

// Sell sells batches times lines tickets of tier "ten" through unit 1, in C; the seconds, or less than 0 when it failed.
func Sell(store string, run, batches, lines int) float64 {
	path := C.CString(store)
	defer C.free(unsafe.Pointer(path))
	return float64(C.sell(path, C.int(run), C.int(batches), C.int(lines)))
}

// NumberFormat makes so many calls of raffle_number_format in C; the seconds.
func NumberFormat(calls int) float64 { return float64(C.format(C.int(calls))) }

// InUse is the bytes of C's heap that are in use.
func InUse() uint64 { return uint64(C.in_use()) }
