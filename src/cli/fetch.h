/* SPDX-License-Identifier: Apache-2.0 */
/* One small document from a web server, for the command. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "cli.h"

/* At most `cap` bytes from an http(s) address, within half a minute, without redirects. A build without libcurl says that it cannot. Returns how the
 * command ends. */
int fetch(cli *c, const char *address, char *out, size_t cap, size_t *length);

#endif
