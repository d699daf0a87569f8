#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raffles that their own operator forged, with the raffle's keys and everything else in order: the library's audit and examples/verifier must both
reject each, and for the same reason."""

import datetime
import hashlib
import json
import os
import shutil
import subprocess
import sys

SOURCE = os.environ["RAFFLE_SOURCE"]
sys.path[:0] = [os.path.join(SOURCE, "tests", "verifier"), os.path.join(SOURCE, "examples", "verifier")]

import away
import forge
import raffles
import verify
from alter import add_to, early, in_earnest, insert, late, remove, set_to, twice, without

checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


# --- the forgeries (tests/verifier/alter.py) ---


def swap_places(value):
    value["places"][0], value["places"][1] = value["places"][1], value["places"][0]


def alter_number(value):
    value["places"][0]["number"] += 1


def no_voids(value):
    value.update(voids=0, void_numbers=0, void_gross=0, void_root=hashlib.sha256(b"").hexdigest())


def prizes_in_another_order(forgery):
    prizes = forgery.rules()["prizes"]
    prizes[1], prizes[2] = prizes[2], prizes[1]


def a_void_that_the_seal_forgets(forgery):
    """The seal and the draw do as if no ticket was void; the sums fit."""
    sealed = [r for r in forgery.logs[0] if r["t"] == "seal.unit"]
    seals = [r for r in forgery.logs[0] if r["t"] == "seal"]

    def alter(record, index, log):
        if any(record is r for r in sealed):
            no_voids(record.value)
        if any(record is r for r in seals):
            record.value.update(voids=0, void_numbers=0, void_gross=0)
    return {"late": alter}


def a_seal_of_a_shorter_log(forgery):
    """The early seal again where the final one stands: without what was sold since, and without its close."""
    first, final = forgery.find("seal.unit", 0), forgery.find("seal.unit", 3)
    final.last = first.last


def erased(late_by):
    """The rules keep private parts for three years, and one is erased so many milliseconds after that."""
    def alter(forgery):
        rules = forgery.rules()
        rules["keep_years"] = 3
        closes = datetime.datetime.strptime(rules["sales"]["closes"], "%Y-%m-%dT%H:%M:%S.%fZ")
        at = closes + datetime.timedelta(days=3 * 366, milliseconds=late_by)
        told = {"t": "event", "by": "manager", "code": "private.erased", "p": "0" * 64, "serial": 1, "unit": 1}
        forgery.logs[0].append(forge.Record({"at": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z", **told}))
    return alter


def another_key(forgery):
    """A unit's log signed by a key that is not enrolled."""
    forgery.keys[1] = forge.Key(forgery.keys[1].name, b"\x07" * 32)


def another_control_key(forgery):
    forgery.keys[0] = forge.Key(forgery.keys[0].name, b"\x08" * 32)


def not_canonical(forgery):
    return {"leaf_of": lambda record, index, log: json.dumps(record.value, sort_keys=True).encode() if log == 1 and index == 1 else None}


def a_clock_set_back_before_the_intent(forgery):
    """Records before it are later than the intent, so that its round may have been known."""
    forgery.find("voids.ack")["at"] = "2023-09-15T11:30:00.000Z"
    insert({"t": "event", "code": "clock.reset", "at": "2023-09-15T10:58:00.000Z"}, "voids.ack")(forgery)


def a_void_winner_who_is_verified(forgery):
    """Void after the early seal and before the close, in the unit's log; the early draw, which stays as it was, has it as its winner."""
    verified = forgery.find("winner.verify")
    place = forgery.places(forgery.find("draw.result"))[verified["place"] - 1]
    unit, sale = place["unit"], forgery.logs[place["unit"]][place["serial"]]
    void = {"t": "void", "count": sale["count"], "price": sale["price"], "reason": "error", "serial": place["serial"], "unit": unit}
    insert(void, forgery.logs[unit][-2]["t"], -1, unit)(forgery)


def a_winner_who_is_taken_back(forgery, at=None):
    """In the unit's log, when it was known that the ticket had won: then the place is refused, and an alternate takes it."""
    verified = forgery.find("winner.verify")
    place = forgery.places(forgery.find("draw.result"))[verified["place"] - 1]
    unit, sale = place["unit"], forgery.logs[place["unit"]][place["serial"]]
    void = {"t": "void", "count": sale["count"], "price": sale["price"], "reason": "error", "serial": place["serial"], "unit": unit}
    insert({**void, "at": at} if at else void, forgery.logs[unit][-2]["t"], -1, unit)(forgery)
    verified["outcome"] = "void"


def a_winner_who_is_taken_back_and_never_asked(forgery):
    a_winner_who_is_taken_back(forgery)
    forgery.logs[0].remove(forgery.find("winner.verify"))


def a_winner_who_is_taken_back_while_the_provider_is_asked(forgery):
    """Whoever has its answer knows who wins, and writes the result when the ticket is void."""
    a_winner_who_is_taken_back(forgery, "2023-09-15T09:36:00.000Z")
    forgery.find("draw.result")["at"] = "2023-09-15T09:40:00.000Z"


def programs(*found):
    """Programs that were found altered or good before a draw: (code, role, the maker's number or None)."""
    def alter(forgery):
        for code, by, maker in reversed(found):
            key = {} if maker is None else {"key": forge.Key("maker.example/release", bytes([maker]) * 32).vkey}
            insert({"t": "event", "code": "program." + code, "by": by, **key}, "voids.ack")(forgery)
    return alter


def a_sale_after_the_window(forgery):
    """The unit's log passes the end of the sales; then its clock is set back, and it sells on."""
    for record in ({"t": "event", "code": "x.late", "at": "2023-09-15T10:30:00.000Z"},
                   {"t": "event", "code": "clock.reset", "at": "2023-09-15T10:29:00.000Z"},
                   {"t": "sale", "at": "2023-09-15T10:29:59.000Z", "by": "seller", "count": 1, "price": 300, "tier": "one"}):
        insert(record, forgery.logs[1][-2]["t"], -1, 1)(forgery)


def a_sale_before_the_window(forgery):
    for kind in ("unit.start", "sale"):
        forgery.find(kind, 0, 2)["at"] = "2023-09-15T08:59:30.000Z"


def a_void_of_a_ticket_to_come(forgery, before="seal.unit", at="2023-09-15T09:00:30.000Z"):
    """The ticket that the control log takes back is void before the early seal, and sold after it."""
    void = forgery.find("void")
    forgery.logs[0].remove(void)
    void["at"] = at
    forgery.logs[0].insert(forgery.logs[0].index(forgery.find(before)), void)


def a_void_of_what_is_no_ticket(forgery):
    forgery.find("void", 0, 2)["serial"] = forgery.logs[2].index(forgery.find("event", 0, 2))


def a_forfeit_of_a_period_that_was_not_over(forgery):
    """The clock leaps, a place is forfeited that nobody approved, and the clock is set back."""
    forfeit = forgery.find("forfeit")
    forfeit.value.pop("ok")
    forfeit["at"] = "2024-09-15T10:50:00.000Z"
    insert({"t": "event", "code": "clock.reset", "at": "2023-09-15T10:50:00.000Z"}, "forfeit")(forgery)


def another_seed(value):
    value["seed"] = "0" * 96


def a_unit_enabled_after_its_sales_were_sealed(forgery):
    enable, result = forgery.find("unit.enable"), forgery.find("draw.result")
    forgery.logs[0].remove(enable)
    enable["at"] = result["at"]
    forgery.logs[0].insert(forgery.logs[0].index(result) + 1, enable)


def an_early_seal_too_many(forgery):
    """Of the early prize, which is drawn."""
    at = forgery.logs[0].index(forgery.find("draw.result")) + 1
    run = []
    for record in (*(forgery.find("seal.unit", i) for i in range(3)), forgery.find("seal")):
        again = forge.Record({**record.value, "at": forgery.logs[0][at - 1]["at"]})
        again.last = record.last
        run.append(again)
    run[-1].refers["first"] = run[0]
    forgery.logs[0][at:at] = run


NIGHT = {
    "a total in a seal.unit": (late("seal.unit", add_to(gross=100)), {"seal"}),
    "voids in a seal.unit": (late("seal.unit", add_to(voids=1, void_numbers=1)), {"seal"}),
    "a sum in the seal": (late("seal", add_to(tickets=1)), {"fold"}),
    "the kind of the final seal": (late("seal", set_to(kind="early"), 1), {"fold"}),
    "an early seal that no prize waits for": (an_early_seal_too_many, {"fold"}),
    "an approver who is a seller, where none was needed": (late("seal", set_to(ok="seller")), {"fold"}),
    "an erasure of what is kept": (erased(-1), {"fold"}),
    "an event about no unit": (insert({"t": "event", "code": "x.rain", "unit": 0}, "voids.ack"), set()),
    "an event of a draw by a seller": (insert({"t": "event", "code": "draw.", "by": "seller"}, "voids.ack"), {"fold"}),
    "an asking in a unit's log": (insert({"t": "event", "code": "draw.ask-failed", "ask": 1}, "sale", 0, 1), {"fold"}),
    "a restoring by a seller": (insert({"t": "event", "code": "raffle.restored", "component": "store", "by": "seller"}, "voids.ack"), {"fold"}),
    "a draw while a program is another one": (programs(("altered", "system", 1)), {"fold"}),
    "a program that another maker's manifest makes good": (programs(("altered", "system", 1), ("verified", "seller", 2)), {"fold"}),
    "a program that a seller disowned before, and makes good": (programs(("altered", "seller", 2), ("altered", "system", 1), ("verified", "seller", 2)), {"fold"}),
    "a program that a seller disowned after, and makes good": (programs(("altered", "system", 1), ("altered", "seller", 2), ("verified", "seller", 2)), {"fold"}),
    "a program verified by nobody's manifest": (programs(("verified", "system", None)), set()),
    "an event with a maker's key": (insert({"t": "event", "code": "x.rain", "key": forge.Key("maker.example/release", b"1" * 32).vkey}, "voids.ack"), set()),
    "a program verified by a key that is none": (insert({"t": "event", "code": "program.verified", "key": "maker.example/release"}, "voids.ack"), set()),
    "a seal of no unit": (insert({"t": "seal", "kind": "early", "first": 1}, "raffle.open"), {"fold"}),
    "a seal without its last unit": (remove("seal.unit", 2), {"fold"}),
    "voids that the seals forget": (a_void_that_the_seal_forgets, {"seal"}),
    "a void_root": (late("seal.unit", set_to(void_root="0" * 64)), {"seal"}),
    "a root in a seal.unit": (late("seal.unit", set_to(root="0" * 64)), {"seal"}),
    "a final seal of a shorter log": (a_seal_of_a_shorter_log, {"seal", "after-seal"}),
    "a sale before the window": (a_sale_before_the_window, {"fold"}),
    "a sale after the window": (late("sale", set_to(at="2023-09-15T10:30:00.000Z"), -1, 2), {"fold"}),
    "a sale after the window by a clock that was set back": (a_sale_after_the_window, {"window"}),
    "a unit that sold and was un-enrolled": (insert({"t": "unit.unenrol", "unit": 1}, "draw.result"), {"not-enabled"}),
    "a sale earlier than the one before it": (late("sale", set_to(at="2023-09-15T09:00:00.000Z"), 20, 1), {"fold"}),
    "a price": (early("sale", add_to(price=1), 3, 1), {"fold"}),
    "a count": (early("sale", add_to(count=1), 3, 1), {"fold"}),
    "a tier that is not there": (late("sale", set_to(tier="hundred"), 3, 1), {"fold"}),
    "a number that is issued again": (late("sale", add_to(n=-1), 3, 1), {"fold"}),
    "a seller who is an auditor": (late("sale", set_to(by="auditor"), 3, 1), {"fold"}),
    "a void by a seller": (late("void", set_to(by="seller"), 0, 1), {"fold"}),
    "a void twice": (twice("void", 0, 1), {"void-twice"}),
    "a void of a ticket that was not sold yet": (a_void_of_a_ticket_to_come, {"void"}),
    "a void of another price": (early("void", add_to(price=-100), 0, 1), {"void"}),
    "a void of what is no ticket": (a_void_of_what_is_no_ticket, {"void"}),
    "a void of a ticket that was never sold": (early("void", set_to(serial=2000), at=0), {"void"}),
    "a close with another total": (late("unit.close", add_to(gross=1), log=1), {"fold"}),
    "a record after the close": (insert({"t": "event", "code": "x.late"}, "unit.close", log=1), {"fold", "after-seal"}),
    "a unit that was enabled after its sales were sealed": (a_unit_enabled_after_its_sales_were_sealed, {"fold"}),
    "a unit that was never enabled": (remove("unit.enable", 1), {"not-enabled"}),
    "a quota that was passed": (early("unit.enrol", set_to(quota=50), 1), {"quota"}),
    "a unit enrolled twice": (twice("unit.enrol", 0), {"fold"}),
    "units in another order": (late("unit.enrol", set_to(unit=3), 1), {"fold"}),
    "a unit enabled after the final seal": (insert({"t": "unit.enable", "unit": 1}, "voids.ack", 1), {"fold"}),
    "a log of another raffle": (late("unit.start", set_to(open="0" * 64), log=1), {"fold"}),
    "no acknowledgement": (remove("voids.ack", 0), {"fold"}),
    "an acknowledgement of other voids": (late("voids.ack", add_to(voids=1)), {"fold"}),
    "draws in another order": (prizes_in_another_order, {"fold"}),
    "an intent of another attempt": (late("draw.intent", set_to(attempt=2)), {"fold"}),
    "an intent of other numbers": (late("draw.intent", add_to(numbers=-1)), {"fold"}),
    "two askings": (twice("event", 0), {"fold"}),
    "a result without its asking": (remove("event", 0), {"fold"}),
    "places in another order": (late("draw.result", swap_places), {"draw"}),
    "another number": (late("draw.result", alter_number), {"draw"}),
    "another seed": (late("draw.result", another_seed), {"draw"}),
    "other skips": (late("draw.result", set_to(skips="0" * 64), 1), {"draw"}),
    "another count of skips": (late("draw.result", add_to(skipped_void=1), 1), {"draw"}),
    "a word that was rejected": (late("draw.result", add_to(rejected=1)), {"draw"}),
    "a winner fewer": (late("draw.result", add_to(winners=-1, alternates=1)), {"fold"}),
    "a provider that the rules do not name": (late("draw.result", set_to(provider="kms:eu-west-1")), {"fold"}),
    "a beacon in a random draw": (late("draw.result", set_to(beacon="0" * 96, round=1)), {"fold"}),
    "a void while a draw is open": (insert({"t": "void", "count": 1, "price": 300, "reason": "error", "serial": 1, "unit": 3}, "draw.intent"), {"fold"}),
    "a place that another alternate takes": (late("forfeit", add_to(promoted=1)), {"fold"}),
    "a place that nobody takes": (late("forfeit", without("promoted")), {"fold"}),
    "a forfeit that nobody approved": (late("forfeit", without("ok")), {"fold"}),
    "a forfeit of a period that was not over": (a_forfeit_of_a_period_that_was_not_over, {"forfeit"}),
    "a claim that nobody made official": (remove("winner.official"), {"fold"}),
    "a claim approved by a seller": (late("claim", set_to(ok="seller")), {"fold"}),
    "a void ticket that is verified": (a_void_winner_who_is_verified, {"winner"}),
    "a winner who is taken back after the draw": (a_winner_who_is_taken_back, {"winner"}),
    "a winner who is taken back between the seed and the result": (a_winner_who_is_taken_back_while_the_provider_is_asked, {"winner"}),
    "a winner who is taken back and never asked": (a_winner_who_is_taken_back_and_never_asked, {"winner"}),
    "a winner who is refused without a void": (late("winner.verify", set_to(outcome="void", promoted=2), 1), {"fold"}),
    "a member that is not known": (late("sale", set_to(extra=1), 3, 1), {"not-canonical"}),
    "a member missing": (late("sale", without("p"), 3, 1), {"not-canonical"}),
    "a type that is not known": (late("event", set_to(t="alter")), {"not-canonical"}),
    "another format": (late("raffle.open", set_to(format=2)), set()),
    "bytes that are not canonical": (not_canonical, {"not-canonical"}),
    "a unit's key": (another_key, {"checkpoint"}),
    "the control key": (another_control_key, {"checkpoint"}),
}



def a_seal_that_leaves_out(forgery):
    """Unit 2 enters the final seal with less than all that it sold, which somebody approved."""
    part, seal = forgery.find("seal.unit", 4), forgery.find("seal", 1)
    part["reconciled"], part.last = False, forgery.logs[2][-5]
    seal["ok"] = "supervisor"


def a_seal_of_a_unit_that_lost_records(forgery):
    """Unit 2's last sales are gone; it enters the final seal with the rest, unreconciled, which somebody approved."""
    part, seal = forgery.find("seal.unit", 4), forgery.find("seal", 1)
    del forgery.logs[2][-6:]
    part["reconciled"], part.last = False, forgery.logs[2][-1]
    seal["ok"] = "supervisor"


def an_early_seal_that_leaves_out(forgery):
    """And is drawn from; the final seal takes all."""
    part, seal = forgery.find("seal.unit", 1), forgery.find("seal")
    part["reconciled"], part.last = False, forgery.logs[2][3]
    seal["ok"] = "supervisor"


NIGHT["a seal of a unit that lost records"] = (a_seal_of_a_unit_that_lost_records, {"left-out"})
NIGHT["an early draw from less than was sold"] = (an_early_seal_that_leaves_out, {"left-out"})
NIGHT["a seal that leaves records out"] = (a_seal_that_leaves_out, {"left-out"})


def an_asking_that_failed(code, **more):
    def make(forgery):
        first = forgery.find("event")
        again = forge.Record(dict(first.value))
        failed = forge.Record({**first.value, "code": code, "ask": 0, **more})
        failed.refers["ask"] = first
        at = forgery.logs[0].index(first)
        forgery.logs[0][at + 1:at + 1] = [failed, again]
        forgery.find("draw.result").refers["ask"] = again
    return make


def an_abort(forgery):
    """And a second attempt."""
    intent, result = forgery.find("draw.intent"), forgery.find("draw.result")
    again = forge.Record({**intent.value, "attempt": 2})
    again.refers = dict(intent.refers)
    abort = forge.Record({"at": intent["at"], "by": "manager", "p": "0" * 64, "t": "draw.abort", "attempt": 1, "intent": 0, "ok": "supervisor",
                          "prize": intent["prize"], "reason": "power"})
    abort.refers["intent"] = intent
    at = forgery.logs[0].index(intent)
    forgery.logs[0][at + 1:at + 1] = [abort, again]
    result["attempt"], result.refers["intent"] = 2, again


def a_clock_that_was_reset(forgery):
    sale = forgery.find("sale", 20, 1)
    insert({"t": "event", "code": "clock.reset", "at": "2023-09-15T09:00:01.000Z"}, "sale", 19, 1)(forgery)
    sale["at"] = "2023-09-15T09:00:02.000Z"


def a_sale_by(role):
    return early("sale", set_to(by=role), 2, 1)


# What is allowed, although the command did not do it: both must accept it.
ALLOWED = {
    "a program that its maker's manifest makes good again": programs(("altered", "system", 1), ("altered", "system", 1), ("verified", "seller", 1)),
    "a program that a manager approves": programs(("altered", "seller", 2), ("altered", "system", 1), ("verified", "manager", 3)),
    "a restoring": insert({"t": "event", "code": "raffle.restored", "component": "store", "by": "administrator"}, "voids.ack"),
    "a unit that was disabled": insert({"t": "unit.disable", "unit": 3, "reason": "fire"}, "unit.enable", 2),
    "a unit disabled after the final seal": insert({"t": "unit.disable", "unit": 1, "reason": "over"}, "voids.ack", 1),
    "another quota": insert({"t": "unit.quota", "unit": 2, "quota": 100000}, "unit.enable", 2),
    "no quota": early("unit.enrol", set_to(quota=0), 1),
    "an asking that failed": an_asking_that_failed("draw.ask-failed"),
    "an asking that failed, in a unit's log, which knows of none": insert({"t": "event", "code": "draw.ask-failed"}, "sale", 0, 1),
    "an asking that was given up": an_asking_that_failed("draw.ask-again", ok="supervisor"),
    "an abort": an_abort,
    "a clock that was reset": a_clock_that_was_reset,
    "a sale by a system": a_sale_by("system"),
    "a void for another reason": early("void", set_to(reason="other"), 0, 1),
    "an erasure of what was kept": erased(0),
    "an event of a unit": insert({"t": "event", "code": "x.rain", "component": "roof", "count": 3, "serial": 1, "unit": 2}, "voids.ack"),
    "a failed validation by nobody's leave": insert({"t": "event", "by": "system", "code": "validation.failed", "count": 9}, "voids.ack"),
    "a final seal that somebody approved": early("seal", set_to(ok="administrator"), 1),
    "an intent later than its acknowledgement": early("voids.ack", set_to(at="2023-09-15T10:40:00.001Z"), 1),
}

COMMITTED = {
    "a clock that was set back": (a_clock_set_back_before_the_intent, {"backdated"}),
    "another round": (late("draw.result", add_to(round=1)), {"fold"}),
    "no round": (late("draw.result", set_to(round=0)), {"fold"}),
    "another beacon": (early("draw.result", set_to(beacon="a" + raffles.SIGNATURE[1:])), {"beacon"}),
    "a result before its round": (late("draw.result", set_to(at="2023-09-15T11:00:02.000Z")), {"fold"}),
    "a seed that was not committed to": (early("draw.result", another_seed), {"fold"}),
    "no commitment": (late("draw.intent", without("commitment")), {"fold"}),
    "another provider": (late("draw.result", set_to(provider="system")), {"fold"}),
    "a fallback that was not needed": (late("draw.result", set_to(fallback=raffles.SIGNATURE)), {"fold"}),
}


def a_place_for(at, outcome, **members):
    """Call `at` said to be something else, and the end with as many places as follow."""
    def make(forgery):
        call = forgery.find("draw.call", at)
        taken = (outcome == "taken") - (call["outcome"] == "taken")
        call.value.update(outcome=outcome, **members)
        end = forgery.find("draw.manual", 0)
        places = end["winners"] + end["alternates"] + taken
        end.value.update(winners=min(places, 1), alternates=max(places - 1, 0))
    return make


DRUM = {  # calls of the quilt: 0 unsold, 1 void, 2 not entered, 3 taken, 4 again, 5 barred, 6 taken
    "a number that was not sold wins": (late("draw.call", set_to(outcome="taken", serial=1), 0), {"fold"}),
    "a sold number is called unsold": (late("draw.call", set_to(outcome="unsold"), 1), {"fold"}),
    "a void number is called another ticket's": (late("draw.call", set_to(serial=2), 1), {"draw"}),
    "a void number is called not entered": (late("draw.call", set_to(outcome="not-entered"), 1), {"draw"}),
    "a number that takes no part is called void": (late("draw.call", set_to(outcome="void"), 2), {"draw"}),
    "a winner's number is called void": (a_place_for(6, "void"), {"fold"}),
    "an alternate's number is another ticket's": (late("draw.call", set_to(serial=1), 6), {"draw"}),
    "a number takes two places": (late("draw.call", set_to(outcome="taken"), 4), {"fold"}),
    "a ticket takes two places": (late("draw.call", set_to(outcome="taken"), 5), {"fold"}),
    "a number is barred by nobody": (late("draw.call", set_to(outcome="barred"), 3), {"fold"}),
    "a call by a seller": (late("draw.call", set_to(by="seller"), 3), {"fold"}),
    "a call for another intent": (late("draw.call", add_to(intent=1), 3), {"fold"}),
    "a call after every place is taken": (twice("draw.call", 6), {"fold"}),
    "a call that the end forgets": (late("draw.manual", add_to(count=-1)), {"fold"}),
    "a winner more than was called": (late("draw.manual", add_to(winners=1)), {"fold"}),
    "a short end that nobody approved": (late("draw.manual", without("ok"), 1), {"fold"}),
    "another drum": (late("draw.manual", add_to(numbers=1)), {"fold"}),
    "an end over other records": (late("draw.manual", set_to(note="x"), 0), {"checkpoint"}),
    "an RNG is asked": (insert({"t": "event", "code": "draw.ask", "component": "system"}, "draw.intent"), {"fold"}),
    "a drum without counterfoils": (remove("print", 1), {"fold"}),
    "counterfoils of what was not sold": (late("print", add_to(count=1), 1), {"print"}),
    "counterfoils of what was sold later": (late("print", set_to(size=2), 0), {"print"}),
    "counterfoils before the first sale": (late("print", set_to(size=0), 0), {"print"}),
    "a gap in the counterfoils": (late("print", add_to(first=1), 1), {"fold"}),
    "a reprint of what was not printed": (late("reprint", set_to(first=900)), {"fold"}),
    "a reprint of a ticket and of counterfoils": (late("reprint", set_to(serial=1)), {"fold"}),
    "a claim without its papers": (late("claim", without("papers")), {"fold"}),
    "a claim whose papers nobody saw": (late("claim", set_to(papers=False)), {"fold"}),
    "a claim that came too late": (late("claim.wait", set_to(at="2023-09-17T10:40:00.000Z")), {"fold"}),
    "a place that waits before it is official": (remove("winner.official"), {"fold"}),
    "an RNG in the rules' place": (early("raffle.open", lambda value: value["rules"]["prizes"][0].pop("draw")), {"fold"}),
    "default roles that are written": (early("raffle.open", lambda value: value["rules"]["roles"].update(reprint=["supervisor", "manager"])), set()),
}


# --- a raffle with witnesses, and no rehearsal: the committed one, as it would have been ---

WITNESSES = [forge.Witness(f"w{i}.example/raffles", bytes([64 + i]) * 32) for i in range(3)]
POLICY = [*(f"witness w{i} {witness.vkey} https://w{i}.example" for i, witness in enumerate(WITNESSES)), "group enough 2 w0 w1 w2", "quorum enough"]


def witnessed(forgery):
    """The round's time is 61 seconds after the intent of the committed draw."""
    forgery.rules().update(rehearsal=False, rng=["system"], witnesses=POLICY)
    for record in forgery.logs[0]:
        if "provider" in record.value:
            record["provider"] = "system"
        if record.value.get("component") == "test":
            record["component"] = "system"
    forgery.cosigners = [(WITNESSES[0], 1), (WITNESSES[2], 60)]


# --- a night with clocks that can be trusted: no rehearsal ---


def an_early_seal_that_hides_what_it_leaves_out(forgery, seal_at=None):
    """Unit 2's sales of half an hour before are not in the early draw, and the seal says that they are."""
    forgery.find("seal.unit", 1).last = forgery.logs[2][3]
    if seal_at:
        for record in forgery.logs[0][:forgery.logs[0].index(forgery.find("voids.ack")) + 1]:
            record["at"] = min(record["at"], seal_at)


def a_void_of_a_ticket_to_come_in_time(forgery):
    """No seal tells: it is between the early seal and the sale."""
    a_void_of_a_ticket_to_come(forgery, "voids.ack", forgery.find("seal")["at"])


EARNEST = {"a void of a ticket that was sold minutes later": (a_void_of_a_ticket_to_come_in_time, {"void"}),
           "an early seal that hides what it leaves out": (an_early_seal_that_hides_what_it_leaves_out, {"seal"})}


def forge_earnest():
    forgery = forge.Forgery("night.public", "night.raffle.keys")
    in_earnest(forgery)
    forgery.copy().write("earnest")
    accept("a night in earnest", "earnest")
    forge_each(forgery, EARNEST)
    quick = forgery.copy()
    an_early_seal_that_hides_what_it_leaves_out(quick, "2023-09-15T09:09:59.000Z")
    quick.write("earnest")
    accept("an early seal within ten minutes of what it leaves out", "earnest")


def cosigned_by(*cosigners):
    def make(forgery):
        forgery.cosigners = list(cosigners)
    return make


def other_witness(forgery):
    forgery.cosigners = [(WITNESSES[0], 1), (forge.Witness("w9.example", b"\x09" * 32), 1)]


def a_wrong_cosignature(value):
    lines = value["note"].split("\n")
    lines[-2] = lines[-2][:-10] + ("AAAA" if lines[-2][-10:-6] != "AAAA" else "BBBB") + lines[-2][-6:]
    value["note"] = "\n".join(lines)


def a_unit_that_was_disabled(forgery, again="2023-09-15T09:10:00.000Z"):
    """Minutes before it sold, and enabled again minutes after."""
    for kind, more, at in (("unit.enable", {}, again), ("unit.disable", {"reason": "stolen"}, "2023-09-15T08:59:30.000Z")):
        insert({"t": kind, "unit": 1, "at": at, **more}, "unit.enable")(forgery)
    for record in forgery.logs[1]:
        record["at"] = "2023-09-15T09:05:00.000Z"


def enabled_within_a_minute(forgery):
    """Which the audit lets pass: the two logs' clocks may differ."""
    witnessed(forgery)
    a_unit_that_was_disabled(forgery, "2023-09-15T09:06:00.000Z")


WITNESSED = {
    "a unit that sold when it was disabled": (a_unit_that_was_disabled, {"not-enabled"}),
    "no cosignatures": (cosigned_by(), {"fold"}),
    "one cosignature": (cosigned_by((WITNESSES[1], 1)), {"fold"}),
    "a cosignature of another witness": (other_witness, {"fold"}),
    "a cosignature that is wrong": (late("draw.result", a_wrong_cosignature), {"fold"}),
    "a cosignature in the round's second": (cosigned_by((WITNESSES[0], 1), (WITNESSES[1], 61)), {"quorum-late"}),
    "a cosignature without a time": (cosigned_by((WITNESSES[0], 1), (WITNESSES[1], -1694775542)), {"fold"}),
    "a provider with a name of 65 bytes": (early("raffle.open", lambda value: value["rules"]["rng"].append("x" * 65)), set()),
    "a policy that names nobody": (early("raffle.open", lambda value: value["rules"].update(witnesses=["quorum w0"])), set()),
    "another seed than the committed one": (early("draw.result", another_seed), {"fold"}),
}


def agree_on_assurances(folder, wanted):
    theirs, own = audited(folder), verify.verify_folder(folder)
    check(theirs["verdict"]["passed"] and own["verdict"]["passed"], f"{folder}: {theirs['faults']} {own['faults']}")
    check(theirs["draws"] == own["draws"], f"{folder}: the draws are {theirs['draws']} to the audit and {own['draws']} to the verifier")
    check([line["assurance"] for line in own["draws"]] == wanted, f"{folder}: the assurances are {own['draws']}")


def forge_witnessed():
    """From what forge_all() left of the committed raffle."""
    forgery = forge.Forgery("committed.public", "committed.raffle.keys")
    witnessed(forgery)
    forgery.copy().write("witnessed")
    agree_on_assurances("witnessed", ["verifiable", "certified"])
    forge_each(forgery, WITNESSED)
    minute = forge.Forgery("committed.public", "committed.raffle.keys")
    enabled_within_a_minute(minute)
    minute.write("witnessed")
    agree_on_assurances("witnessed", ["verifiable", "certified"])
    forgery.rules()["witnesses"] = "none"
    forgery.cosigners = []
    forgery.copy().write("witnessed")
    agree_on_assurances("witnessed", ["operator-trusted", "certified"])


# --- a unit that is away ---


def build_go_verifier():
    environment = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-mod=readonly -buildvcs=false")
    command = ["go", "build", "-o", os.path.abspath("go-verifier"), "."]
    done = subprocess.run(command, cwd=os.path.join(SOURCE, "examples", "verifier-go"), env=environment, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")


def verified_by_go(name, folder, status):
    done = subprocess.run(["./go-verifier", "folder", folder], capture_output=True, text=True, check=False)
    check(done.returncode == status, f"{name}: the Go verifier ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")


def withhold(folder):
    """As with --hashes: the units' records are not published."""
    for unit in os.scandir(os.path.join(folder, "unit")):
        shutil.rmtree(os.path.join(unit.path, "tile", "entries"))
    manifest = os.path.join(folder, "manifest.json")
    with open(manifest, encoding="utf-8") as f:
        text = f.read()
    with open(manifest, "w", encoding="utf-8") as f:
        f.write(text.replace('{"entries":"all"', '{"entries":"control"', 1))


def forge_away():
    build_go_verifier()
    forgery = away.made()
    forgery.copy().write("away")
    accept("a unit that is away", "away")
    verified_by_go("a unit that is away", "away", 0)
    for name, allow in away.ALLOWED.items():
        allowed = forgery.copy()
        allowed.write("allowed", **(allow(allowed) or {}))
        accept(name, "allowed")
        verified_by_go(name, "allowed", 0)
    for name, forged in away.FORGED.items():
        forge_each(forgery, {name: forged})
        verified_by_go(name, "forged", 0 if name in away.NOT_FOR_GO else 3)
    withhold("away")
    reject("the units' records withheld", "away", {"withheld"})
    verified_by_go("the units' records withheld", "away", 0)
    altered = forgery.copy()
    altered.write("forged", **away.FORGED["an upload of another root"][0](altered))
    withhold("forged")
    reject("an upload of another root, the units' records withheld", "forged", {"withheld", "sync"})
    verified_by_go("an upload of another root, the units' records withheld", "forged", 3)


def audited(folder):
    environment = dict(os.environ, RAFFLE_BEACON_VERIFIER=raffles.BEACON_VERIFIER)
    done = subprocess.run([raffles.RAFFLE, "audit", folder, "--json"], capture_output=True, text=True, env=environment, check=False)
    check(done.returncode in (0, 3), f"the audit of {folder} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def reject(name, folder, wanted):
    theirs, own = audited(folder), verify.verify_folder(folder)
    their_codes, codes = ({fault["code"] for fault in audit["faults"]} for audit in (theirs, own))
    check(not own["verdict"]["passed"], f"{name}: the verifier accepts it")
    check(not theirs["verdict"]["passed"], f"{name}: the audit accepts it, and the verifier finds {codes}")
    check(wanted <= codes, f"{name}: the verifier finds {own['faults']}, and not {wanted}")
    check(wanted <= their_codes, f"{name}: the audit finds {theirs['faults']}, and not {wanted}")
    if not theirs["verdict"]["integrity"]:
        proved = {line["assurance"] for line in theirs["draws"] + own["draws"]}
        check(proved <= {"wrong", "operator-trusted"}, f"{name}: draws of a raffle that is not right are {proved}")
    for verdict in ("integrity", "completeness") if "fold" not in codes else ("integrity",):  # after a record that is refused, each goes on in its way
        check(theirs["verdict"][verdict] == own["verdict"][verdict], f"{name}: of {verdict} the audit says {theirs['faults']}, the verifier {own['faults']}")


def accept(name, folder):
    """But for winners, whom the draws that are made anew may make void ones."""
    theirs, own = audited(folder), verify.verify_folder(folder)
    for member, value in own["verdict"].items():
        check(theirs["verdict"][member] == value, f"{name}: {member} is {theirs['verdict'][member]} to the audit, {value} to the verifier")
    check({fault["code"] for fault in own["faults"]} <= {"winner"}, f"{name}: the verifier finds {own['faults']}")
    check({fault["code"] for fault in theirs["faults"]} <= {"winner"}, f"{name}: the audit finds {theirs['faults']}")
    check(theirs["draws"] == own["draws"], f"{name}: the draws are {theirs['draws']} to the audit and {own['draws']} to the verifier")


def forge_all(make, forgeries):
    store = make()
    folder = raffles.publish(store)
    forgery = forge.Forgery(folder, store + ".keys")
    forgery.copy().write("same")
    check(subprocess.run(["diff", "-r", folder, "same"], check=False).returncode == 0, f"{folder} made anew is another one")
    forge_each(forgery, forgeries)


def forge_each(forgery, forgeries):
    for name, (alter, codes) in forgeries.items():
        altered = forgery.copy()
        altered.write("forged", **(alter(altered) or {}))
        reject(name, "forged", codes)


if __name__ == "__main__":
    forge_all(raffles.night, NIGHT)
    for allowed_name, allow in ALLOWED.items():
        allowed = forge.Forgery("night.public", "night.raffle.keys")
        allowed.write("allowed", **(allow(allowed) or {}))
        accept(allowed_name, "allowed")
    forge_earnest()
    forge_away()
    forge_all(raffles.committed, COMMITTED)
    forge_all(raffles.drum, DRUM)
    forge_witnessed()
    print(f"{checks} checks passed")
