/* SPDX-License-Identifier: Apache-2.0 */
/* The fold over witnesses: a draw goes on when the quorum that the rules ask for has cosigned its intent's checkpoint (design section 9, step 1). */
#include "fold.h"

#include "beacon.h"
#include "error.h"
#include "policy.h"
#include <stdlib.h>
#include <string.h>

uint64_t rf_control_cosign_before(const rf_control *c, int prize)
{
    return c->rules->prize[prize].committed ? (uint64_t)raffle_beacon_time(rf_control_round(c, prize)) / 1000
                                            : UINT64_MAX;
}

/* What the check needs beside the control log; too large for a stack. */
typedef struct quorum {
    rf_policy policy;
    rf_note note;
    rf_checkpoint checkpoint;
} quorum;

/* The names of witnesses that have not signed, for the sentence. */
static void list_missing(const rf_policy *policy, uint64_t cosigned, char *out, size_t cap)
{
    size_t at = 0;
    for (size_t i = 0; i < policy->witnesses; i++) {
        const rf_policy_text name = policy->witness[i].name;
        if (cosigned >> i & 1 || at + name.length + 3 > cap)
            continue;
        if (at > 0)
            out[at++] = ' ';
        memcpy(out + at, name.text, name.length);
        at += name.length;
    }
    out[at] = 0;
}

static raffle_rc check(quorum *q, const rf_control *c, int prize, const char *note, size_t length, uint64_t before,
                       raffle_error *err)
{
    uint64_t cosigned = 0;
    char missing[100];
    const rf_rules *rules = c->rules;
    raffle_rc rc = rf_policy_parse(&q->policy, rules->policy, rules->policy_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_parse(&q->note, note, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&q->checkpoint, q->note.text, q->note.text_length, err);
    if (rc == RAFFLE_OK)
        rc = rf_policy_cosigned(&q->policy, &q->note, before, &cosigned, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (strcmp(q->checkpoint.origin, rules->origin) != 0 || q->checkpoint.size != c->prize[prize].intent + 1)
        return rf_fail(err, RAFFLE_MISMATCH, "the cosigned checkpoint is not that of the intent for \"%s\"",
                       rules->prize[prize].name);
    if (rf_policy_reached(&q->policy, cosigned))
        return RAFFLE_OK;
    list_missing(&q->policy, cosigned, missing, sizeof missing);
    return rf_fail(err, RAFFLE_QUORUM, "%d of %zu witnesses cosigned the intent for \"%s\"%s, no quorum; missing: %s",
                   __builtin_popcountll(cosigned), q->policy.witnesses, rules->prize[prize].name,
                   before == UINT64_MAX ? "" : " before its round", missing);
}

raffle_rc rf_control_quorum(const rf_control *c, int prize, const char *note, size_t length, uint64_t before,
                            raffle_error *err)
{
    if (c->rules->policy_length == 0)
        return RAFFLE_OK;
    quorum *q = malloc(sizeof *q);
    if (q == NULL)
        return rf_nomem(err);
    raffle_rc rc = check(q, c, prize, note, length, before, err);
    free(q);
    return rc;
}

raffle_rc rf_control_quorum_of(const rf_control *c, int prize, const rf_text *text, uint64_t before, raffle_error *err)
{
    if (c->rules->policy_length == 0)
        return RAFFLE_OK;
    if (!text->escaped)
        return rf_control_quorum(c, prize, text->text, text->length, before, err);
    char *note = malloc(RF_NOTE_MAX);
    if (note == NULL)
        return rf_nomem(err);
    const size_t length = rf_json_unescape(text, note, RF_NOTE_MAX); /* by its length: an escaped NUL does not end it */
    raffle_rc rc = length != SIZE_MAX
                       ? rf_control_quorum(c, prize, note, length, before, err)
                       : rf_fail(err, RAFFLE_INVALID, "the cosigned checkpoint of the intent for \"%s\" is too long",
                                 c->rules->prize[prize].name);
    free(note);
    return rc;
}
