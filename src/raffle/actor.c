/* SPDX-License-Identifier: Apache-2.0 */
/* Actors and roles: their words, and their checks at the door. */
#include "raffle_impl.h"

#include "abi.h"
#include "bytes.h"
#include "error.h"
#include <string.h>

static const char *const role_names[] = {NULL, "seller", "supervisor", "manager", "administrator", "auditor", "system"};

const char *raffle_role_name(raffle_role role)
{
    return role >= RAFFLE_SELLER && role <= RAFFLE_SYSTEM ? role_names[role] : NULL;
}

raffle_role raffle_role_parse(const char *name)
{
    for (raffle_role role = RAFFLE_SELLER; name != NULL && role <= RAFFLE_SYSTEM; role++)
        if (strcmp(role_names[role], name) == 0)
            return role;
    return 0;
}

static raffle_rc check(const raffle_actor *actor, const char *name, raffle_error *err)
{
    size_t length = strnlen(actor->id, RAFFLE_NAME_SIZE);
    if (!rf_text_valid(actor->id, length, RAFFLE_NAME_MAX))
        return rf_fail(err, RAFFLE_INVALID, "%s: an actor's id is 1 to 64 bytes of UTF-8 without control characters",
                       name);
    if (raffle_role_name(actor->role) == NULL)
        return rf_fail(err, RAFFLE_INVALID, "%s: %d is no role", name, actor->role);
    return RAFFLE_OK;
}

raffle_rc raffle_actor_init(raffle_actor *actor, size_t size, const char *id, raffle_role role, raffle_error *err)
{
    raffle_actor mine = {.struct_size = sizeof mine, .role = role};
    if (actor == NULL || size < 8)
        return rf_null(err, "actor");
    if (id == NULL)
        return rf_null(err, "id");
    size_t length = strnlen(id, RAFFLE_NAME_SIZE);
    if (length < RAFFLE_NAME_SIZE)
        memcpy(mine.id, id, length);
    raffle_rc rc = check(&mine, "actor", err);
    if (rc == RAFFLE_OK)
        rf_struct_out(actor, size, &mine, sizeof mine);
    return rc;
}

raffle_rc rf_actor_in(raffle_actor *out, const raffle_actor *by, const char *name, raffle_error *err)
{
    raffle_rc rc = rf_struct_in(out, sizeof *out, by, name, err);
    return rc == RAFFLE_OK ? check(out, name, err) : rc;
}

raffle_rc rf_approver_in(raffle_actor *out, const raffle_actor *ok, const raffle_actor *by, raffle_error *err)
{
    memset(out, 0, sizeof *out);
    if (ok == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_actor_in(out, ok, "ok", err);
    if (rc == RAFFLE_OK && strcmp(out->id, by->id) == 0)
        return rf_fail(err, RAFFLE_APPROVAL, "the second approver is \"%s\", who is the first", out->id);
    return rc;
}
