# SPDX-License-Identifier: Apache-2.0
"""Units: enrolled, enabled, watched, closed; and tills elsewhere that upload."""
import io
import pathlib
from typing import Callable

import pytest

import raffle
from raffle import Host, Keys, Raffle, Sale, SealKind, Store
from support import NOON, Clock, People, make_rules
from test_callbacks import Vault


def test_a_unit_from_its_enrolment_to_its_end(gala: Raffle, people: People) -> None:
    number = gala.unit_enrol(people.boss, "kiosk", quota=10)
    assert number == 2 and [unit.name for unit in gala.units()] == ["unit 1", "kiosk"]
    info = gala.unit_describe(2)
    assert (info.enabled, info.quota, info.tickets, info.last_at) == (False, 10, 0, None) and info.key.startswith("raffle.example/gala/unit/2+")
    with gala.unit_open(2) as kiosk:
        with pytest.raises(raffle.Disabled):
            kiosk.sell(people.ann, Sale("one"))
        gala.unit_enable(people.boss, 2)
        with pytest.raises(raffle.Exists):
            gala.unit_enable(people.boss, 2)
        kiosk.sell(people.ann, Sale("one"))
        with pytest.raises(raffle.Quota):
            kiosk.sell(people.ann, Sale("twenty"))
        gala.unit_quota(people.boss, 2, 100)
        kiosk.sell(people.ann, Sale("twenty"))
        with pytest.raises(raffle.Limit):
            gala.unit_quota(people.boss, 2, 20)
        gala.unit_disable(people.boss, 2, "stolen")
        with pytest.raises(raffle.Disabled):
            kiosk.sell(people.ann, Sale("one"))
        gala.unit_enable(people.boss, 2)
        with pytest.raises(raffle.Sequence):
            gala.unit_close_receipt(2)
        kiosk.close(people.boss)
        assert not kiosk.freed
        with pytest.raises(raffle.Closed):
            kiosk.sell(people.ann, Sale("one"))
    receipt = gala.unit_close_receipt(2)
    closed = raffle.unit_close_verify(receipt, info.key)
    assert (closed.unit, closed.tickets, closed.numbers, closed.gross) == (2, 2, 21, 1500) and closed.root == gala.root(2)[0]
    with pytest.raises(raffle.Signature):
        raffle.unit_close_verify(receipt, gala.unit_describe(1).key)
    with pytest.raises(raffle.Sequence):
        gala.unit_unenrol(people.boss, 2)
    assert gala.unit_enrol(people.boss, "spare") == 3
    gala.unit_unenrol(people.boss, 3)
    assert gala.unit_describe(3).unenrolled


def test_watched(tmp_path: pathlib.Path, people: People, clock: Clock) -> None:
    with Raffle.create(tmp_path / "r.raffle", make_rules(watch={"failures": 2, "minutes": 5}), people.boss, host=clock) as r:
        assert r.unit_validated(people.machine, 1, True) is False
        assert [r.unit_validated(people.machine, 1, False, "wrong PIN") for _ in range(2)] == [False, True]
        assert not r.unit_describe(1).enabled and r.unit_describe(1).failures == 2
        r.unit_enable(people.boss, 1)
        clock.now = NOON.replace(hour=13)
        assert r.units_watch(people.machine) == (1, 0)
    with Raffle.create(tmp_path / "other.raffle", make_rules(), people.boss) as r, pytest.raises(raffle.Unsupported):
        r.units_watch(people.machine)


def written(write: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


@pytest.mark.parametrize("by_handles", [False, True])
def test_a_till_elsewhere(tmp_path: pathlib.Path, gala: Raffle, people: People, by_handles: bool) -> None:
    host, vault = Host(), Vault()
    keys = Keys.new(vault) if by_handles else f"file:{tmp_path}/tent.keys"
    store = Store.open(f"sqlite:{tmp_path}/tent.raffle?create=1") if by_handles else tmp_path / "tent.raffle"
    application = raffle.unit_apply(keys, "raffle.example/gala", 2, host=None if by_handles else host)
    assert raffle.unit_apply(keys, "raffle.example/gala", 2) == application
    assert gala.unit_enrol(people.boss, "tent", quota=100, away=True, hours=48, key=application.key, proof=application.proof) == 2
    gala.unit_enable(people.boss, 2)
    kit = written(lambda file: gala.unit_kit(2, file))
    with Raffle.unit_install(store, kit, keys=keys, control_key=gala.describe().control_key, host=host) as tent, tent.unit_open(2) as unit:
        assert tent.describe().till == 2 and unit.sell(people.ann, [Sale("one")] * 3)[2].serial == 3
        validation = unit.validation(1)
        with pytest.raises(raffle.Away):
            tent.seal(people.boss, SealKind.FINAL)
        upload = written(lambda file: unit.export(gala.unit_challenge(2), file))
        done = gala.unit_upload(people.machine, upload)
        assert (done.unit, done.taken, done.numbers, done.closed) == (2, 4, 3, False) and gala.unit_describe(2).synced == 4
        assert gala.unit_upload(people.machine, upload).taken == 0
        tent.unit_update(written(lambda file: gala.unit_news(2, done.control_size, file)))
        assert tent.unit_describe(2).heard is not None
        assert gala.ticket_by_validation(validation).unit == 2
        with pytest.raises(raffle.Invalid):
            unit.export("no challenge", io.BytesIO())
        with pytest.raises(raffle.Error):
            gala.unit_upload(people.machine, upload[:-5] + b"xxxxx")
        with pytest.raises(raffle.Unreconciled):
            gala.seal(people.boss, SealKind.FINAL)
        unit.close(people.boss)
        assert gala.unit_upload(people.machine, written(lambda file: unit.export(gala.unit_challenge(2), file))).closed
    seal = gala.seal(people.boss, SealKind.FINAL)
    assert (seal.tickets, seal.unreconciled) == (3, 0)
    if by_handles:
        keys.free()
        assert 2 in vault.kept


def test_a_kit_that_is_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(raffle.Error):
        Raffle.unit_install(tmp_path / "x.raffle", b"no kit", keys=f"file:{tmp_path}/keys")
    with pytest.raises(TypeError):
        Raffle.unit_install(tmp_path / "x.raffle", 7, keys=f"file:{tmp_path}/keys")  # type: ignore[arg-type]
