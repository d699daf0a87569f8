/* SPDX-License-Identifier: Apache-2.0 */
/* The table of roles: what the rules froze is what it shows, and what is refused. */
#include "fixture.h"

#include "rules.h"

START_TEST(the_table_shows_what_the_rules_say)
{
    raffle_operation operation;
    const char *last = "";
    uint32_t n = 0;
    fx_create(FX_HEAD FX_TIERS FX_PRIZES ",\"roles\":{\"void\":[\"seller\",\"auditor\"]}}");
    for (;; n++) {
        raffle_operation_init(&operation, sizeof operation);
        raffle_rc rc = raffle_operation_at(fx.raffle, n, &operation, NULL);
        if (rc != RAFFLE_OK) {
            ck_assert_int_eq(rc, RAFFLE_NOT_FOUND);
            break;
        }
        ck_assert_int_lt(strcmp(last, operation.name), 0);
        ck_assert_uint_gt(strlen(operation.what), 0);
        ck_assert_int_eq(operation.when[0] != 0, operation.second == RAFFLE_SECOND_SOMETIMES);
        ck_assert_uint_eq(operation.roles, strcmp(operation.name, "void") == 0
                                               ? 1u << RAFFLE_SELLER | 1u << RAFFLE_AUDITOR
                                               : rf_op_default((rf_op)n));
        last = operation.name;
    }
    ck_assert_uint_eq(n, RF_OPS);
    FX_FAILS(RAFFLE_NOT_FOUND, raffle_operation_at(fx.raffle, UINT32_MAX, &operation, &fx.err));
    operation.struct_size = 0;
    FX_FAILS(RAFFLE_MISUSE, raffle_operation_at(fx.raffle, 0, &operation, &fx.err));
    FX_FAILS(RAFFLE_MISUSE, raffle_operation_at(NULL, 0, &operation, &fx.err));
}
END_TEST

START_TEST(and_the_library_holds_everybody_to_it)
{
    fx_create(FX_HEAD FX_TIERS FX_PRIZES ",\"roles\":{\"void\":[\"seller\"]}}");
    fx_sell("a", "one");
    FX_REFUSED(RAFFLE_ROLE, raffle_void(fx.raffle, &fx_boss, 1, 1, "refund", &fx.err));
    FX_OK(raffle_void(fx.raffle, &fx_seller, 1, 1, "refund", &fx.err));
}
END_TEST

static raffle_operation operation_of(const char *name)
{
    raffle_operation operation;
    uint32_t i = 0;
    raffle_operation_init(&operation, sizeof operation);
    do
        FX_OK(raffle_operation_at(fx.raffle, i++, &operation, &fx.err));
    while (strcmp(operation.name, name) != 0);
    return operation;
}

/* Whoever reads the table knows when a second approver is asked for. */
START_TEST(every_exception_is_in_the_table)
{
    raffle_event_details altered = RAFFLE_EVENT_DETAILS_INIT;
    raffle_draw_options how;
    raffle_draw *draw = NULL;
    fx_create(FX_HEAD FX_TIERS "\"prizes\":[{\"name\":\"first\"},{\"name\":\"again\",\"redraw_of\":\"first\"}]}");
    fx_sell_many(fx.unit, "one", 3);
    fx_seal(RAFFLE_SEAL_FINAL);
    fx_draw("first");
    FX_OK(raffle_forfeit(fx.raffle, &fx_boss, &fx_super, "first", 1, "gone", NULL, &fx.err));
    raffle_draw_options_init(&how, sizeof how);
    how.reason = "unclaimed";
    FX_REFUSED(RAFFLE_APPROVAL, raffle_draw_begin(fx.raffle, &fx_boss, "again", &how, &draw, &fx.err));
    ck_assert_ptr_nonnull(strstr(operation_of("draw").when, "drawn again"));
    altered.code = "data.altered";
    altered.element = "float";
    altered.new_value = "250";
    altered.text = "counted again";
    FX_REFUSED(RAFFLE_APPROVAL, raffle_event_write(fx.raffle, &fx_boss, &altered, NULL, &fx.err));
    ck_assert_ptr_nonnull(strstr(operation_of("event").when, "altered"));
}
END_TEST

FX_MAIN("raffle_role", the_table_shows_what_the_rules_say, and_the_library_holds_everybody_to_it,
        every_exception_is_in_the_table)
