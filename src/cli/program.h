/* SPDX-License-Identifier: Apache-2.0 */
/* Running a program of the operator's, bounded in time and in what it prints. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include <stddef.h>

enum {
    PROGRAM_TIMEOUT_MS = 60000,
    PROGRAM_FAILED = -1, /* it could not be run, or ended by a signal */
    PROGRAM_ENDLESS =
        -2, /* it ran for a minute, or printed more than there is room for; it was killed, with all that it had begun */
};

/* Runs a line of the shell, and takes what it prints on standard output. Its exit status, or one of these. */
int program_run(const char *line, char *out, size_t cap, size_t *length);

#endif
