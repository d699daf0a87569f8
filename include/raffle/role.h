/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: the table of operations and roles that the rules froze, and which of them take two (GLI-31 5.2.2). */
#ifndef RAFFLE_ROLE_H
#define RAFFLE_ROLE_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* Whether an operation takes a second approver, who is another person and in one of the roles of "approve". */
enum {
    RAFFLE_SECOND_NEVER = 0,
    RAFFLE_SECOND_SOMETIMES = 1, /* as an exception: `when` says which */
    RAFFLE_SECOND_ALWAYS = 2
};

typedef struct raffle_operation {
    uint32_t struct_size;
    uint32_t roles; /* bit r: the role r may do it, 1 << RAFFLE_SELLER … */
    int32_t second; /* RAFFLE_SECOND_… */
    uint32_t reserved;
    const char *name; /* as in the rules: "void". Static, like those below */
    const char *what; /* half a sentence */
    const char *when; /* it takes a second approver; "" for never and always */
} raffle_operation;
RAFFLE_API void raffle_operation_init(raffle_operation *operation, size_t size);

/* The operation at `i`, from 0 on, in the order of their names. RAFFLE_NOT_FOUND beyond the last. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_operation_at(raffle *raffle_, uint32_t i, raffle_operation *operation,
                                                          raffle_error *err);

RAFFLE_END

#endif
