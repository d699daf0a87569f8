/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what, and what takes two. */
#include "roles.h"

static raffle_rc operation_at(cli *c, uint32_t i, raffle_operation *operation)
{
    raffle_operation_init(operation, sizeof *operation);
    return raffle_operation_at(c->raffle, i, operation, &c->err);
}

static bool may(const raffle_operation *operation, raffle_role role)
{
    return (operation->roles & UINT32_C(1) << role) != 0;
}

static void role_names(const raffle_operation *operation, char out[96])
{
    size_t used = 0;
    out[0] = 0;
    for (raffle_role role = RAFFLE_SELLER; role <= RAFFLE_SYSTEM; role++)
        if (may(operation, role) && used < 96)
            used += (size_t)snprintf(out + used, 96 - used, "%s%s", used > 0 ? ", " : "", raffle_role_name(role));
}

raffle_rc roles_print(cli *c)
{
    static const column columns[] = {
        {"operation", false}, {"covers", false}, {"roles", false}, {"second approver", false}};
    raffle_operation operation;
    char names[96];
    table t;
    raffle_rc rc;
    table_begin(&t, columns, 4);
    for (uint32_t i = 0; (rc = operation_at(c, i, &operation)) == RAFFLE_OK; i++) {
        role_names(&operation, names);
        table_add(&t, "%s", operation.name);
        table_add(&t, "%s", operation.what);
        table_add(&t, "%s", names);
        table_add(&t, "%s%s",
                  operation.second == RAFFLE_SECOND_ALWAYS      ? "always"
                  : operation.second == RAFFLE_SECOND_SOMETIMES ? "when "
                                                                : "",
                  operation.when);
    }
    table_end(&t, stdout);
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}

raffle_rc roles_json(cli *c, json_t *list)
{
    static const char *const second[] = {"never", "sometimes", "always"};
    raffle_operation operation;
    raffle_rc rc;
    for (uint32_t i = 0; (rc = operation_at(c, i, &operation)) == RAFFLE_OK; i++) {
        json_t *o = json_must(json_object()), *roles = json_must(json_array());
        for (raffle_role role = RAFFLE_SELLER; role <= RAFFLE_SYSTEM; role++)
            if (may(&operation, role))
                json_add(roles, json_string(raffle_role_name(role)));
        json_put(o, "operation", json_string(operation.name));
        json_put(o, "roles", roles);
        json_put(o, "second", json_string(second[operation.second]));
        json_put(o, "when", json_string(operation.when));
        json_add(list, o);
    }
    return rc == RAFFLE_NOT_FOUND ? RAFFLE_OK : rc;
}
