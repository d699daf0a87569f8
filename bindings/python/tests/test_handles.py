# SPDX-License-Identifier: Apache-2.0
"""Handles: freed, used afterwards, by other threads, after fork(); and values of the wrong kind. The process lives."""
import copy
import datetime
import decimal
import fractions
import gc
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import traceback
from types import ModuleType
from typing import Any, Callable, List

import pytest

import raffle
from raffle import Actor, Draw, Raffle, Rng, RngTable, Role, Sale, SealKind, Unit
from raffle._native import lib
from support import NOON, People, make_rules, seal_and_ack


def test_freed_handles(gala: Raffle, people: People) -> None:
    unit, cursor, rng = gala.unit_open(1), gala.cursor_open(), Rng.open("test:seed=01")
    for handle, use in ((unit, lambda: unit.sell(people.ann, Sale("one"))), (cursor, cursor.next), (rng, lambda: rng.fill(1)), (gala, gala.describe)):
        assert not handle.freed
        handle.free()
        handle.free()
        assert handle.freed
        with pytest.raises(ValueError, match="was freed"):
            use()
        with pytest.raises(ValueError, match="was freed"), handle:
            pass


def test_children_keep_their_parent(tmp_path: pathlib.Path, people: People) -> None:
    raffle_ = Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss)
    unit, cursor = raffle_.unit_open(1), raffle_.cursor_open(1)
    raffle_.free()
    del raffle_
    gc.collect()
    assert unit.sell(people.ann, Sale("one"))[0].serial == 1 and cursor.next().json()["t"] == "unit.start"


def test_handles_are_not_made_copied_or_pickled(gala: Raffle) -> None:
    for kind in (Raffle, Unit, Draw, Rng, raffle.Keys, raffle.Store, raffle.Audit, raffle.Cursor):
        with pytest.raises(TypeError):
            kind()
    for dump in (copy.copy, pickle.dumps):
        with pytest.raises(TypeError):
            dump(gala)


def test_a_failure_does_not_keep_a_handle(tmp_path: pathlib.Path, people: People) -> None:
    r = Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss)
    with pytest.raises(raffle.NotFound) as caught:
        r.tier_at(9)
    files = os.listdir("/proc/self/fd")
    r.free()
    assert len(os.listdir("/proc/self/fd")) < len(files) and caught.value.rc


# --- threads ---

def test_freed_while_another_thread_is_inside(tmp_path: pathlib.Path, people: People) -> None:
    with Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss) as r:
        for _ in range(5):
            unit, ended = r.unit_open(1), []  # type: Unit, List[str]

            def sell() -> None:
                try:
                    while True:
                        unit.sell(people.ann, [Sale("one")] * 50)
                except ValueError as no:
                    ended.append(str(no))

            threads = [threading.Thread(target=sell) for _ in range(4)]
            for thread in threads:
                thread.start()
            while r.unit_describe(1).tickets < 50:
                pass
            unit.free()
            for thread in threads:
                thread.join()
            assert ended == ["this Unit was freed"] * 4


def test_a_string_of_a_handle_that_another_thread_frees(gala: Raffle, till: Unit, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    till.sell(people.ann, Sale("one"))
    seal_and_ack(gala, people)
    rng, draw = Rng.open("system:"), gala.draw_begin(people.boss, "first")

    def freed_ahead(module: ModuleType, handle: raffle._handles.Handle) -> None:
        inner = module.string
        monkeypatch.setattr(module, "string", lambda pointer: (handle.free(), inner(pointer))[1])

    freed_ahead(raffle.rng, rng)
    freed_ahead(raffle.draw, draw)
    assert rng.name == "system" and draw.checkpoint().startswith("raffle.example/gala\n") and rng.freed and draw.freed


def test_a_record_of_a_cursor_that_another_thread_frees(gala: Raffle, till: Unit, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    read, freed = raffle.Record._read, []  # type: Any, List[Any]

    class Watched:
        inner = raffle._handles.lib

        def __getattr__(self, name: str) -> Any:
            return self.free if name == "raffle_cursor_free" else getattr(self.inner, name)

        def free(self, pointer: Any) -> None:
            freed.append(pointer)
            self.inner.raffle_cursor_free(pointer)

    monkeypatch.setattr(raffle._handles, "lib", Watched())
    cursor = gala.cursor_open()

    def freed_ahead(record: Any) -> raffle.Record:
        cursor.free()
        assert not freed
        return read(record)  # type: ignore[no-any-return]

    monkeypatch.setattr(raffle.Record, "_read", freed_ahead)
    assert cursor.next().json()["t"] == "raffle.open" and cursor.freed and len(freed) == 1


def test_many_threads_sell(gala: Raffle, till: Unit, people: People) -> None:
    serials: List[int] = []

    def sell(n: int) -> None:
        for i in range(20):
            serials.extend(till.sell(people.ann, [Sale("one", f"{n}-{i}")] * 3).column("serial"))

    threads = [threading.Thread(target=sell, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(serials) == list(range(1, 481)) and gala.describe().tickets == 480


def test_a_draw_is_for_one_thread_at_a_time(gala: Raffle, till: Unit, people: People) -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Slow(RngTable):
        def fill(self, length: int, timeout_ms: int) -> bytes:
            inside.set()
            assert go_on.wait(30)
            return os.urandom(length)

    till.sell(people.ann, [Sale("one")] * 9)
    seal_and_ack(gala, people)
    with Rng.new("host:cloud", Slow()) as rng, gala.draw_begin(people.boss, "first") as draw:
        finishing = threading.Thread(target=draw.finish, args=(rng,))
        finishing.start()
        assert inside.wait(30)
        for use in (draw.describe, draw.checkpoint, lambda: draw.call(1, 1)):
            with pytest.raises(raffle.Misuse, match="in use"):
                use()
        go_on.set()
        finishing.join()
        assert draw.describe().finished


def test_the_lock_is_not_held_while_the_library_works(gala: Raffle, till: Unit, people: People) -> None:
    """Python goes on in one thread while C waits in another."""
    counted, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = counted[0]
    with Rng.open("system:") as rng:
        rng.collect(10**9, 1000, 1000, replace=True)
    assert counted[0] - before > 100
    stop.set()
    thread.join()


# --- fork ---

def in_child(work: Callable[[], Any]) -> str:
    """What `work` raises in a child of fork(), as text; the parent's objects are freed there, too."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            try:
                work()
                said = "fine"
            except BaseException as no:
                said = f"{type(no).__name__}: {no}"
            os.write(writing, said.encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading, "rb") as said:
        text = said.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0
    return text


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_fork(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, Sale("one", "parent"))
    for use in (gala.describe, lambda: till.sell(people.ann, Sale("one")), lambda: till.validation(1), lambda: gala.seal(people.boss, SealKind.FINAL)):
        assert in_child(use).startswith("Forked: ")

    def free_and_open_again() -> None:
        till.free()
        gala.free()
        with Raffle.open(tmp_path / "gala.raffle") as mine, mine.unit_open(1) as unit:
            unit.sell(people.ann, Sale("one", "child"))

    assert in_child(free_and_open_again) == "fine"
    assert gala.order_tickets("child")[0].serial == 2
    assert till.sell(people.ann, Sale("one"))[0].serial == 3


def test_the_end_of_the_process(tmp_path: pathlib.Path) -> None:
    """Handles that nobody freed, with callbacks in Python, and threads that sell: the interpreter ends in peace."""
    program = f"""
import sys, threading
sys.path[:0] = {[str(pathlib.Path(__file__).parent)]!r}
import raffle, support
host = support.Clock()
class Loud(raffle.RngTable):
    def fill(self, length, timeout_ms): return bytes(length)
    def free(self): print("provider freed")
people = support.People()
r = raffle.Raffle.create({str(tmp_path / 'r.raffle')!r}, support.make_rules(), people.boss, host=host)
unit, rng = r.unit_open(1), raffle.Rng.new("host:cloud", Loud())
def sell():
    try:
        while True:
            unit.sell(people.ann, [raffle.Sale("one")] * 100)
    except ValueError: pass  # it was freed
threads = [threading.Thread(target=sell, daemon=True) for _ in range(2)]
[thread.start() for thread in threads]
while r.describe().tickets < 1000: pass
loop = [r, unit, rng]; loop.append(loop)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "provider freed\n", ""), done


# --- values ---

DAY = datetime.datetime(2026, 1, 1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

BAD: List[Any] = [
    (TypeError, lambda r, u, p: r.void("boss", 1, 1, "refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, "1", 1, "refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, 1.0, 1, "refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, None, 1, "refund")),
    (OverflowError, lambda r, u, p: r.void(p.sue, 2**32, 1, "refund")),
    (OverflowError, lambda r, u, p: r.void(p.sue, -1, 1, "refund")),
    (OverflowError, lambda r, u, p: r.void(p.sue, 1, 2**64, "refund")),
    (raffle.NotFound, lambda r, u, p: r.void(p.sue, 1, 2**64 - 1, "refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, 1, 1, b"refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, 1, 1, None)),
    (ValueError, lambda r, u, p: r.void(p.sue, 1, 1, "re\0fund")),
    (UnicodeEncodeError, lambda r, u, p: r.void(p.sue, 1, 1, "\udc80")),
    (raffle.Invalid, lambda r, u, p: r.void(p.sue, 1, 1, "x" * 100000)),
    (raffle.errors.Role, lambda r, u, p: r.void(p.ann, 1, 1, "refund")),
    (TypeError, lambda r, u, p: r.void(p.sue, 1, decimal.Decimal(1), "refund")),
    (TypeError, lambda r, u, p: r.cash(p.boss, 1, "cash", decimal.Decimal("19.99"))),
    (TypeError, lambda r, u, p: r.cash(p.boss, 1, "cash", fractions.Fraction(3999, 200))),
    (TypeError, lambda r, u, p: r.cash(p.boss, 1, "cash", 19.0)),
    (TypeError, lambda r, u, p: u.sell(p.ann, "one")),
    (TypeError, lambda r, u, p: u.sell(p.ann, ["one"])),
    (TypeError, lambda r, u, p: u.sell(p.ann, [("one", "o", "", "", "", None)])),
    (TypeError, lambda r, u, p: u.sell(p.ann, [Sale(1)])),
    (TypeError, lambda r, u, p: u.sell(p.ann, 7)),
    (TypeError, lambda r, u, p: u.sell(None, Sale("one"))),
    (OverflowError, lambda r, u, p: u.sell(p.ann, Sale("one"), timeout_ms=2**31)),
    (TypeError, lambda r, u, p: u.sell(p.ann, Sale("one"), timeout_ms=0.5)),
    (TypeError, lambda r, u, p: u.sell(p.ann, Sale("one", at="noon"))),
    (TypeError, lambda r, u, p: u.sell(p.ann, Sale("one", at=0))),
    (TypeError, lambda r, u, p: u.sell(p.ann, [Sale("one"), Sale("one", at="")])),
    (ValueError, lambda r, u, p: u.sell(p.ann, Sale("one", at=DAY))),
    (ValueError, lambda r, u, p: u.sell(p.ann, Sale("one", at=EPOCH))),
    (raffle.Rehearsal, lambda r, u, p: u.sell(p.ann, Sale("one", at=NOON))),
    (TypeError, lambda r, u, p: r.local_time("now")),
    (TypeError, lambda r, u, p: r.local_time(None)),
    (ValueError, lambda r, u, p: r.local_time(DAY)),
    (TypeError, lambda r, u, p: raffle.beacon_round(None)),
    (ValueError, lambda r, u, p: r.event_find(to=EPOCH)),
    (TypeError, lambda r, u, p: r.event_find(limit=decimal.Decimal("1.5"))),
    (raffle.NotFound, lambda r, u, p: list(r.picks("no-such"))),
    (TypeError, lambda r, u, p: r.seal(p.boss, "final")),
    (raffle.Error, lambda r, u, p: r.seal(p.boss, 77)),
    (OverflowError, lambda r, u, p: r.root(0, 2**64)),
    (raffle.Error, lambda r, u, p: r.root(0, 10**9)),
    (TypeError, lambda r, u, p: r.mirror(u)),
    (TypeError, lambda r, u, p: r.unit_enrol(p.boss, 7)),
    (ValueError, lambda r, u, p: r.unit_enrol(p.boss, "n" * 72)),
    (TypeError, lambda r, u, p: r.unit_enrol(p.boss, "n", quota=decimal.Decimal("10.5"))),
    (OverflowError, lambda r, u, p: r.unit_enrol(p.boss, "n", quota=2**64)),
    (raffle.Error, lambda r, u, p: r.unit_enrol(p.boss, "n", quota=2**63)),
    (TypeError, lambda r, u, p: r.receipt("1", 1)),
    (TypeError, lambda r, u, p: raffle.receipt_verify(7, "key")),
    (raffle.Invalid, lambda r, u, p: raffle.receipt_verify(b"", "key")),
    (raffle.Limit, lambda r, u, p: raffle.receipt_verify(b"x" * 200000, r.describe().control_key)),
    (TypeError, lambda r, u, p: raffle.leaf_hash("text")),
    (TypeError, lambda r, u, p: raffle.inclusion_verify(0, 1, "x" * 32, [], bytes(32))),
    (ValueError, lambda r, u, p: raffle.inclusion_verify(0, 1, bytes(31), [], bytes(32))),
    (ValueError, lambda r, u, p: raffle.inclusion_verify(0, 1, bytes(32), [b"short"], bytes(32))),
    (raffle.Proof, lambda r, u, p: raffle.inclusion_verify(0, 2, bytes(32), [bytes(32)] * 100, bytes(32))),
    (OverflowError, lambda r, u, p: Rng.open("system:").pick(2**64, 1)),
    (ValueError, lambda r, u, p: Rng.open("system:").pick(9, -1)),
    (raffle.Invalid, lambda r, u, p: Rng.open("system:").pick(9, 10)),
    (raffle.Invalid, lambda r, u, p: Rng.open("system:").pick(9, 2**31)),
    (raffle.Invalid, lambda r, u, p: Rng.open("system:").pick(9, 2**62)),
    (TypeError, lambda r, u, p: Rng.open("system:").pick(decimal.Decimal(9), 1)),
    (OverflowError, lambda r, u, p: Rng.open("system:").collect(2**62, 2**62, 1)),
    ((OverflowError, MemoryError), lambda r, u, p: Rng.open("system:").fill(2**62)),
    (ValueError, lambda r, u, p: Rng.open("system:").fill(-1)),
    (raffle.Unsupported, lambda r, u, p: Rng.open("no-such:")),
    (TypeError, lambda r, u, p: Rng.open(None)),
    (TypeError, lambda r, u, p: Raffle.open(b"bytes.raffle")),
    (TypeError, lambda r, u, p: Raffle.open("x.raffle", host=object())),
    (raffle.NotFound, lambda r, u, p: Raffle.open("no-such.raffle")),
    (ValueError, lambda r, u, p: Raffle.open("nul\0.raffle")),
    (raffle.Invalid, lambda r, u, p: raffle.rules_check("{}")),
    (TypeError, lambda r, u, p: raffle.rules_check(7)),
    (TypeError, lambda r, u, p: raffle.rules_check({"origin": object()})),
    (UnicodeEncodeError, lambda r, u, p: raffle.rules_check({"origin": "\ud800"})),
    (TypeError, lambda r, u, p: raffle.number_format("1", 1)),
    (raffle.Invalid, lambda r, u, p: raffle.number_format(1, 0)),
    (raffle.Invalid, lambda r, u, p: raffle.number_parse("")),
    (ValueError, lambda r, u, p: Actor("ann", "no-such-role")),
    (raffle.Invalid, lambda r, u, p: Actor("", Role.SELLER)),
    (raffle.Invalid, lambda r, u, p: Actor("a" * 65, Role.SELLER)),
    (raffle.Invalid, lambda r, u, p: Actor("ann", 99)),
    (TypeError, lambda r, u, p: Actor(7, Role.SELLER)),
    (TypeError, lambda r, u, p: r.event_each("not a function")),
    (TypeError, lambda r, u, p: r.event(p.boss, 0, None)),
    (TypeError, lambda r, u, p: r.report_verify(7)),
    (TypeError, lambda r, u, p: r.report_verify("text")),
    (ValueError, lambda r, u, p: r.report_write("x" * 50, print)),
    (raffle.NotFound, lambda r, u, p: r.report_write("no-such", print)),
]


@pytest.mark.parametrize("n", range(len(BAD)))
def test_bad_values(idle: Unit, people: People, n: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    kind, use = BAD[n]
    r: Raffle = idle.raffle  # type: ignore[attr-defined]
    before = r.describe()
    with pytest.raises(kind) as caught:
        use(r, idle, people)
    assert str(caught.value) or isinstance(caught.value, MemoryError)
    assert r.describe() == before, "nothing was written"


def test_actors(people: People) -> None:
    ann = Actor("ann", "seller")
    assert ann == people.ann and hash(ann) == hash(people.ann) and repr(ann) == "Actor('ann', 'seller')" and ann != Actor("ann", Role.SYSTEM)
    assert pickle.loads(pickle.dumps(ann)) == ann
    with pytest.raises(AttributeError):
        ann.role = Role.MANAGER
    assert [raffle.role_name(role) for role in Role] == ["seller", "supervisor", "manager", "administrator", "auditor", "system"]
    assert raffle.role_parse("manager") is Role.MANAGER and raffle.role_parse("king") is None and raffle.role_name(99) is None
    assert lib.RAFFLE_MANAGER == Role.MANAGER
