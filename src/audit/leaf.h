/* SPDX-License-Identifier: Apache-2.0 */
/* One record's bytes: canonical, and the private part the one that the leaf names (design section 6). */
#ifndef RF_AUDIT_LEAF_H
#define RF_AUDIT_LEAF_H

#include "faults.h"
#include "record.h"
#include "sha256.h"
#include <raffle/log.h>

/* What the checks of one thread work with. */
typedef struct rf_leaf_check {
    rf_sha256 *hash;
    rf_faults *faults;
    uint64_t private_missing;
    char again[RAFFLE_RECORD_MAX]; /* the record, encoded again */
} rf_leaf_check;

/* A record as it was found. What was refused is not set. The texts point into the bytes. */
typedef struct rf_leaf {
    bool decoded;     /* `record` is set */
    bool has_private; /* `private_part` is set: it was there, and is right */
    rf_record record;
    rf_private private_part;
} rf_leaf;

/* Parses, encodes again, compares; counts the private part when it is missing. */
void rf_leaf_inspect(rf_leaf_check *check, uint32_t log, const raffle_record *bytes, rf_leaf *leaf);

#endif
