# SPDX-License-Identifier: Apache-2.0
"""A night on a database server, with keys and randomness of a token and of a key management service, which RAFFLE_POSTGRES, RAFFLE_TOKEN and RAFFLE_KMS name. Only with --servers."""
import concurrent.futures
import os
import pathlib
from typing import List

import pytest
from support import People, make_rules, seal_and_ack

import raffle
from raffle import Raffle, Rng, Sale, Ticket

PRIZES = [{"name": "first", "share": 5000, "alternates": 1}, {"name": "second"}]


def store_of(name: str) -> str:
    return f"{os.environ['RAFFLE_POSTGRES']}#raffle.example/{name}"


def test_night_elsewhere(tmp_path: pathlib.Path, people: People) -> None:
    store, keys = store_of("elsewhere"), os.environ["RAFFLE_TOKEN"]
    with Rng.open(os.environ["RAFFLE_TOKEN"]) as token, Rng.open(os.environ["RAFFLE_KMS"]) as service:
        rules = make_rules(origin="raffle.example/elsewhere", prizes=PRIZES, rng=[token.name, service.name], rehearsal=False)
        with Raffle.create(store, rules, people.boss, keys=keys) as r:
            with r.unit_open(1) as unit:
                def sell(seller: int) -> List[Ticket]:
                    return unit.sell(people.ann, [Sale("one", f"{seller}-{i}") for i in range(500)])
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    sold = list(pool.map(sell, range(4)))
                assert sorted(ticket.serial for tickets in sold for ticket in tickets) == list(range(1, 2001))
                assert [ticket.serial for ticket in sell(2)] == [ticket.serial for ticket in sold[2]]
            r.void(people.sue, 1, 7, "refund")
            seal_and_ack(r, people)
            for prize, rng in (("first", token), ("second", service)):
                with r.draw_begin(people.boss, prize, rng=rng) as draw:
                    draw.finish(rng)
            control_key = r.describe().control_key
            assert r.describe().tickets == 2000 and r.publish(tmp_path / "public").logs == 2
    with Raffle.open(store, keys=keys) as again:
        assert [len(list(again.picks(prize))) for prize in ("first", "second")] == [2, 1]
    for place in (store, tmp_path / "public"):
        assert raffle.audit_store(place, control_key).passed


def test_refused_elsewhere(tmp_path: pathlib.Path, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = tmp_path / "pin"
    pin.touch(mode=0o600)
    pin.write_text("not-the-s3cret")
    with pytest.raises(raffle.Error, match="CKR_PIN_INCORRECT") as refused:
        Rng.open(f"{os.environ['RAFFLE_TOKEN'].partition('pin-source=')[0]}pin-source={pin}")
    assert "s3cret" not in str(refused.value)
    with pytest.raises(raffle.Error, match="127.0.0.1"):
        Raffle.create("postgresql://nobody@127.0.0.1:1/nothing#raffle.example/refused", make_rules(), people.boss, keys=f"file:{tmp_path}/keys")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    with Rng.open(os.environ["RAFFLE_KMS"]) as service:
        rules = make_rules(origin="raffle.example/refused", rng=[service.name])
        with Raffle.create(store_of("refused"), rules, people.boss, keys=f"file:{tmp_path}/keys") as r:
            with r.unit_open(1) as unit:
                unit.sell(people.ann, [Sale("one")])
            seal_and_ack(r, people)
            with pytest.raises(raffle.RandomnessError, match="InvalidSignature"):
                r.draw_begin(people.boss, "first", rng=service)
            assert r.draw_pending() is None and r.prize_by_name("first").state == raffle.PrizeState.WAITING
