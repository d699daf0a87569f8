#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of a night: the seal, the voids, every draw, the winners' board, the reports, what is published, and an audit by the control key. Run again after a power cut, it goes
on where it stopped.

    python3 draw_night.py STORE --rng system: --out FOLDER
"""
import argparse
import decimal
import pathlib

import raffle

BOSS = raffle.Actor("boss", raffle.Role.MANAGER)
DEPUTY = raffle.Actor("deputy", raffle.Role.MANAGER)
REPORTS = ("sales", "drawing")


def final_seal(r: raffle.Raffle) -> raffle.SealInfo:
    try:
        seal = r.seal(BOSS, raffle.SealKind.FINAL)
    except raffle.Closed:  # it is there already
        seal = r.seal_latest(raffle.SealKind.FINAL)
    if not seal.acknowledged:
        print(f"{seal.voids} of {seal.tickets} tickets are void: reconcile them, then acknowledge")
        r.voids_ack(BOSS, seal.index)
    return seal


def begun(r: raffle.Raffle, prize: raffle.Prize, rng: raffle.Rng) -> raffle.Draw:
    """The draw of a prize: the one that a crash left open, or a new one."""
    if r.draw_pending() is not None:
        return r.draw_resume(BOSS, DEPUTY)
    return r.draw_begin(BOSS, prize.name, rng=rng)


def draw(r: raffle.Raffle, prize: raffle.Prize, rng: raffle.Rng) -> None:
    if prize.state == raffle.PrizeState.DRAWN:
        return
    with begun(r, prize, rng) as open_draw:
        while True:
            try:
                open_draw.finish(rng)
                return
            except raffle.RandomnessError as no:  # nothing was drawn, and the intent stays open
                input(f"{no}. Enter to ask the provider again: ")


def money(amount: int, info: raffle.Info) -> str:
    return f"{decimal.Decimal(amount).scaleb(-info.digits):,f} {info.currency}"


def board(r: raffle.Raffle) -> None:
    info = r.describe()
    print(f"{info.name}: {info.tickets - info.voids:,} tickets, {money(info.pot, info)}" + (", a REHEARSAL" if info.rehearsal else ""))
    for prize in r.prizes():
        print(f"{prize.title}, {money(prize.each, info)} each")
        for pick in r.picks(prize.name):
            ticket = r.ticket_get(pick.unit, pick.serial)
            what = "winner" if pick.place <= prize.winners else "alternate"
            print(f"  {pick.place} {raffle.number_format(pick.unit, pick.number)} of ticket {ticket.unit}/{ticket.serial}: {what}, {pick.state.name.lower()}")


def hand_out(r: raffle.Raffle, out: pathlib.Path) -> None:
    for name in REPORTS:
        with open(out / f"{name}.html", "wb") as page:
            r.report_write(name, page, format=raffle.ReportFormat.HTML, maker="draw_night.py")
    info = r.publish(out / "public")
    print(f"published: {info.records:,} records in {info.logs} logs")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("--rng", required=True)
    parser.add_argument("--out", required=True, type=pathlib.Path)
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    with raffle.Raffle.open(given.store) as r, raffle.Rng.open(given.rng) as rng:
        key = r.describe().control_key
        final_seal(r)
        for prize in r.prizes():
            draw(r, prize, rng)
        board(r)
        hand_out(r, given.out)
    for place in (given.store, given.out / "public"):
        with raffle.Audit.run(place, control_key=key) as audit:
            print(f"audit of {place}: {'passed' if audit.verdict().passed else 'FAILED'}")
            for fault in audit.faults():
                print(f"  {fault.kind.name.lower()} of log {fault.log}, record {fault.index}: {fault.message}")


if __name__ == "__main__":
    main()
