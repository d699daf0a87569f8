/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sales, which are nearly all of a raffle, read in one pass over their bytes. What is accepted here is canonical because nothing else has this
 * shape: each byte is either fixed, or part of a value that is checked to be written in its one way. Whatever differs in the least is refused, and
 * then judged by the general decoder (leaf.h): a refusal here says nothing.
 */
#ifndef RF_AUDIT_SALE_H
#define RF_AUDIT_SALE_H

#include "rules.h"
#include <stdbool.h>

/* What was read last; the next sale mostly says the same. Zeroed at first. */
typedef struct rf_sale_memory {
    bool at_known;
    char at_text[24], by_text[16];
    size_t by_length;
    int64_t at;
    raffle_role by;
    int tier;
} rf_sale_memory;

typedef struct rf_sale_leaf {
    int64_t at, count, n, price;
    raffle_role by;
    int tier;      /* of the rules */
    const char *p; /* 64 digits of lower-case hex */
} rf_sale_leaf;

bool rf_sale_read(rf_sale_memory *memory, const rf_rules *rules, const char *leaf, size_t length, rf_sale_leaf *out);

typedef struct rf_sale_private {
    int64_t line, lines;
    const char *order; /* as it stands between its quotes */
    size_t order_length;
    const char *buyer; /* the same; of length 0: there is none */
    size_t buyer_length;
} rf_sale_private;

/* The private part of a sale whose texts are printable ASCII without escapes. */
bool rf_sale_read_private(const char *json, size_t length, rf_sale_private *out);

#endif
