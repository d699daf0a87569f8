/* SPDX-License-Identifier: Apache-2.0 */
/* A raffle made from rules: its control log, its keys, its first units. One that was cut off is finished by the same call. */
#include "open_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include "keys_pkcs11.h"
#include "unit_impl.h"
#include <limits.h>
#include <raffle/ext/key.h>
#include <raffle/ext/store.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct creation {
    raffle *raffle;
    raffle_actor by;
    const char *keys_note; /* where the keys are, to be noted; NULL: they are the host's */
    rf_rules *rules;
    char *frozen;
    size_t frozen_length;
} creation;

static raffle_rc freeze_rules(creation *c, const char *rules, size_t length, raffle_error *err)
{
    c->rules = malloc(sizeof *c->rules);
    c->frozen = malloc(RF_RULES_MAX);
    if (c->rules == NULL || c->frozen == NULL)
        return rf_nomem(err);
    raffle_rc rc = rf_rules_parse(c->rules, rules, length, err);
    if (rc != RAFFLE_OK)
        return rc;
    c->frozen_length = rf_rules_format(c->rules, c->frozen, RF_RULES_MAX);
    if (c->frozen_length == 0)
        return rf_fail(err, RAFFLE_LIMIT, "the rules do not fit into a record: %d bytes are the most", RF_RULES_MAX);
    return RAFFLE_OK;
}

/* Everything that can be refused before anything is made. */
static raffle_rc check_creation(creation *c, const raffle_host *host, const char *rules, size_t length,
                                const raffle_actor *by, raffle_error *err)
{
    raffle_host copy;
    raffle_rc rc = rf_actor_in(&c->by, by, "by", err);
    if (rc == RAFFLE_OK && c->by.role != RAFFLE_MANAGER && c->by.role != RAFFLE_ADMINISTRATOR)
        rc = rf_fail(err, RAFFLE_ROLE, "the role %s may not create a raffle", raffle_role_name(c->by.role));
    if (rc == RAFFLE_OK)
        rc = freeze_rules(c, rules, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_host_in(&copy, host, err);
    if (rc == RAFFLE_OK && (copy.flags & RAFFLE_HOST_REPLAYED_CLOCK) && !c->rules->rehearsal)
        rc = rf_fail(err, RAFFLE_REHEARSAL, "the rules are no rehearsal: the clock cannot be replayed");
    return rc;
}

static void drop_creation(creation *c)
{
    free(c->rules);
    free(c->frozen);
}

static raffle_rc write_open(creation *c, raffle_error *err)
{
    bool host_keeps = false;
    raffle *r = c->raffle;
    char key[RF_VKEY_SIZE];
    uint8_t public_key[32];
    rf_record record = {.type = RF_RAFFLE_OPEN,
                        .has = rf_bit(RF_F_FORMAT) | rf_bit(RF_F_KEY) | rf_bit(RF_F_RULES) | rf_bit(RF_F_TICKET_KEY),
                        .format = 1,
                        .rules = {c->frozen, c->frozen_length, false}};
    raffle_rc rc = rf_raffle_make_key(r, "control", err);
    if (rc == RAFFLE_OK)
        rc = rf_secrets_host_keeps(r, &host_keeps, err);
    if (rc == RAFFLE_OK && !host_keeps)
        rc = rf_raffle_make_key(r, "ticket", err);
    if (rc == RAFFLE_OK)
        rc = rf_keys_public_key(r->keys, r->origin, "control", public_key, err);
    if (rc == RAFFLE_OK)
        rc = rf_vkey_make(&r->vkey, r->origin, RF_NOTE_ED25519, public_key, err);
    if (rc == RAFFLE_OK)
        rc = rf_secrets_load(r, NULL, record.ticket_key, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_vkey_format(&r->vkey, key);
    record.key = rf_text_of(key);
    return rf_control_open(r, &c->by, c->keys_note, &record, err);
}

/* The same call again finishes what was cut off; a raffle that is complete, or has other rules, exists. */
static raffle_rc check_again(const creation *c, raffle_error *err)
{
    const raffle *r = c->raffle;
    const size_t units = c->rules->units > 0 ? c->rules->units : 1;
    char *frozen = malloc(RF_RULES_MAX);
    if (frozen == NULL)
        return rf_nomem(err);
    size_t length = rf_rules_format(r->rules, frozen, RF_RULES_MAX);
    const bool same = length == c->frozen_length && memcmp(frozen, c->frozen, length) == 0;
    free(frozen);
    const bool complete = r->control.units >= units && r->control.unit[units - 1].enabled;
    if (!same || complete || r->control.size > 1 + 2 * units)
        return rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s already", r->origin);
    return RAFFLE_OK;
}

static raffle_rc make_units(creation *c, raffle_error *err)
{
    raffle *r = c->raffle;
    const size_t units = c->rules->units > 0 ? c->rules->units : 1;
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t i = 0; rc == RAFFLE_OK && i < units; i++) {
        raffle_unit_options unit = {.struct_size = sizeof unit, .name = "unit 1"};
        if (c->rules->units > 0) {
            unit.quota = (uint64_t)c->rules->unit[i].quota;
            memcpy(unit.name, c->rules->unit[i].name, sizeof unit.name);
        }
        uint32_t number = i + 1;
        if (r->control.units <= i)
            rc = rf_unit_enrol(r, &c->by, &unit, &number, err);
        if (rc == RAFFLE_OK && !r->control.unit[i].enabled)
            rc = rf_unit_change(r, &c->by, RF_UNIT_ENABLE, number, NULL, 0, err);
    }
    return rc;
}

/* A control log without records: a creation was cut off. Where units have records, it was a restoring. */
static raffle_rc check_unwritten(const raffle *r, raffle_error *err)
{
    raffle_store_head head = {.struct_size = sizeof head};
    raffle_rc rc = RAFFLE_OK;
    for (uint32_t unit = 1; rc == RAFFLE_OK && head.size == 0 && unit <= RAFFLE_UNIT_MAX; unit++)
        rc = rf_store_head(r->store, unit, &head, err);
    return rc == RAFFLE_OK && head.size > 0
               ? rf_fail(err, RAFFLE_EXISTS,
                         "the store holds the units of %s, whose restoring was cut off: restore it again", r->origin)
               : rc;
}

static raffle_rc create_in_store(creation *c, raffle_error *err)
{
    raffle *r = c->raffle;
    raffle_error quiet = RAFFLE_ERROR_INIT;
    raffle_rc rc = rf_store_origin(r->store, r->origin, &quiet);
    const bool begun = rc == RAFFLE_OK;
    if (rc == RAFFLE_NOT_FOUND) {
        memcpy(r->origin, c->rules->origin, sizeof r->origin);
        rc = rf_store_create(r->store, r->origin, err);
    } else if (rc == RAFFLE_OK && strcmp(r->origin, c->rules->origin) != 0) {
        return rf_fail(err, RAFFLE_EXISTS, "the store holds the raffle %s", r->origin);
    } else if (rc != RAFFLE_OK) {
        return rf_fail_as(err, &quiet);
    }
    if (rc == RAFFLE_OK)
        rc = rf_raffle_open_log(r, err);
    if (rc != RAFFLE_OK)
        return rc;
    if (rf_log_size(r->log) == 0) {
        rc = begun ? check_unwritten(r, err) : RAFFLE_OK;
        if (rc == RAFFLE_OK)
            rc = write_open(c, err);
        return rc == RAFFLE_OK ? rf_raffle_load_control(r, err) : rc;
    }
    rc = rf_raffle_load_control(r, err);
    if (rc == RAFFLE_OK)
        rc = check_again(c, err);
    return rc == RAFFLE_OK ? rf_secrets_open(r, err) : rc;
}

static raffle_rc create(raffle_store *store, raffle_keys *keys, const char *keys_note, const raffle_host *host,
                        const char *rules, size_t length, const raffle_actor *by, raffle **out, raffle_error *err)
{
    creation c = {.keys_note = keys_note};
    raffle_rc rc = check_creation(&c, host, rules, length, by, err);
    if (rc == RAFFLE_OK)
        rc = rf_raffle_new(store, keys, host, &c.raffle, err);
    if (rc == RAFFLE_OK)
        rc = create_in_store(&c, err);
    if (rc == RAFFLE_OK)
        rc = make_units(&c, err);
    drop_creation(&c);
    if (rc != RAFFLE_OK) {
        rf_raffle_unref(c.raffle);
        return rc;
    }
    c.raffle->owns_host = true;
    *out = c.raffle;
    return RAFFLE_OK;
}

raffle_rc raffle_create_with(raffle_store *store, raffle_keys *keys, const raffle_host *host, const char *rules,
                             size_t length, const raffle_actor *by, raffle **out, raffle_error *err)
{
    if (store == NULL || keys == NULL || rules == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : keys == NULL ? "keys" : rules == NULL ? "rules" : "out");
    return create(store, keys, NULL, host, rules, length, by, out, err);
}

raffle_rc raffle_rules_check(const char *rules, size_t length, raffle_error *err)
{
    creation c = {0};
    if (rules == NULL)
        return rf_null(err, "rules");
    raffle_rc rc = freeze_rules(&c, rules, length, err);
    drop_creation(&c);
    return rc;
}

/* --- by URI --- */

static bool is_token(const char *keys)
{
    return strncmp(keys, "pkcs11:", 7) == 0;
}

/* Where the keys are, as the next opening needs it: a folder by its whole path, whatever the working folder is then; a token without its PIN. */
static raffle_rc find_keys(const char *keys, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err)
{
#ifdef RAFFLE_WITH_PKCS11
    if (is_token(keys))
        return rf_keys_pkcs11_note(keys, out, err);
#endif
    char folder[PATH_MAX] = "";
    const bool relative = strncmp(keys, "file:", 5) == 0 && keys[5] != '/';
    if (relative && getcwd(folder, sizeof folder) == NULL)
        return rf_fail(err, RAFFLE_IO, "the working folder has no path, and the keys are noted by theirs");
    int n = relative ? snprintf(out, RAFFLE_TEXT_MAX + 1, "file:%s/%s", folder, keys + 5)
                     : snprintf(out, RAFFLE_TEXT_MAX + 1, "%s", keys);
    if (n < 0 || n > RAFFLE_TEXT_MAX)
        return rf_fail(err, RAFFLE_LIMIT, "the URI of the keys has %d bytes with its folder; %d can be noted", n,
                       RAFFLE_TEXT_MAX);
    return RAFFLE_OK;
}

/* The note is a text in a record, which nobody could read again with a tab in it. */
static raffle_rc note_keys(const char *keys, char out[RAFFLE_TEXT_MAX + 1], raffle_error *err)
{
    raffle_rc rc = find_keys(keys, out, err);
    if (rc == RAFFLE_OK && out[0] != 0 && !rf_text_valid(out, strlen(out), RAFFLE_TEXT_MAX))
        rc = rf_fail(err, RAFFLE_INVALID, "\"%s\" cannot be noted: it is not UTF-8 without control characters", out);
    return rc;
}

raffle_rc raffle_create(const char *store, const char *keys, const raffle_host *host, const char *rules, size_t length,
                        const raffle_actor *by, raffle **out, raffle_error *err)
{
    raffle_store *s = NULL;
    raffle_keys *k = NULL;
    char beside[RAFFLE_TEXT_MAX], noted[RAFFLE_TEXT_MAX + 1];
    raffle_host lent;
    if (store == NULL || rules == NULL || out == NULL)
        return rf_null(err, store == NULL ? "store" : rules == NULL ? "rules" : "out");
    /* Once before the store is opened, so that a refusal leaves no file. */
    creation trial = {0};
    raffle_rc rc = check_creation(&trial, host, rules, length, by, err);
    drop_creation(&trial);
    if (rc == RAFFLE_OK)
        rc = rf_lend_host(&lent, host, err);
    if (rc == RAFFLE_OK && keys == NULL) {
        rc = rf_default_keys(store, beside, err);
        keys = beside;
    }
    if (rc == RAFFLE_OK)
        rc = note_keys(keys, noted, err);
    if (rc == RAFFLE_OK)
        rc = raffle_keys_open(is_token(keys) ? keys : noted, &lent, &k, err);
    if (rc == RAFFLE_OK)
        rc = rf_store_open(store, &lent, true, &s, err);
    if (rc == RAFFLE_OK)
        rc = create(s, k, noted, host, rules, length, by, out, err);
    raffle_keys_free(k);
    raffle_store_free(s);
    return rc;
}
