/* SPDX-License-Identifier: Apache-2.0 */
/* All units' logs, cut into segments that threads check side by side, and handed on in order. */
#ifndef RF_AUDIT_SCAN_H
#define RF_AUDIT_SCAN_H

#include "segment.h"

/* A log to be read: its size, and the sizes below it, ascending, at which its root is wanted. */
typedef struct rf_scan_log {
    uint32_t log;
    uint64_t size;
    const uint64_t *want;
    size_t wants;
} rf_scan_log;

/* Called in the calling thread, log after log, segment after segment, and once when a log is done. Anything but RAFFLE_OK ends the scan. */
typedef struct rf_scan_sink {
    void *ctx;
    raffle_rc (*segment)(void *ctx, size_t log, rf_segment *segment, raffle_error *err);
    raffle_rc (*done)(void *ctx, size_t log, raffle_error *err);
} rf_scan_sink;

/* `threads` counts the calling thread, which checks segments too. */
raffle_rc rf_scan(const rf_segment_frame *frame, unsigned threads, const rf_scan_log *logs, size_t n,
                  const rf_scan_sink *sink, raffle_error *err);

#endif
