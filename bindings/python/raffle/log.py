# SPDX-License-Identifier: Apache-2.0
"""The logs as they are: records in order, signed checkpoints, Merkle proofs. A log is named by its unit; 0 is the control log."""
import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from ._border import LATEST, NULL, Buffer, Document, call, document, fixed, octets, text, text_out
from ._handles import Handle, OneThread
from ._native import ffi, lib
from ._structs import Struct
from .errors import NotFound


@dataclass(frozen=True)
class Record:
    """A record: the bytes of its leaf, canonical JSON, and of its private part.

    C: raffle_record_init
    """

    index: int
    """In its log, from 0."""
    leaf: bytes
    private: Optional[bytes] = field(default=None, repr=False)
    """None: there is none, or it was erased."""

    def json(self) -> Dict[str, Any]:
        """The leaf, read."""
        told: Dict[str, Any] = json.loads(self.leaf)
        return told

    @classmethod
    def _read(cls, pointer: Any) -> "Record":
        private = None if pointer.private_part == NULL else bytes(ffi.buffer(pointer.private_part, pointer.private_length))
        return cls(pointer.index, bytes(ffi.buffer(pointer.leaf, pointer.leaf_length)), private)


@dataclass(frozen=True)
class CheckpointInfo(Struct):
    """What a checkpoint says.

    C: raffle_checkpoint_info_init
    """

    _c = "raffle_checkpoint_info"
    log: int
    """0: the control log, n: unit n's."""
    size: int
    root: bytes
    origin: str
    """The raffle's."""


class Cursor(OneThread):
    """A walk over a log's records, and their iterator. At the end it stops; asked again, it gives what was written since. One thread at a time.

    C: raffle_cursor_open, raffle_cursor_free
    """

    _c = "raffle_cursor"

    def next(self) -> Record:
        """The next record. `NotFound`: the end.

        C: raffle_cursor_next
        """
        record = ffi.new("raffle_record *")
        lib.raffle_record_init(record, ffi.sizeof("raffle_record"))
        with self._alone():  # what the record points to holds until the next call, …
            pointer = self._get()  # … and this keeps it, whoever frees the cursor meanwhile
            try:
                call(lib.raffle_cursor_next, pointer, record)
                return Record._read(record)
            finally:
                del pointer

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        try:
            return self.next()
        except NotFound as no:
            if not no._of_call:  # a callback's, and no end
                raise
            raise StopIteration from None


class Logs(Handle):
    """The calls of a raffle on its logs."""

    def cursor_open(self, log: int = 0, start: int = 0) -> Cursor:
        """A walk over the records of a log from index `start`.

        C: raffle_cursor_open
        """
        return Cursor._make(lib.raffle_cursor_open, self._get(), log, start)

    def records(self, log: int = 0, start: int = 0) -> Iterator[Record]:
        """The records of a log, to the size that it has now."""
        with self.cursor_open(log, start) as cursor:
            yield from cursor

    def root(self, log: int = 0, size: int = LATEST) -> Tuple[bytes, int]:
        """The root of the first `size` records, by default of all that are there now; and how many these are.

        C: raffle_root
        """
        out, reached = ffi.new("uint8_t[32]"), ffi.new("uint64_t *", 0 if size == LATEST else size)
        call(lib.raffle_root, self._get(), log, size, reached, out)
        return bytes(ffi.buffer(out)), int(reached[0])

    def checkpoint(self, log: int = 0) -> str:
        """Signs the log as it is now, keeps the checkpoint (C2SP tlog-checkpoint), and gives it.

        C: raffle_checkpoint
        """
        return text_out(lib.raffle_checkpoint, self._get(), log, cap=lib.RAFFLE_NOTE_SIZE).decode()

    def checkpoint_get(self, log: int = 0, size: int = LATEST) -> str:
        """The checkpoint that was kept for `size`, by default the latest; needs no keys.

        C: raffle_checkpoint_get
        """
        return text_out(lib.raffle_checkpoint_get, self._get(), log, size, cap=lib.RAFFLE_NOTE_SIZE).decode()

    def inclusion(self, log: int, index: int, size: int) -> List[bytes]:
        """The inclusion proof of record `index` in the first `size` records, leaf sibling first.

        C: raffle_inclusion
        """
        return proof_out(lib.raffle_inclusion, self._get(), log, index, size)

    def consistency(self, log: int, old_size: int, size: int) -> List[bytes]:
        """The consistency proof from the first `old_size` to the first `size` records.

        C: raffle_consistency
        """
        return proof_out(lib.raffle_consistency, self._get(), log, old_size, size)


def proof_out(function: Any, *arguments: Any) -> List[bytes]:
    proof, n = ffi.new("uint8_t[]", 64 * 32), ffi.new("size_t *")
    try:
        call(function, *arguments, proof, n)
    finally:
        del arguments
    return [bytes(ffi.buffer(proof + 32 * i, 32)) for i in range(n[0])]


def proof_in(proof: Sequence[Buffer]) -> Tuple[Any, int]:
    hashes = b"".join(bytes(fixed(one, 32, "a hash of the proof")) for one in proof)
    return octets(hashes), len(hashes) // 32


def checkpoint_verify(note: Document, key: str) -> CheckpointInfo:
    """Verifies a checkpoint without a raffle: it is one of the log that `key`, a vkey, is named for, and signed by it.

    C: raffle_checkpoint_verify
    """
    data, length = document(note, "note")
    info = CheckpointInfo._new()
    call(lib.raffle_checkpoint_verify, data, length, text(key, "key"), info)
    return CheckpointInfo._read(info)


def leaf_hash(leaf: Buffer) -> bytes:
    """The leaf hash of a record (RFC 6962 section 2.1).

    C: raffle_leaf_hash
    """
    out = ffi.new("uint8_t[32]")
    data = ffi.from_buffer(leaf)
    call(lib.raffle_leaf_hash, data, len(data), out)
    return bytes(ffi.buffer(out))


def inclusion_verify(index: int, size: int, leaf_hash: Buffer, proof: Sequence[Buffer], root: Buffer) -> None:
    """Needs no raffle. `Proof`: it does not hold, or its length is not exactly what it must be.

    C: raffle_inclusion_verify
    """
    hashes, n = proof_in(proof)
    call(lib.raffle_inclusion_verify, index, size, fixed(leaf_hash, 32, "leaf_hash"), hashes, n, fixed(root, 32, "root"))


def consistency_verify(old_size: int, size: int, old_root: Buffer, root: Buffer, proof: Sequence[Buffer]) -> None:
    """Needs no raffle. `Proof`: it does not hold, or its length is not exactly what it must be.

    C: raffle_consistency_verify
    """
    hashes, n = proof_in(proof)
    call(lib.raffle_consistency_verify, old_size, size, fixed(old_root, 32, "old_root"), fixed(root, 32, "root"), hashes, n)
