/* SPDX-License-Identifier: Apache-2.0 */
/* Time stamp responses: what is accepted says when, is signed, and is accepted again with the same words; and no error is left in OpenSSL's queue. */
#include "fuzz.h"

#include <openssl/err.h>
#include <raffle/timestamp.h>

static const char data[] =
    "raffle.example/log1\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n\n— raffle.example/log1 "
    "jEaLg3a62T/EyZwhPUG1HP1yJnlnfBopJbjeW5WfBWBYCzs8FjZDQ6NsYw2biw7eXZxVspHV9He2WPhfdUkqeHJQuwc=\n";

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    raffle_timestamp says = RAFFLE_TIMESTAMP_INIT, again = RAFFLE_TIMESTAMP_INIT;
    raffle_rc rc = raffle_timestamp_verify(data, sizeof data - 1, bytes, size, NULL, &says, NULL);
    fuzz_require(ERR_peek_error() == 0, "the thread's queue of errors is empty");
    if (rc != RAFFLE_OK)
        return 0;
    fuzz_require(says.at >= 0 && says.trusted == 0, "a stamp has a time, and nobody's trust");
    fuzz_require(strnlen(says.authority, sizeof says.authority) < sizeof says.authority, "an authority's name ends");
    fuzz_require(raffle_timestamp_verify(data, sizeof data - 1, bytes, size, NULL, &again, NULL) == RAFFLE_OK &&
                     memcmp(&says, &again, sizeof says) == 0,
                 "the same stamp says the same");
    fuzz_require(raffle_timestamp_verify(data, sizeof data - 2, bytes, size, NULL, NULL, NULL) == RAFFLE_MISMATCH,
                 "a stamp is over these data alone");
    return 0;
}
