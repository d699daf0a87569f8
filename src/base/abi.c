/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing structs of another size than ours. */
#include "abi.h"

#include "error.h"
#include <string.h>

enum {
    STRUCT_MIN = 8,      /* the size and something */
    STRUCT_MAX = 1 << 16 /* no struct of the API comes near */
};

raffle_rc rf_struct_check(const void *theirs, const char *name, raffle_error *err)
{
    if (theirs == NULL)
        return rf_null(err, name);
    uint32_t size = rf_struct_size(theirs);
    if (size < STRUCT_MIN || size > STRUCT_MAX || size % 4 != 0)
        return rf_fail(err, RAFFLE_MISUSE, "%s: struct_size is %u; initialise the struct first", name, size);
    return RAFFLE_OK;
}

raffle_rc rf_struct_in(void *mine, size_t size, const void *theirs, const char *name, raffle_error *err)
{
    raffle_rc rc = rf_struct_check(theirs, name, err);
    if (rc != RAFFLE_OK)
        return rc;
    size_t length = rf_struct_size(theirs);
    for (size_t i = size; i < length; i++)
        if (((const uint8_t *)theirs)[i] != 0)
            return rf_fail(err, RAFFLE_UNSUPPORTED,
                           "%s: byte %zu is set, which this version of the library does not know", name, i);
    memset(mine, 0, size);
    memcpy(mine, theirs, length < size ? length : size);
    return RAFFLE_OK;
}

raffle_rc rf_host_in(raffle_host *mine, const raffle_host *theirs, raffle_error *err)
{
    const uint32_t known = RAFFLE_HOST_REPLAYED_CLOCK | RAFFLE_HOST_NO_THREADS | RAFFLE_HOST_VERIFY_FULL;
    *mine = (raffle_host)RAFFLE_HOST_INIT;
    if (theirs == NULL)
        return RAFFLE_OK;
    raffle_rc rc = rf_struct_in(mine, sizeof *mine, theirs, "host", err);
    if (rc == RAFFLE_OK && (mine->flags & ~known) != 0)
        return rf_fail(err, RAFFLE_UNSUPPORTED, "host: flags %#x are not known", mine->flags & ~known);
    mine->struct_size = sizeof *mine;
    return rc;
}

void rf_struct_out(void *theirs, size_t theirs_size, const void *mine, size_t size)
{
    const uint32_t stamp = (uint32_t)theirs_size;
    memcpy(theirs, mine, theirs_size < size ? theirs_size : size);
    if (theirs_size > size)
        memset((uint8_t *)theirs + size, 0, theirs_size - size);
    memcpy(theirs, &stamp, sizeof stamp);
}

void rf_struct_init(void *theirs, size_t size)
{
    const uint32_t stamp = (uint32_t)size;
    if (theirs == NULL || size < sizeof stamp)
        return;
    memset(theirs, 0, size);
    memcpy(theirs, &stamp, sizeof stamp);
}
