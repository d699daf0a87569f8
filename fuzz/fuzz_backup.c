/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: whatever the file holds, it is checked without harm; and one that passes says the same when it is read again. */
#include "backup_impl.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int file = -1;
static char path[40];

static void put(const uint8_t *data, size_t size)
{
    if (file < 0) {
        file = memfd_create("backup", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    fuzz_require(file >= 0 && ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size,
                 "the input is a file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rf_backup_facts facts;
    rf_backup_end end;
    const rf_backup_sink nothing = {0};
    put(data, size);
    const raffle_rc checked = rf_backup_check(path, NULL, &facts, NULL);
    const raffle_rc read = rf_backup_read(path, &nothing, &end, NULL);
    fuzz_require(checked != RAFFLE_OK || read == RAFFLE_OK, "what is checked is well formed");
    fuzz_require(checked != RAFFLE_OK || memcmp(end.hash, facts.end.hash, sizeof end.hash) == 0,
                 "what is read twice is the same");
    rf_backup_facts_clear(&facts);
    return 0;
}
