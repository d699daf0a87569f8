/* SPDX-License-Identifier: Apache-2.0 */
/* Which witnesses must have cosigned a checkpoint (C2SP tlog-policy), and whether they have (C2SP tlog-cosignature v1). Pure. */
#ifndef RF_BASE_POLICY_H
#define RF_BASE_POLICY_H

#include "note.h"

enum {
    RF_POLICY_WITNESSES = 32,
    RF_POLICY_GROUPS = 32,
    RF_POLICY_LINES = RF_POLICY_WITNESSES + RF_POLICY_GROUPS + 1,
    RF_POLICY_LINE_MAX = 4200, /* a group of all that there can be */
    RF_POLICY_MAX = 32768,     /* bytes of all lines */
    RF_POLICY_NAME_MAX = 64,
    RF_POLICY_URL_MAX = 255
};

/* Names and addresses are kept where they stand in the text, which must outlive the policy. */
typedef struct rf_policy_text {
    const char *text;
    size_t length;
} rf_policy_text;

typedef struct rf_policy_witness {
    rf_policy_text name, url; /* url: of length 0 when there is none */
    rf_vkey vkey;
} rf_policy_witness;

typedef struct rf_policy_group {
    rf_policy_text name;
    uint64_t members; /* a set; see below */
    unsigned needed;  /* of them */
} rf_policy_group;

/* Sets of witnesses and groups: bit i is witness i, bit RF_POLICY_WITNESSES + i is group i. */
typedef struct rf_policy {
    size_t witnesses, groups;
    rf_policy_witness witness[RF_POLICY_WITNESSES];
    rf_policy_group group[RF_POLICY_GROUPS];
    uint64_t quorum; /* one bit */
} rf_policy;

/* Reads lines `witness`, `group` and one `quorum`, each ended by a newline, their words parted by one space: no comments, no empty lines, no logs, and no `quorum
 * none`. A name is defined once, before it is used, and is a member once; no key serves two witnesses. RAFFLE_INVALID, RAFFLE_LIMIT name the line. */
raffle_rc rf_policy_parse(rf_policy *policy, const char *text, size_t length, raffle_error *err);

/* The witnesses whose cosignatures the note carries, with a time before `before` seconds (UINT64_MAX: any). RAFFLE_SIGNATURE: one of them is wrong, which
 * makes the whole note so (C2SP signed-note). */
raffle_rc rf_policy_cosigned(const rf_policy *policy, const rf_note *note, uint64_t before, uint64_t *cosigned,
                             raffle_error *err);
/* Whether these witnesses are a quorum. */
bool rf_policy_reached(const rf_policy *policy, uint64_t cosigned);

/* Adds a witness's lines to a note of `*length` bytes, with room for `cap`: those that the policy's witnesses signed and that the note has not yet. Lines of
 * others are left out. RAFFLE_SIGNATURE: one is wrong, or none is by a witness; nothing is added then. `*by`: whose lines they were. */
raffle_rc rf_policy_add(const rf_policy *policy, char *note, size_t cap, size_t *length, const char *lines,
                        size_t lines_length, uint64_t *by, raffle_error *err);

#endif
