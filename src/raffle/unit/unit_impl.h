/* SPDX-License-Identifier: Apache-2.0 */
/* What the domain's files call of a unit, beyond raffle_impl.h. */
#ifndef RF_RAFFLE_UNIT_IMPL_H
#define RF_RAFFLE_UNIT_IMPL_H

#include "raffle_impl.h"

void rf_unit_destroy(rf_unit *u);

/* The operations of unit.h, for an actor that was checked. */
raffle_rc rf_unit_enrol(raffle *r, const raffle_actor *by, const raffle_unit_options *options, uint32_t *number,
                        raffle_error *err);
raffle_rc rf_unit_change(raffle *r, const raffle_actor *by, rf_type type, uint32_t number, const char *reason,
                         uint64_t quota, raffle_error *err);

/* Whether a unit may be written here: RAFFLE_AWAY, RAFFLE_KEY, RAFFLE_HALTED, RAFFLE_HISTORY. Verifies its newest records before the first write of a handle. */
raffle_rc rf_unit_enter_write(rf_unit *u, raffle_error *err);

/* The same of a unit that is away, for what its till uploads. */
raffle_rc rf_unit_enter_upload(rf_unit *u, raffle_error *err);

/* RAFFLE_KEY, and why a unit has no K_u here; `what`, a plural, needs it. */
raffle_rc rf_unit_no_ticket_key(const rf_unit *u, const char *what, raffle_error *err);

/* Under the control log's lock, within a transaction: whether the control log's state is that of this transaction, and not ahead of it with what
 * another one is about to commit. RAFFLE_BUSY. */
raffle_rc rf_unit_control_same(const rf_unit *u, raffle_error *err);

/* One record into a unit's log (not a sale), preceded by unit.start in an empty one. `at`: 0 for the clock. */
typedef struct rf_unit_op {
    rf_unit *unit;
    const raffle_actor *by;
    const char *text;
    const rf_private *more; /* optional: what else the private part has */
    rf_record record;
    /* Called before the record is folded, with the unit's state; may refuse, or set members. Optional. */
    raffle_rc (*check)(void *ctx, const rf_unit_state *state, rf_record *record, raffle_error *err);
    void *ctx;
    uint64_t index; /* out */
} rf_unit_op;
raffle_rc rf_unit_append(rf_unit_op *op, raffle_error *err);

/* Within a transaction: adds unit.start when the log is empty. `private_part` has `cap` bytes and stays valid until the transaction ends. */
raffle_rc rf_unit_begin_log(rf_unit *u, rf_txn *txn, rf_sha256 *hash, const raffle_actor *by, int64_t at,
                            char *private_part, size_t cap, raffle_error *err);
/* Encodes the record into the transaction, folds it, and takes its keys. */
raffle_rc rf_unit_add(rf_unit *u, rf_txn *txn, rf_record *record, const char *private_part, size_t private_length,
                      raffle_error *err);

/* Closes the unit for the final seal or by itself: folds all of its records again first. Fine when it is closed. */
raffle_rc rf_unit_close(rf_unit *u, const raffle_actor *by, raffle_error *err);
/* Folds the first `size` records again, into `state`. */
raffle_rc rf_unit_refold(rf_unit *u, uint64_t size, rf_unit_state *state, raffle_error *err);
/* Those of them that `state` does not have yet. */
raffle_rc rf_unit_refold_on(rf_unit *u, uint64_t size, rf_unit_state *state, raffle_error *err);
/* The same, with their root, from the records alone; and, unless `tier` is NULL, their tickets added to it by tier. After RAFFLE_CORRUPT state->size is how many
 * records could be folded. */
raffle_rc rf_unit_refold_root(rf_unit *u, uint64_t size, rf_sha256 *hash, rf_unit_state *state, uint8_t root[32],
                              rf_tier_count *tier, raffle_error *err);

/* --- log_api.c --- */
/* A log by its number, 0 the control log, after catching up; and its key. */
raffle_rc rf_log_named(raffle *r, uint32_t number, rf_log **log, const rf_vkey **vkey, raffle_error *err);

#endif
