/* SPDX-License-Identifier: Apache-2.0 */
/* Significant events (GLI-31 5.6): what the host reports, and what the library writes by itself. */
#ifndef RAFFLE_EVENT_H
#define RAFFLE_EVENT_H

#include <raffle/types.h>

RAFFLE_BEGIN

/* Writes an event to the log of unit `unit`, or with 0 to the control log. `code`: a word, "printer.paper-out"; docs/guide/events.md
 * lists the known ones, others begin with "x.". `component`: a word, optional (NULL). `text`: free, private, at most 256 bytes, optional.
 * `clock.reset`, by a supervisor, lets a log whose clock went back or leapt go on. RAFFLE_ROLE, RAFFLE_INVALID, RAFFLE_CLOSED. */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_event(raffle *raffle_, const raffle_actor *by, uint32_t unit,
                                                   const char *code, const char *component, const char *text,
                                                   raffle_error *err);

RAFFLE_END

#endif
