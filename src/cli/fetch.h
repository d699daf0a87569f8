/* SPDX-License-Identifier: Apache-2.0 */
/* One small document from a web server, for the command. */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "cli.h"

/* What is sent along: the request is a POST then. */
typedef struct fetch_body {
    const char *type; /* "application/octet-stream" */
    const void *bytes;
    size_t length;
    long seconds; /* how long the answer may take; 0: half a minute */
} fetch_body;

/* At most `cap` bytes from an http(s) address, without redirects, within half a minute or what `send` says; `send` is NULL or what is sent. A build without libcurl says that it
 * cannot. Returns how the command ends; an answer other than 200 is a failure. */
int fetch(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length);
/* The same with whatever the server answers, and its status. */
int fetch_answer(cli *c, const char *address, const fetch_body *send, char *out, size_t cap, size_t *length,
                 long *status);
/* The same for who asks several: it says nothing, and what failed is in `err`. */
raffle_rc fetch_try(const char *address, const fetch_body *send, char *out, size_t cap, size_t *length, long *status,
                    raffle_error *err);

#endif
