/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed-note v1.0.0 and tlog-checkpoint v1.0.0: verifier keys, signing, strict parsing. Ed25519 by libsodium. */
#ifndef RF_BASE_NOTE_H
#define RF_BASE_NOTE_H

#include <raffle/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RF_NOTE_MAX = 16384,     /* bytes of a note */
    RF_NOTE_SIGNATURES = 64, /* signature lines that are read; more are refused */
    RF_VKEY_SIZE = 320,      /* a vkey with its NUL */
    RF_NOTE_ED25519 = 0x01,  /* signature types */
    RF_NOTE_COSIGNATURE = 0x04,
    RF_CHECKPOINT_TEXT_MAX = 300 /* "<origin>\n<size>\n<root>\n" */
};

/* A verifier's key. */
typedef struct rf_vkey {
    char name[256];
    uint8_t id[4];
    uint8_t type; /* RF_NOTE_ED25519 or RF_NOTE_COSIGNATURE */
    uint8_t key[32];
} rf_vkey;

/* SHA-256(name || 0x0A || type || key)[0..4). */
void rf_key_id(uint8_t id[4], const char *name, uint8_t type, const uint8_t key[32]);
/* Key from its parts; RAFFLE_INVALID for a name that is empty, too long, or holds a space or '+'. */
raffle_rc rf_vkey_make(rf_vkey *vkey, const char *name, uint8_t type, const uint8_t key[32], raffle_error *err);
/* "name+8hex+base64(type || key)" and back; RAFFLE_INVALID names the fault, also an id that is not the key's. */
raffle_rc rf_vkey_parse(rf_vkey *vkey, const char *text, size_t length, raffle_error *err);
void rf_vkey_format(const rf_vkey *vkey, char out[RF_VKEY_SIZE]);

/* A signature line of a parsed note. The name points into the note. */
typedef struct rf_note_signature {
    const char *name;
    size_t name_length;
    uint8_t id[4];
    uint8_t body[80];   /* after the id: 64 bytes for Ed25519, 72 for a cosignature */
    size_t body_length; /* the true length, of which at most 80 bytes are kept */
} rf_note_signature;

typedef struct rf_note {
    const char *text; /* the signed text, with its last newline */
    size_t text_length;
    size_t signatures;
    rf_note_signature signature[RF_NOTE_SIGNATURES];
} rf_note;

/* Splits at the last blank line and reads the signature lines strictly: valid UTF-8, no control characters but newline, canonical base64, no
 * (name, id) twice. RAFFLE_INVALID names the fault. Verifies nothing. */
raffle_rc rf_note_parse(rf_note *note, const char *bytes, size_t length, raffle_error *err);
/* Whether a line bears the key's name and id; it says nothing about the signature. */
bool rf_note_names(const rf_note *note, const rf_vkey *vkey);
/* Writes that line again, with its newline, without NUL. Its length; 0: there is none, it does not fit, or is longer than a cosignature. */
size_t rf_note_copy_line(const rf_note *note, const rf_vkey *vkey, char *out, size_t cap);
/* RAFFLE_OK: a signature by this Ed25519 key is there and right. RAFFLE_SIGNATURE: there is none, or it is wrong. */
raffle_rc rf_note_verify(const rf_note *note, const rf_vkey *vkey, raffle_error *err);
/* Cosignature/v1: RAFFLE_OK and the signed time in seconds, or RAFFLE_SIGNATURE. */
raffle_rc rf_note_verify_cosignature(const rf_note *note, const rf_vkey *vkey, uint64_t *seconds, raffle_error *err);
/* Appends "\n— name base64(id || signature)\n" to a text: `out` gets the whole note, not ended by NUL; returns its length, 0 when it does not fit. */
size_t rf_note_format(char *out, size_t cap, const char *text, size_t text_length, const rf_vkey *vkey,
                      const uint8_t signature[64]);

/* The text of a checkpoint. */
typedef struct rf_checkpoint {
    char origin[256];
    uint64_t size;
    uint8_t root[32];
} rf_checkpoint;

/* Writes the text, without NUL; returns its length, 0 when it does not fit. */
size_t rf_checkpoint_format(char *out, size_t cap, const char *origin, uint64_t size, const uint8_t root[32]);
/* Exactly the three lines: extension lines are refused. */
raffle_rc rf_checkpoint_parse(rf_checkpoint *checkpoint, const char *text, size_t length, raffle_error *err);

#endif
