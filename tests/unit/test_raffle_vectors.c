/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of vectors over every published file, over files that lie, and over files that are none; and what this build says of itself. */
#include "vectors.h"

#include <dirent.h>
#include <raffle/version.h>
#include <sodium.h>

static raffle_error err;
static uint64_t passed, failed;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    raffle_error_init(&err, sizeof err);
    passed = failed = 777;
}

/* In memory of just its size, so that the address sanitizer sees reading beyond it. */
static raffle_rc run(const char *json, size_t length)
{
    char *exact = malloc(length == 0 ? 1 : length);
    memcpy(exact, json, length);
    raffle_rc rc = raffle_vectors(exact, length, &passed, &failed, &err);
    free(exact);
    return rc;
}

static raffle_rc run_json(const json_t *file)
{
    char *text = json_dumps(file, JSON_COMPACT);
    raffle_rc rc = run(text, strlen(text));
    free(text);
    return rc;
}

static bool is_json(const char *name)
{
    const size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

/* Calls `visit` with each file of the folder; returns their number. */
static size_t each_file(void (*visit)(const char *algorithm, json_t *file))
{
    size_t n = 0;
    const char *path = getenv("RAFFLE_VECTORS");
    ck_assert_ptr_nonnull(path);
    DIR *folder = opendir(path);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char algorithm[64];
        if (!is_json(entry->d_name))
            continue;
        snprintf(algorithm, sizeof algorithm, "%.*s", (int)strlen(entry->d_name) - 5, entry->d_name);
        json_t *file = vectors_load(algorithm);
        visit(algorithm, file);
        json_decref(file);
        n++;
    }
    closedir(folder);
    return n;
}

static bool in_build(const char *algorithm)
{
#ifdef RAFFLE_WITH_TEST_RNG
    (void)algorithm;
    return true;
#else
    return strcmp(algorithm, "rng_test") != 0;
#endif
}

static void passes(const char *algorithm, json_t *file)
{
    raffle_rc rc = run_json(file);
    if (!in_build(algorithm)) {
        ck_assert_int_eq(rc, RAFFLE_UNSUPPORTED);
        return;
    }
    ck_assert_msg(rc == RAFFLE_OK, "%s: %s", algorithm, err.message);
    ck_assert_uint_eq(passed, json_array_size(json_object_get(file, "cases")));
    ck_assert_uint_eq(failed, 0);
}

START_TEST(every_published_file_passes)
{
    ck_assert_uint_ge(each_file(passes), 11);
}
END_TEST

/* Each case turned into its contrary must be noticed: a runner that looked at nothing would not. */
static void turned_round(const char *algorithm, json_t *file)
{
    json_t *cases = json_object_get(file, "cases"), *vector;
    size_t i;
    if (!in_build(algorithm))
        return;
    json_array_foreach(cases, i, vector)
    {
        const bool valid = vector_valid(vector);
        json_object_set_new(vector, "valid", json_boolean(!valid));
    }
    raffle_rc rc = run_json(file);
    /* A case that must be refused lacks what a good one has: the file is then called malformed, which is noticed too. */
    ck_assert_msg(rc == RAFFLE_MISMATCH || rc == RAFFLE_INVALID, "%s: %s", algorithm, raffle_rc_name(rc));
    if (rc == RAFFLE_MISMATCH) {
        ck_assert_uint_eq(passed, 0);
        ck_assert_uint_eq(failed, json_array_size(cases));
    }
    ck_assert_uint_eq(err.detail, 1);
    ck_assert_ptr_nonnull(strstr(err.message, vector_name(json_array_get(cases, 0))));
}

START_TEST(every_lie_is_noticed)
{
    ck_assert_uint_ge(each_file(turned_round), 11);
}
END_TEST

static char *number_file(const char *algorithm, const char *cases)
{
    static char text[2048];
    snprintf(text, sizeof text, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"%s\",\"cases\":%s}", algorithm,
             cases);
    return text;
}

START_TEST(the_first_failure_is_named)
{
    const char *text = number_file("check37", "[{\"name\":\"good\",\"valid\":true,\"text\":\"A999914123456N\"},"
                                              "{\"name\":\"bad\",\"valid\":true,\"text\":\"A999914123456M\"},"
                                              "{\"name\":\"worse\",\"valid\":false,\"text\":\"A999914123456N\"}]");
    ck_assert_int_eq(run(text, strlen(text)), RAFFLE_MISMATCH);
    ck_assert_uint_eq(passed, 1);
    ck_assert_uint_eq(failed, 2);
    ck_assert_uint_eq(err.detail, 2);
    ck_assert_str_eq(err.message, "case 2, \"bad\": it does not hold, and should hold");
    ck_assert_int_eq(raffle_vectors(text, strlen(text), &passed, &failed, NULL), RAFFLE_MISMATCH);
}
END_TEST

/* A status other than the one that is claimed is a failure, also where the outcome is the same. */
START_TEST(another_status_is_noticed)
{
    json_t *file = vectors_load("validation"), *vector;
    size_t i, changed = 0;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        if (json_object_get(vector, "error") == NULL)
            continue;
        json_object_set_new(vector, "error", json_string("RAFFLE_LIMIT"));
        changed++;
    }
    ck_assert_int_eq(run_json(file), RAFFLE_MISMATCH);
    ck_assert_uint_ge(changed, 25);
    ck_assert_uint_eq(failed, changed);
    json_decref(file);
}
END_TEST

START_TEST(files_that_are_none)
{
    static const struct {
        raffle_rc rc;
        const char *text;
    } bad[] = {
        {RAFFLE_INVALID, ""},
        {RAFFLE_INVALID, "null"},
        {RAFFLE_INVALID, "[]"},
        {RAFFLE_INVALID, "{}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\"}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\"}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"cases\":[]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-2\",\"algorithm\":\"check37\",\"cases\":[]}"},
        {RAFFLE_INVALID, "{\"format\":1,\"algorithm\":\"check37\",\"cases\":[]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":{}}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[1]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[{}]}"},
        {RAFFLE_INVALID,
         "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[{\"name\":\"a\",\"valid\":true}]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[{\"name\":\"a\","
                         "\"valid\":1,\"text\":\"11\"}]}"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"check37\",\"cases\":[]} x"},
        {RAFFLE_INVALID, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"merkle\",\"cases\":[{\"name\":\"a\","
                         "\"valid\":true,\"kind\":\"x\"}]}"},
        {RAFFLE_UNSUPPORTED, "{\"format\":\"libraffle-vectors-1\",\"algorithm\":\"md5\",\"cases\":[]}"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setup();
        ck_assert_msg(run(bad[i].text, strlen(bad[i].text)) == bad[i].rc, "%s", bad[i].text);
        ck_assert(err.rc == bad[i].rc && err.message[0] != '\0' && passed == 777 && failed == 777);
    }
}
END_TEST

static const char *const members[] = {
    "text",   "leaves",    "proof",   "root",   "index",  "key",     "vkey",        "note",    "entropy",
    "output", "seed",      "picks",   "beacon", "n",      "serial",  "at",          "unit",    "kind",
    "valid",  "canonical", "message", "digest", "mac",    "control", "control_key", "entries", "index",
    "k",      "leaf_hash", "level",   "order",  "origin", "path",    "policy",      "proves",  "receipt",
    "row",    "serials",   "size",    "type",   "width"};

/* Every member missing or of another type, in the first case: an answer, and no crash. */
static void without_members(const char *algorithm, json_t *file)
{
    const json_t *first = json_array_get(json_object_get(file, "cases"), 0);
    for (size_t i = 0; in_build(algorithm) && i < sizeof members / sizeof *members; i++) {
        json_t *value = json_object_get(first, members[i]);
        if (value == NULL)
            continue;
        for (int kind = 0; kind < 5; kind++) {
            json_t *one = json_deep_copy(first);
            json_t *other[] = {json_object(), json_array(), json_integer(-1), json_string("\xc3\xa9"), NULL};
            if (other[kind] == NULL)
                json_object_del(one, members[i]);
            else
                json_object_set(one, members[i], other[kind]);
            /* No picks at all are the first picks of any draw. */
            const bool same = other[kind] != NULL &&
                              (json_equal(value, other[kind]) || (kind == 1 && strcmp(members[i], "picks") == 0));
            json_t *copy =
                json_pack("{s:s,s:s,s:[o]}", "format", "libraffle-vectors-1", "algorithm", algorithm, "cases", one);
            raffle_rc rc = run_json(copy);
            ck_assert_msg(rc == RAFFLE_INVALID || rc == RAFFLE_MISMATCH || (rc == RAFFLE_OK && same), "%s of %s: %s",
                          members[i], algorithm, raffle_rc_name(rc));
            json_decref(copy);
            for (int k = 0; k < 4; k++)
                json_decref(other[k]);
        }
    }
}

START_TEST(malformed_members)
{
    ck_assert_uint_ge(each_file(without_members), 11);
}
END_TEST

START_TEST(no_prefix_of_a_file_is_a_file)
{
    const char *text = number_file("check37", "[{\"name\":\"good\",\"valid\":true,\"text\":\"A999914123456N\"}]");
    const size_t length = strlen(text);
    ck_assert_int_eq(run(text, length), RAFFLE_OK);
    for (size_t n = 0; n < length; n++)
        ck_assert_int_eq(run(text, n), RAFFLE_INVALID);
}
END_TEST

START_TEST(null_is_misuse)
{
    ck_assert_int_eq(raffle_vectors(NULL, 0, &passed, &failed, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_vectors("{}", 2, NULL, &failed, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_vectors("{}", 2, &passed, NULL, &err), RAFFLE_MISUSE);
}
END_TEST

START_TEST(the_build_is_described)
{
    json_error_t error;
    ck_assert_str_eq(raffle_version(), RAFFLE_VERSION);
    ck_assert_ptr_eq(raffle_build(), raffle_build());
    json_t *build = json_loads(raffle_build(), JSON_REJECT_DUPLICATES, &error);
    ck_assert_ptr_nonnull(build);
    ck_assert_str_eq(vector_text(build, "version"), RAFFLE_VERSION);
    ck_assert_str_eq(vector_text(build, "records"), "libraffle-rec-1");
    ck_assert_str_eq(vector_text(json_object_get(build, "linked"), "libsodium"), sodium_version_string());
    ck_assert_uint_gt(strlen(vector_text(json_object_get(build, "linked"), "openssl")), 0);
    ck_assert_uint_gt(strlen(vector_text(json_object_get(build, "compiled"), "sqlite")), 0);
#ifdef RAFFLE_WITH_TEST_RNG
    ck_assert(json_is_true(json_object_get(build, "test")));
#else
    ck_assert(json_is_false(json_object_get(build, "test")));
#endif
    json_decref(build);
}
END_TEST

/* This program has the library linked in. */
START_TEST(the_loaded_file_is_hashed)
{
    char path[4096], exe[4096] = "";
    uint8_t hash[32], expected[32];
    ck_assert_msg(raffle_self_hash(path, sizeof path, hash, &err) == RAFFLE_OK, "%s", err.message);
    ck_assert_ptr_nonnull(realpath("/proc/self/exe", exe));
    ck_assert_str_eq(path, exe);
    FILE *file = fopen(exe, "rb");
    static uint8_t bytes[64 << 20];
    const size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    crypto_hash_sha256(expected, bytes, n);
    ck_assert_mem_eq(hash, expected, 32);
    ck_assert_int_eq(raffle_self_hash(path, strlen(exe) + 1, hash, &err), RAFFLE_OK);
    memset(path, 'x', sizeof path);
    ck_assert_int_eq(raffle_self_hash(path, strlen(exe), hash, &err), RAFFLE_TOO_SMALL);
    ck_assert_int_eq(path[0], 'x');
    ck_assert_int_eq(raffle_self_hash(NULL, 0, hash, &err), RAFFLE_MISUSE);
    ck_assert_int_eq(raffle_self_hash(path, sizeof path, NULL, &err), RAFFLE_MISUSE);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, every_published_file_passes);
    tcase_add_test(tests, every_lie_is_noticed);
    tcase_add_test(tests, the_first_failure_is_named);
    tcase_add_test(tests, another_status_is_noticed);
    tcase_add_test(tests, files_that_are_none);
    tcase_add_test(tests, malformed_members);
    tcase_add_test(tests, no_prefix_of_a_file_is_a_file);
    tcase_add_test(tests, null_is_misuse);
    tcase_add_test(tests, the_build_is_described);
    tcase_add_test(tests, the_loaded_file_is_hashed);
}

int main(void)
{
    return run_tests("vectors", add);
}
