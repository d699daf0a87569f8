/* SPDX-License-Identifier: Apache-2.0 */
/* The receipt of a unit's close (GLI-31 2.6.2): its last record, proved under the checkpoint that ends in it. */
#include "receipt_make.h"
#include "unit_impl.h"

#include "error.h"
#include <raffle/unit.h>
#include <stdlib.h>

typedef struct making {
    raffle *raffle;
    rf_unit *unit;
    rf_receipt_part part;
    char leaf[RF_RECEIPT_LEAF_MAX], note[RF_NOTE_MAX];
    char text[RAFFLE_CLOSE_RECEIPT_MAX];
    size_t length;
} making;

static raffle_rc find_close(making *m, raffle_error *err)
{
    rf_unit_state state;
    raffle_rc rc = rf_unit_current(m->unit, &state, err);
    if (rc == RAFFLE_OK && !state.closed)
        rc = rf_fail(err, RAFFLE_SEQUENCE, "unit %u is not closed", m->unit->number);
    if (rc == RAFFLE_OK)
        m->part.proof.index = state.size - 1;
    return rc;
}

/* Nothing follows a close: what covers it is of exactly the size that ends in it. A till's is kept by the transaction that takes its close. */
static raffle_rc get_note(making *m, uint64_t *size, raffle_error *err)
{
    const uint32_t unit = m->unit->number;
    raffle_rc rc = rf_receipt_kept_note(m->raffle, unit, m->part.proof.index, m->note, &m->part.note_length, size, err);
    if (rc == RAFFLE_NOT_FOUND && m->raffle->keys == NULL)
        return rf_fail(err, RAFFLE_KEY,
                       "no checkpoint covers the close of unit %u, and the raffle was opened without keys to sign one",
                       unit);
    if (rc == RAFFLE_NOT_FOUND)
        rc = rf_unit_checkpoint(m->unit, m->note, &m->part.note_length, size, err);
    if (rc == RAFFLE_OK && *size != m->part.proof.index + 1)
        rc = rf_fail(err, RAFFLE_CORRUPT, "the checkpoint of unit %u covers %llu records, and its close is the %lluth",
                     unit, (unsigned long long)*size, (unsigned long long)m->part.proof.index + 1);
    m->part.note = m->note;
    return rc == RAFFLE_OK ? rf_receipt_keep_lines(&m->unit->vkey, NULL, m->note, &m->part.note_length, err) : rc;
}

static raffle_rc make(making *m, uint32_t number, raffle_error *err)
{
    uint64_t size;
    char key[RF_VKEY_SIZE];
    raffle_rc rc = rf_receipt_enter(m->raffle, number, &m->unit, err);
    if (rc == RAFFLE_OK)
        rc = find_close(m, err);
    if (rc == RAFFLE_OK)
        rc = get_note(m, &size, err);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_prove(m->raffle, number, size, m->leaf, sizeof m->leaf, &m->part, err);
    if (rc != RAFFLE_OK)
        return rc;
    m->length = rf_tlog_proof_write(&m->part, m->text, sizeof m->text);
    if (m->length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the receipt is longer than %d bytes", RAFFLE_CLOSE_RECEIPT_MAX);
    rf_vkey_format(&m->unit->vkey, key);
    return raffle_unit_close_verify(m->text, m->length, key, NULL, err);
}

raffle_rc raffle_unit_close_receipt(raffle *r, uint32_t number, char *out, size_t cap, size_t *length,
                                    raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && (length == NULL || (out == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "out");
    if (rc != RAFFLE_OK)
        return rc;
    making *m = malloc(sizeof *m);
    if (m == NULL)
        return rf_nomem(err);
    m->raffle = r;
    rc = make(m, number, err);
    if (rc == RAFFLE_OK)
        rc = rf_receipt_give(m->text, m->length, out, cap, length, err);
    free(m);
    return rc;
}
