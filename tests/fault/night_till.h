/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a till elsewhere, unit 3: applied for and enrolled, made from its kit, sold at, closed, uploaded. Each may be done again. */
#ifndef RF_TESTS_NIGHT_TILL_H
#define RF_TESTS_NIGHT_TILL_H

#include "night.h"

enum {
    NIGHT_TILL_TICKETS = 2
};

raffle_rc night_enrol_till(night *n, raffle_error *err);
raffle_rc night_enable_till(night *n, raffle_error *err);
raffle_rc night_install_till(night *n, raffle_error *err);
raffle_rc night_sell_at_till(night *n, raffle_error *err);
raffle_rc night_close_till(night *n, raffle_error *err);
raffle_rc night_upload_till(night *n, raffle_error *err);
raffle_rc night_inform_till(night *n, raffle_error *err);

#endif
