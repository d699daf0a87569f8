/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, cosignatures, verifier keys and checkpoints: the vectors, every changed byte of a note, and buffers of every size. */
#include "bytes.h"
#include "note.h"
#include "vectors.h"

#include <sodium.h>

static raffle_error err;

static void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    raffle_error_init(&err, sizeof err);
}

/* A failure must come with a sentence. */
static bool is_ok(raffle_rc rc)
{
    if (rc == RAFFLE_OK)
        return true;
    ck_assert_int_eq(err.rc, rc);
    ck_assert(err.message[0] != '\0');
    return false;
}

static char *exact_copy(const char *bytes, size_t length)
{
    char *copy = malloc(length == 0 ? 1 : length);
    ck_assert(copy != NULL);
    memcpy(copy, bytes, length);
    return copy;
}

static rf_vkey vkey_of(const json_t *vector)
{
    rf_vkey vkey;
    const char *text = vector_text(vector, "vkey");
    ck_assert(is_ok(rf_vkey_parse(&vkey, text, strlen(text), &err)));
    return vkey;
}

static void check_vkey(const json_t *vector)
{
    const char *text = vector_text(vector, "vkey"), *name = vector_name(vector);
    char *exact = exact_copy(text, strlen(text)), out[RF_VKEY_SIZE];
    rf_vkey vkey, made;
    bool valid = is_ok(rf_vkey_parse(&vkey, exact, strlen(text), &err));
    free(exact);
    ck_assert_msg(valid == vector_valid(vector), "%s", name);
    if (!valid)
        return;
    uint8_t key[32], id[4];
    vector_hex(vector, "key", key, sizeof key);
    vector_hex(vector, "key_id", id, sizeof id);
    ck_assert_str_eq(vkey.name, vector_text(vector, "key_name"));
    ck_assert_int_eq(vkey.type, vector_int(vector, "key_type"));
    ck_assert_mem_eq(vkey.id, id, 4);
    ck_assert_mem_eq(vkey.key, key, 32);
    rf_vkey_format(&vkey, out);
    ck_assert_str_eq(out, text);
    ck_assert(is_ok(rf_vkey_make(&made, vkey.name, vkey.type, key, &err)));
    ck_assert_mem_eq(&made, &vkey, sizeof made);
}

static bool verify(const char *bytes, size_t length, const rf_vkey *vkey)
{
    char *exact = exact_copy(bytes, length);
    rf_note note;
    bool valid = is_ok(rf_note_parse(&note, exact, length, &err)) && is_ok(rf_note_verify(&note, vkey, &err));
    free(exact);
    return valid;
}

static bool verify_cosignature(const char *bytes, size_t length, const rf_vkey *vkey, uint64_t *seconds)
{
    char *exact = exact_copy(bytes, length);
    rf_note note;
    bool valid = is_ok(rf_note_parse(&note, exact, length, &err)) &&
                 is_ok(rf_note_verify_cosignature(&note, vkey, seconds, &err));
    free(exact);
    return valid;
}

static void check_signing(const json_t *vector)
{
    uint8_t seed[32], public_key[32], secret_key[64], signature[64];
    const char *text = vector_text(vector, "text"), *expected = vector_text(vector, "note");
    size_t length = strlen(expected);
    rf_vkey vkey;
    vector_hex(vector, "seed", seed, sizeof seed);
    crypto_sign_seed_keypair(public_key, secret_key, seed);
    crypto_sign_detached(signature, NULL, (const uint8_t *)text, strlen(text), secret_key);
    ck_assert(is_ok(rf_vkey_make(&vkey, vector_text(vector, "key_name"), RF_NOTE_ED25519, public_key, &err)));
    for (size_t cap = 0; cap < length + 2; cap++) {
        char *out = malloc(cap == 0 ? 1 : cap);
        size_t n = rf_note_format(out, cap, text, strlen(text), &vkey, signature);
        ck_assert_uint_eq(n, cap < length ? 0 : length);
        ck_assert(n == 0 || memcmp(out, expected, length) == 0);
        free(out);
    }
    ck_assert(verify(expected, length, &vkey));
}

static void check_vector(const json_t *vector)
{
    if (vector_is(vector, "vkey")) {
        check_vkey(vector);
        return;
    }
    if (vector_is(vector, "sign")) {
        check_signing(vector);
        return;
    }
    static char note[2 * RF_NOTE_MAX];
    size_t length = vector_bytes(vector, "note", "note_hex", note, sizeof note);
    rf_vkey vkey = vkey_of(vector);
    if (vector_is(vector, "note")) {
        ck_assert_msg(verify(note, length, &vkey) == vector_valid(vector), "%s", vector_name(vector));
        return;
    }
    ck_assert(vector_is(vector, "cosignature"));
    uint64_t seconds = 0;
    ck_assert_msg(verify_cosignature(note, length, &vkey, &seconds) == vector_valid(vector), "%s", vector_name(vector));
    ck_assert(!vector_valid(vector) || (int64_t)seconds == vector_int(vector, "seconds"));
}

START_TEST(note_vectors)
{
    json_t *file = vectors_load("note"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector) check_vector(vector);
    ck_assert_uint_ge(i, 79);
    json_decref(file);
}
END_TEST

static json_t *find_case(const json_t *file, const char *name)
{
    json_t *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        if (strcmp(vector_name(vector), name) == 0)
            return vector;
    }
    ck_abort_msg("no case %s", name);
}

START_TEST(parsing_splits_the_worked_example)
{
    json_t *file = vectors_load("note");
    const json_t *vector = find_case(file, "note: the worked example");
    const char *bytes = vector_text(vector, "note");
    rf_note note;
    rf_checkpoint checkpoint;
    ck_assert(is_ok(rf_note_parse(&note, bytes, strlen(bytes), &err)));
    ck_assert_ptr_eq(note.text, bytes);
    ck_assert_uint_eq(note.text_length, strlen("raffle.example/log1\n600\n") + 45);
    ck_assert_uint_eq(note.signatures, 2);
    ck_assert_uint_eq(note.signature[0].body_length, 64);
    ck_assert_uint_eq(note.signature[1].body_length, 72);
    ck_assert_uint_eq(note.signature[1].name_length, strlen("witness.example/w1"));
    ck_assert_mem_eq(note.signature[1].name, "witness.example/w1", strlen("witness.example/w1"));
    ck_assert(is_ok(rf_checkpoint_parse(&checkpoint, note.text, note.text_length, &err)));
    ck_assert_str_eq(checkpoint.origin, "raffle.example/log1");
    ck_assert_uint_eq(checkpoint.size, 600);
    json_decref(file);
}
END_TEST

/* Cut anywhere or with any bit changed, the note is refused by the log's key or by the witness's: nothing in it is unsigned but the other's
 * line. */
START_TEST(every_changed_bit_of_a_note_is_seen)
{
    json_t *file = vectors_load("note");
    const json_t *vector = find_case(file, "cosignature: the worked example");
    rf_vkey log = vkey_of(find_case(file, "note: the worked example")), witness = vkey_of(vector);
    char bytes[1024];
    uint64_t seconds;
    size_t length = vector_bytes(vector, "note", "note_hex", bytes, sizeof bytes);
    ck_assert(verify(bytes, length, &log) && verify_cosignature(bytes, length, &witness, &seconds));
    for (size_t n = 0; n < length; n++)
        ck_assert(!verify(bytes, n, &log) || !verify_cosignature(bytes, n, &witness, &seconds));
    for (size_t bit = 0; bit < 8 * length; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        ck_assert_msg(!verify(bytes, length, &log) || !verify_cosignature(bytes, length, &witness, &seconds), "bit %zu",
                      bit);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    json_decref(file);
}
END_TEST

START_TEST(a_failure_says_whether_malformed_or_unsigned)
{
    json_t *file = vectors_load("note");
    const json_t *vector = find_case(file, "note: the worked example");
    const char *bytes = vector_text(vector, "note");
    rf_vkey log = vkey_of(vector), other;
    rf_note note;
    uint64_t seconds = 7;
    ck_assert_int_eq(rf_note_parse(&note, bytes, strlen(bytes) - 1, &err), RAFFLE_INVALID);
    ck_assert_int_eq(rf_note_parse(&note, bytes, strlen(bytes), NULL), RAFFLE_OK);
    ck_assert_int_eq(rf_note_verify_cosignature(&note, &log, &seconds, NULL), RAFFLE_SIGNATURE);
    ck_assert_uint_eq(seconds, 7);
    ck_assert(is_ok(rf_vkey_make(&other, "raffle.example/log2", RF_NOTE_ED25519, log.key, &err)));
    ck_assert_int_eq(rf_note_verify(&note, &other, &err), RAFFLE_SIGNATURE);
    ck_assert_str_eq(err.message, "the note is not signed by 'raffle.example/log2'");
    json_decref(file);
}
END_TEST

START_TEST(checkpoint_vectors)
{
    json_t *file = vectors_load("checkpoint"), *vector;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, vector)
    {
        char text[1024];
        size_t length = vector_bytes(vector, "text", "text_hex", text, sizeof text);
        char *exact = exact_copy(text, length);
        rf_checkpoint checkpoint;
        bool valid = is_ok(rf_checkpoint_parse(&checkpoint, exact, length, &err));
        free(exact);
        ck_assert_msg(valid == vector_valid(vector), "%s", vector_name(vector));
        if (!valid)
            continue;
        uint8_t root[32];
        char size[24];
        vector_hex(vector, "root", root, sizeof root);
        snprintf(size, sizeof size, "%llu", (unsigned long long)checkpoint.size);
        ck_assert_str_eq(checkpoint.origin, vector_text(vector, "origin"));
        ck_assert_str_eq(size, vector_text(vector, "size"));
        ck_assert_mem_eq(checkpoint.root, root, 32);
        for (size_t cap = 0; cap < length + 2; cap++) {
            char *out = malloc(cap == 0 ? 1 : cap);
            size_t n = rf_checkpoint_format(out, cap, checkpoint.origin, checkpoint.size, checkpoint.root);
            ck_assert_uint_eq(n, cap < length ? 0 : length);
            ck_assert(n == 0 || memcmp(out, text, length) == 0);
            free(out);
        }
    }
    ck_assert_uint_ge(i, 30);
    json_decref(file);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, note_vectors);
    tcase_add_test(tests, parsing_splits_the_worked_example);
    tcase_add_test(tests, every_changed_bit_of_a_note_is_seen);
    tcase_add_test(tests, a_failure_says_whether_malformed_or_unsigned);
    tcase_add_test(tests, checkpoint_vectors);
}

int main(void)
{
    return run_tests("note", add);
}
