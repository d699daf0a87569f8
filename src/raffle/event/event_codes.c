/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the codes of events: what they mean, which clause asks for them, and who writes them. docs/guide/events.md shows it. */
#include "event_codes.h"

#include "abi.h"
#include "error.h"
#include <raffle/event.h>
#include <string.h>

enum {
    INFO = RAFFLE_EVENT_INFO,
    WARNING = RAFFLE_EVENT_WARNING,
    ALARM = RAFFLE_EVENT_ALARM,
    HOST = RAFFLE_EVENT_BY_HOST,
    LIBRARY = RAFFLE_EVENT_BY_LIBRARY
};

/* clang-format off */
static const rf_event_code codes[] = {
    {"auth.mismatch", "link", "5.6.1(h)", "components did not authenticate each other", ALARM, HOST, RF_EVENT_FAILURE},
    {"clock.reset", "clock", "5.3.1", "lets a log go on after its clock went back or leapt; write it into the log that refuses", WARNING, HOST, RF_EVENT_CORRECTION},
    {"clock.sync", "clock", "5.3.2", "clocks were compared, or set", INFO, HOST, RF_EVENT_NORMAL},
    {"comm.fail", "link", "5.6.1(f)", "the link between sensitive components was lost", WARNING, HOST, RF_EVENT_FAILURE},
    {"comm.up", "link", "5.6.1(f)", "the link between sensitive components was made", INFO, HOST, RF_EVENT_NORMAL},
    {"component.down", "any", "5.6.1(a)", "a sales unit, printer or other component disconnected", WARNING, HOST, RF_EVENT_NORMAL},
    {"component.up", "any", "5.6.1(a)", "a sales unit, printer or other component connected", INFO, HOST, RF_EVENT_NORMAL},
    {"critmem.corrupt", "any", "5.6.1(b)", "critical memory of a component is corrupt", ALARM, HOST, RF_EVENT_FAILURE},
    {"data.altered", "any", "5.2.4", "accounting, report or event data outside of the log was altered: element, old and new value, why", WARNING, HOST, RF_EVENT_CORRECTION},
    {"draw.ask", "rng", "4.2.6", "a provider is about to be asked for a seed", INFO, LIBRARY, RF_EVENT_NORMAL},
    {"draw.ask-again", "rng", "4.2.6", "the answer was lost; a second approver lets the draw go on", WARNING, LIBRARY, RF_EVENT_NORMAL},
    {"draw.ask-failed", "rng", "4.2.6", "the provider failed, and said so", WARNING, LIBRARY, RF_EVENT_FAILURE},
    {"evbuf.full", "any", "5.6.1(g)", "a buffer of events is full; count: events that found no room", ALARM, HOST | LIBRARY, RF_EVENT_FAILURE},
    {"firewall.log-full", "firewall", "5.6.1(i)", "the firewall's audit log is full", ALARM, HOST, RF_EVENT_FAILURE},
    {"printer.disconnected", "printer", "5.6.1(c)", "a counterfoil or ticket printer is gone", WARNING, HOST, RF_EVENT_NORMAL},
    {"printer.failure", "printer", "5.6.1(c)", "a printer failed", WARNING, HOST, RF_EVENT_FAILURE},
    {"printer.memory", "printer", "5.6.1(c)", "a printer's memory failed", WARNING, HOST, RF_EVENT_FAILURE},
    {"printer.paper-low", "printer", "5.6.1(c)", "a printer has little paper", INFO, HOST, RF_EVENT_NORMAL},
    {"printer.paper-out", "printer", "5.6.1(c)", "a printer has no paper", WARNING, HOST, RF_EVENT_NORMAL},
    {"private.erased", "store", "-", "before a ticket's private part is erased", INFO, LIBRARY, RF_EVENT_CORRECTION},
    {"program.altered", "program", "3.5.2, 5.8.1", "the library is not the one in its maker's signed manifest, or that was altered: no draw begins until it is verified", ALARM, LIBRARY, RF_EVENT_FAILURE},
    {"program.error", "program", "5.6.1(h)", "a program failed", ALARM, HOST, RF_EVENT_FAILURE},
    {"program.verified", "program", "3.5.2, 5.8.1", "the library is the one in its maker's signed manifest", INFO, LIBRARY, RF_EVENT_NORMAL},
    {"raffle.restored", "store", "5.7.2", "the raffle was put back from a backup; the text has its hash", WARNING, LIBRARY, RF_EVENT_CORRECTION},
    {"remote.begin", "remote", "5.6.1(j), 6.3.2", "remote access began", WARNING, HOST, RF_EVENT_NORMAL},
    {"remote.end", "remote", "5.6.1(j), 6.3.2", "remote access ended", INFO, HOST, RF_EVENT_NORMAL},
    {"rng.unhealthy", "rng", "4.2.2", "a provider's output failed a health test: it draws nothing until it is opened anew", ALARM, LIBRARY, RF_EVENT_FAILURE},
    {"sale.refused", "sale", "-", "the host refused a sale: the component says why, age, place, self-excluded or a limit", INFO, HOST, RF_EVENT_NORMAL},
    {"ticket.failed", "printer", "2.3.1", "a ticket that was sold could not be handed out", WARNING, HOST, RF_EVENT_FAILURE},
    {"unit.auth-failed", "unit", "5.4.2", "a sales unit failed its validation; raffle_unit_validated writes it about the unit, and counts", ALARM, HOST | LIBRARY, RF_EVENT_FAILURE},
    {"unit.forked", "unit", "5.4.1", "a disabled till's log has two histories; the text is the other one's checkpoint", ALARM, LIBRARY, RF_EVENT_FAILURE},
    {"unit.seen", "unit", "5.4.2", "a sales unit passed its validation, after failures or a while", INFO, LIBRARY, RF_EVENT_NORMAL},
    {"unit.silent", "unit", "5.4.2", "nothing was heard of a sales unit for the minutes of the rules; counts as a validation that failed", WARNING, LIBRARY, RF_EVENT_FAILURE},
    {"validation.failed", "control", "2.7.1", "validation numbers that failed, with their count; at most once a minute", WARNING, LIBRARY, RF_EVENT_FAILURE},
};
/* clang-format on */

enum {
    CODES = sizeof codes / sizeof codes[0]
};

const rf_event_code *rf_event_code_find(const rf_text *code)
{
    for (size_t i = 0; i < CODES; i++)
        if (rf_text_is(code, codes[i].code))
            return &codes[i];
    return NULL;
}

bool rf_event_code_own(const char *code)
{
    return strncmp(code, "x.", 2) == 0;
}

const char *raffle_event_severity_name(int32_t severity)
{
    static const char *const names[] = {NULL, "info", "warning", "alarm"};
    return severity >= INFO && severity <= ALARM ? names[severity] : NULL;
}

raffle_rc raffle_event_code_get(uint32_t i, raffle_event_code *code, raffle_error *err)
{
    raffle_rc rc = rf_struct_check(code, "code", err);
    if (rc != RAFFLE_OK)
        return rc;
    if (i >= CODES)
        return rf_fail(err, RAFFLE_NOT_FOUND, "there are %d codes of events", (int)CODES);
    const rf_event_code *row = &codes[i];
    const raffle_event_code mine = {.struct_size = sizeof mine,
                                    .severity = row->severity,
                                    .writers = row->writers,
                                    .code = row->code,
                                    .component = row->component,
                                    .clause = row->clause,
                                    .meaning = row->meaning};
    rf_struct_out(code, rf_struct_size(code), &mine, sizeof mine);
    return RAFFLE_OK;
}
