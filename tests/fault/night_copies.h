/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of the night that copy it elsewhere: a receipt, what is published, a backup, a raffle that is put back, a mirror. Each may be done again. */
#ifndef RF_TESTS_NIGHT_COPIES_H
#define RF_TESTS_NIGHT_COPIES_H

#include "night.h"

raffle_rc night_receipt(night *n, raffle_error *err);
raffle_rc night_publish(night *n, raffle_error *err);
raffle_rc night_back_up(night *n, raffle_error *err);
raffle_rc night_put_back(night *n, raffle_error *err);
raffle_rc night_mirror(night *n, raffle_error *err);
/* Whether the raffle that was put back and the mirror hold what they should, and an audit of them, and of what was published, finds no fault: NULL, or what is wrong. */
const char *night_copies_check(night *n);

#endif
