/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed notes, verifier keys, cosignatures and the text of checkpoints: strict reading, and writing. */
#include "note.h"
#include "bytes.h"
#include "error.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* U+2014 and a space: how a signature line begins */

enum {
    NAME_MAX_BYTES = 255,
    KEY_TEXT = 44, /* base64 of a type and 32 bytes */
    COSIGNATURE_BYTES = 8 + 64,
    ROOT_TEXT = 44 /* base64 of 32 bytes */
};

/* --- names and keys --- */

/* White_Space of Unicode: what a key's name may not hold. */
static bool is_space(uint32_t code)
{
    return code == 0x20 || (code >= 0x09 && code <= 0x0d) || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
           code == 0x3000;
}

static bool name_valid(const char *name, size_t length)
{
    if (length == 0 || length > NAME_MAX_BYTES)
        return false;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t n = rf_utf8_next(name + at, length - at, &code);
        if (n == 0 || code < 0x20 || code == '+' || is_space(code))
            return false;
        at += n;
    }
    return true;
}

void rf_key_id(uint8_t id[4], const char *name, uint8_t type, const uint8_t key[32])
{
    crypto_hash_sha256_state state;
    uint8_t hash[32];
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
    crypto_hash_sha256_update(&state, (const uint8_t[]){'\n', type}, 2);
    crypto_hash_sha256_update(&state, key, 32);
    crypto_hash_sha256_final(&state, hash);
    memcpy(id, hash, 4);
}

static raffle_rc make_vkey(rf_vkey *vkey, const char *name, size_t length, uint8_t type, const uint8_t key[32],
                           raffle_error *err)
{
    if (!name_valid(name, length))
        return rf_fail(err, RAFFLE_INVALID, "the key name '%.*s' is empty, too long or holds a space or '+'",
                       length > NAME_MAX_BYTES ? NAME_MAX_BYTES : (int)length, name);
    if (type != RF_NOTE_ED25519 && type != RF_NOTE_COSIGNATURE)
        return rf_fail(err, RAFFLE_INVALID, "key type 0x%02x of '%.*s' is neither 0x01 nor 0x04", type, (int)length,
                       name);
    rf_vkey made = {.type = type};
    memcpy(made.name, name, length);
    memcpy(made.key, key, 32);
    rf_key_id(made.id, made.name, type, key);
    *vkey = made;
    return RAFFLE_OK;
}

raffle_rc rf_vkey_make(rf_vkey *vkey, const char *name, uint8_t type, const uint8_t key[32], raffle_error *err)
{
    return make_vkey(vkey, name, strlen(name), type, key, err);
}

raffle_rc rf_vkey_parse(rf_vkey *vkey, const char *text, size_t length, raffle_error *err)
{
    const char *plus = memchr(text, '+', length);
    size_t name_length = plus == NULL ? length : (size_t)(plus - text);
    if (length - name_length != 1 + 8 + 1 + KEY_TEXT || plus[9] != '+')
        return rf_fail(err, RAFFLE_INVALID, "a verifier key is not of the form name+8 hex digits+base64");
    uint8_t id[4], key[33];
    size_t n;
    if (!rf_hex_decode(id, 4, plus + 1, 8))
        return rf_fail(err, RAFFLE_INVALID, "the key id '%.8s' is not 8 lower-case hex digits", plus + 1);
    if (!rf_base64_decode(key, sizeof key, &n, plus + 10, KEY_TEXT) || n != sizeof key)
        return rf_fail(err, RAFFLE_INVALID, "the key '%.*s' is not base64 of 33 bytes", KEY_TEXT, plus + 10);

    rf_vkey made;
    raffle_rc rc = make_vkey(&made, text, name_length, key[0], key + 1, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (memcmp(id, made.id, 4) != 0)
        return rf_fail(err, RAFFLE_INVALID, "the key id '%.8s' is not that of the key of '%s'", plus + 1, made.name);
    *vkey = made;
    return RAFFLE_OK;
}

void rf_vkey_format(const rf_vkey *vkey, char out[RF_VKEY_SIZE])
{
    uint8_t key[33] = {vkey->type};
    memcpy(key + 1, vkey->key, 32);
    size_t at = strlen(vkey->name);
    memcpy(out, vkey->name, at);
    out[at++] = '+';
    rf_hex_encode(out + at, vkey->id, 4);
    at += 8;
    out[at++] = '+';
    at += rf_base64_encode(out + at, key, sizeof key);
    out[at] = '\0';
}

/* --- notes --- */

/* "— name base64\n", without NUL. Its length; 0 when it does not fit. */
static size_t write_line(char *out, size_t cap, const char *name, const uint8_t *raw, size_t n)
{
    const size_t dash = sizeof DASH - 1, name_length = strlen(name);
    if (dash + name_length + 1 + rf_base64_length(n) + 1 > cap)
        return 0;
    memcpy(out, DASH, dash);
    memcpy(out + dash, name, name_length);
    size_t at = dash + name_length;
    out[at++] = ' ';
    at += rf_base64_encode(out + at, raw, n);
    out[at++] = '\n';
    return at;
}

/* Valid UTF-8, and no ASCII control character but the newline. */
static bool note_text_valid(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((uint8_t)bytes[i] < 0x20 && bytes[i] != '\n')
            return false;
    }
    return rf_utf8_valid(bytes, length);
}

/* The length of the text before the last blank line, its newline included; 0 when there is none. */
static size_t text_length_of(const char *bytes, size_t length)
{
    for (size_t at = length; at-- > 1;) {
        if (bytes[at] == '\n' && bytes[at - 1] == '\n')
            return at;
    }
    return 0;
}

static bool same_key(const rf_note_signature *a, const char *name, size_t name_length, const uint8_t id[4])
{
    return a->name_length == name_length && memcmp(a->name, name, name_length) == 0 && memcmp(a->id, id, 4) == 0;
}

/* Reads "— name base64" into the next signature. */
static raffle_rc parse_signature(rf_note *note, const char *line, size_t length, raffle_error *err)
{
    size_t number = note->signatures + 1;
    const size_t dash = sizeof DASH - 1;
    if (note->signatures == RF_NOTE_SIGNATURES)
        return rf_fail(err, RAFFLE_INVALID, "a note has more than %d signature lines", RF_NOTE_SIGNATURES);
    if (length < dash || memcmp(line, DASH, dash) != 0)
        return rf_fail(err, RAFFLE_INVALID, "signature line %zu does not begin with a dash and a space", number);
    const char *name = line + dash, *space = memchr(name, ' ', length - dash);
    if (space == NULL || !name_valid(name, (size_t)(space - name)))
        return rf_fail(err, RAFFLE_INVALID, "signature line %zu has no valid key name", number);

    uint8_t raw[RF_NOTE_MAX];
    size_t n;
    if (!rf_base64_decode(raw, sizeof raw, &n, space + 1, (size_t)(line + length - space - 1)) || n < 5)
        return rf_fail(err, RAFFLE_INVALID, "signature line %zu is not base64 of a key id and a signature", number);
    rf_note_signature *signature = &note->signature[note->signatures];
    *signature = (rf_note_signature){.name = name, .name_length = (size_t)(space - name), .body_length = n - 4};
    memcpy(signature->id, raw, 4);
    memcpy(signature->body, raw + 4, n - 4 < sizeof signature->body ? n - 4 : sizeof signature->body);
    for (size_t i = 0; i < note->signatures; i++) {
        if (same_key(&note->signature[i], signature->name, signature->name_length, signature->id))
            return rf_fail(err, RAFFLE_INVALID, "signature line %zu is a second one by '%.*s'", number,
                           (int)signature->name_length, signature->name);
    }
    note->signatures++;
    return RAFFLE_OK;
}

raffle_rc rf_note_parse(rf_note *note, const char *bytes, size_t length, raffle_error *err)
{
    if (length > RF_NOTE_MAX)
        return rf_fail(err, RAFFLE_INVALID, "a note of %zu bytes is longer than %d", length, RF_NOTE_MAX);
    if (!note_text_valid(bytes, length))
        return rf_fail(err, RAFFLE_INVALID, "a note holds a control character or invalid UTF-8");
    size_t text_length = text_length_of(bytes, length);
    if (text_length == 0 || text_length + 1 == length || bytes[length - 1] != '\n')
        return rf_fail(err, RAFFLE_INVALID, "a note is not a text, a blank line and signature lines");

    note->text = bytes;
    note->text_length = text_length;
    note->signatures = 0;
    for (size_t at = text_length + 1; at < length;) {
        const char *line = bytes + at, *end = memchr(line, '\n', length - at);
        raffle_rc rc = parse_signature(note, line, (size_t)(end - line), err);
        if (rc != RAFFLE_OK)
            return rc;
        at = (size_t)(end - bytes) + 1;
    }
    return RAFFLE_OK;
}

/* The line that bears the key's name and id, or NULL. */
static const rf_note_signature *find_line(const rf_note *note, const rf_vkey *vkey)
{
    for (size_t i = 0; i < note->signatures; i++)
        if (same_key(&note->signature[i], vkey->name, strlen(vkey->name), vkey->id))
            return &note->signature[i];
    return NULL;
}

bool rf_note_names(const rf_note *note, const rf_vkey *vkey)
{
    return find_line(note, vkey) != NULL;
}

size_t rf_note_copy_line(const rf_note *note, const rf_vkey *vkey, char *out, size_t cap)
{
    uint8_t raw[4 + sizeof note->signature[0].body];
    const rf_note_signature *line = find_line(note, vkey);
    if (line == NULL || line->body_length > sizeof line->body)
        return 0;
    memcpy(raw, line->id, 4);
    memcpy(raw + 4, line->body, line->body_length);
    return write_line(out, cap, vkey->name, raw, 4 + line->body_length);
}

/* The key's signature line of this length, or NULL with the failure. */
static const rf_note_signature *find_signature(const rf_note *note, const rf_vkey *vkey, uint8_t type,
                                               size_t body_length, raffle_error *err)
{
    if (vkey->type != type) {
        rf_fail(err, RAFFLE_SIGNATURE, "the key of '%s' is of type 0x%02x, not 0x%02x", vkey->name, vkey->type, type);
        return NULL;
    }
    const rf_note_signature *signature = find_line(note, vkey);
    if (signature != NULL && signature->body_length == body_length)
        return signature;
    if (signature != NULL)
        rf_fail(err, RAFFLE_SIGNATURE, "the signature by '%s' has %zu bytes", vkey->name, signature->body_length);
    else
        rf_fail(err, RAFFLE_SIGNATURE, "the note is not signed by '%s'", vkey->name);
    return NULL;
}

raffle_rc rf_note_verify(const rf_note *note, const rf_vkey *vkey, raffle_error *err)
{
    const rf_note_signature *signature = find_signature(note, vkey, RF_NOTE_ED25519, crypto_sign_BYTES, err);
    if (signature == NULL)
        return RAFFLE_SIGNATURE;
    if (crypto_sign_verify_detached(signature->body, (const uint8_t *)note->text, note->text_length, vkey->key) != 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the signature by '%s' is wrong", vkey->name);
    return RAFFLE_OK;
}

raffle_rc rf_note_verify_cosignature(const rf_note *note, const rf_vkey *vkey, uint64_t *seconds, raffle_error *err)
{
    const rf_note_signature *signature = find_signature(note, vkey, RF_NOTE_COSIGNATURE, COSIGNATURE_BYTES, err);
    if (signature == NULL)
        return RAFFLE_SIGNATURE;
    uint64_t time = rf_get_be(signature->body, 8);
    char message[64 + RF_NOTE_MAX];
    int head = snprintf(message, 64, "cosignature/v1\ntime %" PRIu64 "\n", time);
    memcpy(message + head, note->text, note->text_length);
    if (time > INT64_MAX || crypto_sign_verify_detached(signature->body + 8, (const uint8_t *)message,
                                                        (size_t)head + note->text_length, vkey->key) != 0)
        return rf_fail(err, RAFFLE_SIGNATURE, "the cosignature by '%s' is wrong", vkey->name);
    *seconds = time;
    return RAFFLE_OK;
}

size_t rf_note_format(char *out, size_t cap, const char *text, size_t text_length, const rf_vkey *vkey,
                      const uint8_t signature[64])
{
    uint8_t raw[4 + 64];
    memcpy(raw, vkey->id, 4);
    memcpy(raw + 4, signature, 64);
    if (text_length >= RF_NOTE_MAX || text_length >= cap)
        return 0;
    const size_t room = (cap < RF_NOTE_MAX ? cap : RF_NOTE_MAX) - text_length - 1;
    memmove(out, text, text_length);
    out[text_length] = '\n';
    const size_t line = write_line(out + text_length + 1, room, vkey->name, raw, sizeof raw);
    return line == 0 ? 0 : text_length + 1 + line;
}

/* --- checkpoints --- */

size_t rf_checkpoint_format(char *out, size_t cap, const char *origin, uint64_t size, const uint8_t root[32])
{
    char line[24];
    size_t origin_length = strlen(origin);
    size_t size_length = (size_t)snprintf(line, sizeof line, "\n%" PRIu64 "\n", size);
    size_t length = origin_length + size_length + ROOT_TEXT + 1;
    if (length > cap)
        return 0;
    memcpy(out, origin, origin_length);
    memcpy(out + origin_length, line, size_length);
    rf_base64_encode(out + origin_length + size_length, root, 32);
    out[length - 1] = '\n';
    return length;
}

/* The next line without its newline, which must be there. */
static bool take_line(const char **text, size_t *length, const char **line, size_t *line_length)
{
    const char *end = memchr(*text, '\n', *length);
    if (end == NULL)
        return false;
    *line = *text;
    *line_length = (size_t)(end - *text);
    *length -= *line_length + 1;
    *text = end + 1;
    return true;
}

raffle_rc rf_checkpoint_parse(rf_checkpoint *checkpoint, const char *text, size_t length, raffle_error *err)
{
    const char *origin, *size, *root;
    size_t origin_length, size_length, root_length, n;
    if (!take_line(&text, &length, &origin, &origin_length) || !take_line(&text, &length, &size, &size_length) ||
        !take_line(&text, &length, &root, &root_length) || length != 0)
        return rf_fail(err, RAFFLE_INVALID, "a checkpoint is not exactly three lines: origin, size and root");
    if (!name_valid(origin, origin_length))
        return rf_fail(err, RAFFLE_INVALID, "a checkpoint's origin is empty, too long or holds a space or '+'");
    rf_checkpoint made = {.size = 0};
    memcpy(made.origin, origin, origin_length);
    if (!rf_decimal_parse(size, size_length, INT64_MAX, &made.size))
        return rf_fail(err, RAFFLE_INVALID, "the size '%.*s' of a checkpoint of '%s' is no number",
                       (int)(size_length < 40 ? size_length : 40), size, made.origin);
    if (root_length != ROOT_TEXT || !rf_base64_decode(made.root, 32, &n, root, root_length) || n != 32)
        return rf_fail(err, RAFFLE_INVALID, "the root of a checkpoint of '%s' is not base64 of 32 bytes", made.origin);
    *checkpoint = made;
    return RAFFLE_OK;
}
