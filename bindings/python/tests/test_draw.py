# SPDX-License-Identifier: Apache-2.0
"""Draws: early, random, aborted, resumed, committed, from a drum; winners, aces, papers, forfeits."""
import datetime
import pathlib
import sys
from typing import Any

import pytest

import raffle
from raffle import Ace, Assurance, Audit, CallOutcome, PlaceState, Raffle, Rng, Sale, SealKind, Unit
from support import SOURCE, Clock, People, draw_one, make_rules, seal_and_ack

sys.path.insert(0, str(SOURCE / "examples" / "beacon"))
import bls12_381  # noqa: E402
import quicknet  # noqa: E402

# The one round of drand's quicknet that is published everywhere, at 2023-09-15T11:00:03Z.
ROUND = 657413
VALUE = bytes.fromhex("b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b")
PUBLISHED = '{"round": 657413, "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587", "signature": "%s"}' % VALUE.hex()
ROUND_AT = datetime.datetime(2023, 9, 15, 11, 0, 3, tzinfo=datetime.timezone.utc)


def is_of_quicknet(round: int, value: bytes) -> bool:
    """The example's verification, as a host lends it."""
    try:
        quicknet.check(value.hex(), round, bls12_381.verify)
    except ValueError:
        return False
    return True


def test_beacon() -> None:
    assert raffle.beacon_parse(PUBLISHED) == (ROUND, VALUE)
    assert raffle.beacon_time(ROUND) == ROUND_AT and raffle.beacon_round(ROUND_AT) == ROUND
    assert raffle.beacon_time(0) is None and raffle.beacon_time(2**64 - 1) is None
    with pytest.raises(raffle.Mismatch):
        raffle.beacon_parse(PUBLISHED.replace("b713", "b714"))
    with pytest.raises(raffle.Invalid):
        raffle.beacon_parse("{}")


def test_an_early_seal(tmp_path: pathlib.Path, people: People) -> None:
    rules = make_rules(prizes=[{"name": "early", "seal": "early"}, {"name": "late"}])
    with Raffle.create(tmp_path / "r.raffle", rules, people.boss) as r, r.unit_open(1) as till, Rng.open("test:seed=05") as rng:
        with pytest.raises(raffle.NotSealed):
            r.seal_latest(SealKind.EARLY)
        till.sell(people.ann, [Sale("one")] * 5)
        seal = r.seal(people.boss, SealKind.EARLY)
        with pytest.raises(raffle.NotAcked):
            r.draw_begin(people.boss, "early")
        r.voids_ack(people.boss, seal.index)
        with r.draw_begin(people.boss, "early") as draw:
            draw.finish(rng)
        till.sell(people.ann, Sale("one"))
        assert [prize.places for prize in r.prizes()] == [1, 0]


def test_abort_and_resume(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 5)
    assert gala.draw_pending() is None
    with pytest.raises(raffle.NotFound):
        gala.draw_resume(people.boss)
    seal_and_ack(gala, people)
    gala.draw_begin(people.boss, "first").free()
    with pytest.raises(raffle.DrawOpen):
        gala.draw_begin(people.boss, "first")
    gala.draw_abort(people.boss, people.deputy, "power-cut")
    gala.draw_begin(people.boss, "first").free()
    pending = gala.draw_pending()
    assert pending is not None and pending.attempt == 2 and pending.prize == "first" and pending.round_at is None
    with gala.draw_resume(people.boss, people.deputy) as draw, Rng.open("test:seed=05") as rng, Rng.open("system:") as other:
        draw.finish(rng)
        with pytest.raises(raffle.Drawn):
            draw.finish(other)


def test_a_provider_that_is_not_pinned(tmp_path: pathlib.Path, people: People) -> None:
    with Raffle.create(tmp_path / "r.raffle", make_rules(rng=["system"]), people.boss) as r, r.unit_open(1) as till, Rng.open("test:seed=05") as rng:
        till.sell(people.ann, Sale("one"))
        seal_and_ack(r, people)
        with pytest.raises(raffle.RngNotPinned):
            r.draw_begin(people.boss, "first", rng=rng)
        with r.draw_begin(people.boss, "first") as draw, pytest.raises(raffle.RngNotPinned):
            draw.finish(rng)


COMMITTED = make_rules(beacon="quicknet", sales={"opens": "2023-09-15T09:00:00.000Z", "closes": "2023-09-15T10:30:00.000Z"},
                       prizes=[{"name": "car", "seed": "committed", "beacon_delay": 60}])


def committed(path: pathlib.Path, people: People, clock: Clock, rng: Rng) -> Any:
    clock.now = ROUND_AT - datetime.timedelta(hours=1)
    r = Raffle.create(path, COMMITTED, people.boss, host=clock)
    with r.unit_open(1) as till:
        till.sell(people.ann, [Sale("one")] * 5)
    clock.now = ROUND_AT - datetime.timedelta(minutes=20)
    seal_and_ack(r, people)
    clock.now = ROUND_AT - datetime.timedelta(seconds=63)
    seed = rng.seed()
    draw = r.draw_begin(people.boss, "car", rng=rng, seed=seed)
    return r, seed, draw


def test_a_committed_draw(tmp_path: pathlib.Path, people: People, clock: Clock) -> None:
    with Rng.open("test:seed=07") as rng:
        r, seed, draw = committed(tmp_path / "r.raffle", people, clock, rng)
    info = draw.describe()
    assert info.committed and (info.round, info.round_at) == (ROUND, ROUND_AT) and info.fallback_at is not None
    assert raffle.seed_commitment(seed.seed) == seed.commitment and "seed" not in repr(seed).replace("Seed", "")
    stop = RuntimeError("no curve")

    def broken(round: int, value: bytes) -> bool:
        raise stop

    with pytest.raises(raffle.errors.Sequence):
        draw.finish(round=ROUND, beacon=VALUE, seed=seed.seed, verify=is_of_quicknet)
    clock.now = ROUND_AT
    with pytest.raises(raffle.Mismatch):
        draw.finish(round=ROUND, beacon=VALUE, seed=bytes(47) + b"1", verify=is_of_quicknet)
    with pytest.raises(raffle.Signature):
        draw.finish(round=ROUND, beacon=VALUE, seed=seed.seed, verify=lambda round, value: False)
    with pytest.raises(TypeError):
        draw.finish(round=ROUND, beacon=VALUE, seed=seed.seed, verify=lambda round, value: "yes")  # type: ignore[arg-type, return-value]
    with pytest.raises(RuntimeError) as caught:
        draw.finish(round=ROUND, beacon=VALUE, seed=seed.seed, verify=broken)
    assert caught.value is stop
    with pytest.raises(ValueError):
        draw.finish(round=ROUND, beacon=b"short", seed=seed.seed, verify=is_of_quicknet)
    draw.finish(round=ROUND, beacon=VALUE, seed=seed.seed, verify=is_of_quicknet)
    r.free()
    with Audit.run(tmp_path / "r.raffle", beacon=is_of_quicknet) as audit:
        told = audit.draw_at(0)
        assert audit.verdict().passed and told.committed and told.beacon_verified and told.round == ROUND and told.assurance == Assurance.OPERATOR
    with pytest.raises(RuntimeError) as caught:
        Audit.run(tmp_path / "r.raffle", beacon=broken)
    assert caught.value is stop


def test_a_lost_seed(tmp_path: pathlib.Path, people: People, clock: Clock) -> None:
    with Rng.open("test:seed=07") as rng:
        r, seed, draw = committed(tmp_path / "r.raffle", people, clock, rng)
    fallback = draw.describe().fallback_at
    clock.now = fallback
    draw.finish(round=ROUND, beacon=VALUE, fallback=b"\1" * 48, seed_lost=True, verify=lambda round, value: True)
    r.free()
    with Audit.run(tmp_path / "r.raffle") as audit:
        assert audit.draw_at(0).seed_lost and not audit.verdict().passed


def test_a_redraw(tmp_path: pathlib.Path, people: People) -> None:
    rules = make_rules(prizes=[{"name": "first", "amount": 1001, "winners": 2}, {"name": "again", "redraw_of": "first"}])
    with Raffle.create(tmp_path / "r.raffle", rules, people.boss) as r, r.unit_open(1) as till, Rng.open("test:seed=05") as rng:
        till.sell(people.ann, [Sale("one")] * 9)
        seal_and_ack(r, people)
        with r.draw_begin(people.boss, "first") as draw:
            draw.finish(rng)
        with pytest.raises(raffle.Sequence):
            r.draw_begin(people.boss, "again", reason="unclaimed", ok=people.sue)
        r.forfeit(people.boss, "first", 1, "unclaimed", ok=people.sue)
        prize = r.prize_by_name("again")
        assert (prize.redraw_of, prize.waits, prize.value, r.prize_by_name("first").redraw_of) == ("first", True, 500, "")
        with pytest.raises(raffle.Invalid, match="reason"):
            r.draw_begin(people.boss, "again", ok=people.sue)
        with pytest.raises(ValueError, match="NUL"):
            r.draw_begin(people.boss, "again", ok=people.sue, reason="un\0claimed")
        with r.draw_begin(people.boss, "again", reason="unclaimed", ok=people.sue) as draw:
            draw.finish(rng)
        assert not r.prize_by_name("again").waits


def test_a_drum(tmp_path: pathlib.Path, people: People) -> None:
    rules = make_rules(prizes=[{"name": "quilt", "draw": "drum", "alternates": 1}], tiers=[{"name": "three", "count": 3, "price": 500}])
    with Raffle.create(tmp_path / "r.raffle", rules, people.boss) as r, r.unit_open(1) as till:
        till.sell(people.ann, [Sale("three")] * 3)
        r.void(people.sue, 1, 2, "refund")
        r.print(people.ann, 1, 1, 9)
        r.void(people.sue, 1, 3, "misprint")
        foils = r.counterfoils(1)
        assert [(foil.number, foil.void, foil.printed, foil.in_drum, foil.reprinted) for foil in foils][::3] == [
            (1, False, True, False, False), (4, True, False, False, False), (7, True, True, True, False)]
        assert foils[0].validation == till.validation(1) and foils[0].validation not in repr(foils[0]) and r.unit_describe(1).printed == 9
        with pytest.raises(raffle.errors.Sequence):
            r.print(people.ann, 1, 1, 9)
        r.reprint(people.sue, people.boss, 1, 1, 1, "torn")
        r.ticket_reprint(people.sue, people.boss, 1, 1, "lost")
        assert r.counterfoils(1, 1, 1)[0].reprinted and r.ticket_get(1, 1).reprinted

        def stop(foil: raffle.Counterfoil) -> None:
            raise KeyError(foil.number)

        with pytest.raises(KeyError, match="2"):
            r.counterfoil_each(stop, 1, 2)
        seal_and_ack(r, people)
        with r.draw_begin(people.boss, "quilt", ok=people.deputy) as draw:
            assert [draw.call(1, number).outcome for number in (4, 99, 1)] == [CallOutcome.VOID, CallOutcome.UNSOLD, CallOutcome.TAKEN]
            assert draw.describe().drum and draw.describe().taken == 1 and draw.describe().calls == 3
            with pytest.raises(raffle.Approval):
                draw.finish()
            draw.finish(ok=people.deputy)
        assert r.pick_at("quilt", 1).number == 1


def test_an_ace(tmp_path: pathlib.Path, people: People) -> None:
    rules = make_rules(prizes=[{"name": "jackpot", "share": 3000, "ace": 3, "alternates": 1, "must_go": True, "papers_above": 100}])
    with Raffle.create(tmp_path / "r.raffle", rules, people.boss) as r, r.unit_open(1) as till:
        till.sell(people.ann, [Sale("one")] * 5)
        draw_one(r, people, "jackpot")
        first = till.validation(r.pick_at("jackpot", 1).serial)
        r.winner_verify(people.boss, "jackpot", 1, first)
        r.winner_official(people.boss, "jackpot", 1)
        with pytest.raises(raffle.Invalid):
            r.winner_pick(people.boss, people.deputy, "jackpot", 1, 9, Ace.FOUND)
        assert r.winner_pick(people.boss, people.deputy, "jackpot", 1, 2, Ace.MISSED) == 2
        assert r.pick_at("jackpot", 1).state == PlaceState.MISSED
        second = till.validation(r.pick_at("jackpot", 2).serial)
        r.winner_verify(people.boss, "jackpot", 2, second)
        r.winner_official(people.boss, "jackpot", 2)
        assert r.winner_pick(people.boss, people.deputy, "jackpot", 2, 1, Ace.FOUND) == 0
        with pytest.raises(raffle.Papers):
            r.claim(people.boss, people.deputy, "jackpot", 2, second)
        r.claim_wait(people.boss, "jackpot", 2, second)
        assert r.pick_at("jackpot", 2).state == PlaceState.WAITING
        r.claim_papers(people.boss, people.deputy, "jackpot", 2, second, "passport 12")
        assert r.pick_at("jackpot", 2).state == PlaceState.CLAIMED and r.pick_at("jackpot", 2).found


def test_forfeit_and_a_void_winner(gala: Raffle, till: Unit, people: People) -> None:
    till.sell(people.ann, [Sale("one")] * 9)
    draw_one(gala, people)
    with pytest.raises(raffle.Approval):
        gala.forfeit(people.boss, "first", 1, "unclaimed")
    assert gala.forfeit(people.boss, "first", 1, "unclaimed", people.deputy) == 2
    assert gala.pick_at("first", 1).state == PlaceState.FORFEITED and gala.pick_at("first", 2).state == PlaceState.DRAWN
    with pytest.raises(raffle.Mismatch):
        gala.winner_verify(people.boss, "first", 2, till.validation(gala.pick_at("first", 1).serial))
    with pytest.raises(raffle.NotFound):
        gala.pick_at("first", 3)
    assert gala.pick_at("first", 2).claim_by is not None
