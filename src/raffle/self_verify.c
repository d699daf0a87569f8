/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest of programs, and this library's own place in it (GLI-31 3.5.2, 5.8.1; docs/spec/manifest.md). One of the files that GLI examines line by line. */
#include "raffle_impl.h"

#include "bytes.h"
#include "error.h"
#include "note.h"
#include <limits.h>
#include <raffle/self.h>
#include <raffle/version.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char head[] = "libraffle/manifest/v1\n";

enum {
    HEX = 64,
    NAME_LONGEST = 255
};

static raffle_rc malformed(raffle_error *err, size_t line)
{
    return rf_fail(err, RAFFLE_INVALID, "line %zu of the manifest is no file's: HASH  NAME", line);
}

/* "HASH  NAME\n" at `at`; the name without folders, and of printable ASCII. */
static bool read_line(const char *at, size_t length, uint8_t hash[32], const char **name, size_t *name_length)
{
    if (length < HEX + 3 || at[HEX] != ' ' || at[HEX + 1] != ' ' || !rf_hex_decode(hash, 32, at, HEX))
        return false;
    *name = at + HEX + 2;
    *name_length = length - HEX - 2;
    for (size_t i = 0; i < *name_length; i++)
        if ((*name)[i] <= ' ' || (*name)[i] > '~' || (*name)[i] == '/')
            return false;
    return *name_length <= NAME_LONGEST;
}

/* A file that stands twice is malformed: nobody is to choose. */
static raffle_rc find_file(const char *text, size_t length, const char *wanted, uint8_t hash[32], raffle_error *err)
{
    const char *at = text + sizeof head - 1, *end = text + length, *name;
    size_t line = 2, name_length;
    bool found = false;
    uint8_t says[32];
    for (const char *newline; at < end; at = newline + 1, line++) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (newline == NULL || !read_line(at, (size_t)(newline - at), says, &name, &name_length))
            return malformed(err, line);
        if (name_length != strlen(wanted) || memcmp(name, wanted, name_length) != 0)
            continue;
        if (found)
            return malformed(err, line);
        found = true;
        memcpy(hash, says, sizeof says);
    }
    return found ? RAFFLE_OK : rf_fail(err, RAFFLE_NOT_FOUND, "the manifest does not name \"%.80s\"", wanted);
}

/* Only what a record can say: the outcome names it. */
static raffle_rc read_key(rf_vkey *key, const char *vkey, raffle_error *err)
{
    const size_t length = strnlen(vkey, RF_VKEY_SIZE);
    raffle_rc rc = rf_vkey_parse(key, vkey, length, err);
    if (rc == RAFFLE_OK && (key->type != RF_NOTE_ED25519 || !rf_text_valid(vkey, length, RF_VKEY_SIZE - 1)))
        rc = rf_fail(err, RAFFLE_INVALID,
                     "the key '%s' is of type 0x%02x, not 0x01, or its name has a control character", key->name,
                     key->type);
    return rc;
}

static raffle_rc read_signed(const char *manifest, size_t length, const char *vkey, rf_note *note, raffle_error *err)
{
    rf_vkey key;
    raffle_rc rc = read_key(&key, vkey, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_parse(note, manifest, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, &key, err);
    if (rc == RAFFLE_OK && (note->text_length < sizeof head - 1 || memcmp(note->text, head, sizeof head - 1) != 0))
        rc = rf_fail(err, RAFFLE_INVALID, "the note is no manifest: it does not begin with \"%.21s\"", head);
    return rc;
}

static raffle_rc match(const rf_note *note, const char *name, const uint8_t hash[32], raffle_error *err)
{
    uint8_t says[32];
    raffle_rc rc = find_file(note->text, note->text_length, name, says, err);
    if (rc == RAFFLE_OK && sodium_memcmp(says, hash, sizeof says) != 0)
        rc = rf_fail(err, RAFFLE_CORRUPT, "\"%.80s\" is not the file that the manifest names", name);
    return rc;
}

raffle_rc raffle_manifest_verify(const char *manifest, size_t length, const char *vkey, const char *name,
                                 const uint8_t hash[32], raffle_error *err)
{
    rf_note note;
    if (manifest == NULL || vkey == NULL || name == NULL || hash == NULL)
        return rf_null(err, manifest == NULL ? "manifest" : vkey == NULL ? "vkey" : name == NULL ? "name" : "hash");
    raffle_rc rc = read_signed(manifest, length, vkey, &note, err);
    return rc == RAFFLE_OK ? match(&note, name, hash, err) : rc;
}

/* The file that a link leads to is the one that a manifest names. One that was replaced while it runs has no name any more. */
static raffle_rc own_name(const char *path, char real[PATH_MAX], const char **name, raffle_error *err)
{
    if (realpath(path, real) == NULL)
        return rf_fail(err, RAFFLE_IO, "the library was loaded from \"%.150s\", which is gone", path);
    const char *slash = strrchr(real, '/');
    *name = slash != NULL ? slash + 1 : real;
    return RAFFLE_OK;
}

/* What nobody signed is refused before the library's bytes are hashed. */
raffle_rc raffle_self_verify(const char *manifest, size_t length, const char *vkey, raffle_error *err)
{
    char path[PATH_MAX], real[PATH_MAX];
    const char *name = "";
    uint8_t hash[32];
    rf_note note;
    if (manifest == NULL || vkey == NULL)
        return rf_null(err, manifest == NULL ? "manifest" : "vkey");
    raffle_rc rc = read_signed(manifest, length, vkey, &note, err);
    if (rc == RAFFLE_OK)
        rc = raffle_self_hash(path, sizeof path, hash, err);
    if (rc == RAFFLE_OK)
        rc = own_name(path, real, &name, err);
    return rc == RAFFLE_OK ? match(&note, name, hash, err) : rc;
}

static raffle_rc write_outcome(raffle *r, const raffle_actor *by, bool good, const char *vkey, const char *text,
                               raffle_error *err)
{
    const rf_record event = {.type = RF_EVENT,
                             .has = rf_bit(RF_F_CODE) | rf_bit(RF_F_KEY),
                             .code = rf_text_of(good ? "program.verified" : "program.altered"),
                             .key = rf_text_of(vkey)};
    return rf_control_one(r, by, NULL, text, &event, NULL, err);
}

/* A file that is no manifest any more was altered, too. What the machine failed at says nothing of the program. */
static bool disowned(raffle_rc found)
{
    return found == RAFFLE_SIGNATURE || found == RAFFLE_NOT_FOUND || found == RAFFLE_CORRUPT || found == RAFFLE_INVALID;
}

raffle_rc raffle_self_check(raffle *r, const raffle_actor *by, const char *manifest, size_t length, const char *vkey,
                            raffle_error *err)
{
    raffle_actor actor;
    raffle_error why = RAFFLE_ERROR_INIT;
    rf_vkey key;
    if (manifest == NULL || vkey == NULL)
        return rf_null(err, manifest == NULL ? "manifest" : "vkey");
    raffle_rc rc = rf_enter_write(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_actor_in(&actor, by, "by", err);
    if (rc == RAFFLE_OK)
        rc = read_key(&key, vkey, err);
    if (rc != RAFFLE_OK)
        return rc;
    const raffle_rc found = raffle_self_verify(manifest, length, vkey, &why);
    if (found == RAFFLE_OK)
        return write_outcome(r, &actor, true, vkey, raffle_version(), err);
    if (disowned(found))
        rc = write_outcome(r, &actor, false, vkey, raffle_rc_text(found), err);
    return rc == RAFFLE_OK ? rf_fail_as(err, &why) : rc;
}
