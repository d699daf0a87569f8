/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses with their names and words, in one table, and the filling of a raffle_error. */
#include "error.h"
#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct status {
    raffle_rc rc;
    const char *name, *text;
} statuses[] = {
    {RAFFLE_OK, "RAFFLE_OK", "success"},
    {RAFFLE_MISUSE, "RAFFLE_MISUSE", "the call was misused"},
    {RAFFLE_INVALID, "RAFFLE_INVALID", "a value is malformed or out of range"},
    {RAFFLE_LIMIT, "RAFFLE_LIMIT", "beyond a limit"},
    {RAFFLE_NOT_FOUND, "RAFFLE_NOT_FOUND", "not found"},
    {RAFFLE_EXISTS, "RAFFLE_EXISTS", "exists already"},
    {RAFFLE_MISMATCH, "RAFFLE_MISMATCH", "known with other content"},
    {RAFFLE_ROLE, "RAFFLE_ROLE", "not allowed for this role"},
    {RAFFLE_APPROVAL, "RAFFLE_APPROVAL", "a second approver is needed"},
    {RAFFLE_UNSUPPORTED, "RAFFLE_UNSUPPORTED", "not supported"},
    {RAFFLE_TOO_SMALL, "RAFFLE_TOO_SMALL", "the buffer is too small"},

    {RAFFLE_WINDOW, "RAFFLE_WINDOW", "outside the sales window"},
    {RAFFLE_DISABLED, "RAFFLE_DISABLED", "the unit is not enabled"},
    {RAFFLE_CLOSED, "RAFFLE_CLOSED", "closed"},
    {RAFFLE_QUOTA, "RAFFLE_QUOTA", "the quota of draw numbers is used up"},
    {RAFFLE_VOIDED, "RAFFLE_VOIDED", "the ticket is void"},
    {RAFFLE_DRAWN, "RAFFLE_DRAWN", "drawn already"},
    {RAFFLE_NOT_SEALED, "RAFFLE_NOT_SEALED", "not sealed"},
    {RAFFLE_NOT_ACKED, "RAFFLE_NOT_ACKED", "the voids are not acknowledged"},
    {RAFFLE_SEQUENCE, "RAFFLE_SEQUENCE", "out of order"},
    {RAFFLE_DRAW_OPEN, "RAFFLE_DRAW_OPEN", "a draw is open"},
    {RAFFLE_EMPTY, "RAFFLE_EMPTY", "nothing to draw from"},
    {RAFFLE_UNRECONCILED, "RAFFLE_UNRECONCILED", "a unit's sales are not all in"},
    {RAFFLE_CLOCK, "RAFFLE_CLOCK", "the clock went back or leapt"},
    {RAFFLE_REHEARSAL, "RAFFLE_REHEARSAL", "only in a rehearsal"},
    {RAFFLE_AWAY, "RAFFLE_AWAY", "the unit's log lives elsewhere"},
    {RAFFLE_EXPIRED, "RAFFLE_EXPIRED", "its time is over"},
    {RAFFLE_PAPERS, "RAFFLE_PAPERS", "papers are missing"},
    {RAFFLE_QUORUM, "RAFFLE_QUORUM", "too few witnesses have cosigned in time"},

    {RAFFLE_NOMEM, "RAFFLE_NOMEM", "out of memory"},
    {RAFFLE_IO, "RAFFLE_IO", "input or output failed"},
    {RAFFLE_BUSY, "RAFFLE_BUSY", "locked by somebody else"},
    {RAFFLE_FULL, "RAFFLE_FULL", "no space left"},
    {RAFFLE_READONLY, "RAFFLE_READONLY", "read-only"},
    {RAFFLE_TIMEOUT, "RAFFLE_TIMEOUT", "out of time; nothing was written"},
    {RAFFLE_UNKNOWN, "RAFFLE_UNKNOWN", "the outcome is not known"},
    {RAFFLE_HOST, "RAFFLE_HOST", "a callback of the host failed"},
    {RAFFLE_FORKED, "RAFFLE_FORKED", "the handle was made before fork()"},

    {RAFFLE_CORRUPT, "RAFFLE_CORRUPT", "bytes are not what was written"},
    {RAFFLE_HALTED, "RAFFLE_HALTED", "halted after corruption"},
    {RAFFLE_HISTORY, "RAFFLE_HISTORY", "not an extension of what was seen before"},
    {RAFFLE_NOT_RAFFLE, "RAFFLE_NOT_RAFFLE", "holds no raffle"},
    {RAFFLE_NEWER, "RAFFLE_NEWER", "written in a newer format"},
    {RAFFLE_NETWORK_FS, "RAFFLE_NETWORK_FS", "on a network file system"},
    {RAFFLE_KEY, "RAFFLE_KEY", "keys are missing or not those of the log"},
    {RAFFLE_SIGNATURE, "RAFFLE_SIGNATURE", "a signature is missing or wrong"},
    {RAFFLE_PROOF, "RAFFLE_PROOF", "the proof does not prove it"},
    {RAFFLE_ERASED, "RAFFLE_ERASED", "the private part was erased"},
    {RAFFLE_STATE_DIFFERS, "RAFFLE_STATE_DIFFERS", "the records give other totals than were kept"},

    {RAFFLE_RNG, "RAFFLE_RNG", "the provider of randomness failed"},
    {RAFFLE_RNG_UNHEALTHY, "RAFFLE_RNG_UNHEALTHY", "randomness failed a health test"},
    {RAFFLE_RNG_NOT_PINNED, "RAFFLE_RNG_NOT_PINNED", "a provider that the rules do not allow"},
    {RAFFLE_RNG_SEED, "RAFFLE_RNG_SEED", "the same seed again"},
};

static const struct status *find_status(raffle_rc rc)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (statuses[i].rc == rc)
            return &statuses[i];
    }
    return NULL;
}

const char *raffle_rc_name(raffle_rc rc)
{
    const struct status *status = find_status(rc);
    return status == NULL ? "RAFFLE_?" : status->name;
}

const char *raffle_rc_text(raffle_rc rc)
{
    const struct status *status = find_status(rc);
    return status == NULL ? "unknown status" : status->text;
}

void raffle_error_init(raffle_error *err, size_t size)
{
    if (err == NULL || size < sizeof err->struct_size)
        return;
    memset(err, 0, size);
    err->struct_size = (uint32_t)size;
}

/* Copies whole characters while they and a NUL fit; what is not a printable character of valid UTF-8 becomes '?'. */
static void copy_message(char *out, size_t cap, const char *text)
{
    size_t at = 0;
    while (*text != '\0') {
        uint32_t code = 0;
        size_t length = rf_utf8_next(text, strnlen(text, 4), &code);
        bool plain = length > 0 && !rf_is_control(code);
        size_t bytes = plain ? length : 1;
        if (at + bytes + 1 > cap)
            break;
        if (plain)
            memcpy(out + at, text, length);
        else
            out[at] = '?';
        at += bytes;
        text += length > 0 ? length : 1;
    }
    memset(out + at, 0, cap - at);
}

/* An error whose struct_size is not set is not written to: there is no telling how large it is. */
static void store(raffle_error *err, raffle_rc rc, uint32_t detail, uint64_t token, const char *message)
{
    if (err == NULL || err->struct_size < sizeof *err)
        return;
    /* `message` may be err->message itself. */
    char copy[sizeof err->message];
    copy_message(copy, sizeof copy, message);
    memcpy(err->message, copy, sizeof copy);
    err->rc = rc;
    err->detail = detail;
    err->reserved = 0;
    err->token = token;
}

raffle_rc raffle_error_set(raffle_error *err, raffle_rc rc, uint64_t token, const char *message)
{
    store(err, rc, 0, token, message == NULL ? raffle_rc_text(rc) : message);
    return rc;
}

static void __attribute__((format(printf, 4, 0)))
store_formatted(raffle_error *err, raffle_rc rc, uint32_t detail, const char *format, va_list arguments)
{
    if (err == NULL)
        return;
    /* Twice the room: a control character of two bytes becomes one '?'. */
    char text[2 * sizeof err->message];
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    store(err, rc, detail, 0, text);
}

raffle_rc rf_fail(raffle_error *err, raffle_rc rc, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    store_formatted(err, rc, 0, format, arguments);
    va_end(arguments);
    return rc;
}

raffle_rc rf_fail_at(raffle_error *err, raffle_rc rc, uint32_t detail, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    store_formatted(err, rc, detail, format, arguments);
    va_end(arguments);
    return rc;
}

raffle_rc rf_null(raffle_error *err, const char *argument)
{
    return rf_fail(err, RAFFLE_MISUSE, "%s is NULL", argument);
}

raffle_rc rf_nomem(raffle_error *err)
{
    return rf_fail(err, RAFFLE_NOMEM, "out of memory");
}

raffle_rc rf_fail_as(raffle_error *err, const raffle_error *from)
{
    store(err, from->rc, from->detail, from->token, from->message);
    return from->rc;
}

raffle_rc rf_fail_host(raffle_error *err, const char *what, raffle_error *theirs)
{
    theirs->message[sizeof theirs->message - 1] = '\0';
    (void)rf_fail(err, RAFFLE_HOST, "%s: %s", what, theirs->message);
    if (err != NULL)
        err->token = theirs->token;
    return RAFFLE_HOST;
}
