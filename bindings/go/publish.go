// SPDX-License-Identifier: Apache-2.0

package raffle

// Publishing, as C2SP tlog-tiles in a folder that any web server can hold.

/*
#include <raffle/raffle.h>
*/
import "C"

import "context"

// PublishHashes is for PublishOptions.Flags: of the units hash tiles alone; what was sold is withheld.
const PublishHashes uint32 = C.RAFFLE_PUBLISH_HASHES

// PublishOptions say how it is published.
//
// C: raffle_publish_options_init
type PublishOptions struct {
	Flags    uint32   // PublishHashes
	Progress Progress // called now and then
}

// PublishInfo is what is published now, and what the call did for it.
//
// C: raffle_publish_info_init
type PublishInfo struct {
	Logs    uint32
	Records uint64 // in all published logs
	Added   uint64 // of them, by this call
	Files   uint64 // that this call wrote
	Bytes   uint64 // in them
	Removed uint64 // partial tiles that nobody needs any more
}

// Publish publishes the raffle into folder; one that was published before is continued. Private parts are never published. options may be nil.
//
// C: raffle_publish
func (r *Raffle) Publish(ctx context.Context, folder string, options *PublishOptions) (PublishInfo, error) {
	if err := ended(ctx); err != nil {
		return PublishInfo{}, err
	}
	if options == nil {
		options = &PublishOptions{}
	}
	var a args
	var c C.raffle_publish_options
	var info C.raffle_publish_info
	C.raffle_publish_options_init(&c, C.sizeof_raffle_publish_options)
	C.raffle_publish_info_init(&info, C.sizeof_raffle_publish_info)
	c.flags = C.uint32_t(options.Flags)
	c.progress, c.progress_ctx = progressFunction, newCtx(&progressing{ctx, options.Progress})
	defer freeCtx(c.progress_ctx)
	cFolder := a.text("folder", folder)
	err := r.call(&a, func(p *C.raffle, e *C.raffle_error) C.raffle_rc { return C.raffle_publish(p, cFolder, &c, &info, e) })
	if err != nil {
		return PublishInfo{}, err
	}
	return PublishInfo{
		uint32(info.logs), uint64(info.records), uint64(info.added), uint64(info.files), uint64(info.bytes), uint64(info.removed),
	}, nil
}
