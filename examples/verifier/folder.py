# SPDX-License-Identifier: Apache-2.0
"""A published folder (docs/spec/publishing.md; C2SP tlog-tiles v0.1.0): files, and the logs in them. Everything is bounded and read once."""
import os

import canonical_json
import merkle
import note
import records

WIDTH = 256
MANIFEST_MOST = 1 << 25


class Missing(ValueError):
    """A file that must be there."""


class Damaged(ValueError):
    """A file that is not what it must be."""


def tile_number(n):
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return "/".join(groups)


def tile_path(level, index, width):
    return f"tile/{level}/{tile_number(index)}" + (f".p/{width}" if width < WIDTH else "")


class Folder:
    def __init__(self, path):
        self.path = path

    def read(self, name, most):
        path = os.path.join(self.path, name)
        try:
            if not os.path.isfile(path) or os.path.islink(path):
                raise Missing(f"{name} is not there")
            with open(path, "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            raise Missing(f"{name}: {error.strerror}") from None
        if len(data) > most:
            raise Damaged(f"{name} has more than {most} bytes")
        return data


class PublishedLog:
    """A log's checkpoint, tiles and entries; `vkey` is its key, None when it is not known yet."""

    def __init__(self, folder, path, number):
        self.folder, self.path, self.number = folder, path, number
        self.data = folder.read(f"{path}/checkpoint", note.MOST)
        try:
            self.says = note.Note(self.data).checkpoint()
        except note.BadNote as error:
            raise Damaged(f"{path}/checkpoint: {error}") from None

    def widths(self, hashes):
        """The tiles that a level of so many hashes has: index, and width."""
        for index in range((hashes + WIDTH - 1) // WIDTH):
            yield index, min(WIDTH, hashes - index * WIDTH)

    def entries(self):
        """Every leaf, in order."""
        for index, width in self.widths(self.says.size):
            name = f"{self.path}/{tile_path('entries', index, width)}"
            data, at = self.folder.read(name, width * (2 + records.LEAF_MOST)), 0
            for _ in range(width):
                length = int.from_bytes(data[at:at + 2], "big")
                if at + 2 + length > len(data) or length == 0:
                    raise Damaged(f"{name} is no bundle of {width} entries")
                yield data[at + 2:at + 2 + length]
                at += 2 + length
            if at != len(data):
                raise Damaged(f"{name} goes on after its {width} entries")

    def tile(self, level, index, width):
        name = f"{self.path}/{tile_path(level, index, width)}"
        data = self.folder.read(name, width * 32)
        if len(data) != width * 32:
            raise Damaged(f"{name} has {len(data)} bytes, not {width} hashes")
        return name, data

    def published_hashes(self):
        """The leaf hashes of the tiles of level 0."""
        hashes = []
        for index, width in self.widths(self.says.size):
            _, data = self.tile(0, index, width)
            hashes += [data[i:i + 32] for i in range(0, len(data), 32)]
        return hashes

    def check_tiles(self, hashes):
        """Every tile of every level against these leaf hashes."""
        level = 0
        while hashes:
            for index, width in self.widths(len(hashes)):
                name, data = self.tile(level, index, width)
                if data != b"".join(hashes[index * WIDTH:index * WIDTH + width]):
                    raise Damaged(f"{name} holds other hashes than the records have")
            hashes = [merkle.root(hashes[i:i + WIDTH]) for i in range(0, len(hashes) - WIDTH + 1, WIDTH)]
            level += 1


def manifest(entries, origin, key, enrolments):
    """The manifest's bytes, from the control log."""
    logs = [{"key": key, "name": origin, "path": "control"}]
    logs += [{"key": one["key"], "name": f"{origin}/unit/{one['unit']}", "path": f"unit/{one['unit']}"} for one in enrolments]
    return canonical_json.write({"entries": entries, "format": 1, "logs": logs, "origin": origin})
