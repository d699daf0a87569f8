#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A week of catch the ace through the command: the jackpot grows with the sales, the winner opens envelopes, and what is carried over is what the next raffle's rules say; buyers are limited.
Values are compared with tests/reference/prize_reference.py. Then a place that is lost with its alternate, and its redraw."""

import json
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ["RAFFLE_SOURCE"])
sys.path.insert(0, str(SOURCE / "tests/reference"))
import prize_reference  # noqa: E402

STORE = "ace-1.raffle"
PRIZES = [{"name": "jackpot", "share": 3000, "start": 1000, "cap": 4000, "above": "next", "ace": 3, "round_to": 50},
          {"name": "weekly", "share": 2000, "tiers": ["ten"], "pot": "entered", "minimum": 500, "round": "nearest", "cap": 100000, "above": "carry"}]
RULES = {
    "origin": "raffle.example/ace-1", "name": "Ace", "organisation": "Club", "currency": "CAD", "rehearsal": True, "series": {"name": "Ace 2026", "number": 1},
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z", "buyer_tickets": 2},
    "tiers": [{"name": "one", "count": 1, "price": 501}, {"name": "ten", "count": 10, "price": 2003}], "prizes": PRIZES, "rng": ["test"],
}


def run(*arguments, status=0, said=""):
    done = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True)
    assert done.returncode == status and said in done.stdout + done.stderr, (arguments, done.returncode, done.stdout[-500:], done.stderr)
    return done.stdout


def by(*more):
    return (*more, "--by", "boss:manager")


def prizes():
    return json.loads(run("status", STORE, "--json"))["prizes"]


def check(pots, estimate):
    """What the status says of both prizes is what the reference computes from their pots."""
    for is_, (value, overflow, each, remainder) in zip(prizes(), prize_reference.chain(PRIZES, pots)):
        assert (is_["value"], is_["overflow"], is_["each"], is_["remainder"], is_["estimate"]) == (value, overflow, each, remainder, estimate), (is_, value, overflow)


def catch_the_ace():
    pathlib.Path("rules.json").write_text(json.dumps(RULES), encoding="utf-8")
    run("create", STORE, "--rules", "rules.json", "--by", "boss:manager")
    check((0, 0), True)
    ones = tens = 0
    for i in range(12):
        tier = "ten" if i % 3 == 0 else "one"
        run("sell", STORE, "--tier", tier, "--order", f"o-{i}", "--buyer", f"buyer-{i % 6}", "--by", "ann:seller")
        ones, tens = ones + (tier == "one"), tens + (tier == "ten")
        check((501 * ones + 2003 * tens, 2003 * tens), True)
    run("sell", STORE, "--tier", "one", "--buyer", "buyer-1", "--by", "ann:seller", status=1, said="tickets that the rules allow")
    run("sell", STORE, "--tier", "one", "--by", "ann:seller", status=1, said="no buyer")
    run("void", STORE, "--ticket", "1/1", "--reason", "refund", "--by", "sue:supervisor")
    pots = (501 * ones + 2003 * (tens - 1), 2003 * (tens - 1))
    check(pots, True)
    assert "(estimate)" in run("status", STORE) and "Ace 2026, number 1" in run("status", STORE)
    run(*by("seal", STORE))
    run(*by("ack", STORE))
    check(pots, False)
    assert "(estimate)" not in run("status", STORE)
    run(*by("draw", STORE, "jackpot", "--rng", "test:seed=01"))
    place = json.loads(run("status", STORE, "--prize", "jackpot", "--json"))["prize"]["places"][0]
    number = json.loads(run("ticket", STORE, "--ticket", place["ticket"], "--json"))["tickets"][0]["validation"]
    pathlib.Path("number.txt").write_text(number + "\n", encoding="utf-8")
    pick = by("pick", STORE, "jackpot", "--envelope", "2", "--missed")
    run(*pick, "--ok", "sue:supervisor", status=1, said="no winner.pick now")
    with open("number.txt", encoding="utf-8") as line:
        subprocess.run([os.environ["RAFFLE"], *by("verify-winner", STORE, "jackpot", "--validation", "-")], stdin=line, check=True, stdout=subprocess.DEVNULL)
    run(*by("official", STORE, "jackpot"))
    run(*pick, status=2, said="in front of two")
    run(*pick, "--ok", "sue:supervisor", said="missed")
    jackpot, weekly = prizes()
    assert jackpot["carry"] == jackpot["value"] == 4000 and weekly["carry"] == 0 and jackpot["places"][0]["state"] == "missed"
    assert "to be carried over to the next raffle, of jackpot: 40.00 CAD" in run("status", STORE)
    run(*by("draw", STORE, "weekly", "--rng", "test:seed=02"))
    report = json.loads(run("report", STORE, "drawing", "--format", "json"))
    totals = report["totals"]
    assert totals["carry"] == 4000 and totals["prizes"] == weekly["value"], totals
    run("audit", STORE)
    return jackpot, weekly


def redraw():
    """The first draw's places are lost, one after the other; what is drawn again is worth one of them."""
    store = "again.raffle"
    rules = {**RULES, "origin": "raffle.example/again", "series": {"name": "Ace 2026", "number": 2}, "rng": ["test"], "prizes": [
        {"name": "first", "amount": 1001, "winners": 2, "alternates": 1}, {"name": "again", "redraw_of": "first"}, {"name": "quilt"}]}
    pathlib.Path("again.json").write_text(json.dumps(rules), encoding="utf-8")
    run("create", store, "--rules", "again.json", "--by", "boss:manager")
    for i in range(9):
        run("sell", store, "--tier", "one", "--order", f"o-{i}", "--buyer", f"b-{i}", "--by", "ann:seller")
    run(*by("seal", store))
    run(*by("ack", store))
    draw = by("draw", store, "again", "--rng", "test:seed=04")
    run(*by("draw", store, "first", "--rng", "test:seed=03"))
    ok = ("--ok", "sue:supervisor")
    run(*by("forfeit", store, "first", "--place", "1", "--reason", "unclaimed"), *ok)
    assert "not needed" in run("status", store)
    run(*draw, "--reason", "unclaimed", *ok, status=1, said="none is without a winner")
    run(*by("forfeit", store, "first", "--place", "2", "--reason", "unclaimed"), *ok)
    run(*draw, *ok, status=1, said="needs a word for its reason")
    run(*draw, "--reason", "unclaimed", status=1, said="second approver")
    run(*draw, "--reason", "unclaimed", *ok, said="a redraw of first")
    run(*by("draw", store, "quilt", "--rng", "test:seed=05"))
    first, again, _ = json.loads(run("status", store, "--json"))["prizes"]
    assert again["value"] == first["each"] == 500 and again["redraw_of"] == "first" and not again["waits"], again
    held = {place["ticket"] for place in first["places"]}
    assert len(held) == 3 and again["places"][0]["ticket"] not in held
    totals = json.loads(run("report", store, "drawing", "--format", "json"))["totals"]
    assert totals["prizes"] == 1001, totals
    run("audit", store)


def main():
    jackpot, weekly = catch_the_ace()
    redraw()
    print(f"a jackpot of {jackpot['value']} carried over, {weekly['value']} given away")


main()
