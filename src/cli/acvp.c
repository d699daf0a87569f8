/* SPDX-License-Identifier: Apache-2.0 */
/* NIST's ACVP vector sets for hmacDRBG, revision 1.0, rewritten as vectors that raffle_vectors() runs. */
#include "acvp.h"

#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUESTS = 2, /* Generate calls of a case; the second one's bits are the answer */
    KEY_SIZE = 48
};

/* A set while it is rewritten. */
typedef struct rewriting {
    json_t *answers; /* "tgId/tcId": hexadecimal; NULL: in the cases */
    json_t *cases;
    uint64_t left_out;
    json_int_t group, test; /* where it is */
    const char *fault;      /* the member that is missing or malformed; the first one sticks */
} rewriting;

static bool fault(rewriting *r, const char *member)
{
    if (r->fault == NULL)
        r->fault = member;
    return false;
}

static void fail(raffle_error *err, raffle_rc rc, const char *sentence)
{
    (void)raffle_error_set(err, rc, 0, sentence);
}

const json_t *acvp_set(const json_t *file)
{
    if (json_is_object(file))
        return json_object_get(file, "testGroups") != NULL ? file : NULL;
    for (size_t i = 0; i < json_array_size(file); i++) {
        const json_t *element = json_array_get(file, i);
        if (json_object_get(element, "testGroups") != NULL)
            return element;
    }
    return NULL;
}

/* --- members --- */

/* An identifier, at least 0; -1 otherwise. */
static json_int_t identifier(const json_t *of, const char *member)
{
    const json_t *value = json_object_get(of, member);
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value) : -1;
}

static bool text_is(const json_t *of, const char *member, const char *expected)
{
    const char *text = json_string_value(json_object_get(of, member));
    return text != NULL && strcmp(text, expected) == 0;
}

/* Copies hexadecimal digits, which ACVP writes in capitals. */
static bool copy_hex(rewriting *r, json_t *to, const char *name, const json_t *from, const char *member)
{
    const json_t *value = json_object_get(from, member);
    if (!json_is_string(value))
        return fault(r, member);
    char *digits = memory_grow(NULL, json_string_length(value) + 1);
    memcpy(digits, json_string_value(value), json_string_length(value) + 1);
    for (char *c = digits; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'F' ? (char)(*c - 'A' + 'a') : *c;
    json_put(to, name, json_text(digits));
    free(digits);
    return true;
}

/* --- a case --- */

static bool add_reseed(rewriting *r, json_t *to, const json_t *input)
{
    return copy_hex(r, to, "reseed_entropy", input, "entropyInput") &&
           copy_hex(r, to, "reseed_additional", input, "additionalInput");
}

/* A request has entropy of its own under prediction resistance, and only then. */
static bool add_request(rewriting *r, json_t *to, const json_t *input, int number, bool resistant)
{
    static const char *const entropy[REQUESTS] = {"pr_entropy_1", "pr_entropy_2"};
    static const char *const additional[REQUESTS] = {"additional_1", "additional_2"};
    const char *given = json_string_value(json_object_get(input, "entropyInput"));
    if (number >= REQUESTS)
        return fault(r, "otherInput");
    if (!resistant && given != NULL && *given != '\0')
        return fault(r, "entropyInput");
    if (resistant && !copy_hex(r, to, entropy[number], input, "entropyInput"))
        return false;
    return copy_hex(r, to, additional[number], input, "additionalInput");
}

/* At most one reseed, before the requests. */
static bool add_inputs(rewriting *r, json_t *to, const json_t *inputs, bool resistant)
{
    int requests = 0;
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i);
        bool ok = false;
        if (i == 0 && text_is(input, "intendedUse", "reSeed"))
            ok = add_reseed(r, to, input);
        else if (text_is(input, "intendedUse", "generate"))
            ok = add_request(r, to, input, requests++, resistant);
        if (!ok)
            return fault(r, "otherInput");
    }
    return requests == REQUESTS || fault(r, "otherInput");
}

static const char *key_of(const rewriting *r, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, r->group, r->test);
    return key;
}

static bool add_answer(rewriting *r, json_t *to, const json_t *test, json_int_t bits)
{
    char key[KEY_SIZE];
    const json_t *in = r->answers == NULL ? test : json_object_get(r->answers, key_of(r, key));
    if (!copy_hex(r, to, "output", in, "returnedBits"))
        return false;
    const size_t digits = json_string_length(json_object_get(to, "output"));
    return (bits >= 0 && (uint64_t)bits == 4 * (uint64_t)digits) || fault(r, "returnedBits");
}

static bool add_case(rewriting *r, const json_t *group, const json_t *test)
{
    char name[64];
    const json_t *resistance = json_object_get(group, "predResistance");
    json_t *to = json_must(json_object());
    json_add(r->cases, to);
    r->test = identifier(test, "tcId");
    if (r->test < 0)
        return fault(r, "tcId");
    if (!json_is_boolean(resistance))
        return fault(r, "predResistance");
    snprintf(name, sizeof name, "tgId %" JSON_INTEGER_FORMAT ", tcId %" JSON_INTEGER_FORMAT, r->group, r->test);
    json_put(to, "name", json_text(name));
    json_put(to, "valid", json_must(json_true()));
    return copy_hex(r, to, "entropy", test, "entropyInput") && copy_hex(r, to, "nonce", test, "nonce") &&
           copy_hex(r, to, "personalisation", test, "persoString") &&
           add_inputs(r, to, json_object_get(test, "otherInput"), json_is_true(resistance)) &&
           add_answer(r, to, test, identifier(group, "returnedBitsLen"));
}

/* --- groups --- */

typedef bool (*each_test)(rewriting *r, const json_t *group, const json_t *test);

static bool walk_group(rewriting *r, const json_t *group, each_test visit)
{
    const json_t *tests = json_object_get(group, "tests");
    r->test = -1;
    r->group = identifier(group, "tgId");
    if (r->group < 0)
        return fault(r, "tgId");
    if (!json_is_array(tests))
        return fault(r, "tests");
    for (size_t i = 0; i < json_array_size(tests); i++)
        if (!visit(r, group, json_array_get(tests, i)))
            return false;
    return true;
}

static bool walk(rewriting *r, const json_t *set, each_test visit)
{
    const json_t *groups = json_object_get(set, "testGroups");
    r->group = r->test = -1;
    if (!json_is_array(groups))
        return fault(r, "testGroups");
    for (size_t i = 0; i < json_array_size(groups); i++)
        if (!walk_group(r, json_array_get(groups, i), visit))
            return false;
    return true;
}

static bool visit_case(rewriting *r, const json_t *group, const json_t *test)
{
    if (text_is(group, "mode", "SHA2-256"))
        return add_case(r, group, test);
    if (!json_is_string(json_object_get(group, "mode")))
        return fault(r, "mode");
    r->left_out++;
    return true;
}

static bool visit_answer(rewriting *r, const json_t *group, const json_t *test)
{
    char key[KEY_SIZE];
    (void)group;
    r->test = identifier(test, "tcId");
    if (r->test < 0 || json_object_get(r->answers, key_of(r, key)) != NULL)
        return fault(r, "tcId");
    json_put(r->answers, key_of(r, key), json_incref((json_t *)test));
    return true;
}

/* --- the set --- */

static char *dump(rewriting *r)
{
    json_t *top = json_must(json_object());
    json_put(top, "format", json_text("libraffle-vectors-1"));
    json_put(top, "algorithm", json_text("hmac_drbg"));
    json_put(top, "cases", json_incref(r->cases));
    char *text = json_dumps(top, JSON_COMPACT);
    json_decref(top);
    return text;
}

static void say_fault(const rewriting *r, const char *which, raffle_error *err)
{
    char sentence[160];
    snprintf(sentence, sizeof sentence,
             "the ACVP %s: tgId %" JSON_INTEGER_FORMAT ", tcId %" JSON_INTEGER_FORMAT ": `%s` is missing or malformed",
             which, r->group, r->test, r->fault);
    fail(err, RAFFLE_INVALID, sentence);
}

static char *rewrite(rewriting *r, const json_t *set, const json_t *answers, raffle_error *err)
{
    if (!text_is(set, "algorithm", "hmacDRBG") || !text_is(set, "revision", "1.0")) {
        fail(err, RAFFLE_UNSUPPORTED, "the ACVP set is not of the algorithm hmacDRBG, revision 1.0");
        return NULL;
    }
    if (answers != NULL && identifier(answers, "vsId") != identifier(set, "vsId")) {
        fail(err, RAFFLE_INVALID, "the ACVP answers have another `vsId` than the set");
        return NULL;
    }
    if (answers != NULL && !walk(r, answers, visit_answer)) {
        say_fault(r, "answers", err);
        return NULL;
    }
    if (!walk(r, set, visit_case)) {
        say_fault(r, "set", err);
        return NULL;
    }
    if (json_array_size(r->cases) == 0) {
        fail(err, RAFFLE_UNSUPPORTED, "the ACVP set has no case of the mode SHA2-256");
        return NULL;
    }
    char *text = dump(r);
    if (text == NULL)
        fail(err, RAFFLE_NOMEM, "out of memory");
    return text;
}

char *acvp_rewrite(const json_t *set, const json_t *answers, uint64_t *left_out, raffle_error *err)
{
    rewriting r = {.cases = json_must(json_array())};
    if (answers != NULL)
        r.answers = json_must(json_object());
    char *text = rewrite(&r, set, answers, err);
    *left_out = r.left_out;
    json_decref(r.answers);
    json_decref(r.cases);
    return text;
}
