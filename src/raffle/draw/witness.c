/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of witness.h: what witnesses are asked, what their answers mean, and the cosignatures that are kept (C2SP tlog-witness). */
#include "unit_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "policy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the policy --- */

static raffle_rc load_policy(const raffle *r, rf_policy **out, raffle_error *err)
{
    if (r->rules->policy_length == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the rules ask no witnesses");
    rf_policy *policy = malloc(sizeof *policy);
    if (policy == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_policy_parse(policy, r->rules->policy, r->rules->policy_length, err);
    if (rc == RAFFLE_OK)
        *out = policy;
    else
        free(policy);
    return rc;
}

void raffle_witness_init(raffle_witness *witness, size_t size)
{
    rf_struct_init(witness, size);
}

static void fill_witness(const rf_policy_witness *w, raffle_witness *out)
{
    size_t url = w->url.length;
    while (url > 0 && w->url.text[url - 1] == '/')
        url--;
    memcpy(out->name, w->name.text, w->name.length);
    memcpy(out->url, w->url.text, url);
    rf_vkey_format(&w->vkey, out->vkey);
}

static raffle_rc get_witness(const raffle *r, uint32_t i, raffle_witness *out, raffle_error *err)
{
    rf_policy *policy = NULL;
    raffle_rc rc = load_policy(r, &policy, err);
    if (rc == RAFFLE_OK && i >= policy->witnesses)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "there are %zu witnesses, and none at %u", policy->witnesses, i);
    if (rc == RAFFLE_OK)
        fill_witness(&policy->witness[i], out);
    free(policy);
    return rc;
}

raffle_rc raffle_witness_at(raffle *r, uint32_t i, raffle_witness *witness, raffle_error *err)
{
    raffle_witness mine = {.name = ""};
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(witness, "witness", err);
    if (rc == RAFFLE_OK)
        rc = get_witness(r, i, &mine, err);
    if (rc == RAFFLE_OK)
        rf_struct_out(witness, rf_struct_size(witness), &mine, sizeof mine);
    return rc;
}

/* A text into a caller's buffer, with a NUL. */
static raffle_rc give(const char *bytes, size_t n, char *out, size_t cap, size_t *length, raffle_error *err)
{
    *length = n;
    if (out == NULL || cap < n + 1)
        return rf_fail(err, RAFFLE_TOO_SMALL, "%zu bytes are needed, and %zu are there", n + 1, cap);
    memcpy(out, bytes, n);
    out[n] = 0;
    return RAFFLE_OK;
}

raffle_rc raffle_witness_policy(raffle *r, char *text, size_t cap, size_t *length, raffle_error *err)
{
    char key[RF_VKEY_SIZE];
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK && (length == NULL || (text == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "text");
    if (rc != RAFFLE_OK)
        return rc;
    if (r->rules->policy_length == 0)
        return rf_fail(err, RAFFLE_NOT_FOUND, "the rules ask no witnesses");
    char *all = malloc(sizeof key + 8 + RF_POLICY_MAX);
    if (all == NULL)
        return rf_nomem(err);
    rf_vkey_format(&r->vkey, key);
    const size_t head = (size_t)snprintf(all, sizeof key + 8, "log %s\n", key);
    memcpy(all + head, r->rules->policy, r->rules->policy_length);
    rc = give(all, head + r->rules->policy_length, text, cap, length, err);
    free(all);
    return rc;
}

/* --- asking --- */

/* The kept checkpoint as the log alone signed it: what others signed concerns no witness. */
static raffle_rc own_note(rf_log *log, const raffle *r, const rf_vkey *vkey, uint32_t number, uint64_t size, char *out,
                          size_t *length, raffle_error *err)
{
    uint64_t found;
    size_t n = 0;
    rf_note *note = malloc(sizeof *note);
    char *bytes = malloc(RF_NOTE_MAX);
    raffle_rc rc = note == NULL || bytes == NULL
                       ? rf_nomem(err)
                       : rf_store_note_get(r->store, number, size, &found, bytes, RF_NOTE_MAX, &n, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_parse(note, bytes, n, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, vkey, err);
    if (rc == RAFFLE_OK) {
        memcpy(out, bytes, note->text_length + 1);
        n = rf_note_copy_line(note, vkey, out + note->text_length + 1, RF_NOTE_MAX - note->text_length - 1);
        *length = note->text_length + 1 + n;
    } else if (rc == RAFFLE_INVALID || rc == RAFFLE_SIGNATURE) {
        rc = rf_fail(err, RAFFLE_CORRUPT, "the checkpoint of %s over %llu records is damaged", rf_log_origin(log),
                     (unsigned long long)size);
    }
    free(bytes);
    free(note);
    return rc;
}

/* "old <size>", the proof, an empty line; `out` has room for it. */
static raffle_rc format_head(rf_log *log, uint64_t size, uint64_t old_size, char *out, size_t *length,
                             raffle_error *err)
{
    uint8_t proof[64][32];
    size_t n = 0;
    if (old_size > size)
        return rf_fail(err, RAFFLE_INVALID, "a checkpoint over %llu records does not extend one over %llu",
                       (unsigned long long)size, (unsigned long long)old_size);
    if (old_size > 0 && old_size < size) {
        raffle_rc rc = rf_log_consistency(log, old_size, size, proof, &n, err);
        if (rc != RAFFLE_OK)
            return rc;
    }
    size_t at = (size_t)snprintf(out, 32, "old %llu\n", (unsigned long long)old_size);
    for (size_t i = 0; i < n; i++) {
        at += rf_base64_encode(out + at, proof[i], 32);
        out[at++] = '\n';
    }
    out[at++] = '\n';
    *length = at;
    return RAFFLE_OK;
}

raffle_rc raffle_witness_request(raffle *r, uint32_t log, uint64_t size, uint64_t old_size, char *body, size_t cap,
                                 size_t *length, raffle_error *err)
{
    rf_log *l;
    const rf_vkey *vkey;
    size_t head = 0, note = 0;
    raffle_rc rc = rf_log_named(r, log, &l, &vkey, err);
    if (rc == RAFFLE_OK && (length == NULL || (body == NULL && cap > 0)))
        rc = rf_null(err, length == NULL ? "length" : "body");
    if (rc != RAFFLE_OK)
        return rc;
    char *text = malloc(RAFFLE_WITNESS_REQUEST_SIZE);
    if (text == NULL)
        return rf_nomem(err);
    rc = format_head(l, size, old_size, text, &head, err);
    if (rc == RAFFLE_OK)
        rc = own_note(l, r, vkey, log, size, text + head, &note, err);
    if (rc == RAFFLE_OK)
        rc = give(text, head + note, body, cap, length, err);
    free(text);
    return rc;
}

/* --- keeping --- */

static raffle_rc cosign(raffle *r, uint32_t log, uint64_t size, const char *lines, size_t length, uint64_t *by,
                        raffle_error *err)
{
    rf_log *l;
    const rf_vkey *vkey;
    rf_policy *policy = NULL;
    raffle_rc rc = rf_log_named(r, log, &l, &vkey, err);
    if (rc == RAFFLE_OK)
        rc = load_policy(r, &policy, err);
    if (rc == RAFFLE_OK)
        rc = rf_log_cosign(l, size, policy, lines, length, by, err);
    free(policy);
    return rc;
}

raffle_rc raffle_checkpoint_cosign(raffle *r, uint32_t log, uint64_t size, const char *lines, size_t length,
                                   raffle_error *err)
{
    uint64_t by = 0;
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && lines == NULL && length > 0)
        rc = rf_null(err, "lines");
    return rc == RAFFLE_OK ? cosign(r, log, size, lines, length, &by, err) : rc;
}

static raffle_rc count_quorum(const raffle *r, const rf_policy *policy, uint32_t log, uint64_t size, int32_t *reached,
                              raffle_error *err)
{
    uint64_t found, cosigned = 0;
    size_t length = 0;
    rf_note *note = malloc(sizeof *note);
    char *bytes = malloc(RF_NOTE_MAX);
    raffle_rc rc = note == NULL || bytes == NULL
                       ? rf_nomem(err)
                       : rf_store_note_get(r->store, log, size, &found, bytes, RF_NOTE_MAX, &length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_parse(note, bytes, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_policy_cosigned(policy, note, UINT64_MAX, &cosigned, err);
    if (rc == RAFFLE_OK)
        *reached = rf_policy_reached(policy, cosigned);
    free(bytes);
    free(note);
    return rc;
}

raffle_rc raffle_checkpoint_quorum(raffle *r, uint32_t log, uint64_t size, int32_t *reached, raffle_error *err)
{
    rf_log *l;
    const rf_vkey *vkey;
    rf_policy *policy = NULL;
    raffle_rc rc = rf_log_named(r, log, &l, &vkey, err);
    if (rc == RAFFLE_OK && reached == NULL)
        rc = rf_null(err, "reached");
    if (rc == RAFFLE_OK)
        rc = load_policy(r, &policy, err);
    if (rc == RAFFLE_OK)
        rc = count_quorum(r, policy, log, size, reached, err);
    free(policy);
    return rc;
}

/* --- answers --- */

/* What is being judged. */
typedef struct answer {
    raffle *raffle;
    rf_log *log;
    uint32_t number;
    uint32_t index; /* of the witness */
    uint64_t size;
    raffle_witness witness;
} answer;

/* A witness that saw another history is never overruled by us, and never stops us: it is one voice, and the operator is told. */
static raffle_rc another_history(const answer *a, const char *what, uint64_t its, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    (void)rf_fail(&why, RAFFLE_HISTORY, "the witness %s %s %llu records of %.90s: restored, or two stores of one key?",
                  a->witness.name, what, (unsigned long long)its, rf_log_origin(a->log));
    rf_tell(a->raffle, RAFFLE_LOG_ERROR, why.message);
    return rf_fail_as(err, &why);
}

/* 409: the size of the last checkpoint that it cosigned, and a newline. */
static raffle_rc judge_conflict(const answer *a, const char *body, size_t length, uint64_t *again, raffle_error *err)
{
    uint64_t its;
    if (length == 0 || body[length - 1] != '\n' || !rf_decimal_parse(body, length - 1, INT64_MAX, &its))
        return rf_fail(err, RAFFLE_INVALID, "the witness %s answers 409, and no size", a->witness.name);
    if (its > rf_log_size(a->log))
        return another_history(a, "cosigned", its, err);
    if (its > a->size)
        return rf_fail(err, RAFFLE_BUSY, "the witness %s cosigned a later checkpoint of %s, over %llu records",
                       a->witness.name, rf_log_origin(a->log), (unsigned long long)its);
    *again = its;
    return RAFFLE_OK;
}

/* 200: signature lines, which the witness itself must have signed one of. */
static raffle_rc judge_lines(const answer *a, const char *body, size_t length, raffle_error *err)
{
    uint64_t by = 0;
    raffle_error why = RAFFLE_ERROR_INIT;
    if (cosign(a->raffle, a->number, a->size, body, length, &by, &why) == RAFFLE_OK)
        return by >> a->index & 1 ? RAFFLE_OK
                                  : rf_fail(err, RAFFLE_SIGNATURE,
                                            "the witness %s answers with others' cosignatures alone", a->witness.name);
    return why.rc == RAFFLE_SIGNATURE ? rf_fail(err, why.rc, "the witness %s: %s", a->witness.name, why.message)
                                      : rf_fail_as(err, &why);
}

static raffle_rc judge(const answer *a, int32_t status, const char *body, size_t length, uint64_t *again,
                       raffle_error *err)
{
    const char *name = a->witness.name;
    switch (status) {
    case 200:
        return judge_lines(a, body, length, err);
    case 400:
        return rf_fail(err, RAFFLE_INVALID, "the witness %s refuses the request as malformed", name);
    case 403:
        return rf_fail(err, RAFFLE_SIGNATURE, "the witness %s does not trust the key of %s", name,
                       rf_log_origin(a->log));
    case 404:
        return rf_fail(err, RAFFLE_NOT_FOUND, "the witness %s does not know %s", name, rf_log_origin(a->log));
    case 409:
        return judge_conflict(a, body, length, again, err);
    case 422:
        return another_history(a, "cosigned other records than the first", a->size, err);
    default:
        return rf_fail(err, RAFFLE_IO, "the witness %s answers %d", name, status);
    }
}

raffle_rc raffle_witness_answer(raffle *r, uint32_t i, uint32_t log, uint64_t size, int32_t status, const char *body,
                                size_t length, uint64_t *again, raffle_error *err)
{
    const rf_vkey *vkey;
    uint64_t next = UINT64_MAX;
    answer a = {.raffle = r, .number = log, .index = i, .size = size};
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK && (again == NULL || (body == NULL && length > 0)))
        rc = rf_null(err, again == NULL ? "again" : "body");
    if (rc == RAFFLE_OK)
        rc = rf_log_named(r, log, &a.log, &vkey, err);
    if (rc == RAFFLE_OK)
        rc = get_witness(r, i, &a.witness, err);
    if (rc == RAFFLE_OK && length > RAFFLE_WITNESS_ANSWER_MAX)
        rc = rf_fail(err, RAFFLE_LIMIT, "the witness %s answers with more than %d bytes", a.witness.name,
                     RAFFLE_WITNESS_ANSWER_MAX);
    if (rc == RAFFLE_OK)
        rc = judge(&a, status, body, length, &next, err);
    if (rc == RAFFLE_OK)
        *again = next;
    return rc;
}
