/* SPDX-License-Identifier: Apache-2.0 */
/* Running a file of published vectors against this build: the file's frame, the dispatch by algorithm, the counting. */
#include <raffle/version.h>

#include "error.h"
#include "vectors_impl.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH_BASE = 256 * 1024, /* for results: the longest is 65,537 bytes */
    SCRATCH_FACTOR = 16        /* times the case's text: what is decoded of it, more than once, and lists */
};

static const struct {
    const char *name;
    rf_vector_check check;
} algorithms[] = {
    {"buyer_key", rf_vectors_buyer_key},
    {"check37", rf_check_check37},
    {"checkpoint", rf_check_checkpoint},
    {"draw", rf_check_draw},
    {"fold", rf_vectors_fold},
    {"hmac_drbg", rf_check_hmac_drbg},
    {"hmac_sha256", rf_check_hmac_sha256},
    {"json", rf_check_json},
    {"merkle", rf_check_merkle},
    {"note", rf_vectors_note},
    {"order_key", rf_vectors_order_key},
    {"policy", rf_vectors_policy},
    {"prize", rf_vectors_prize},
    {"receipt", rf_vectors_receipt},
    {"record", rf_vectors_record},
#ifdef RAFFLE_WITH_TEST_RNG
    {"rng_test", rf_check_rng_test},
#endif
    {"sha256", rf_check_sha256},
    {"tile", rf_vectors_tile},
    {"timestamp", rf_check_timestamp},
    {"validation", rf_check_validation},
    {"void_root", rf_vectors_void_root},
};

typedef struct run {
    rf_vector vector;
    rf_vector_check check;
    const char *cases; /* the array's text */
    size_t cases_length;
    uint64_t passed, failed;
    raffle_error first; /* of the cases that failed */
} run;

/* --- the file --- */

static bool text_is(const rf_json_text *text, const char *expected)
{
    return text->length == strlen(expected) && memcmp(text->text, expected, text->length) == 0;
}

static bool name_is(const char *name, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(name, expected, length) == 0;
}

static raffle_rc find_algorithm(run *u, const rf_json_text *name, raffle_error *err)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        if (text_is(name, algorithms[i].name))
            u->check = algorithms[i].check;
    }
    if (u->check == NULL)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "the algorithm \"%.*s\" is not in this build",
                       (int)(name->length < 64 ? name->length : 64), name->text);
    return RAFFLE_OK;
}

/* The file's own members; others, such as `source`, are for people. */
static raffle_rc read_file(run *u, const char *json, size_t length, raffle_error *err)
{
    rf_json_reader r;
    rf_json_text text, format = {"", 0, false}, algorithm = {"", 0, false};
    const char *name, *value;
    size_t name_length, value_length;
    bool ok = true;
    rf_json_reader_init(&r, json, length, false);
    ok = rf_json_enter_object(&r);
    while (ok && rf_json_next_key(&r, &name, &name_length)) {
        if (name_is(name, name_length, "cases"))
            ok = rf_json_take_any(&r, &u->cases, &u->cases_length);
        else if (rf_json_peek(&r) != RF_JSON_STRING)
            ok = rf_json_take_any(&r, &value, &value_length);
        else if ((ok = rf_json_take_string(&r, &text)))
            *(name_is(name, name_length, "format")      ? &format
              : name_is(name, name_length, "algorithm") ? &algorithm
                                                        : &text) = text;
    }
    if (!rf_json_done(&r))
        return rf_fail(err, RAFFLE_INVALID, "the vectors are malformed at byte %zu: %s", r.at,
                       r.fault == NULL ? "more follows" : r.fault);
    if (!text_is(&format, "libraffle-vectors-1"))
        return rf_fail(err, RAFFLE_INVALID, "the file's `format` is not \"libraffle-vectors-1\"");
    if (algorithm.length == 0 || u->cases == NULL || u->cases[0] != '[')
        return rf_fail(err, RAFFLE_INVALID, "the file of vectors has no %s",
                       algorithm.length == 0 ? "`algorithm`" : "list of `cases`");
    return find_algorithm(u, &algorithm, err);
}

/* --- a case --- */

static bool read_members(rf_vector *v, const char *json, size_t length)
{
    rf_json_reader r;
    rf_json_reader_init(&r, json, length, false);
    v->members = 0;
    if (!rf_json_enter_object(&r))
        return false;
    while (v->members < RF_VECTOR_MEMBERS) {
        rf_vector_member *m = &v->member[v->members];
        if (!rf_json_next_key(&r, &m->name, &m->name_length) || !rf_json_take_any(&r, &m->json, &m->length))
            break;
        v->members++;
    }
    return rf_json_done(&r);
}

static raffle_rc reserve(rf_vector *v, size_t length, raffle_error *err)
{
    const size_t needed = SCRATCH_BASE + SCRATCH_FACTOR * length;
    v->used = 0;
    if (needed <= v->cap)
        return RAFFLE_OK;
    free(v->scratch);
    v->scratch = malloc(needed);
    v->cap = v->scratch == NULL ? 0 : needed;
    return v->scratch == NULL ? rf_nomem(err) : RAFFLE_OK;
}

/* The status that the case expects: its member `error`, RAFFLE_OK without one. */
static bool status_fits(rf_vector *v)
{
    return rf_vector_has(v, "error") ? rf_vector_is(v, "error", raffle_rc_name(v->rc)) : v->rc == RAFFLE_OK;
}

static raffle_rc run_case(run *u, const char *json, size_t length, uint32_t number, raffle_error *err)
{
    rf_vector *v = &u->vector;
    raffle_rc rc = reserve(v, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    v->fault = NULL;
    v->rc = RAFFLE_OK;
    v->exhausted = false;
    if (!read_members(v, json, length))
        return rf_fail_at(err, RAFFLE_INVALID, number, "case %u is no object of at most %d members", number,
                          RF_VECTOR_MEMBERS);
    const char *name = rf_vector_text(v, "name").data;
    const bool valid = rf_vector_bool(v, "valid");
    const bool holds = v->fault == NULL && u->check(v);
    const bool fits = status_fits(v);
    if (v->exhausted)
        return rf_fail_at(err, RAFFLE_LIMIT, number, "case %u, \"%.100s\", is too large", number, name);
    if (v->fault != NULL)
        return rf_fail_at(err, RAFFLE_INVALID, number, "case %u, \"%.100s\": `%s` is missing or malformed", number,
                          name, v->fault);
    if (holds == valid && fits) {
        u->passed++;
        return RAFFLE_OK;
    }
    if (u->failed++ == 0)
        rf_fail_at(&u->first, RAFFLE_MISMATCH, number, "case %u, \"%.100s\": %s, and should %s", number, name,
                   fits ? (holds ? "it holds" : "it does not hold") : raffle_rc_name(v->rc),
                   fits ? (valid ? "hold" : "not") : "not be that");
    return RAFFLE_OK;
}

static raffle_rc run_cases(run *u, raffle_error *err)
{
    rf_json_reader r;
    const char *json;
    size_t length;
    uint32_t number = 0;
    raffle_rc rc = RAFFLE_OK;
    rf_json_reader_init(&r, u->cases, u->cases_length, false);
    rf_json_enter_array(&r);
    while (rc == RAFFLE_OK && rf_json_next_element(&r) && rf_json_take_any(&r, &json, &length))
        rc = run_case(u, json, length, ++number, err);
    if (rc == RAFFLE_OK && number == 0)
        rc = rf_fail(err, RAFFLE_INVALID, "the file of vectors has no cases");
    return rc;
}

raffle_rc raffle_vectors(const char *json, size_t length, uint64_t *passed, uint64_t *failed, raffle_error *err)
{
    if (json == NULL || passed == NULL || failed == NULL)
        return rf_null(err, json == NULL ? "json" : passed == NULL ? "passed" : "failed");
    run u = {.first = RAFFLE_ERROR_INIT};
    raffle_rc rc = read_file(&u, json, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    u.vector.hash = sodium_init() < 0 ? NULL : rf_sha256_new();
    rc = u.vector.hash == NULL ? rf_nomem(err) : run_cases(&u, err);
    rf_sha256_free(u.vector.hash);
    free(u.vector.scratch);
    if (rc != RAFFLE_OK)
        return rc;
    *passed = u.passed;
    *failed = u.failed;
    return u.failed == 0 ? RAFFLE_OK : rf_fail_as(err, &u.first);
}
