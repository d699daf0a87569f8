# SPDX-License-Identifier: Apache-2.0
"""Publishing: a raffle's logs as a folder of C2SP tlog-tiles, which any web server or bucket can hold and an audit reads."""
from dataclasses import dataclass
from typing import Optional

from ._border import StrPath, call, path
from ._handles import Handle
from ._native import ffi, lib
from ._structs import Struct
from ._writers import Progress, set_progress


@dataclass(frozen=True)
class PublishInfo(Struct):
    """What is published now, and what the call did for it.

    C: raffle_publish_info_init
    """

    _c = "raffle_publish_info"
    logs: int
    records: int
    """In all published logs."""
    added: int
    """Of them, by this call."""
    files: int
    """That this call wrote."""
    bytes: int
    """In them."""
    removed: int
    """Partial tiles that nobody needs any more."""


class Publishing(Handle):
    """Publishing a raffle."""

    def publish(self, folder: StrPath, *, hashes: bool = False, progress: Optional[Progress] = None) -> PublishInfo:
        """Publishes the raffle into `folder`, which is made when it is not there; one that was published before is continued. hashes: of the units hash tiles alone:
        what was sold is withheld. Private parts are never published. Selling may go on.

        C: raffle_publish, raffle_publish_options_init
        """
        options, info = ffi.new("raffle_publish_options *"), PublishInfo._new()
        lib.raffle_publish_options_init(options, ffi.sizeof("raffle_publish_options"))
        options.flags = lib.RAFFLE_PUBLISH_HASHES * bool(hashes)
        ctx = set_progress(options, "publish", progress)
        call(lib.raffle_publish, self._get(), path(folder, "folder"), options, info)
        del ctx  # it lives as long as the call
        return PublishInfo._read(info)
