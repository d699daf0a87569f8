# SPDX-License-Identifier: Apache-2.0
"""A raffle with a unit that is away (docs/spec/till.md), and what its operator may forge of it under the right keys, or may do.

    python3 away.py FOLDER

writes it into FOLDER/0, and each forgery into a folder of its own, with `names.json`: the control key, and which folder is which."""
import hashlib
import json
import os
import sys

import forge
import raffles
from alter import early, in_earnest, insert, late, remove, set_to, without


def unit_sync(forgery, after, at, last, position=0, **more):
    """What unit 2 uploaded up to its record `last`."""
    insert({"t": "unit.sync", "at": at, "twice": 0, "unit": 2, "size": 1, "root": "0" * 64, "note": "-", **more}, after, position)(forgery)
    made = forgery.logs[0][forgery.logs[0].index(forgery.find(after, position)) + 1]
    made.last = forgery.logs[2][last]
    return made


def send_away(forgery):
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


def reconciled_with_less(forgery):
    """Late: its totals are those of what it takes."""
    forgery.find("seal.unit", 3).last = forgery.logs[2][-2]


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


FORGED = {
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
    "a seal of less than was uploaded": (a_seal_of_less_than_uploaded, {"left-out"}),
    "a seal of less than was uploaded, as if it were all": (reconciled_with_less, {"fold"}),
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

ALLOWED = {
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
    "a final seal without all that is uploaded later", "a seal of less than was uploaded", "a unit that never uploaded", "a unit that is here and sold while it was disabled",
    "a unit that is away and was never enabled", "a unit that is away and passed its quota", "a till whose clock was set back after the end of the sales",
}


def made():
    store = raffles.elsewhere()
    forgery = forge.Forgery(raffles.publish(store), store + ".keys")
    send_away(forgery)
    return forgery


def main():
    forgery, folder = made(), sys.argv[1]
    names = {"a unit that is away": "0"}
    forgery.copy().write(os.path.join(folder, "0"))
    for number, (name, (alter, _)) in enumerate(FORGED.items(), 1):
        altered = forgery.copy()
        altered.write(os.path.join(folder, str(number)), **(alter(altered) or {}))
        names[name] = str(number)
    with open(os.path.join(folder, "names.json"), "w", encoding="utf-8") as f:
        json.dump({"key": forgery.keys[0].vkey, "folders": names}, f)


if __name__ == "__main__":
    main()
