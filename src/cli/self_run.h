/* SPDX-License-Identifier: Apache-2.0 */
/* Running this command once more, so that what it prints becomes a file: byte for byte what anybody gets who types the same. */
#ifndef CLI_SELF_RUN_H
#define CLI_SELF_RUN_H

#include <stddef.h>

enum {
    SELF_RUN_FAILED = -1 /* it could not be run, or ended by a signal */
};

/* Runs it with `argv`, ended by NULL; argv[0] is only its name. In `folder` (NULL: here); standard output goes into the file `out`, which must
 * not be there yet, NULL: nowhere. Of what it said on standard error, the last `cap` - 1 bytes, and a NUL. Its exit status, or SELF_RUN_FAILED. */
int self_run(const char *const *argv, const char *folder, const char *out, char *said, size_t cap);

#endif
