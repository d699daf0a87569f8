/* SPDX-License-Identifier: Apache-2.0 */
/* Verifying a checkpoint by its log's key alone. */
#include "receipt_check.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <raffle/log.h>
#include <stdlib.h>
#include <string.h>

bool rf_log_name_read(const char *name, char origin[RAFFLE_ORIGIN_SIZE], uint32_t *log)
{
    static const char mark[] = "/unit/";
    uint64_t unit = 0;
    const char *at = strstr(name, mark);
    const size_t length = at == NULL ? strlen(name) : (size_t)(at - name);
    if (at != NULL &&
        (!rf_decimal_parse(at + strlen(mark), strlen(at) - strlen(mark), RAFFLE_UNIT_MAX, &unit) || unit == 0))
        return false;
    if (!rf_origin_valid(name, length))
        return false;
    memcpy(origin, name, length);
    origin[length] = 0;
    *log = (uint32_t)unit;
    return true;
}

static raffle_rc verify(rf_note *note, const char *bytes, size_t length, const rf_vkey *vkey,
                        raffle_checkpoint_info *info, raffle_error *err)
{
    rf_checkpoint says;
    raffle_rc rc = rf_note_parse(note, bytes, length, err);
    if (rc == RAFFLE_OK)
        rc = rf_checkpoint_parse(&says, note->text, note->text_length, err);
    if (rc == RAFFLE_OK && strcmp(says.origin, vkey->name) != 0)
        rc = rf_fail(err, RAFFLE_MISMATCH, "it is a checkpoint of %.200s, and the key that of %.200s", says.origin,
                     vkey->name);
    if (rc == RAFFLE_OK)
        rc = rf_note_verify(note, vkey, err);
    if (rc != RAFFLE_OK)
        return rc;
    info->size = says.size;
    memcpy(info->root, says.root, sizeof info->root);
    return RAFFLE_OK;
}

static raffle_rc read_key(const char *key, rf_vkey *vkey, raffle_checkpoint_info *info, raffle_error *err)
{
    raffle_error why = RAFFLE_ERROR_INIT;
    if (rf_vkey_parse(vkey, key, strnlen(key, RF_VKEY_SIZE), &why) != RAFFLE_OK)
        return rf_fail_at(err, RAFFLE_INVALID, 1, "%s", why.message);
    if (vkey->type != RF_NOTE_ED25519 || !rf_log_name_read(vkey->name, info->origin, &info->log))
        return rf_fail_at(err, RAFFLE_INVALID, 1, "the key of '%s' is none of a raffle's log", vkey->name);
    return RAFFLE_OK;
}

raffle_rc raffle_checkpoint_verify(const char *bytes, size_t length, const char *key, raffle_checkpoint_info *info,
                                   raffle_error *err)
{
    rf_vkey vkey;
    raffle_checkpoint_info mine = RAFFLE_CHECKPOINT_INFO_INIT;
    if (bytes == NULL || key == NULL)
        return rf_null(err, bytes == NULL ? "note" : "key");
    raffle_rc rc = info == NULL ? RAFFLE_OK : rf_struct_check(info, "info", err);
    if (rc == RAFFLE_OK)
        rc = read_key(key, &vkey, &mine, err);
    if (rc != RAFFLE_OK)
        return rc;
    rf_note *note = malloc(sizeof *note);
    if (note == NULL)
        return rf_nomem(err);
    rc = verify(note, bytes, length, &vkey, &mine, err);
    free(note);
    if (rc == RAFFLE_OK && info != NULL)
        rf_struct_out(info, rf_struct_size(info), &mine, sizeof mine);
    return rc;
}

void raffle_checkpoint_info_init(raffle_checkpoint_info *info, size_t size)
{
    rf_struct_init(info, size);
}
