# SPDX-License-Identifier: Apache-2.0
"""Hosts, providers, keys, writers in Python: what they get, and that what they raise comes back as the very object."""
import datetime
import gc
import hashlib
import io
import itertools
import os
import pathlib
import sys
import threading
import weakref
from typing import Any, Dict, List, Optional, Tuple, Union

import pytest

import raffle
from raffle import Keys, KeysTable, Raffle, Rng, RngTable, Sale, Unit
from support import NOON, SOURCE, Clock, People, draw_one, make_rules, seal_and_ack

sys.path.insert(0, str(SOURCE / "examples" / "witness"))
import ed25519  # noqa: E402


class Broken(Exception):
    """Nothing that the library knows."""


class Silent(raffle.Error):
    """One that forgot what an Error has, and cannot say what it is."""

    rc = "none"  # type: ignore[assignment]

    def __init__(self) -> None:
        pass

    def __str__(self) -> str:
        raise RuntimeError


class Interrupted(BaseException):
    """As KeyboardInterrupt is."""


# --- the host ---

class Moody(Clock):
    """A clock that does what it is told."""

    does: Any = None

    def clock(self) -> Any:
        if isinstance(self.does, BaseException):
            raise self.does
        return super().clock() if self.does is None else self.does


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
def shop(tmp_path: pathlib.Path, people: People, moody: Moody):
    with Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=moody) as r, r.unit_open(1) as unit:
        yield unit


@pytest.mark.parametrize("exception", [Broken("it stopped"), KeyError("k"), Interrupted(), KeyboardInterrupt(), raffle.Clock("no time"), raffle.Io("disk"),
                                       StopIteration(), Silent(), raffle.Error(), UnicodeEncodeError("utf-8", "\ud800", 0, 1, "x"), Broken("\ud800\0\x01")], ids=lambda one: type(one).__name__)
def test_what_the_clock_raises_comes_back(shop: Unit, people: People, moody: Moody, exception: BaseException) -> None:
    moody.does = exception
    with pytest.raises(type(exception)) as caught:
        shop.sell(people.ann, Sale("one", "o"))
    assert caught.value is exception
    moody.does = None
    assert not shop.sell(people.ann, Sale("one", "o"))[0].replayed


@pytest.mark.parametrize("answer, kind", [("noon", TypeError), (1.5, TypeError), (2**70, OverflowError), (NOON.replace(tzinfo=None), ValueError), ([], TypeError),
                                          (-2**63, raffle.Error), (2**62, raffle.Error)], ids=repr)
def test_a_clock_that_talks_nonsense(shop: Unit, people: People, moody: Moody, answer: Any, kind: type) -> None:
    moody.does = answer
    with pytest.raises(kind):
        shop.sell(people.ann, Sale("one"))
    moody.does = None
    assert shop.sell(people.ann, Sale("one"))[0].serial == 1


def test_a_clock_in_milliseconds(shop: Unit, people: People, moody: Moody) -> None:
    moody.does = int(NOON.timestamp() * 1000) + 60000
    assert shop.sell(people.ann, Sale("one"))[0].at == NOON + datetime.timedelta(minutes=1)


def test_every_caller_of_a_group_gets_the_exception(shop: Unit, people: People, moody: Moody) -> None:
    moody.does = Broken("for all")
    seen: List[BaseException] = []

    def sell() -> None:
        try:
            shop.sell(people.ann, Sale("one"))
        except BaseException as no:
            seen.append(no)

    threads = [threading.Thread(target=sell) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 12 and all(one is moody.does for one in seen)
    moody.does = raffle.Io("the clock's disk")
    with pytest.raises(raffle.Io) as caught:
        shop.sell(people.ann, Sale("one"))
    assert caught.value is moody.does and caught.value.tickets is None


def test_a_signal_in_the_midst_of_a_callback(shop: Unit, people: People) -> None:
    """What its handler raises at any line of the function between C and the host's: it comes out of the call, and the thread may call again."""
    for n in itertools.count(1):
        left, stop = [n], Interrupted()

        def trace(frame: Any, event: str, argument: Any) -> Any:
            if frame.f_code.co_name not in ("answer", "fail", "leave") or event not in ("call", "line"):
                return None
            left[0] -= 1
            if left[0] == 0:
                raise stop
            return trace

        sys.settrace(trace)
        try:
            shop.sell(people.ann, Sale("one"))
            break
        except Interrupted as no:
            assert no is stop
        finally:
            sys.settrace(None)
        assert shop.sell(people.ann, Sale("one"))[0].serial, n
    assert n > 8


class Reentrant(Clock):
    """Calls what it may not, or what it may."""

    then: Any = None

    def clock(self) -> datetime.datetime:
        if self.then is not None:
            self.then()
        return super().clock()


def test_a_callback_may_not_call_the_library(tmp_path: pathlib.Path, people: People) -> None:
    host = Reentrant()
    with Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=host) as r, r.unit_open(1) as unit:
        for call in (lambda: unit.validation(1), r.describe, lambda: unit.sell(people.ann, Sale("one"))):
            host.then = call
            with pytest.raises(raffle.Misuse):
                unit.sell(people.ann, Sale("one"))
        other = r.unit_open(1)
        host.then = lambda: (raffle.number_format(1, 1), Rng.open("test:seed=01").fill(8), other.free())
        assert unit.sell(people.ann, Sale("one"))[0].serial == 1 and other.freed


def test_release_is_called_once(tmp_path: pathlib.Path, people: People) -> None:
    host = Clock()
    r = Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=host)
    unit = r.unit_open(1)
    r.free()
    assert host.released == 0, "the unit lives"
    unit.free()
    assert host.released == 1
    with pytest.raises(raffle.Exists):
        Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=host)
    assert host.released == 1, "a call that failed gives it back"
    watched = weakref.ref(host)
    del host
    gc.collect()
    assert watched() is None


def test_secrets(tmp_path: pathlib.Path, people: People) -> None:
    class Keeper(Clock):
        asked: List[str] = []
        answer: Any = bytes(range(32))

        def secret(self, what: str) -> Any:
            self.asked.append(what)
            if isinstance(self.answer, BaseException):
                raise self.answer
            return self.answer

    keeper = Keeper()
    with Raffle.create(tmp_path / "r.raffle", make_rules(), people.boss, host=keeper) as r, r.unit_open(1) as till:
        till.sell(people.ann, Sale("one"))
        assert len(till.validation(1)) == 29
    assert "ticket-key" in keeper.asked
    for answer in (Broken("locked"), b"short", "text", bytes(10000)):
        keeper.answer = answer
        with pytest.raises(Exception) as caught:
            Raffle.open(tmp_path / "r.raffle", host=keeper).unit_open(1).validation(1)
        assert caught.value is answer or isinstance(caught.value, (raffle.Error, TypeError, ValueError))


def test_the_log_is_told(tmp_path: pathlib.Path, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """An anchor that is not this store's: its log is read only, and the host hears of it; a log that raises changes nothing."""
    class Deaf(Clock):
        def log(self, level: raffle.LogLevel, line: str) -> None:
            raise Broken("deaf")

    path = tmp_path / "r.raffle"
    ignored: List[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    with Raffle.create(path, make_rules(), people.boss, host=Clock()) as r, r.unit_open(1) as till:
        till.sell(people.ann, Sale("one"))
        early = {name: (tmp_path / name).read_bytes() for name in ("r.raffle", "r.raffle-wal") if (tmp_path / name).exists()}
        till.sell(people.ann, [Sale("one")] * 300)
    for name in ("r.raffle", "r.raffle-wal", "r.raffle-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    for name, content in early.items():
        (tmp_path / name).write_bytes(content)
    host = Clock()
    with Raffle.open(path, host=host) as r, r.unit_open(1) as till, pytest.raises(raffle.History):
        till.sell(people.ann, Sale("one"))
    assert host.lines and host.lines[0][0] == raffle.LogLevel.ERROR and not ignored
    with Raffle.open(path, host=Deaf()) as r, r.unit_open(1) as till, pytest.raises(raffle.History):
        till.sell(people.ann, Sale("one"))
    assert ignored and isinstance(ignored[0].exc_value, Broken)


# --- a provider ---

class Dice(RngTable):
    def __init__(self) -> None:
        self.does: Any = None
        self.asked = self.freed = 0

    def fill(self, length: int, timeout_ms: int) -> Union[bytes, Tuple[bytes, str]]:
        self.asked += 1
        if isinstance(self.does, BaseException):
            raise self.does
        if self.does is not None:
            return self.does  # type: ignore[no-any-return]
        return hashlib.shake_256(b"%d" % self.asked).digest(length), f"throw-{self.asked}"

    def free(self) -> None:
        self.freed += 1


def test_a_provider_draws(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    dice = Dice()
    till.sell(people.ann, [Sale("twenty")] * 5)
    seal_and_ack(gala, people)
    with Rng.new("host:cloud", dice) as rng, gala.draw_begin(people.boss, "first", rng=rng) as draw:
        assert rng.name == "host:cloud"
        dice.does = Broken("the dice fell off the table")
        with pytest.raises(Broken) as caught:
            draw.finish(rng)
        assert caught.value is dice.does and not draw.describe().finished
        dice.does = None
        draw.finish(rng)
    assert dice.freed == 1 and gala.pick_at("first", 1).number >= 1
    with raffle.Audit.run(tmp_path / "gala.raffle") as audit:
        assert audit.verdict().passed and next(audit.draws()).provider == "host:cloud"


@pytest.mark.parametrize("answer, kind", [(b"short", raffle.Error), (bytes(2000), ValueError), ("text", TypeError), (None, raffle.Error), ((b"x" * 1024, 7), TypeError), (7, TypeError),
                                          ((b"x" * 1024, "e" * 99), ValueError), ((b"x" * 1024, "\n"), raffle.Error), (bytes(1024), raffle.RngUnhealthy)],
                         ids=lambda x: str(x)[:20])
def test_a_provider_that_gives_nonsense(answer: Any, kind: type) -> None:
    dice = Dice()
    with Rng.new("host:cloud", dice) as rng:
        dice.does = answer
        if answer is None:
            dice.does = ()
            kind = Exception
        with pytest.raises(kind):
            rng.fill(1024)


def test_a_provider_over_another_and_not_over_itself() -> None:
    class Mixed(Dice):
        other = Rng.open("system:")
        itself: Optional[Rng] = None

        def fill(self, length: int, timeout_ms: int) -> bytes:
            return (self.itself or self.other).fill(length)

    mixed = Mixed()
    with Rng.new("host:cloud", mixed) as rng:
        assert len(rng.fill(100)) == 100
        mixed.itself = rng
        with pytest.raises(raffle.Misuse):
            rng.fill(100)


def test_names_of_providers() -> None:
    dice = Dice()
    for name in ("system", "cloud", "host:", "host:UPPER"):
        with pytest.raises(raffle.Error):
            Rng.new(name, dice)
    assert dice.freed == 0
    with pytest.raises(TypeError):
        Rng.new("host:cloud", object())  # type: ignore[arg-type]


# --- keys ---

class Vault(KeysTable):
    """Ed25519 by the example's own code, in memory."""

    def __init__(self) -> None:
        self.seeds: Dict[Tuple[str, str], bytes] = {}
        self.kept: Dict[int, bytes] = {}
        self.does: Optional[BaseException] = None
        self.freed = 0

    def make(self, origin: str, name: str) -> None:
        if (origin, name) in self.seeds:
            raise raffle.Exists(f"there is a key {name}")
        self.seeds[origin, name] = hashlib.sha256(f"{origin} {name}".encode()).digest()

    def public_key(self, origin: str, name: str) -> Optional[bytes]:
        seed = self.seeds.get((origin, name))
        return None if seed is None else ed25519.public_key(seed)

    def sign(self, origin: str, name: str, message: bytes) -> bytes:
        if self.does is not None:
            raise self.does
        return ed25519.sign(self.seeds[origin, name], message)

    def ticket_key(self, origin: str) -> Optional[bytes]:
        return self.seeds.get((origin, "ticket"))

    def unit_ticket_key(self, origin: str, unit: int) -> Optional[bytes]:
        return self.kept.get(unit)

    def unit_ticket_key_keep(self, origin: str, unit: int, key: bytes) -> None:
        if unit in self.kept:
            raise raffle.Exists("there is one")
        self.kept[unit] = key

    def free(self) -> None:
        self.freed += 1


def test_keys_of_the_host(tmp_path: pathlib.Path, people: People) -> None:
    vault = Vault()
    keys = Keys.new(vault)
    with raffle.Store.open(f"sqlite:{tmp_path}/r.raffle?create=1") as store:
        with Raffle.create(store, make_rules(), people.boss, keys=keys) as r, r.unit_open(1) as till:
            till.sell(people.ann, Sale("one"))
            note = r.checkpoint(1)
            assert raffle.checkpoint_verify(note, r.unit_describe(1).key).size == 2
            vault.does = Broken("the vault is shut")
            with pytest.raises(Broken) as caught:
                r.checkpoint()
            assert caught.value is vault.does
            vault.does = None
            draw_one(r, people)
        with pytest.raises(TypeError):
            Raffle.open(store, keys="file:x")
        with pytest.raises(TypeError):
            Raffle.create(store, make_rules(), people.boss)
        with Raffle.open(store) as r, pytest.raises(raffle.errors.Key):
            r.checkpoint()
    keys.free()
    assert vault.freed == 1
    assert raffle.audit_store(tmp_path / "r.raffle").passed


# --- writers and readers ---

def test_writers(gala: Raffle, till: Unit, people: People, tmp_path: pathlib.Path) -> None:
    till.sell(people.ann, [Sale("one")] * 3)
    pieces: List[bytes] = []
    gala.report_write("sales", pieces.append)
    file = io.BytesIO()
    gala.report_write("sales", file)
    assert len(b"".join(pieces)) > 100 and file.getvalue()[:20] == b"".join(pieces)[:20]

    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.data = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.data += bytes(data[:7])
            return min(7, len(data))

    slow = Slow()
    gala.backup(slow)
    (tmp_path / "backup").write_bytes(slow.data)
    assert raffle.backup_verify(tmp_path / "backup").origin == "raffle.example/gala"

    full = OSError(28, "No space left on device")

    def fails(data: bytes) -> None:
        raise full

    for write in (lambda: gala.report_write("sales", fails), lambda: gala.backup(fails)):
        with pytest.raises(OSError) as caught:
            write()
        assert caught.value is full
    with pytest.raises(TypeError):
        gala.backup(7)  # type: ignore[arg-type]


def test_a_file_that_would_block(gala: Raffle, till: Unit, people: People) -> None:
    """It takes what fits, and says so by None: the rest of the backup is not lost in silence."""
    till.sell(people.ann, [Sale("one")] * 2000)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with open(reading, "rb"), open(writing, "wb", buffering=0) as pipe, pytest.raises(BlockingIOError):
        gala.backup(pipe)


def test_progress_that_raises(tmp_path: pathlib.Path, gala: Raffle, till: Unit, people: People) -> None:
    for _ in range(3):
        till.sell(people.ann, [Sale("one")] * 10000)
    stop = Broken("enough")

    def tell(done: int, total: int) -> None:
        raise stop

    for run in (lambda: raffle.Audit.run(tmp_path / "gala.raffle", progress=tell), lambda: gala.publish(tmp_path / "public", progress=tell),
                lambda: gala.report_write("sales", io.BytesIO(), progress=tell)):
        with pytest.raises(Broken) as caught:
            run()
        assert caught.value is stop
    with pytest.raises(TypeError):
        raffle.Audit.run(tmp_path / "gala.raffle", progress=7)  # type: ignore[arg-type]


def test_exceptions_are_not_kept(shop: Unit, people: People, moody: Moody) -> None:
    """Nor the frames that they passed."""
    for _ in range(3):
        moody.does = Broken()
        watched = weakref.ref(moody.does)
        with pytest.raises(Broken):
            shop.sell(people.ann, Sale("one"))
        moody.does = None
        gc.collect()
        assert watched() is None
