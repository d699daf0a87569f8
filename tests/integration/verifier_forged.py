#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raffles that their own operator forged, with the raffle's keys and everything else in order: the library's audit and examples/verifier must both
reject each, and for the same reason."""

import copy
import hashlib
import json
import os
import subprocess
import sys

SOURCE = os.environ["RAFFLE_SOURCE"]
sys.path[:0] = [os.path.join(SOURCE, "tests", "verifier"), os.path.join(SOURCE, "examples", "verifier")]

import forge
import raffles
import verify

checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


# --- the forgeries: each takes a forgery, alters it, and returns what is to be given to its write(), or None ---


def late(kind, alter, at=0, log=0):
    """Alters the record of this type that is number `at` of its log, after all that follows was derived for it."""
    def make(forgery):
        wanted = forgery.find(kind, at, log)
        return {"late": lambda record, index, number: alter(record.value) if record is wanted else None}
    return make


def early(kind, alter, at=0, log=0):
    """Alters the record before: what follows from it is derived."""
    def make(forgery):
        alter(forgery.find(kind, at, log).value)
    return make


def set_to(**members):
    return lambda value: value.update(members)


def add_to(**members):
    def alter(value):
        for name, more in members.items():
            value[name] += more
    return alter


def without(name):
    return lambda value: value.pop(name)


def remove(kind, at=0, log=0):
    def make(forgery):
        forgery.logs[log].remove(forgery.find(kind, at, log))
    return make


def insert(record, after, at=0, log=0):
    """A record after another one, with what every leaf has."""
    def make(forgery):
        before = forgery.find(after, at, log)
        value = {"at": before["at"], "by": "manager", "p": "0" * 64, **record}
        forgery.logs[log].insert(forgery.logs[log].index(before) + 1, forge.Record(value))
    return make


def twice(kind, at=0, log=0):
    def make(forgery):
        record = forgery.find(kind, at, log)
        forgery.logs[log].insert(forgery.logs[log].index(record) + 1, copy.copy(record))
    return make


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


def a_sale_after_the_window(forgery):
    """The unit's log passes the end of the sales; then its clock is set back, and it sells on."""
    for record in ({"t": "event", "code": "x.late", "at": "2023-09-15T10:30:00.000Z"},
                   {"t": "event", "code": "clock.reset", "at": "2023-09-15T10:29:00.000Z"},
                   {"t": "sale", "at": "2023-09-15T10:29:59.000Z", "by": "seller", "count": 1, "price": 300, "tier": "one"}):
        insert(record, forgery.logs[1][-2]["t"], -1, 1)(forgery)


def a_sale_before_the_window(forgery):
    for kind in ("unit.start", "sale"):
        forgery.find(kind, 0, 2)["at"] = "2023-09-15T08:59:30.000Z"


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
    "an event about no unit": (insert({"t": "event", "code": "x.rain", "unit": 0}, "voids.ack"), set()),
    "an event of a draw by a seller": (insert({"t": "event", "code": "draw.", "by": "seller"}, "voids.ack"), {"fold"}),
    "an asking in a unit's log": (insert({"t": "event", "code": "draw.ask-failed", "ask": 1}, "sale", 0, 1), {"fold"}),
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
    "a unit that was disabled": insert({"t": "unit.disable", "unit": 3, "reason": "fire"}, "unit.enable", 2),
    "a unit disabled after the final seal": insert({"t": "unit.disable", "unit": 1, "reason": "over"}, "voids.ack", 1),
    "another quota": insert({"t": "unit.quota", "unit": 2, "quota": 100000}, "unit.enable", 2),
    "no quota": early("unit.enrol", set_to(quota=0), 1),
    "an asking that failed": an_asking_that_failed("draw.ask-failed"),
    "an asking that was given up": an_asking_that_failed("draw.ask-again", ok="supervisor"),
    "an abort": an_abort,
    "a clock that was reset": a_clock_that_was_reset,
    "a sale by a system": a_sale_by("system"),
    "a void for another reason": early("void", set_to(reason="other"), 0, 1),
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


def in_earnest(forgery):
    forgery.rules().update(rehearsal=False, rng=["system"])
    for record in forgery.logs[0]:
        if "provider" in record.value:
            record["provider"] = "system"


def an_early_seal_that_hides_what_it_leaves_out(forgery, seal_at=None):
    """Unit 2's sales of half an hour before are not in the early draw, and the seal says that they are."""
    forgery.find("seal.unit", 1).last = forgery.logs[2][3]
    if seal_at:
        for record in forgery.logs[0][:forgery.logs[0].index(forgery.find("voids.ack")) + 1]:
            record["at"] = min(record["at"], seal_at)


EARNEST = {"an early seal that hides what it leaves out": (an_early_seal_that_hides_what_it_leaves_out, {"seal"})}


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


def unit_sync(forgery, after, at, last, position=0, **more):
    """What unit 2 uploaded up to its record `last`."""
    insert({"t": "unit.sync", "at": at, "twice": 0, "unit": 2, "size": 1, "root": "0" * 64, "note": "-", **more}, after, position)(forgery)
    made = forgery.logs[0][forgery.logs[0].index(forgery.find(after, position)) + 1]
    made.last = forgery.logs[2][last]
    return made


def away(forgery):
    """Unit 2 was away, was disabled without knowing and sold on; it uploaded twice, the second time with its close, before the early seal."""
    in_earnest(forgery)
    forgery.find("unit.enrol", 1).value.update(away=24, note=forgery.keys[2].checkpoint(0, hashlib.sha256(b"").digest()))
    forgery.logs[2][-1]["at"] = "2023-09-15T09:28:00.000Z"
    unit_sync(forgery, "unit.enable", "2023-09-15T09:29:00.000Z", -1, 1)
    insert({"t": "unit.enable", "at": "2023-09-15T09:25:00.000Z", "unit": 2}, "unit.enable", 1)(forgery)
    unit_sync(forgery, "unit.enable", "2023-09-15T09:20:00.000Z", 3, 1)
    insert({"t": "unit.disable", "at": "2023-09-15T09:03:00.000Z", "reason": "silent", "unit": 2}, "unit.enable", 1)(forgery)
    for seal_unit in (forgery.find("seal.unit", 1), forgery.find("seal.unit", 3)):
        seal_unit.last = forgery.logs[2][-1]


def note_by(key):
    """A note over what is uploaded, by a key of the same name."""
    def make(forgery):
        wanted, signer = forgery.find("unit.sync"), key(forgery)

        def alter(record, index, log):
            if record is wanted:
                record["note"] = signer.checkpoint(record["size"], bytes.fromhex(record["root"]))
        return {"late": alter}
    return make


def another_tent(forgery):
    return forge.Key(forgery.keys[2].name, b"\x07" * 32)


def a_proof(key, size=0, root=hashlib.sha256(b"").digest()):
    def make(forgery):
        forgery.find("unit.enrol", 1)["note"] = key(forgery).checkpoint(size, root)
    return make


def a_note_of_the_upload_before(forgery):
    first, second = forgery.find("unit.sync"), forgery.find("unit.sync", 1)
    return {"late": lambda record, index, log: record.value.update(note=first["note"]) if record is second else None}


def unreconciled(forgery, *seals):
    """Seals that somebody approved without the unit's close."""
    for at in seals:
        forgery.find("seal.unit", 2 * at + 1)["reconciled"] = False
        forgery.find("seal", at)["ok"] = "supervisor"


def an_upload_beyond_the_log(forgery):
    """After a final seal that left the unit out; what it held is lost."""
    unreconciled(forgery, 1)
    lost = unit_sync(forgery, "draw.result", "2023-09-15T10:50:00.000Z", -1, 1)
    lost.last, size = None, len(forgery.logs[2]) + 3
    lost.value.update(size=size, root="a" * 64, note=forgery.keys[2].checkpoint(size, b"\xaa" * 32))


def a_later_upload(forgery):
    """After a final seal without it: what it brings is kept, and never drawn."""
    for seal_unit in (forgery.find("seal.unit", 1), forgery.find("seal.unit", 3)):
        seal_unit.last = forgery.find("unit.sync").last
    unreconciled(forgery, 0, 1)
    forgery.logs[0].remove(forgery.find("unit.sync", 1))
    unit_sync(forgery, "draw.result", "2023-09-15T10:50:00.000Z", -1, 1)


def a_unit_that_never_uploaded(forgery):
    for _ in range(2):
        forgery.logs[0].remove(forgery.find("unit.sync"))
    for seal_unit in (forgery.find("seal.unit", 1), forgery.find("seal.unit", 3)):
        seal_unit.last = None
    unreconciled(forgery, 0, 1)


def a_seal_of_less_than_uploaded(forgery):
    forgery.find("seal.unit", 3).last = forgery.logs[2][-2]
    unreconciled(forgery, 1)


def an_early_seal_without_the_close(forgery):
    """It is uploaded later, before the final seal."""
    for record in (forgery.find("unit.sync", 1), forgery.find("seal.unit", 1)):
        record.last = forgery.logs[2][-2]
    unit_sync(forgery, "draw.result", "2023-09-15T10:35:00.000Z", -1)


def a_unit_that_is_here(forgery):
    enrolled = forgery.find("unit.enrol", 1)
    del enrolled.value["away"], enrolled.value["note"]
    for _ in range(2):
        forgery.logs[0].remove(forgery.find("unit.sync"))


def uploads_of_an_unenrolled_unit(forgery):
    last = forgery.find("unit.enable", 1)
    made = [{"t": "unit.enrol", "key": forge.Key(f"{forgery.keys[0].name}/unit/3", b"\x03" * 32).vkey, "name": "van", "quota": 9, "ticket_key": "0" * 64, "unit": 3,
             "away": 0, "note": forge.Key(f"{forgery.keys[0].name}/unit/3", b"\x03" * 32).checkpoint(0, hashlib.sha256(b"").digest())},
            {"t": "unit.unenrol", "unit": 3},
            {"t": "unit.sync", "unit": 3, "size": 1, "root": "0" * 64, "note": "-", "twice": 0}]
    at = forgery.logs[0].index(last) + 1
    forgery.logs[0][at:at] = [forge.Record({"at": last["at"], "by": "manager", "p": "0" * 64, **value}) for value in made]


def never_enabled(forgery):
    for record in [r for r in forgery.logs[0] if r["t"] in ("unit.enable", "unit.disable") and r["unit"] == 2]:
        forgery.logs[0].remove(record)


def a_till_whose_clock_was_set_back(forgery):
    for record in ({"t": "event", "code": "x.late", "at": "2023-09-15T10:30:00.000Z"}, {"t": "event", "code": "clock.reset", "at": "2023-09-15T09:27:00.000Z"},
                   {"t": "sale", "at": "2023-09-15T09:27:59.000Z", "by": "seller", "count": 1, "price": 300, "tier": "one"}):
        forgery.logs[2].insert(-1, forge.Record({"by": "manager", "p": "0" * 64, **record}))


def after_final(last, **more):
    return lambda forgery: unit_sync(forgery, "voids.ack", "2023-09-15T10:40:00.000Z", last, 1, **more) and None


def a_record_more(forgery):
    """In the till's log, beyond the close."""
    forgery.logs[2].append(forge.Record({"at": "2023-09-15T09:28:30.000Z", "by": "manager", "p": "0" * 64, "t": "event", "code": "x.late"}))


def an_upload_of_as_many_other_records(forgery):
    other = unit_sync(forgery, "unit.sync", "2023-09-15T09:29:30.000Z", -1, 1)
    return {"late": lambda record, index, log: record.value.update(root="a" * 64) if record is other else None}


def twice_sold(*counts, ok=None):
    def make(forgery):
        for at, count in enumerate(counts):
            forgery.find("unit.sync", at)["twice"] = count
        for at in (0, 1) if ok else ():
            forgery.find("seal", at)["ok"] = ok
    return make


AWAY = {
    "an upload of another root": (late("unit.sync", set_to(root="0" * 64)), {"sync"}),
    "an upload of another root, as it was sealed": (late("unit.sync", set_to(root="0" * 64), 1), {"sync", "fold"}),
    "an upload signed by another key": (note_by(another_tent), {"checkpoint"}),
    "an upload signed by the control key": (note_by(lambda forgery: forgery.keys[0]), {"checkpoint"}),
    "a note that is none in an upload": (late("unit.sync", set_to(note="-")), {"checkpoint"}),
    "a note of the upload before": (a_note_of_the_upload_before, {"sync"}),
    "an upload of more than is there": (an_upload_beyond_the_log, {"behind-sync", "left-out"}),
    "an upload of nothing": (late("unit.sync", set_to(size=0)), set()),
    "an upload that shrinks": (lambda forgery: unit_sync(forgery, "unit.sync", "2023-09-15T09:29:30.000Z", 3, 1) and None, {"fold"}),
    "an upload of as many other records": (an_upload_of_as_many_other_records, {"fold"}),
    "an upload of other records": (late("unit.sync", lambda value: value.update(size=value["size"] + 9)), {"sync", "fold"}),
    "an upload by a seller": (early("unit.sync", set_to(by="seller")), {"fold"}),
    "an upload of a unit that is here": (late("unit.sync", set_to(unit=1)), {"fold"}),
    "an upload of no unit": (late("unit.sync", set_to(unit=3)), {"fold"}),
    "an upload of a unit that was un-enrolled": (uploads_of_an_unenrolled_unit, {"fold"}),
    "an upload while a draw is open": (lambda forgery: unit_sync(forgery, "draw.intent", "2023-09-15T09:31:40.000Z", -1) and None, {"fold"}),
    "an upload of more than the final seal took": (lambda forgery: (a_record_more(forgery), after_final(-1)(forgery))[1], {"fold", "after-seal"}),
    "a seal of less than was uploaded": (a_seal_of_less_than_uploaded, {"fold"}),
    "a seal of more than was uploaded": (remove("unit.sync", 1), {"fold"}),
    "a final seal without all that is uploaded later": (a_later_upload, {"left-out"}),
    "a unit that never uploaded": (a_unit_that_never_uploaded, {"left-out"}),
    "an early seal of a unit that is not closed": (an_early_seal_without_the_close, {"seal"}),
    "a unit that is away without a proof": (early("unit.enrol", without("note"), 1), {"fold"}),
    "a proof of a unit that is not away": (early("unit.enrol", without("away"), 1), {"fold"}),
    "a proof by another key": (a_proof(another_tent), {"checkpoint"}),
    "a proof over a record": (a_proof(lambda forgery: forgery.keys[2], 1), {"checkpoint"}),
    "a proof with another root": (a_proof(lambda forgery: forgery.keys[2], 0, b"\0" * 32), {"checkpoint"}),
    "too many hours": (early("unit.enrol", set_to(away=100001), 1), set()),
    "a unit that is away without a quota": (early("unit.enrol", set_to(quota=0), 1), {"fold"}),
    "a quota taken from a unit that is away": (insert({"t": "unit.quota", "unit": 2, "quota": 0}, "unit.enable", 1), {"fold"}),
    "a unit un-enrolled that has uploaded": (insert({"t": "unit.unenrol", "unit": 2}, "unit.sync", 1), {"fold"}),
    "a unit enabled by the system": (early("unit.enable", set_to(by="system"), 2), {"fold"}),
    "an order sold twice that nobody approved": (twice_sold(0, 1), {"fold"}),
    "an order that is sold twice no longer": (twice_sold(2, 1, ok="supervisor"), {"fold"}),
    "a unit that is here and sold while it was disabled": (a_unit_that_is_here, {"not-enabled"}),
    "a unit that is away and was never enabled": (never_enabled, {"not-enabled"}),
    "a unit that is away and passed its quota": (early("unit.enrol", set_to(quota=50), 1), {"quota"}),
    "a till whose clock was set back after the end of the sales": (a_till_whose_clock_was_set_back, {"window"}),
}

AWAY_ALLOWED = {
    "an upload that the system took": early("unit.sync", set_to(by="system")),
    "a till that the system shut out": early("unit.disable", set_to(by="system")),
    "the same upload again": lambda forgery: unit_sync(forgery, "unit.sync", "2023-09-15T09:29:30.000Z", -1, 1) and None,
    "the same upload after the final seal": after_final(-1),
    "no limit of hours": early("unit.enrol", set_to(away=0), 1),
    "another quota of a unit that is away": insert({"t": "unit.quota", "unit": 2, "quota": 100}, "unit.enable", 1),
    "an order sold twice that somebody approved": twice_sold(0, 1, ok="supervisor"),
}


# What the Go verifier does not judge: who may do what, and when; what the seals left out.
NOT_FOR_GO = {
    "an upload by a seller", "an upload while a draw is open", "a unit enabled by the system", "an order sold twice that nobody approved",
    "a final seal without all that is uploaded later", "a unit that never uploaded", "a unit that is here and sold while it was disabled",
    "a unit that is away and was never enabled", "a unit that is away and passed its quota", "a till whose clock was set back after the end of the sales",
}


def build_go_verifier():
    environment = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-mod=readonly -buildvcs=false")
    command = ["go", "build", "-o", os.path.abspath("go-verifier"), "."]
    done = subprocess.run(command, cwd=os.path.join(SOURCE, "examples", "verifier-go"), env=environment, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")


def verified_by_go(name, folder, status):
    done = subprocess.run(["./go-verifier", "folder", folder], capture_output=True, text=True, check=False)
    check(done.returncode == status, f"{name}: the Go verifier ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")


def forge_away():
    build_go_verifier()
    store = raffles.elsewhere()
    forgery = forge.Forgery(raffles.publish(store), store + ".keys")
    away(forgery)
    forgery.copy().write("away")
    accept("a unit that is away", "away")
    verified_by_go("a unit that is away", "away", 0)
    for allowed_name, allow in AWAY_ALLOWED.items():
        allowed = forgery.copy()
        allowed.write("allowed", **(allow(allowed) or {}))
        accept(allowed_name, "allowed")
        verified_by_go(allowed_name, "allowed", 0)
    for name, forged in AWAY.items():
        forge_each(forgery, {name: forged})
        verified_by_go(name, "forged", 0 if name in NOT_FOR_GO else 3)


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
    forge_witnessed()
    print(f"{checks} checks passed")
