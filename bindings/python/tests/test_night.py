# SPDX-License-Identifier: Apache-2.0
"""A whole night: sold, voided, sealed, drawn, claimed, audited."""
import pathlib

import pytest

import raffle
from raffle import PlaceState, PrizeState, Raffle, Sale, SealKind


def test_night(tmp_path: pathlib.Path, gala: Raffle, till: raffle.Unit, people) -> None:
    tickets = till.sell(people.ann, [Sale("twenty", "web-1"), Sale("twenty", "web-1"), Sale("one", "web-2")])
    assert [t.serial for t in tickets] == [1, 2, 3] and tickets[0].numbers[-1] == "1-0000020"
    validation = till.validation(1)
    gala.void(people.sue, 1, 2, "refund")
    seal = gala.seal(people.boss, SealKind.FINAL)
    assert (seal.kind, seal.tickets, seal.voids, seal.gross, seal.acknowledged) == (SealKind.FINAL, 3, 1, 2500, False)
    gala.voids_ack(people.boss, seal.index)
    assert gala.seal_latest(SealKind.FINAL).acknowledged
    with raffle.Rng.open("test:seed=07") as rng:
        with gala.draw_begin(people.boss, "first", rng=rng) as draw:
            assert gala.describe().drawing and gala.draw_pending() == draw.describe()
            assert draw.checkpoint().startswith("raffle.example/gala\n")
            draw.finish(rng)
            assert draw.describe().finished and gala.draw_pending() is None
    prize = gala.prize_by_name("first")
    assert (prize.state, prize.places, prize.value) == (PrizeState.DRAWN, 2, 750) and prize == gala.prize_at(0)
    places = list(gala.picks("first"))
    assert [p.state for p in places] == [PlaceState.DRAWN, PlaceState.ALTERNATE] and places[0] == gala.pick_at("first", 1)
    winning = till.validation(places[0].serial)
    now, promoted = gala.winner_verify(people.boss, "first", 1, winning)
    assert now.state == PlaceState.VERIFIED and promoted == 0
    gala.winner_official(people.boss, "first", 1)
    gala.claim(people.boss, people.deputy, "first", 1, winning)
    assert gala.pick_at("first", 1).state == PlaceState.CLAIMED
    assert raffle.audit_store(tmp_path / "gala.raffle", gala.describe().control_key).passed
    assert gala.ticket_by_validation(validation).serial == 1
    with pytest.raises(raffle.Drawn):
        gala.draw_begin(people.boss, "first")
