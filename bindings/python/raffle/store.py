# SPDX-License-Identifier: Apache-2.0
"""Stores: the library's, by URI, and the host's own. A store keeps one raffle: its logs (0 is the control log, n is sales unit n), and what is computed from them."""
import abc
from dataclasses import dataclass
from typing import Any, Callable, Iterable, Optional, Sequence, Tuple

from ._border import NULL, StrPath, failure, path, string
from ._callbacks import callback, drop, notice, owner_of
from ._handles import Handle, check_table
from ._native import ffi, lib
from .errors import Misuse, NotFound, TooSmall
from .host import Host, Lent
from .log import Record


@dataclass(frozen=True)
class StoreKey:
    """A unique key and the record that took it.

    C: raffle_store_key_init
    """

    scope: int
    """A small number; keys of different scopes are strangers."""
    key: bytes
    log: int
    index: int

    @classmethod
    def _read(cls, pointer: Any) -> "StoreKey":
        return cls(pointer.scope, bytes(ffi.buffer(pointer.key, pointer.length)), pointer.log, pointer.index)

    def _write(self, pointer: Any) -> None:
        if not 1 <= len(self.key) <= lib.RAFFLE_STORE_KEY_MAX:
            raise ValueError(f"a key has {len(self.key)} bytes")
        pointer.scope, pointer.length, pointer.log, pointer.index = self.scope, len(self.key), self.log, self.index
        ffi.memmove(pointer.key, self.key, len(self.key))


@dataclass(frozen=True)
class StoreHead:
    """A log as it stands.

    C: raffle_store_head_init
    """

    log: int
    size: int
    """Records; 0 for a log that was never written."""
    control_size: int
    """Of the control log, read in the same transaction."""
    state: bytes = b""

    def _write(self, pointer: Any) -> None:
        if len(self.state) > lib.RAFFLE_STORE_STATE_MAX:
            raise ValueError(f"a state has {len(self.state)} bytes")
        pointer.log, pointer.size, pointer.control_size, pointer.state_length = self.log, self.size, self.control_size, len(self.state)
        ffi.memmove(pointer.state, self.state, len(self.state))


class StoreBatch(abc.ABC):
    """What a store hands to `fill` while `append` runs. What its methods raise, `fill` raises.

    C: raffle_store_batch_init
    """

    @abc.abstractmethod
    def keys(self, keys: Sequence[StoreKey]) -> Tuple[int, Optional[StoreKey]]:
        """Takes keys in order, until one is taken already: how many were written, and the row that has the next one; None when all were written."""

    @abc.abstractmethod
    def records(self, records: Sequence[Record]) -> None:
        """Appends records, which continue the log without a gap."""

    @abc.abstractmethod
    def node(self, level: int, index: int, hash: bytes) -> None:
        """Keeps the hash of a complete subtree of 2^level leaves."""

    @abc.abstractmethod
    def state(self, state: bytes) -> None:
        """Replaces the log's state."""

    @abc.abstractmethod
    def note(self, size: int, note: bytes) -> None:
        """Keeps a signed note over a size of this log, in the same transaction; as StoreTable.note_put."""

    def read(self, start: int, count: int) -> Iterable[Record]:
        """Optional: records that were there before this transaction, all of them durably committed."""
        raise NotImplementedError


Fill = Callable[[StoreHead, StoreBatch], None]


class StoreTable(abc.ABC):
    """A store of the host's; its methods may be called from any thread, several at once, and one mutex over all suffices. A failure is one of `raffle.errors`;
    what else is raised counts as `errors.Host` on its way and comes back unchanged. `tests/conformance/store_suite.c` is the contract as a test.

    C: raffle_store_table_init
    """

    batch_rows: int = 0
    """What a transaction may hold, rows of keys and nodes counted; 0: no limit."""
    batch_bytes: int = 0

    @abc.abstractmethod
    def origin(self) -> Optional[str]:
        """The raffle's origin, or None when the store is empty."""

    @abc.abstractmethod
    def create(self, origin: str) -> None:
        """Makes the empty store hold this raffle. `Exists` when it holds one."""

    @abc.abstractmethod
    def head(self, log: int) -> StoreHead:
        """The log's size and state."""

    @abc.abstractmethod
    def append(self, log: int, fill: Fill, timeout_ms: int) -> int:
        """All or nothing, and durable when it returns; the log's size afterwards. Begins a transaction, reads the heads, and calls `fill`, perhaps again after
        a conflict; what `fill` raises undoes everything and is passed on. `Unknown`: the outcome is not known; the library repeats the append then."""

    @abc.abstractmethod
    def read(self, log: int, start: int, count: int) -> Iterable[Record]:
        """Records from `start` on, in order, as far as there are any. One that is missing before the log's end is `Corrupt`."""

    @abc.abstractmethod
    def node(self, log: int, level: int, index: int) -> Optional[bytes]:
        """A node that was kept; None: it is computed from the records."""

    @abc.abstractmethod
    def find(self, scope: int, key: bytes) -> Optional[StoreKey]:
        """The row of a key."""

    @abc.abstractmethod
    def scan(self, scope: int, prefix: bytes, after: bytes, count: int) -> Iterable[StoreKey]:
        """The rows of `scope` whose key begins with `prefix` and is greater than `after`, in the order of their bytes, at most `count`."""

    @abc.abstractmethod
    def note_put(self, log: int, size: int, note: bytes) -> None:
        """Keeps a signed note over the first `size` records, durably. A smaller size than the latest is `History`. Of one size there is one note: the same text
        with other signatures replaces it, another text is `History`."""

    @abc.abstractmethod
    def note_get(self, log: int, size: Optional[int]) -> Optional[Tuple[int, bytes]]:
        """The note of a size, or with None the latest, and its size."""

    @abc.abstractmethod
    def erase(self, log: int, index: int) -> None:
        """Erases the private part of a record, so that its bytes are gone; fine when it is gone already. `NotFound`: there is no such record."""

    def free(self) -> None:
        """Called once, after the last call."""

    # The anchor, both or neither: what was last seen of a log, kept outside of the store.

    def anchor_get(self, log: int) -> Optional[Tuple[int, bytes]]:
        """Size and root that the anchor saw; None when there is none."""
        raise NotImplementedError

    def anchor_put(self, log: int, size: int, root: bytes, durable: bool) -> None:
        """Never goes back: a smaller size changes nothing, the same with another root is `History`. durable: it returns when the disk has it."""
        raise NotImplementedError

    # Of a published copy, all three or none.

    def manifest(self) -> Optional[bytes]:
        """The bytes of its manifest."""
        raise NotImplementedError

    def tile(self, log: int, level: int, index: int) -> Optional[bytes]:
        """The hashes of a tile (C2SP tlog-tiles), up to 256, 32 bytes each."""
        raise NotImplementedError

    def file(self, path: str) -> Optional[bytes]:
        """What else is published, by its path."""
        raise NotImplementedError

    # Optional.

    def scan_back(self, scope: int, prefix: bytes, before: bytes, count: int) -> Iterable[StoreKey]:
        """`scan` backwards: the rows whose key is less than `before` (empty: from the last), in falling order."""
        raise NotImplementedError

    # For a restore, both or neither.

    def anchor_of(self, origin: str, log: int) -> Optional[Tuple[int, bytes]]:
        """What `anchor_get` would give if this empty store held the raffle `origin`."""
        raise NotImplementedError

    def put_back(self, origin: str) -> None:
        """`create`, for a raffle whose anchor saw records, which the library has compared."""
        raise NotImplementedError


# --- what C calls ---

def found(value: Any, what: str) -> Any:
    if value is None:
        raise NotFound(f"there is no {what}")
    return value


def octets(pointer: Any, length: int) -> bytes:
    return bytes(ffi.buffer(pointer, length)) if length else b""


def copy_out(data: bytes, cap: int, out: Any, length: Any, what: str) -> None:
    """Into C's buffer, when it fits; the length says what is needed."""
    length[0] = len(data)
    if len(data) > cap:
        raise TooSmall(f"the {what} has {len(data)} bytes, and {cap} may be")
    ffi.memmove(out, data, len(data))


def put_root(answer: Optional[Tuple[int, bytes]], size: Any, root: Any) -> None:
    size[0], hash = found(answer, "anchor")
    put_hash(hash, root)


def put_hash(hash: bytes, out: Any) -> None:
    if len(hash) != 32:
        raise ValueError(f"a hash has {len(hash)} bytes, not 32")
    ffi.memmove(out, hash, 32)


def pour_records(records: Iterable[Record], sink: Any, sink_ctx: Any, err: Any) -> int:
    """Gives records to the library's sink, which may end it."""
    given = ffi.new("raffle_record *")
    lib.raffle_record_init(given, ffi.sizeof("raffle_record"))
    for record in records:
        leaf, private = ffi.from_buffer("char[]", record.leaf), ffi.from_buffer("char[]", record.private or b"")
        given.index, given.leaf, given.leaf_length = record.index, leaf, len(leaf)
        given.private_part, given.private_length = private if record.private else NULL, len(private)
        rc = sink(sink_ctx, given, err)
        if rc:
            return int(rc)
    return 0


def pour_keys(keys: Iterable[StoreKey], sink: Any, sink_ctx: Any, err: Any) -> int:
    given = ffi.new("raffle_store_key *")
    lib.raffle_store_key_init(given, ffi.sizeof("raffle_store_key"))
    for key in keys:
        key._write(given)
        rc = sink(sink_ctx, given, err)
        if rc:
            return int(rc)
    return 0


@callback("store_batch_keys", locked=True)
def batch_keys(batch: StoreBatch, keys: Any, n: int, done: Any, owner: Any, err: Any) -> None:
    written, taken = batch.keys([StoreKey._read(keys[i]) for i in range(n)])
    if taken is not None:
        taken._write(owner)
    elif written != n:
        raise ValueError(f"{written} of {n} keys were written, and no owner of the next one is named")
    done[0] = written


@callback("store_batch_records", locked=True)
def batch_records(batch: StoreBatch, records: Any, n: int, err: Any) -> None:
    batch.records([Record._read(records[i]) for i in range(n)])


@callback("store_batch_node", locked=True)
def batch_node(batch: StoreBatch, level: int, index: int, hash: Any, err: Any) -> None:
    batch.node(level, index, octets(hash, 32))


@callback("store_batch_state", locked=True)
def batch_state(batch: StoreBatch, state: Any, length: int, err: Any) -> None:
    batch.state(octets(state, length))


@callback("store_batch_note", locked=True)
def batch_note(batch: StoreBatch, size: int, note: Any, length: int, err: Any) -> None:
    batch.note(size, octets(note, length))


@callback("store_batch_read", locked=True)
def batch_read(batch: StoreBatch, start: int, count: int, sink: Any, sink_ctx: Any, err: Any) -> int:
    return pour_records(batch.read(start, count), sink, sink_ctx, err)


@callback("store_table_origin", locked=True, owner=owner_of)
def origin(table: StoreTable, out: Any, err: Any) -> None:
    name = found(table.origin(), "raffle").encode("utf-8")
    if len(name) >= lib.RAFFLE_ORIGIN_SIZE:
        raise ValueError(f"the origin has {len(name)} bytes")
    ffi.memmove(out, name + b"\0", len(name) + 1)


@callback("store_table_create", locked=True, owner=owner_of)
def create(table: StoreTable, origin: Any, err: Any) -> None:
    table.create(string(origin))


@callback("store_table_head", locked=True, owner=owner_of)
def head(table: StoreTable, log: int, out: Any, err: Any) -> None:
    table.head(log)._write(out)


@callback("store_table_append", locked=True, owner=owner_of)
def append(table: StoreTable, log: int, c_fill: Any, fill_ctx: Any, timeout_ms: int, size: Any, err: Any) -> None:
    running = True

    def fill(head: StoreHead, batch: StoreBatch) -> None:
        if not running:
            raise Misuse("fill is for the time of append")
        c_head, c_batch, ctx = ffi.new("raffle_store_head *"), ffi.new("raffle_store_batch *"), ffi.new_handle(batch)
        lib.raffle_store_head_init(c_head, ffi.sizeof("raffle_store_head"))
        lib.raffle_store_batch_init(c_batch, ffi.sizeof("raffle_store_batch"))
        head._write(c_head)
        c_batch.ctx = ctx
        for name in ("keys", "records", "node", "state", "note"):
            setattr(c_batch, name, getattr(lib, f"raffle_py_store_batch_{name}"))
        if type(batch).read is not StoreBatch.read:
            c_batch.read = lib.raffle_py_store_batch_read
        rc = c_fill(fill_ctx, c_head, c_batch, err)
        if rc:
            raise failure(rc, err)

    try:
        size[0] = table.append(log, fill, timeout_ms)
    finally:
        running = False


@callback("store_table_read", locked=True, owner=owner_of)
def read(table: StoreTable, log: int, start: int, count: int, sink: Any, sink_ctx: Any, err: Any) -> int:
    return pour_records(table.read(log, start, count), sink, sink_ctx, err)


@callback("store_table_node", locked=True, owner=owner_of)
def node(table: StoreTable, log: int, level: int, index: int, out: Any, err: Any) -> int:
    hash = table.node(log, level, index)
    if hash is None:
        return int(lib.RAFFLE_NOT_FOUND)
    put_hash(hash, out)
    return 0


@callback("store_table_find", locked=True, owner=owner_of)
def find(table: StoreTable, scope: int, key: Any, length: int, row: Any, err: Any) -> int:
    known = table.find(scope, octets(key, length))
    if known is None:
        return int(lib.RAFFLE_NOT_FOUND)
    known._write(row)
    return 0


@callback("store_table_scan", locked=True, owner=owner_of)
def scan(table: StoreTable, scope: int, prefix: Any, prefix_length: int, after: Any, after_length: int, count: int, sink: Any, sink_ctx: Any, err: Any) -> int:
    return pour_keys(table.scan(scope, octets(prefix, prefix_length), octets(after, after_length), count), sink, sink_ctx, err)


@callback("store_table_scan_back", locked=True, owner=owner_of)
def scan_back(table: StoreTable, scope: int, prefix: Any, prefix_length: int, before: Any, before_length: int, count: int, sink: Any, sink_ctx: Any,
              err: Any) -> int:
    return pour_keys(table.scan_back(scope, octets(prefix, prefix_length), octets(before, before_length), count), sink, sink_ctx, err)


@callback("store_table_note_put", locked=True, owner=owner_of)
def note_put(table: StoreTable, log: int, size: int, note: Any, length: int, err: Any) -> None:
    table.note_put(log, size, octets(note, length))


@callback("store_table_note_get", locked=True, owner=owner_of)
def note_get(table: StoreTable, log: int, size: int, note_size: Any, note: Any, cap: int, length: Any, err: Any) -> int:
    answer = table.note_get(log, None if size == 2**64 - 1 else size)
    if answer is None:
        return int(lib.RAFFLE_NOT_FOUND)
    note_size[0], text = answer
    copy_out(text, cap, note, length, "note")
    return 0


@callback("store_table_erase", locked=True, owner=owner_of)
def erase(table: StoreTable, log: int, index: int, err: Any) -> None:
    table.erase(log, index)


@callback("store_table_anchor_get", locked=True, owner=owner_of)
def anchor_get(table: StoreTable, log: int, size: Any, root: Any, err: Any) -> None:
    put_root(table.anchor_get(log), size, root)


@callback("store_table_anchor_put", locked=True, owner=owner_of)
def anchor_put(table: StoreTable, log: int, size: int, root: Any, durable: int, err: Any) -> None:
    table.anchor_put(log, size, octets(root, 32), bool(durable))


@callback("store_table_anchor_of", locked=True, owner=owner_of)
def anchor_of(table: StoreTable, origin: Any, log: int, size: Any, root: Any, err: Any) -> None:
    put_root(table.anchor_of(string(origin), log), size, root)


@callback("store_table_put_back", locked=True, owner=owner_of)
def put_back(table: StoreTable, origin: Any, err: Any) -> None:
    table.put_back(string(origin))


@callback("store_table_manifest", locked=True, owner=owner_of)
def manifest(table: StoreTable, out: Any, cap: int, length: Any, err: Any) -> None:
    copy_out(found(table.manifest(), "manifest"), cap, out, length, "manifest")


@callback("store_table_tile", locked=True, owner=owner_of)
def tile(table: StoreTable, log: int, level: int, index: int, hashes: Any, width: Any, err: Any) -> None:
    data = found(table.tile(log, level, index), "tile")
    if len(data) % 32 or len(data) > 256 * 32:
        raise ValueError(f"a tile has {len(data)} bytes")
    ffi.memmove(hashes, data, len(data))
    width[0] = len(data) // 32


@callback("store_table_file", locked=True, owner=owner_of)
def file(table: StoreTable, path: Any, out: Any, cap: int, length: Any, err: Any) -> None:
    copy_out(found(table.file(string(path)), "file"), cap, out, length, "file")


@notice("store_table_free")
def free(ctx: Any) -> None:
    table: Optional[StoreTable] = drop(ctx)
    if table is not None:
        table.free()


NEEDED = ("origin", "create", "head", "append", "read", "node", "find", "scan", "note_put", "note_get", "erase", "free")
OPTIONAL = ("anchor_get", "anchor_put", "manifest", "tile", "file", "scan_back", "anchor_of", "put_back")


class Store(Handle):
    """A store. Any thread.

    C: raffle_store_free
    """

    _c = "raffle_store"

    @classmethod
    def open(cls, uri: StrPath, host: Optional[Host] = None) -> "Store":
        """A built-in store: a path, `sqlite:PATH`, `postgresql://…`, or a published raffle, which can only be read: `folder:PATH`, `http://…`, `https://…`.

        C: raffle_store_open
        """
        with Lent(host) as lent:
            return cls._make(lib.raffle_store_open, path(uri, "uri"), lent)

    @classmethod
    def new(cls, table: StoreTable) -> "Store":
        """A store of the host's.

        C: raffle_store_new
        """
        check_table(table, StoreTable)
        own = [name for name in OPTIONAL if getattr(type(table), name) is not getattr(StoreTable, name)]
        return cls._over(table, (*NEEDED, *own), batch_rows=table.batch_rows, batch_bytes=table.batch_bytes)
