/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing: a raffle's logs as a folder of C2SP tlog-tiles, which any web server or bucket can hold and raffle_audit_run() reads. */
#ifndef RAFFLE_PUBLISH_H
#define RAFFLE_PUBLISH_H

#include <raffle/types.h>

RAFFLE_BEGIN

enum {
    RAFFLE_PUBLISH_HASHES = 1 /* of the units hash tiles alone: what was sold is withheld */
};

typedef struct raffle_publish_options {
    uint32_t struct_size;
    uint32_t flags; /* RAFFLE_PUBLISH_… */
    /* Called now and then from the calling thread with the records done and the records there are to do; anything but RAFFLE_OK ends the
     * publishing and is handed back. Optional. */
    raffle_rc (*progress)(void *ctx, uint64_t done, uint64_t total, raffle_error *err);
    void *progress_ctx;
} raffle_publish_options;
#define RAFFLE_PUBLISH_OPTIONS_INIT RAFFLE_INIT_OF(raffle_publish_options)
RAFFLE_API void raffle_publish_options_init(raffle_publish_options *options, size_t size);

/* What is published now, and what this call did for it. */
typedef struct raffle_publish_info {
    uint32_t struct_size;
    uint32_t logs;
    uint64_t records; /* in all published logs */
    uint64_t added;   /* of them, by this call */
    uint64_t files;   /* that this call wrote */
    uint64_t bytes;   /* in them */
    uint64_t removed; /* partial tiles that nobody needs any more */
} raffle_publish_info;
#define RAFFLE_PUBLISH_INFO_INIT RAFFLE_INIT_OF(raffle_publish_info)
RAFFLE_API void raffle_publish_info_init(raffle_publish_info *info, size_t size);

/*
 * Publishes the raffle into `folder`, which is made when it is not there; a folder that was published before is continued, and only what changed is
 * written. Each file appears whole, and the control log's checkpoint last: whoever reads meanwhile, or after a call that did not end, reads
 * a raffle as it was at some moment. Private parts are never published. Selling may go on.
 *
 * With keys a new checkpoint of each log is signed. Without keys the newest that were kept are published. `options` and `info` are optional.
 *
 * RAFFLE_HISTORY: the folder holds more than the store, or another raffle or history, or a checkpoint that the log's key did not sign; nothing
 * was written. RAFFLE_MISMATCH: it was published with the other kind of RAFFLE_PUBLISH_HASHES, or holds somebody else's manifest.json.
 * RAFFLE_BUSY: another call publishes there. RAFFLE_NOT_FOUND: the folder that it should be made in is not there; or, without keys, a log has no
 * checkpoint. RAFFLE_CORRUPT: the records are not those that were signed.
 */
RAFFLE_API RAFFLE_NODISCARD raffle_rc raffle_publish(raffle *raffle_, const char *folder,
                                                     const raffle_publish_options *options, raffle_publish_info *info,
                                                     raffle_error *err);

RAFFLE_END

#endif
