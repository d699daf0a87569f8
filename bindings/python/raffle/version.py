# SPDX-License-Identifier: Apache-2.0
"""Which libraffle this is, how it was built, and whether it is the one that its maker signed."""
import json
from typing import Any, Dict, Tuple

from ._border import Buffer, Document, call, document, fixed, string, text
from ._native import ffi, lib


def version() -> str:
    """The version of the library that is linked, "1.2.3".

    C: raffle_version
    """
    return string(lib.raffle_version())


def build() -> Dict[str, Any]:
    """How it was built: version, the format of records, the schemes of stores, providers and keys, the versions of the libraries that are linked
    (GLI-31 3.5.1).

    C: raffle_build
    """
    told: Dict[str, Any] = json.loads(string(lib.raffle_build()))
    return told


def self_hash() -> Tuple[str, bytes]:
    """The file that the library was loaded from, and its SHA-256: in a wheel the extension, which the library is linked into (GLI-31 3.6.1).

    C: raffle_self_hash
    """
    path, digest = ffi.new("char[]", 4096), ffi.new("uint8_t[32]")
    call(lib.raffle_self_hash, path, 4096, digest)
    return string(path), bytes(ffi.buffer(digest))


def vectors(text_of_file: Document) -> int:
    """Runs one file of published vectors against this build, and gives how many cases it has. `Mismatch` names the first that did not give what the file says.

    C: raffle_vectors
    """
    passed, failed = ffi.new("uint64_t *"), ffi.new("uint64_t *")
    data, length = document(text_of_file, "vectors")
    call(lib.raffle_vectors, data, length, passed, failed)
    return int(passed[0])


def manifest_verify(manifest: Document, vkey: str, name: str, hash: Buffer) -> None:
    """Checks that the file `name` is in the manifest with this SHA-256, and the manifest signed by `vkey`. `Signature`, `Invalid`, `NotFound`, `Corrupt`.

    C: raffle_manifest_verify
    """
    data, length = document(manifest, "manifest")
    call(lib.raffle_manifest_verify, data, length, text(vkey, "vkey"), text(name, "name"), fixed(hash, 32, "hash"))


def self_verify(manifest: Document, vkey: str) -> None:
    """The same for the file that the library was loaded from. To be called at the start, and every day.

    C: raffle_self_verify
    """
    data, length = document(manifest, "manifest")
    call(lib.raffle_self_verify, data, length, text(vkey, "vkey"))
