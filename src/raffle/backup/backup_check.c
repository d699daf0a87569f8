/* SPDX-License-Identifier: Apache-2.0 */
/* A backup against itself: its records by the fold, its logs by their checkpoints, the whole by the control key (GLI-31 5.7.2; docs/spec/backup.md). */
#include "backup_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <inttypes.h>
#include <raffle/ext/key.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A size of the control log of which a note may follow: right after an intent. */
typedef struct intent {
    uint64_t size;
    uint8_t root[32];
} intent;

typedef struct checking {
    rf_backup_facts *facts;
    rf_sha256 *hash;
    uint32_t log; /* which is read */
    rf_range range;
    rf_unit_frame frame;
    rf_unit_state state;
    intent *intent;
    size_t intents, cap;
    rf_record record;
} checking;

static raffle_rc begin(void *ctx, const char *origin, size_t logs, raffle_error *err)
{
    checking *c = ctx;
    memcpy(c->facts->origin, origin, strlen(origin) + 1);
    c->facts->logs = logs;
    c->facts->log = calloc(logs, sizeof *c->facts->log);
    return c->facts->log != NULL ? RAFFLE_OK : rf_nomem(err);
}

/* --- records --- */

/* What the control log must say before any other is read. */
static raffle_rc end_control(checking *c, raffle_error *err)
{
    const rf_control *control = &c->facts->control;
    if (control->size == 0 || strcmp(control->rules->origin, c->facts->origin) != 0)
        return rf_fail(err, RAFFLE_CORRUPT, "the backup's control log does not begin the raffle %s", c->facts->origin);
    if (control->units + 1 != c->facts->logs)
        return rf_fail(err, RAFFLE_CORRUPT, "the backup holds %zu logs of a raffle with %zu units", c->facts->logs,
                       control->units);
    if (!c->facts->log[0].whole)
        return rf_fail(err, RAFFLE_CORRUPT, "the backup has no checkpoint of its control log");
    c->frame.rules = control->rules;
    memcpy(c->frame.open, control->open, 32);
    return RAFFLE_OK;
}

static raffle_rc begin_log(void *ctx, uint32_t log, uint64_t size, raffle_error *err)
{
    checking *c = ctx;
    raffle_rc rc = log == 1 ? end_control(c, err) : RAFFLE_OK;
    c->log = log;
    c->facts->log[log].size = size;
    c->frame.unit = log;
    rf_range_init(&c->range);
    rf_unit_state_init(&c->state);
    memcpy(c->facts->log[log].root, rf_empty_root, 32);
    c->facts->log[log].whole = size == 0;
    return rc;
}

static raffle_rc fold(checking *c, const raffle_record *bytes, const uint8_t leaf_hash[32], raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_record_decode(&c->record, bytes->leaf, bytes->leaf_length, &why);
    if (rc == RAFFLE_OK && c->log == 0)
        rc = rf_control_apply(&c->facts->control, &c->record, leaf_hash, NULL, &why);
    else if (rc == RAFFLE_OK)
        rc = rf_unit_apply(&c->frame, &c->state, &c->record, NULL, &why);
    if (rc == RAFFLE_OK || rc == RAFFLE_NOMEM || rc == RAFFLE_NEWER)
        return rc == RAFFLE_OK ? rc : rf_fail_as(err, &why);
    return rf_fail(err, RAFFLE_CORRUPT, "the backup, log %" PRIu32 ", record %" PRIu64 ": %s", c->log, bytes->index,
                   why.message);
}

static raffle_rc remember_intent(checking *c, raffle_error *err)
{
    if (c->intents == c->cap) {
        const size_t cap = c->cap > 0 ? 2 * c->cap : 16;
        intent *grown = realloc(c->intent, cap * sizeof *grown);
        if (grown == NULL)
            return rf_nomem(err);
        c->intent = grown;
        c->cap = cap;
    }
    intent *i = &c->intent[c->intents++];
    i->size = c->range.size;
    rf_range_root(c->hash, &c->range, i->root);
    return RAFFLE_OK;
}

static raffle_rc check_private(checking *c, const raffle_record *bytes, raffle_error *err)
{
    uint8_t hash[32];
    if (bytes->private_part == NULL)
        return RAFFLE_OK;
    rf_sha256_of(c->hash, hash, bytes->private_part, bytes->private_length);
    return rf_has(&c->record, RF_F_P) && memcmp(hash, c->record.p, 32) == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_CORRUPT,
                         "the backup, log %" PRIu32 ", record %" PRIu64 ": the private part is another one's", c->log,
                         bytes->index);
}

static raffle_rc take_record(void *ctx, const raffle_record *bytes, raffle_error *err)
{
    checking *c = ctx;
    rf_backup_log *log = &c->facts->log[c->log];
    uint8_t leaf_hash[32];
    rf_leaf_hash(c->hash, leaf_hash, bytes->leaf, bytes->leaf_length);
    rf_range_push(c->hash, &c->range, leaf_hash, NULL, NULL);
    raffle_rc rc = fold(c, bytes, leaf_hash, err);
    if (rc == RAFFLE_OK)
        rc = check_private(c, bytes, err);
    if (rc == RAFFLE_OK && c->record.type == RF_DRAW_INTENT)
        rc = remember_intent(c, err);
    if (rc == RAFFLE_OK && c->range.size == log->size)
        rf_range_root(c->hash, &c->range, log->root);
    log->closed = c->log > 0 && c->state.closed != 0;
    return rc;
}

/* --- notes --- */

static raffle_rc key_of(const checking *c, uint32_t log, rf_vkey *vkey, raffle_error *err)
{
    const rf_control *control = &c->facts->control;
    char name[RAFFLE_ORIGIN_SIZE + 16];
    const char *key = log == 0 ? control->key : control->unit[log - 1].key;
    if (log == 0)
        (void)snprintf(name, sizeof name, "%s", c->facts->origin);
    else
        (void)snprintf(name, sizeof name, "%s/unit/%" PRIu32, c->facts->origin, log);
    raffle_rc rc = rf_vkey_parse(vkey, key, strnlen(key, RAFFLE_VKEY_SIZE), err);
    if (rc != RAFFLE_OK || strcmp(vkey->name, name) != 0 || vkey->type != RF_NOTE_ED25519)
        return rf_fail(err, RAFFLE_CORRUPT, "the backup's key of %s is not one of it", name);
    return RAFFLE_OK;
}

/* The root of the records at a size that a note may be of; NULL: of none that are here. */
static const uint8_t *root_at(const checking *c, uint32_t log, uint64_t size)
{
    if (size == c->facts->log[log].size)
        return c->facts->log[log].root;
    for (size_t i = 0; log == 0 && i < c->intents; i++)
        if (c->intent[i].size == size)
            return c->intent[i].root;
    return NULL;
}

static raffle_rc check_note(const checking *c, uint32_t log, uint64_t size, rf_note *note, const char *bytes,
                            size_t length, raffle_error *err)
{
    rf_vkey vkey;
    rf_checkpoint checkpoint;
    raffle_error why = RAFFLE_ERROR_INIT;
    raffle_rc rc = key_of(c, log, &vkey, err);
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_note_parse(note, bytes, length, &why);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, &vkey, &why);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&checkpoint, note->text, note->text_length, &why);
    if (rc != RAFFLE_OK)
        return rf_fail(err, rc == RAFFLE_SIGNATURE ? rc : RAFFLE_CORRUPT,
                       "the backup's note of log %" PRIu32 " at size %" PRIu64 ": %s", log, size, why.message);
    const uint8_t *root = root_at(c, log, size);
    if (strcmp(checkpoint.origin, vkey.name) != 0 || checkpoint.size != size ||
        (root != NULL && memcmp(root, checkpoint.root, 32) != 0))
        return rf_fail(err, RAFFLE_CORRUPT, "the backup's note of log %" PRIu32 " is not of its %" PRIu64 " records",
                       log, size);
    return RAFFLE_OK;
}

/* The newest is of all records that are here, or of more that a unit had. */
static raffle_rc take_note(void *ctx, uint32_t log, uint64_t size, const char *bytes, size_t length, raffle_error *err)
{
    checking *c = ctx;
    rf_backup_log *l = &c->facts->log[log];
    const bool known = root_at(c, log, size) != NULL;
    if (log == 0 ? c->range.size == 0 : c->log != log)
        return rf_fail(err, RAFFLE_CORRUPT, "the backup has a note of log %" PRIu32 " without records", log);
    if (!known && (log == 0 || size < l->size))
        return rf_fail(err, RAFFLE_CORRUPT,
                       "the backup has a note of log %" PRIu32 " at size %" PRIu64 ", and nothing is to be noted there",
                       log, size);
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    raffle_rc rc = check_note(c, log, size, note, bytes, length, err);
    free(note);
    l->whole = size == l->size;
    return rc;
}

static raffle_rc take_key(void *ctx, const raffle_store_key *key, raffle_error *err)
{
    checking *c = ctx;
    (void)key;
    (void)err;
    c->facts->keys++;
    return RAFFLE_OK;
}

/* --- the whole --- */

static raffle_rc check_signed(rf_backup_facts *facts, const char *key, raffle_error *err)
{
    uint8_t message[RF_BACKUP_ANSWER];
    raffle_rc rc = rf_vkey_parse(&facts->vkey, facts->control.key, strlen(facts->control.key), err);
    if (rc != RAFFLE_OK)
        return rc;
    if (key != NULL && strcmp(key, facts->control.key) != 0)
        return rf_fail(err, RAFFLE_KEY, "the backup is of a raffle with another control key: %s", facts->control.key);
    rf_backup_answered(message, facts->end.hash);
    return crypto_sign_verify_detached(facts->end.signature, message, sizeof message, facts->vkey.key) == 0
               ? RAFFLE_OK
               : rf_fail(err, RAFFLE_SIGNATURE, "the backup is not signed by %s", facts->control.key);
}

raffle_rc rf_backup_check(const char *path, const char *key, rf_backup_facts *facts, raffle_error *err)
{
    checking *c = calloc(1, sizeof *c);
    *facts = (rf_backup_facts){.logs = 0};
    rf_control_init(&facts->control);
    if (c == NULL)
        return rf_nomem(err);
    const rf_backup_sink sink = {c, begin, begin_log, take_record, take_note, take_key};
    c->facts = facts;
    c->hash = rf_sha256_new();
    raffle_rc rc = c->hash != NULL ? rf_backup_read(path, &sink, &facts->end, err) : rf_nomem(err);
    if (rc == RAFFLE_OK && facts->logs == 1)
        rc = end_control(c, err);
    if (rc == RAFFLE_OK)
        rc = check_signed(facts, key, err);
    rf_sha256_free(c->hash);
    free(c->intent);
    free(c);
    return rc;
}

void rf_backup_facts_clear(rf_backup_facts *facts)
{
    free(facts->log);
    rf_control_clear(&facts->control);
    facts->log = NULL;
}

void raffle_backup_info_init(raffle_backup_info *info, size_t size)
{
    rf_struct_init(info, size);
}

static void describe(const rf_backup_facts *facts, raffle_backup_info *info)
{
    raffle_backup_info mine = {.units = (uint32_t)(facts->logs - 1), .keys = facts->keys};
    mine.control = facts->log[0].size;
    for (size_t i = 0; i < facts->logs; i++)
        mine.records += facts->log[i].size;
    memcpy(mine.origin, facts->origin, sizeof mine.origin);
    memcpy(mine.key, facts->control.key, sizeof mine.key);
    rf_struct_out(info, info->struct_size, &mine, sizeof mine);
}

raffle_rc raffle_backup_verify(const char *path, const char *key, raffle_backup_info *info, raffle_error *err)
{
    rf_backup_facts facts;
    if (path == NULL)
        return rf_null(err, "path");
    raffle_rc rc = info != NULL ? rf_struct_check(info, "info", err) : RAFFLE_OK;
    if (rc != RAFFLE_OK)
        return rc;
    rc = rf_backup_check(path, key, &facts, err);
    if (rc == RAFFLE_OK && info != NULL)
        describe(&facts, info);
    rf_backup_facts_clear(&facts);
    return rc;
}
