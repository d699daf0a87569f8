/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 of a file, computed by code that shares nothing with the library that it checks. */
#ifndef CLI_SHA256_H
#define CLI_SHA256_H

#include <stdbool.h>
#include <stdint.h>

/* False when the file cannot be read; errno says why. */
bool sha256_file(const char *path, uint8_t out[32]);

#endif
