/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations as the rules froze it, with what the library asks for besides. */
#include "raffle_impl.h"

#include "abi.h"
#include "error.h"

typedef struct row {
    const char *what, *when;
    int32_t second;
} row;

static const row rows[RF_OPS] = {
    [RF_OP_ACK] = {"confirming that the voids of a seal are reconciled", "", RAFFLE_SECOND_NEVER},
    [RF_OP_APPROVE] = {"being the second approver", "", RAFFLE_SECOND_NEVER},
    [RF_OP_CASH] = {"counting money", "", RAFFLE_SECOND_NEVER},
    [RF_OP_CLAIM] = {"paying out a prize", "", RAFFLE_SECOND_ALWAYS},
    [RF_OP_CLOCK] = {"letting a log go on after its clock went back or leapt", "", RAFFLE_SECOND_NEVER},
    [RF_OP_CLOSE] = {"closing a unit", "", RAFFLE_SECOND_NEVER},
    [RF_OP_DRAW] =
        {"drawing a prize",
         "a lost place is drawn again, a draw is aborted, a provider asked again whose answer was lost, a drum lacks "
         "counterfoils or ends short",
         RAFFLE_SECOND_SOMETIMES},
    [RF_OP_ERASE] = {"erasing private parts", "", RAFFLE_SECOND_NEVER},
    [RF_OP_EVENT] = {"writing events", "data outside of the log was altered", RAFFLE_SECOND_SOMETIMES},
    [RF_OP_FORFEIT] = {"taking a place away", "the claim period is not over, or the place waits for papers",
                       RAFFLE_SECOND_SOMETIMES},
    [RF_OP_PRINT] = {"sending counterfoils to print", "", RAFFLE_SECOND_NEVER},
    [RF_OP_REPRINT] = {"printing tickets or counterfoils again", "", RAFFLE_SECOND_ALWAYS},
    [RF_OP_RESTORE] = {"putting the raffle back from a backup", "", RAFFLE_SECOND_NEVER},
    [RF_OP_SEAL] = {"sealing", "a unit's sales are not all in, or an order was sold by two", RAFFLE_SECOND_SOMETIMES},
    [RF_OP_SELL] = {"selling", "", RAFFLE_SECOND_NEVER},
    [RF_OP_UNITS] = {"enrolling and changing units", "", RAFFLE_SECOND_NEVER},
    [RF_OP_VERIFY] = {"verifying a winner and making it official", "an envelope is opened for the ace",
                      RAFFLE_SECOND_SOMETIMES},
    [RF_OP_VOID] = {"taking back a ticket", "", RAFFLE_SECOND_NEVER},
};

raffle_rc raffle_operation_at(raffle *r, uint32_t i, raffle_operation *operation, raffle_error *err)
{
    raffle_rc rc = rf_enter(r, err);
    if (rc == RAFFLE_OK)
        rc = rf_struct_check(operation, "operation", err);
    if (rc == RAFFLE_OK && i >= RF_OPS)
        rc = rf_fail(err, RAFFLE_NOT_FOUND, "there are %d operations, and none at %u", (int)RF_OPS, i);
    if (rc != RAFFLE_OK)
        return rc;
    const raffle_operation mine = {.roles = r->rules->roles[i],
                                   .second = rows[i].second,
                                   .name = rf_op_name((rf_op)i),
                                   .what = rows[i].what,
                                   .when = rows[i].when};
    rf_struct_out(operation, rf_struct_size(operation), &mine, sizeof mine);
    return RAFFLE_OK;
}

void raffle_operation_init(raffle_operation *operation, size_t size)
{
    rf_struct_init(operation, size);
}
