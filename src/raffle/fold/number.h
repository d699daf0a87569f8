/* SPDX-License-Identifier: Apache-2.0 */
/* Printed draw numbers, U-NNNNNNN: the public calls are raffle_number_format() and raffle_number_parse(); here is their bound. */
#ifndef RF_RAFFLE_NUMBER_H
#define RF_RAFFLE_NUMBER_H

#include <raffle/sale.h>

/* The highest draw number of a unit. */
#define RF_NUMBER_MAX ((UINT64_C(1) << 40) - 1)

#endif
