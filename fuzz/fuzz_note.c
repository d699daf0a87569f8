/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, verifier keys and checkpoints: what is accepted is written as the same bytes, and no signature is right by chance. */
#include "bytes.h"
#include "fuzz.h"
#include "note.h"

enum {
    ID_BYTES = 4,
    KEPT_BYTES = 80,           /* of a signature, by rf_note_signature */
    CHECKPOINT_SIZE = 3 * 255, /* the longest name, which is longer than an origin, and two short lines */
};

/* Writes a signature line again as parse_signature() reads it; returns its length, 0 when the signature was not kept whole. */
static size_t write_signature(char *out, const rf_note_signature *s)
{
    uint8_t raw[ID_BYTES + KEPT_BYTES];
    if (s->body_length > KEPT_BYTES)
        return 0;
    memcpy(raw, s->id, ID_BYTES);
    memcpy(raw + ID_BYTES, s->body, s->body_length);
    size_t at = 0;
    memcpy(out, "\xe2\x80\x94 ", 4);
    at += 4;
    memcpy(out + at, s->name, s->name_length);
    at += s->name_length;
    out[at++] = ' ';
    at += rf_base64_encode(out + at, raw, ID_BYTES + s->body_length);
    out[at++] = '\n';
    return at;
}

/* The signature lines stand one after the other behind the blank line; from the first that was not kept whole on they are not compared. */
static void check_lines(const rf_note *note, const char *bytes, size_t length)
{
    char line[1024];
    size_t at = note->text_length + 1;
    for (size_t i = 0; i < note->signatures; i++) {
        size_t n = write_signature(line, &note->signature[i]);
        if (n == 0)
            return;
        fuzz_require(n <= length - at && memcmp(bytes + at, line, n) == 0,
                     "a signature line is written as it was read");
        at += n;
    }
    fuzz_require(at == length, "a note ends with its signatures");
}

static void check_verifiers(const rf_note *note)
{
    rf_vkey vkey;
    uint64_t seconds = 0;
    const uint8_t key[32] = {0};
    fuzz_require(rf_vkey_make(&vkey, "raffle.example/gala", RF_NOTE_ED25519, key, NULL) == RAFFLE_OK, "a key is made");
    for (size_t i = 0; i < note->signatures; i++) {
        const rf_note_signature *s = &note->signature[i];
        memset(vkey.name, 0, sizeof vkey.name);
        memcpy(vkey.name, s->name, s->name_length);
        memcpy(vkey.id, s->id, sizeof vkey.id);
        vkey.type = RF_NOTE_ED25519;
        fuzz_require(rf_note_verify(note, &vkey, NULL) == RAFFLE_SIGNATURE, "a key of small order verifies nothing");
        vkey.type = RF_NOTE_COSIGNATURE;
        fuzz_require(rf_note_verify_cosignature(note, &vkey, &seconds, NULL) == RAFFLE_SIGNATURE,
                     "a key of small order verifies no cosignature");
    }
}

static void check_note(const char *bytes, size_t length)
{
    static rf_note note;
    if (rf_note_parse(&note, bytes, length, NULL) != RAFFLE_OK)
        return;
    fuzz_require(note.signatures >= 1 && note.signatures <= RF_NOTE_SIGNATURES, "a note has signatures");
    fuzz_require(note.text == bytes && note.text_length < length && bytes[note.text_length - 1] == '\n' &&
                     bytes[note.text_length] == '\n',
                 "a note's text ends before its blank line");
    for (size_t i = 0; i < length; i++)
        fuzz_require((uint8_t)bytes[i] >= 0x20 || bytes[i] == '\n',
                     "a note holds no control character but the newline");
    fuzz_require(rf_utf8_valid(bytes, length), "a note is UTF-8");
    check_lines(&note, bytes, length);
    check_verifiers(&note);
}

static void check_vkey(const char *text, size_t length)
{
    rf_vkey vkey, made;
    char out[RF_VKEY_SIZE];
    if (rf_vkey_parse(&vkey, text, length, NULL) != RAFFLE_OK)
        return;
    rf_vkey_format(&vkey, out);
    fuzz_require(fuzz_same(out, strlen(out), text, length), "a key that is accepted is written as the same text");
    fuzz_require(rf_vkey_make(&made, vkey.name, vkey.type, vkey.key, NULL) == RAFFLE_OK &&
                     memcmp(made.id, vkey.id, sizeof made.id) == 0,
                 "a key that is accepted has its own id");
}

static void check_checkpoint(const char *text, size_t length)
{
    rf_checkpoint checkpoint;
    char out[CHECKPOINT_SIZE];
    if (rf_checkpoint_parse(&checkpoint, text, length, NULL) != RAFFLE_OK)
        return;
    size_t n = rf_checkpoint_format(out, sizeof out, checkpoint.origin, checkpoint.size, checkpoint.root);
    fuzz_require(fuzz_same(out, n, text, length), "a checkpoint that is accepted is written as the same text");
    fuzz_require(rf_checkpoint_format(out, n - 1, checkpoint.origin, checkpoint.size, checkpoint.root) == 0,
                 "a checkpoint does not fit into less than its length");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_note(text, size);
    check_vkey(text, size);
    check_checkpoint(text, size);
    return 0;
}
