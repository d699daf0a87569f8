/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of what goes into a store and comes out of it. */
#include "store_check.h"

#include "abi.h"
#include "error.h"
#include <inttypes.h>
#include <string.h>

raffle_rc rf_check_log(uint32_t log, raffle_error *err)
{
    if (log > RF_LOG_MAX)
        return rf_fail(err, RAFFLE_INVALID, "log %" PRIu32 " is beyond %d", log, (int)RF_LOG_MAX);
    return RAFFLE_OK;
}

raffle_rc rf_check_record(const raffle_record *record, uint32_t log, uint64_t index, raffle_rc rc, raffle_error *err)
{
    if (record->index != index)
        return rf_fail(err, rc, "log %" PRIu32 ": record %" PRIu64 " comes where record %" PRIu64 " must be", log,
                       record->index, index);
    if (index >= RF_LOG_RECORDS_MAX)
        return rf_fail(err, rc, "log %" PRIu32 ": record %" PRIu64 " is beyond the largest log", log, index);
    if (record->leaf == NULL || record->leaf_length == 0 || record->leaf_length > RAFFLE_RECORD_MAX)
        return rf_fail(err, rc, "log %" PRIu32 ", record %" PRIu64 ": its length is %" PRIu32, log, index,
                       record->leaf_length);
    if (record->private_length > RAFFLE_PRIVATE_MAX || (record->private_part == NULL) != (record->private_length == 0))
        return rf_fail(err, rc, "log %" PRIu32 ", record %" PRIu64 ": the length of its private part is %" PRIu32, log,
                       index, record->private_length);
    return RAFFLE_OK;
}

raffle_rc rf_reading_take(void *reading, const raffle_record *record, raffle_error *err)
{
    (void)err;
    rf_reading *r = reading;
    raffle_record mine;
    if (r->result != RAFFLE_OK)
        return r->result;
    if (r->next == r->end)
        return r->result = rf_fail(r->err, RAFFLE_CORRUPT,
                                   "log %" PRIu32 ": the store gave more records than were asked for", r->log);
    if (rf_struct_size(record) != sizeof mine) {
        r->result = rf_struct_in(&mine, sizeof mine, record, "record", r->err);
        record = &mine;
    }
    if (r->result == RAFFLE_OK)
        r->result = rf_check_record(record, r->log, r->next, RAFFLE_CORRUPT, r->err);
    if (r->result == RAFFLE_OK)
        r->result = r->sink(r->sink_ctx, record, r->err);
    r->next++;
    return r->result;
}

raffle_rc rf_check_key(const raffle_store_key *key, raffle_rc rc, raffle_error *err)
{
    if (key->scope > RF_SCOPE_MAX)
        return rf_fail(err, rc, "a key's scope is %" PRIu32 ", beyond %d", key->scope, (int)RF_SCOPE_MAX);
    if (key->length == 0 || key->length > RAFFLE_STORE_KEY_MAX)
        return rf_fail(err, rc, "a key of scope %" PRIu32 " has %" PRIu32 " bytes", key->scope, key->length);
    if (key->log > RF_LOG_MAX || key->index >= RF_LOG_RECORDS_MAX)
        return rf_fail(err, rc, "a key of scope %" PRIu32 " names log %" PRIu32 ", record %" PRIu64, key->scope,
                       key->log, key->index);
    return RAFFLE_OK;
}

raffle_rc rf_check_head(const raffle_store_head *head, uint32_t log, raffle_error *err)
{
    if (head->log != log)
        return rf_fail(err, RAFFLE_CORRUPT, "the store gave the head of log %" PRIu32 " for log %" PRIu32, head->log,
                       log);
    if (head->size > RF_LOG_RECORDS_MAX || head->control_size > RF_LOG_RECORDS_MAX)
        return rf_fail(err, RAFFLE_CORRUPT,
                       "log %" PRIu32 ": its head says %" PRIu64 " records, and %" PRIu64 " control records", log,
                       head->size, head->control_size);
    if (log == 0 && head->size != head->control_size)
        return rf_fail(err, RAFFLE_CORRUPT, "log 0: its head says %" PRIu64 " and %" PRIu64 " records", head->size,
                       head->control_size);
    if (head->state_length > RAFFLE_STORE_STATE_MAX)
        return rf_fail(err, RAFFLE_CORRUPT, "log %" PRIu32 ": its state has %" PRIu32 " bytes", log,
                       head->state_length);
    return RAFFLE_OK;
}

raffle_rc rf_check_node(uint32_t level, uint64_t index, raffle_error *err)
{
    if (level < RF_NODE_LEVEL_MIN || level > 40 || index >= RF_LOG_RECORDS_MAX >> level)
        return rf_fail(err, RAFFLE_INVALID, "no store keeps node %" PRIu64 " of level %" PRIu32, index, level);
    return RAFFLE_OK;
}

raffle_rc rf_check_note(uint64_t size, const char *note, size_t length, raffle_error *err)
{
    if (note == NULL || length == 0 || length > RAFFLE_STORE_NOTE_MAX)
        return rf_fail(err, RAFFLE_INVALID, "a note has %zu bytes; 1 to %d may be kept", length,
                       (int)RAFFLE_STORE_NOTE_MAX);
    if (size > RF_LOG_RECORDS_MAX)
        return rf_fail(err, RAFFLE_INVALID, "a note over %" PRIu64 " records", size);
    if (rf_note_text_length(note, length) == 0)
        return rf_fail(err, RAFFLE_INVALID, "a note over %" PRIu64 " records has no empty line before its signatures",
                       size);
    return RAFFLE_OK;
}

/* The arguments, the surroundings and integrity; not what says how a raffle, or a provider, stands. */
static bool is_for_stores(raffle_rc rc)
{
    static const raffle_rc arguments[] = {RAFFLE_MISUSE, RAFFLE_INVALID, RAFFLE_LIMIT, RAFFLE_UNSUPPORTED,
                                          RAFFLE_TOO_SMALL};
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        if (rc == arguments[i])
            return true;
    return rc >= RAFFLE_NOMEM && rc < RAFFLE_RNG && strcmp(raffle_rc_name(rc), "RAFFLE_?") != 0;
}

raffle_rc rf_check_answer(raffle_rc rc, raffle_error *from, const char *function, raffle_rc also, raffle_error *err)
{
    if (rc == RAFFLE_OK)
        return RAFFLE_OK;
    const bool wanted = rc == also || is_for_stores(rc);
    const uint64_t token = from->token;
    from->struct_size = sizeof *from; /* the store may have cleared all of it */
    from->message[sizeof from->message - 1] = '\0';
    if (from->message[0] == '\0' && wanted)
        rf_fail(from, rc, "the store's %s: %s", function, raffle_rc_text(rc));
    else if (from->message[0] == '\0')
        rf_fail(from, rc, "the store's %s gave the status %" PRId32 ", which is none of its own", function, rc);
    from->token = token;
    from->rc = wanted ? rc : RAFFLE_HOST;
    return rf_fail_as(err, from);
}

int rf_key_compare(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length)
{
    size_t common = a_length < b_length ? a_length : b_length;
    int order = common == 0 ? 0 : memcmp(a, b, common);
    return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

size_t rf_note_text_length(const char *note, size_t length)
{
    const char *gap = memrchr(note, '\n', length);
    while (gap != NULL && gap > note && gap[-1] != '\n')
        gap = memrchr(note, '\n', (size_t)(gap - note));
    return gap == NULL || gap == note ? 0 : (size_t)(gap - note);
}

raffle_rc rf_note_may_follow(uint32_t log, const rf_note_at *kept, const rf_note_at *next, raffle_error *err)
{
    if (next->size > kept->size)
        return RAFFLE_OK;
    if (next->size < kept->size)
        return rf_fail(err, RAFFLE_HISTORY, "log %u: a note over %llu records after one over %llu", log,
                       (unsigned long long)next->size, (unsigned long long)kept->size);
    const size_t text = rf_note_text_length(next->note, next->length);
    if (text == rf_note_text_length(kept->note, kept->length) && memcmp(next->note, kept->note, text) == 0)
        return RAFFLE_OK;
    return rf_fail(err, RAFFLE_HISTORY, "log %u: another note over %llu records", log, (unsigned long long)next->size);
}
