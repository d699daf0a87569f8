# SPDX-License-Identifier: Apache-2.0
"""A published log on the disk, in the layout of C2SP tlog-tiles v0.1.0 (docs/spec/publishing.md): its records, each one hashed and
compared with the hash tiles, and the tree that they make."""
import hashlib
import os

import merkle
from canonical_json import Malformed

WIDTH = 256  # hashes of a full tile, entries of a full bundle
LEAF_MAX = 65535
TILE_BYTES = WIDTH * 32
BUNDLE_BYTES = WIDTH * (2 + LEAF_MAX)


def number_path(n):
    """1234067 is x001/x234/067."""
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03d}")
    return "/".join(groups)


def tile_path(level, n, width):
    """The level is a number, or "entries"."""
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{number_path(n)}{partial}"


def read_file(path, limit):
    """At most so many bytes: a file may have any size."""
    with open(path, "rb") as f:
        data = f.read(limit + 1)
    if len(data) > limit:
        raise Malformed(f"{path} has more than {limit} bytes")
    return data


class Log:
    """What is kept of each bundle, once it is checked, is its SHA-256: whoever reads it again gets the same bytes."""

    def __init__(self, folder, size):
        self.folder, self.size = folder, size
        self.digests = []
        self.last = (None, [])
        self.has_entries = True

    def width(self, level, n):
        """Of a tile: 256, or less in a level's last one."""
        return min(WIDTH, self.size // WIDTH**level - n * WIDTH)

    def widths(self, level):
        """Of the tiles of a level, one after the other: the size is only a claim yet, and may be any."""
        n = 0
        while self.width(level, n) > 0:
            yield self.width(level, n)
            n += 1

    def _read(self, level, n, width, limit):
        return read_file(os.path.join(self.folder, tile_path(level, n, width)), limit)

    def hashes(self, level, n, width):
        data = self._read(level, n, width, TILE_BYTES)
        if len(data) != 32 * width:
            raise Malformed(f"{tile_path(level, n, width)} has {len(data)} bytes, not {32 * width}")
        return [data[i:i + 32] for i in range(0, len(data), 32)]

    def _bundle(self, n, width):
        """For each record its length in two bytes, and its bytes."""
        data = self._read("entries", n, width, BUNDLE_BYTES)
        leaves, at = [], 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at:at + 2], "big")
            if end > len(data) or end == at + 2:
                raise Malformed(f"{tile_path('entries', n, width)} ends within a record, or has an empty one")
            leaves.append(data[at + 2:end])
            at = end
        if len(leaves) != width:
            raise Malformed(f"{tile_path('entries', n, width)} has {len(leaves)} records, not {width}")
        return leaves, hashlib.sha256(data).digest()

    def tiles(self):
        """Of each tile of level 0 its hashes and, unless they are withheld, the records that have these hashes."""
        for n, width in enumerate(self.widths(0)):
            hashes = self.hashes(0, n, width)
            if not self.has_entries:
                yield hashes, [None] * width
                continue
            leaves, digest = self._bundle(n, width)
            for i, leaf in enumerate(leaves):
                if merkle.leaf_hash(leaf) != hashes[i]:
                    raise Malformed(f"record {n * WIDTH + i} has not the hash that stands in {tile_path(0, n, width)}")
            self.digests.append(digest)
            yield hashes, leaves

    def check_upper_tiles(self, roots):
        """`roots`: of the full tiles of level 0. Each level's hashes are the roots of the full tiles below."""
        level = 1
        while self.size // WIDTH**level > 0:
            above = []
            for n, width in enumerate(self.widths(level)):
                hashes = self.hashes(level, n, width)
                if hashes != roots[n * WIDTH:n * WIDTH + width]:
                    raise Malformed(f"{tile_path(level, n, width)} has not the hashes of the tiles below it")
                if width == WIDTH:
                    above.append(merkle.root_of(hashes))
            roots, level = above, level + 1

    def leaf(self, index):
        """A record again, from a bundle that was checked."""
        n = index // WIDTH
        if self.last[0] != n:
            leaves, digest = self._bundle(n, self.width(0, n))
            if digest != self.digests[n]:
                raise Malformed(f"{tile_path('entries', n, self.width(0, n))} changed while it was read")
            self.last = (n, leaves)
        return self.last[1][index % WIDTH]
