# SPDX-License-Identifier: Apache-2.0
"""A store in Python, and stores by URI; and why a live store must not be opened through a second copy of SQLite."""
import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import pytest

import raffle
from raffle import Fill, Keys, Raffle, Record, Sale, Store, StoreBatch, StoreHead, StoreKey, StoreTable
from support import Clock, People, draw_one, make_rules


class MemoryBatch(StoreBatch):
    def __init__(self, store: "MemoryStore", log: int) -> None:
        self.store, self.log = store, log

    def keys(self, keys: Sequence[StoreKey]) -> Tuple[int, Optional[StoreKey]]:
        for done, key in enumerate(keys):
            if (key.scope, key.key) in self.store.taken:
                return done, self.store.taken[key.scope, key.key]
            self.store.taken[key.scope, key.key] = key
        return len(keys), None

    def records(self, records: Sequence[Record]) -> None:
        for record in records:
            assert record.index == len(self.store.logs.setdefault(self.log, []))
            self.store.logs[self.log].append(record)

    def node(self, level: int, index: int, hash: bytes) -> None:
        self.store.nodes[self.log, level, index] = hash

    def state(self, state: bytes) -> None:
        self.store.states[self.log] = state

    def note(self, size: int, note: bytes) -> None:
        self.store.note_put(self.log, size, note, inside=True)


class ReadingBatch(MemoryBatch):
    def read(self, start: int, count: int) -> Iterable[Record]:
        return self.store.before[self.log][start:start + count]


class MemoryStore(StoreTable):
    """Dictionaries behind one mutex; a failed append goes back to the copies that it began with."""

    batch = MemoryBatch

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self.name: Optional[str] = None
        self.logs: Dict[int, List[Record]] = {}
        self.before: Dict[int, List[Record]] = {}
        self.taken: Dict[Tuple[int, bytes], StoreKey] = {}
        self.nodes: Dict[Tuple[int, int, int], bytes] = {}
        self.states: Dict[int, bytes] = {}
        self.notes: Dict[int, Dict[int, bytes]] = {}
        self.does: Optional[BaseException] = None
        self.fill: Any = None
        self.freed = 0

    def origin(self) -> Optional[str]:
        return self.name

    def create(self, origin: str) -> None:
        if self.name is not None:
            raise raffle.Exists("there is a raffle")
        self.name = origin

    def head(self, log: int) -> StoreHead:
        return StoreHead(log, len(self.logs.get(log, [])), len(self.logs.get(0, [])), self.states.get(log, b""))

    def append(self, log: int, fill: Fill, timeout_ms: int) -> int:
        with self.mutex:
            kept = ({log: list(records) for log, records in self.logs.items()}, dict(self.taken), dict(self.nodes), dict(self.states), {log: dict(n) for log, n in self.notes.items()})
            self.before, self.fill = {log: [], **kept[0]}, fill
            try:
                fill(self.head(log), self.batch(self, log))
                if self.does is not None:
                    raise self.does
            except BaseException:
                self.logs, self.taken, self.nodes, self.states, self.notes = kept
                raise
            return len(self.logs[log])

    def read(self, log: int, start: int, count: int) -> Iterable[Record]:
        return self.logs.get(log, [])[start:start + count]

    def node(self, log: int, level: int, index: int) -> Optional[bytes]:
        return self.nodes.get((log, level, index))

    def find(self, scope: int, key: bytes) -> Optional[StoreKey]:
        return self.taken.get((scope, key))

    def rows(self, scope: int, prefix: bytes) -> List[StoreKey]:
        return sorted((row for row in self.taken.values() if row.scope == scope and row.key.startswith(prefix)), key=lambda row: row.key)

    def scan(self, scope: int, prefix: bytes, after: bytes, count: int) -> Iterator[StoreKey]:
        yield from [row for row in self.rows(scope, prefix) if row.key > after][:count]

    def note_put(self, log: int, size: int, note: bytes, inside: bool = False) -> None:
        notes = self.notes.setdefault(log, {})
        if size < max(notes, default=0) or size in notes and notes[size].rpartition(b"\n\n")[0] != note.rpartition(b"\n\n")[0]:
            raise raffle.History(f"log {log} has another note")
        notes[size] = note

    def note_get(self, log: int, size: Optional[int]) -> Optional[Tuple[int, bytes]]:
        notes = self.notes.get(log, {})
        wanted = max(notes, default=None) if size is None else size
        return None if wanted not in notes else (wanted, notes[wanted])

    def erase(self, log: int, index: int) -> None:
        record = self.logs[log][index]
        self.logs[log][index] = Record(record.index, record.leaf)

    def free(self) -> None:
        self.freed += 1


class FullStore(MemoryStore):
    """With all that is optional but a published copy's functions."""

    batch = ReadingBatch

    def __init__(self) -> None:
        super().__init__()
        self.anchors: Dict[int, Tuple[int, bytes]] = {}

    def scan_back(self, scope: int, prefix: bytes, before: bytes, count: int) -> Iterable[StoreKey]:
        return [row for row in reversed(self.rows(scope, prefix)) if not before or row.key < before][:count]

    def anchor_get(self, log: int) -> Optional[Tuple[int, bytes]]:
        return self.anchors.get(log)

    def anchor_put(self, log: int, size: int, root: bytes, durable: bool) -> None:
        if size >= self.anchors.get(log, (0, b""))[0]:
            self.anchors[log] = (size, root)

    def anchor_of(self, origin: str, log: int) -> Optional[Tuple[int, bytes]]:
        return None

    def put_back(self, origin: str) -> None:
        self.create(origin)


class Burning(Exception):
    pass


@pytest.mark.parametrize("kind", [MemoryStore, FullStore])
def test_a_night_in_python(tmp_path: pathlib.Path, people: People, kind: type) -> None:
    memory = kind()
    with Store.new(memory) as store, Keys.open(f"file:{tmp_path}/keys") as keys:
        with Raffle.create(store, make_rules(), people.boss, keys=keys, host=Clock()) as r, r.unit_open(1) as till:
            first = till.sell(people.ann, Sale("one", "web-1"))[0]
            assert till.sell(people.ann, Sale("one", "web-1"))[0].serial == first.serial
            till.sell(people.ann, [Sale("one")] * 300)
            before = memory.logs[1][:]
            memory.does = Burning("the disk is on fire")
            with pytest.raises(Burning) as caught:
                till.sell(people.ann, Sale("one", "web-2"))
            assert caught.value is memory.does and memory.logs[1] == before
            memory.does = None
            assert not till.sell(people.ann, Sale("one", "web-2"))[0].replayed
            r.void(people.sue, 1, 2, "refund")
            r.ticket_erase(people.boss, 1, 3)
            r.event(people.boss, 0, "x.custom", "door", "open")
            assert [event.code for event in r.event_find(code="x.custom", newest=True).events] == ["x.custom"]
            with pytest.raises(raffle.Misuse, match="time of append"):
                memory.fill(memory.head(1), memory.batch(memory, 1))
            draw_one(r, people)
            assert r.pick_at("first", 1).number
        with raffle.Audit.run(store, threads=2) as audit:
            assert audit.verdict().passed and audit.verdict().tickets == 302
        key = next(i for i, record in enumerate(memory.logs[1]) if b'"tier":"one"' in record.leaf)
        memory.logs[1][key] = Record(key, memory.logs[1][key].leaf.replace(b'"price":500', b'"price":400'), memory.logs[1][key].private)
        with raffle.Audit.run(store) as audit:
            assert not audit.verdict().passed and any(fault.log == 1 for fault in audit.faults())
    assert memory.freed == 1


def test_exceptions_of_every_function(tmp_path: pathlib.Path, people: People) -> None:
    memory = MemoryStore()
    with Store.new(memory) as store, Keys.open(f"file:{tmp_path}/keys") as keys, Raffle.create(store, make_rules(), people.boss, keys=keys, host=Clock()) as r:
        with r.unit_open(1) as till:
            till.sell(people.ann, Sale("one", "web-1"))
        for name, call in (("read", lambda: list(r.records(1))), ("head", lambda: Raffle.open(store)), ("find", lambda: r.order_tickets("web-1")),
                           ("note_get", lambda: r.checkpoint_get(0)), ("erase", lambda: r.ticket_erase(people.boss, 1, 1))):
            burning = Burning(name)

            def fail(*_: Any, **__: Any) -> Any:
                raise burning

            setattr(memory, name, fail)
            with pytest.raises(Burning) as caught:
                call()
            assert caught.value is burning
            delattr(memory, name)
        for name, answer, call in (("read", 7, lambda: list(r.records(1))), ("head", None, lambda: Raffle.open(store)), ("find", "row", lambda: r.order_tickets("web-1")),
                                   ("note_get", (1, "text"), lambda: r.checkpoint_get(0)), ("read", [Record(0, b"not json")], lambda: r.ticket_get(1, 1)),
                                   ("origin", "o" * 500, lambda: Raffle.open(store)), ("append", "many", lambda: r.event(people.boss, 0, "x.y"))):
            setattr(memory, name, lambda *_, answer=answer, **__: answer)
            with pytest.raises((raffle.Error, TypeError, AttributeError, ValueError)):
                call()
            delattr(memory, name)
        assert r.describe().tickets == 1


def test_a_callback_that_finds_nothing_ends_no_iteration(tmp_path: pathlib.Path, people: People) -> None:
    memory, lost = MemoryStore(), raffle.NotFound("the bucket has no such object")
    with Store.new(memory) as store, Keys.open(f"file:{tmp_path}/keys") as keys, Raffle.create(store, make_rules(), people.boss, keys=keys) as r, r.unit_open(1) as till:
        till.sell(people.ann, [Sale("one")] * 500)

        def read(log: int, start: int, count: int) -> List[Record]:
            if start > 100:
                raise lost
            return MemoryStore.read(memory, log, start, count)  # type: ignore[return-value]

        memory.read = read  # type: ignore[method-assign]
        for walk in (r.records, r.tickets):
            with pytest.raises(raffle.NotFound) as caught:
                list(walk(1))
            assert caught.value is lost


def test_what_is_no_store() -> None:
    with pytest.raises(TypeError):
        Store.new(object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        StoreTable()  # type: ignore[abstract]
    with pytest.raises(raffle.NotFound):
        Store.open("sqlite:no-such.raffle")


class Copied(MemoryStore):
    """A published folder, served by functions."""

    def __init__(self, folder: pathlib.Path, inner: MemoryStore) -> None:
        super().__init__()
        self.folder = folder
        self.name, self.logs, self.notes = inner.name, inner.logs, inner.notes

    def path(self, log: int) -> pathlib.Path:
        return self.folder / ("control" if log == 0 else f"unit/{log}")

    def manifest(self) -> Optional[bytes]:
        return (self.folder / "manifest.json").read_bytes()

    def tile(self, log: int, level: int, index: int) -> Optional[bytes]:
        found = sorted((self.path(log) / "tile" / str(level)).glob(f"{index:03d}*"))
        data = b"".join(one.read_bytes() for one in found if one.is_file())
        if not data:
            data = b"".join(one.read_bytes() for folder in found for one in folder.iterdir())
        return data or None

    def file(self, path: str) -> Optional[bytes]:
        found = self.folder / path
        return found.read_bytes() if found.is_file() else None


def test_a_published_copy_in_python(tmp_path: pathlib.Path, people: People) -> None:
    memory = MemoryStore()
    with Store.new(memory) as store, Keys.open(f"file:{tmp_path}/keys") as keys, Raffle.create(store, make_rules(), people.boss, keys=keys, host=Clock()) as r:
        with r.unit_open(1) as till:
            till.sell(people.ann, [Sale("one")] * 20)
        draw_one(r, people)
        r.publish(tmp_path / "public")
    with Store.new(Copied(tmp_path / "public", memory)) as copy, raffle.Audit.run(copy) as audit:
        assert audit.verdict().tickets == 20, list(audit.faults())


# --- one SQLite ---

def holds_lock(path: pathlib.Path) -> bool:
    """Whether another process sees a lock on the first SHARED byte of a SQLite file, as a live connection in WAL mode holds it."""
    program = ("import fcntl, struct, sys; f = open(sys.argv[1], 'r+b'); "
               "l = fcntl.fcntl(f, fcntl.F_GETLK, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0x40000002, 510, 0)); print(struct.unpack('hhqqi4x', l)[0] != fcntl.F_UNLCK)")
    return subprocess.run([sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True).stdout == "True\n"


def test_one_sqlite_is_loaded() -> None:
    """The extension, the module sqlite3 and the library share the system's."""
    assert sqlite3.sqlite_version == raffle.build()["linked"]["sqlite"]
    loaded = set(re.findall(r"\S*libsqlite3\S*", pathlib.Path("/proc/self/maps").read_text()))
    assert len(loaded) == 1, loaded


def test_the_same_sqlite_may_read_a_live_store(tmp_path: pathlib.Path, gala: Raffle) -> None:
    path = tmp_path / "gala.raffle"
    assert holds_lock(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    connection.close()
    assert holds_lock(path)


def test_a_second_sqlite_drops_the_locks_of_a_live_store(tmp_path: pathlib.Path, people: People) -> None:
    """What the README warns of. Locks of POSIX belong to the process: when a second copy of SQLite, here APSW's own, closes the file, the first one's locks are gone, and the next
    process that closes the store takes itself for the last one and deletes the log that is in use."""
    program = f"""
import apsw, pathlib, sys
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import raffle, support, test_store
path = pathlib.Path({str(tmp_path / 'r.raffle')!r})
people = support.People()
with raffle.Raffle.create(path, support.make_rules(), people.boss) as r:
    before = test_store.holds_lock(path)
    connection = apsw.Connection(str(path))
    connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    connection.close()
    print(before, test_store.holds_lock(path))
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "True False\n"
