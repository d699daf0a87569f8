# SPDX-License-Identifier: Apache-2.0
"""Raffles made by the command, for the tests of verifiers: each is sold, sealed, drawn and published into the working folder."""
import json
import os
import subprocess
import sys

RAFFLE = os.environ["RAFFLE"]
SOURCE = os.environ["RAFFLE_SOURCE"]
BEACON_VERIFIER = f"{sys.executable} {SOURCE}/examples/beacon/verify_quicknet.py"
ROUND, ROUND_AT = 657413, "2023-09-15T11:00:03.000Z"  # of drand's quicknet, the one that is published everywhere
SIGNATURE = "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b"
CSV = "kind,at,unit,order,tier,count,payment,buyer,channel,reason,by"


class Failed(Exception):
    """The command did not do what it was asked."""


def raffle(clock, *arguments, status=0, ok=None, given=None):
    environment = dict(os.environ, RAFFLE_CLOCK=clock, RAFFLE_ACTOR="boss:manager", RAFFLE_BEACON_VERIFIER=BEACON_VERIFIER)
    if ok:
        arguments = (*arguments, "--ok", ok)
    done = subprocess.run([RAFFLE, *arguments], env=environment, capture_output=True, text=True, input=given, check=False)
    if done.returncode != status:
        raise Failed(f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    return done.stdout


def write(name, value):
    with open(name, "w", encoding="utf-8") as f:
        f.write(value if isinstance(value, str) else json.dumps(value))


def rules(name, **more):
    return {"origin": f"raffle.example/{name}", "name": name, "organisation": "Club", "currency": "CAD", "rehearsal": True, "rng": ["test", "system"],
            "sales": {"opens": "2023-09-15T09:00:00.000Z", "closes": "2023-09-15T10:30:00.000Z"},
            "tiers": [{"name": "one", "count": 1, "price": 300}, {"name": "ten", "count": 10, "price": 2000}], **more}


def make(name, raffle_rules):
    store = f"{name}.raffle"
    write(f"{name}.json", raffle_rules)
    raffle("2023-09-15T08:59:00.000Z", "create", store, "--rules", f"{name}.json")
    return store


def sell(store, lines):
    write("sales.csv", "\n".join([CSV, *lines]) + "\n")
    raffle("2023-09-15T10:31:00.000Z", "import", store, "sales.csv", "--replay")


def sale(second, unit, order, tier="ten", count=1):
    return f"sale,{time_of(second)},{unit},{order},{tier},{count},,,web,,ann:seller"


def void(second, order):
    return f"void,{time_of(second)},,{order},,,,,,refund,sue:supervisor"


def time_of(second):
    """So many seconds after the sales opened."""
    return f"2023-09-15T{9 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000Z"


def seal(store, *early):
    clock = time_of(1800) if early else "2023-09-15T10:40:00.000Z"
    raffle(clock, "seal", store, *early)
    raffle(clock, "ack", store, *early)


def draw(store, prize, seed, clock="2023-09-15T10:45:00.000Z"):
    raffle(clock, "draw", store, prize, "--rng", f"test:seed={seed}")


def order_without_place(store, prize, orders):
    """The first of the orders of which no ticket holds a place, as it could not be voided."""
    held = {place["ticket"] for place in json.loads(raffle(ROUND_AT, "status", store, "--prize", prize, "--json"))["prize"]["places"]}
    for order in orders:
        tickets = json.loads(raffle(ROUND_AT, "order", store, order, "--json"))["tickets"]
        if not held & {ticket["ticket"] for ticket in tickets}:
            return order
    raise Failed(f"all of {orders} hold places of {prize}")


def drawn_place(store, prize):
    """The first place that waits for its winner, and the validation number on the ticket; not one whose ticket is void by now."""
    for place in json.loads(raffle(ROUND_AT, "status", store, "--prize", prize, "--json"))["prize"]["places"]:
        ticket = json.loads(raffle(ROUND_AT, "ticket", store, "--number", place["number"], "--json"))["tickets"][0]
        if place["state"] == "drawn" and not ticket["void"]:
            return str(place["place"]), ticket["validation"]
    raise Failed(f"no place of {prize} waits")


def publish(store):
    folder = store.replace(".raffle", ".public")
    raffle(ROUND_AT, "publish", store, folder)
    return folder


def tiny():
    """One unit, three tickets, one of them void, a draw."""
    store = make("tiny", rules("tiny", prizes=[{"name": "first", "share": 5000}]))
    sell(store, [sale(1, 1, "a"), sale(2, 1, "b", "one"), sale(3, 1, "c"), void(4, "b")])
    seal(store)
    draw(store, "first", "01")
    return store


def night():
    """Three units, an early seal and a final one, voids in both logs, every one-win rule, tiers that are not entered, and every state of a place."""
    prizes = [{"name": "early-bird", "seal": "early", "winners": 2, "alternates": 1}, {"name": "main", "alternates": 12, "winners": 2},
              {"name": "numbers", "one_win": "number", "winners": 3, "tiers": ["ten"]}, {"name": "again", "one_win": "none", "winners": 2, "alternates": 1},
              {"name": "last", "winners": 30, "alternates": 60}]
    store = make("night", rules("night", prizes=prizes, units=[{"name": "web"}, {"name": "till", "quota": 600}, {"name": "spare"}]))
    early = [sale(i, 1 + i % 2, f"early-{i}", "one" if i % 5 == 0 else "ten", 1 + i % 3) for i in range(30)] + [void(31, "early-4")]
    sell(store, early)
    seal(store, "--early")
    draw(store, "early-bird", "02", time_of(1900))
    raffle(time_of(1950), "event", store, "printer.failure", "--unit", "2", "--component", "printer-1")
    sell(store, [sale(2000 + i, 1 + i % 2, f"late-{i}", "one" if i % 3 else "ten") for i in range(40)]
         + [void(2100, "late-3"), void(2101, order_without_place(store, "early-bird", ("early-11", "early-13", "early-17", "early-19")))])
    seal(store)
    raffle("2023-09-15T10:41:00.000Z", "void", store, "--order", "late-7", "--reason", "error")  # into the control log, as the unit is closed
    for i, prize in enumerate(("main", "numbers", "again", "last")):
        draw(store, prize, f"1{i}")
    after = "2023-09-15T10:50:00.000Z"
    raffle(after, "forfeit", store, "main", "--place", "1", "--reason", "absent", ok="sue:supervisor")
    for prize in ("early-bird", "main", "again", "numbers"):
        place, number = drawn_place(store, prize)
        raffle(after, "verify-winner", store, prize, "--place", place, "--validation", "-", given=number + "\n")
        if prize in ("main", "again"):
            raffle(after, "official", store, prize, "--place", place)
        if prize == "main":
            raffle(after, "claim", store, prize, "--place", place, "--validation", "-", given=number + "\n", ok="sue:supervisor")
    return store


def elsewhere():
    """Two units, an early seal and a final one; the second unit sells before the early seal alone."""
    store = make("elsewhere", rules("elsewhere", units=[{"name": "web"}, {"name": "tent", "quota": 200}], prizes=[
        {"name": "early-bird", "seal": "early", "alternates": 1}, {"name": "main", "alternates": 2}]))
    sell(store, [sale(300 + i, 1 + i % 2, f"early-{i}") for i in range(12)])
    seal(store, "--early")
    draw(store, "early-bird", "21", time_of(1900))
    sell(store, [sale(2000 + i, 1, f"late-{i}", "one") for i in range(4)])
    seal(store)
    draw(store, "main", "22")
    return store


def drum():
    """No RNG: two units, counterfoils, voids before and after they went to print, numbers that are rejected for every reason, and a prize that asks for papers."""
    raffle_rules = rules("drum", prizes=[{"name": "quilt", "draw": "drum", "alternates": 1, "tiers": ["ten"], "amount": 900000, "papers_above": 500000, "claim_days": 2},
                                         {"name": "half", "draw": "drum", "share": 5000, "winners": 2}],
                         units=[{"name": "web"}, {"name": "till"}], watch={"failures": 3, "minutes": 60})
    del raffle_rules["rng"]
    store = make("drum", raffle_rules)
    sell(store, [sale(i, 1 + i % 2, f"order-{i}", "one" if i in (3, 4) else "ten") for i in range(8)] + [void(20, "order-0")])
    clock = "2023-09-15T10:40:00.000Z"
    for unit in ("1", "2"):
        raffle(clock, "print", store, unit)
    raffle(clock, "void", store, "--order", "order-1", "--reason", "misprint")  # unit 2's first ten: printed, and to be taken out
    raffle(clock, "reprint", store, "--number", "1-0000012", "--reason", "torn", ok="sue:supervisor")
    seal(store)
    raffle(clock, "draw", store, "quilt", "--manual", "1-0000099", "2-0000003", "1-0000021", "1-0000012", "1-0000012", "1-0000013", "2-0000015")
    raffle(clock, "draw", store, "half", "--manual", "1-0000011", "2-0000025")
    raffle(clock, "draw", store, "half", "--manual", "--finish", ok="sue:supervisor")
    place, number = drawn_place(store, "quilt")
    after = "2023-09-15T10:50:00.000Z"
    raffle(after, "verify-winner", store, "quilt", "--validation", "-", given=number + "\n")
    raffle(after, "official", store, "quilt")
    raffle(after, "claim", store, "quilt", "--validation", "-", "--wait", given=number + "\n")
    raffle(after, "claim", store, "quilt", "--validation", "-", "--papers", "form 9", given=number + "\n", ok="sue:supervisor")
    return store


def refused():
    """Voids after the seal, so that winners are refused and alternates promoted."""
    store = make("refused", rules("refused", prizes=[{"name": "first", "winners": 1, "alternates": 3}, {"name": "second", "one_win": "none", "winners": 2}]))
    sell(store, [sale(i, 1, f"order-{i}", "one") for i in range(4)])
    seal(store)
    for i in range(3):
        raffle("2023-09-15T10:41:00.000Z", "void", store, "--order", f"order-{i}", "--reason", "payment")
    for prize in ("first", "second"):
        draw(store, prize, "08")
    waiting = True
    while waiting:  # until a ticket is good, or the second prize bars all alternates that are left
        places = json.loads(raffle(ROUND_AT, "status", store, "--prize", "first", "--json"))["prize"]["places"]
        waiting = [place for place in places if place["state"] == "drawn"]
        for place in waiting:
            ticket = json.loads(raffle(ROUND_AT, "ticket", store, "--number", place["number"], "--json"))["tickets"][0]
            raffle("2023-09-15T10:50:00.000Z", "verify-winner", store, "first", "--place", str(place["place"]), "--validation", "-",
                   given=ticket["validation"] + "\n", status=3 if ticket["void"] else 0)
    return store


def expired():
    """An alternate who takes over when the claim period is over has one of its own; a prize without one is forfeited at any time, also by a clock that was set back.
    A redraw that nobody needs is not drawn, and a prize after it asks for papers."""
    store = make("expired", rules("expired", prizes=[{"name": "first", "alternates": 2, "claim_days": 2, "one_win": "none"}, {"name": "again", "redraw_of": "first"},
                                                {"name": "hat", "claim_days": 0, "one_win": "none"}, {"name": "cake", "amount": 900, "papers_above": 500, "one_win": "none"}]))
    sell(store, [sale(i, 1, f"order-{i}") for i in range(4)])
    seal(store)
    for prize in ("first", "hat", "cake"):
        draw(store, prize, "09")
    back, over, last = "2023-09-15T10:44:00.000Z", "2023-09-17T10:45:00.000Z", "2023-09-19T10:44:59.999Z"
    raffle(back, "event", store, "clock.reset")
    raffle(back, "forfeit", store, "hat", "--reason", "gone")
    raffle(over, "forfeit", store, "first", "--reason", "unclaimed")
    raffle(over, "forfeit", store, "first", "--place", "2", "--reason", "unclaimed", status=1)
    for prize, papers in (("first", ()), ("cake", ("--papers", "form 9"))):
        place, number = drawn_place(store, prize)
        raffle(last, "verify-winner", store, prize, "--place", place, "--validation", "-", given=number + "\n")
        raffle(last, "official", store, prize, "--place", place)
        raffle(last, "claim", store, prize, "--place", place, "--validation", "-", *papers, given=number + "\n", ok="sue:supervisor")
    return store


def running():
    """Selling still goes on, and a unit has not sold yet."""
    store = make("running", rules("running", prizes=[{"name": "first"}], units=[{"name": "web"}, {"name": "till"}]))
    sell(store, [sale(i, 1, f"order-{i}", "one", 3) for i in range(300)] + [void(301, "order-299")])
    return store


def many():
    """More than 500 places, so that the draw has picks."""
    store = make("many", rules("many", prizes=[{"name": "all", "winners": 600, "alternates": 700}, {"name": "rest", "winners": 5}]))
    sell(store, [sale(i // 4, 1, f"order-{i}", "one", 60) for i in range(24)] + [void(50, "order-3")])
    seal(store)
    draw(store, "all", "03")
    draw(store, "rest", "04")
    return store


def committed():
    """A committed draw, and a random one after it."""
    store = make("committed", rules("committed", beacon="quicknet", prizes=[
        {"name": "car", "alternates": 1, "seed": "committed", "beacon_delay": 60}, {"name": "hat"}]))
    sell(store, [sale(i, 1, f"order-{i}") for i in range(5)])
    seal(store)
    begin = "2023-09-15T10:59:02.000Z"  # a minute later, the first round is the published one
    write("round.json", {"round": ROUND, "signature": SIGNATURE})
    raffle(begin, "draw", store, "car", "--rng", "test:seed=05", "--seed", "car.seed", "--begin")
    raffle(ROUND_AT, "draw", store, "car", "--seed", "car.seed", "--beacon", "round.json")
    draw(store, "hat", "06", "2023-09-15T11:00:05.000Z")
    return store


def lost():
    """A committed draw whose seed is lost; nobody verified the later round, and the audit reports both."""
    store = make("lost", rules("lost", beacon="quicknet", prizes=[{"name": "car", "seed": "committed", "beacon_delay": 60}]))
    sell(store, [sale(i, 1, f"order-{i}") for i in range(5)])
    seal(store)
    raffle("2023-09-15T10:59:02.000Z", "draw", store, "car", "--rng", "test:seed=07", "--seed", "lost.seed", "--begin")
    os.unlink("lost.seed")
    write("any.sh", f'#!/bin/sh\necho "{{\\"round\\":$1,\\"signature\\":\\"{SIGNATURE}\\"}}"\n')
    os.chmod("any.sh", 0o755)
    raffle("2023-09-16T11:00:03.000Z", "draw", store, "car", "--seed-lost", "--beacon", "./any.sh", "--beacon-verifier", "true")
    return store
