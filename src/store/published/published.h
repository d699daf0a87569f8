/* SPDX-License-Identifier: Apache-2.0 */
/* The store of a published raffle: records, tiles and checkpoints, to be read and audited; nothing in it is trusted. */
#ifndef RF_STORE_PUBLISHED_PUBLISHED_H
#define RF_STORE_PUBLISHED_PUBLISHED_H

#include "published/source.h"
#include <raffle/ext/store.h>

/* The table and its context over a source, which becomes the store's when this succeeds. RAFFLE_NOT_RAFFLE: there is no checkpoint of a control
 * log. */
raffle_rc rf_published_open(const rf_source *source, raffle_store_table *table, void **ctx, raffle_error *err);

#endif
