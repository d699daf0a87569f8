/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a log that an operator should know: remembered here, and told by those above when no lock is held. */
#include "log_impl.h"

#include "error.h"

static void remember(rf_log *log, unsigned what)
{
    atomic_fetch_or(&log->notices, what);
}

void rf_log_stop(rf_log *log, raffle_rc why)
{
    pthread_mutex_lock(&log->view);
    const bool first = log->stopped == RAFFLE_OK;
    if (first)
        log->stopped = why;
    pthread_mutex_unlock(&log->view);
    if (first)
        remember(log, RF_NOTICE_STOPPED);
}

void rf_log_note_anchor(rf_log *log, bool durable, raffle_rc rc, const raffle_error *why)
{
    pthread_mutex_lock(&log->view);
    const bool news = rc != RAFFLE_OK && log->anchor_error.rc == RAFFLE_OK;
    if (durable)
        log->unanchored = rc != RAFFLE_OK;
    if (rc != RAFFLE_OK)
        log->anchor_error = *why;
    log->anchor_error.rc = rc;
    pthread_mutex_unlock(&log->view);
    if (news)
        remember(log, RF_NOTICE_ANCHOR);
    if (rc == RAFFLE_HISTORY)
        rf_log_stop(log, rc);
}

void rf_log_note_unknown(rf_log *log)
{
    log->unknown = true;
    log->unknown_at = log->range.size;
}

void rf_log_note_settled(rf_log *log, bool there)
{
    if (!log->unknown)
        return;
    log->unknown = false;
    pthread_mutex_lock(&log->view);
    log->settled_at = log->unknown_at;
    log->settled_there = there;
    pthread_mutex_unlock(&log->view);
    remember(log, RF_NOTICE_SETTLED);
}

static void write_sentence(rf_log *log, rf_notice what, raffle_error *out)
{
    pthread_mutex_lock(&log->view);
    const raffle_error anchor = log->anchor_error;
    const uint64_t at = log->settled_at;
    const bool there = log->settled_there;
    pthread_mutex_unlock(&log->view);
    if (what == RF_NOTICE_STOPPED)
        (void)rf_log_writable(log, out);
    else if (what == RF_NOTICE_ANCHOR)
        (void)rf_fail(out, RAFFLE_IO, "the anchor of %s was not written: %s", log->origin, anchor.message);
    else
        (void)rf_fail(out, RAFFLE_UNKNOWN, "%s: a commit at record %llu whose outcome was not known %s", log->origin,
                      (unsigned long long)at, there ? "is settled: the log goes on there" : "left nothing");
}

rf_notice rf_log_notice(rf_log *log, raffle_error *out)
{
    static const rf_notice all[] = {RF_NOTICE_STOPPED, RF_NOTICE_ANCHOR, RF_NOTICE_SETTLED};
    if (atomic_load(&log->notices) == 0)
        return RF_NOTICE_NONE;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if ((atomic_fetch_and(&log->notices, ~(unsigned)all[i]) & (unsigned)all[i]) == 0)
            continue;
        write_sentence(log, all[i], out);
        return all[i];
    }
    return RF_NOTICE_NONE;
}
