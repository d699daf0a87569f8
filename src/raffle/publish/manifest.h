/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a published raffle: made from the control log, by whoever publishes and by whoever reads. */
#ifndef RF_RAFFLE_MANIFEST_H
#define RF_RAFFLE_MANIFEST_H

#include "fold.h"

enum {
    RF_MANIFEST_MAX = 64 << 20 /* bytes: more than 65,535 units need */
};

/* The bytes for a control log that has rules; the caller frees `*out`. `hashes`: the units' entries are withheld. */
raffle_rc rf_manifest_make(const rf_control *control, bool hashes, char **out, size_t *length, raffle_error *err);

#endif
