# SPDX-License-Identifier: Apache-2.0
"""The types of records, their members and their kinds: docs/spec/records.md as tables. What a record may say in its place is judged by the
folds, in unit_log.py and control_log.py."""
import datetime
import re

import note
import canonical_json
from canonical_json import INT_MAX, Malformed

LEAF_MAX = 65535
PLACES_MAX = 500
TIERS_MAX = 64
UNIT_MAX = 65535
AWAY_MAX = 100000
SERIAL_MAX = 2**40 - 1
ROLES = ("seller", "supervisor", "manager", "administrator", "auditor", "system")
WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d\d\d)Z", re.ASCII)
EPOCH = datetime.datetime(1970, 1, 1)


def milliseconds(text):
    """Of a time, since 1970."""
    match = TIME.fullmatch(text)
    if not match:
        raise Malformed(f"{text!r} is no time like 2026-11-21T18:30:00.000Z")
    year, month, day, hour, minute, second, ms = map(int, match.groups())
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise Malformed(f"{text!r} is no time: {error}") from error
    if year < 1970:
        raise Malformed(f"{text!r} is before 1970")
    return (moment - EPOCH) // datetime.timedelta(milliseconds=1) + ms


# --- kinds: each is a function that raises Malformed for a value that is not of it ---


def integer(low=0, high=INT_MAX):
    def check(value):
        if type(value) is not int or not low <= value <= high:
            raise Malformed(f"{value!r} is no integer from {low} to {high}")
    return check


def pattern(expression, what):
    def check(value):
        if not isinstance(value, str) or not re.fullmatch(expression, value, re.ASCII):
            raise Malformed(f"{value!r} is {what}")
    return check


def one_of(*allowed):
    def check(value):
        if value not in allowed or not isinstance(value, str):
            raise Malformed(f"{value!r} is none of {', '.join(allowed)}")
    return check


def text(limit):
    def check(value):
        if not isinstance(value, str) or not 1 <= len(value.encode("utf-8")) <= limit:
            raise Malformed(f"a text has not 1 to {limit} bytes")
        if any(ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F for c in value):
            raise Malformed("a text has a control character")
    return check


def time(value):
    if not isinstance(value, str):
        raise Malformed(f"{value!r} is no time")
    milliseconds(value)


def boolean(value):
    if not isinstance(value, bool):
        raise Malformed(f"{value!r} is neither true nor false")


def vkey(value):
    text(319)(value)
    if note.parse_vkey(value).type != note.ED25519:
        raise Malformed("a log's key is not of type 01")


def signed_note(value):
    if not isinstance(value, str) or not 1 <= len(value.encode("utf-8")) <= note.NOTE_MAX:
        raise Malformed("a note has too many bytes, or none")


def json_object(value):
    if not isinstance(value, dict):
        raise Malformed("no object")


def places(value):
    if not isinstance(value, list) or not 1 <= len(value) <= PLACES_MAX:
        raise Malformed(f"places are not 1 to {PLACES_MAX}")
    for place in value:
        json_object(place)
        check_members(place, {"number": INT_FROM_1, "serial": SERIAL, "unit": UNIT}, {})


def tier_counts(value):
    if not isinstance(value, list) or not 1 <= len(value) <= TIERS_MAX:
        raise Malformed(f"tiers are not 1 to {TIERS_MAX}")
    for count in value:
        json_object(count)
        check_members(count, {"tickets": INT, "voids": INT}, {})


INT, INT_FROM_1 = integer(), integer(1)
MONEY = INT
UNIT, SERIAL = integer(1, UNIT_MAX), integer(1, SERIAL_MAX)
ROLE = one_of(*ROLES)
A_WORD = pattern(WORD.pattern, "no word")
TEXT = text(512)
HEX32, HEX48 = pattern("[0-9a-f]{64}", "no 32 bytes in hexadecimal"), pattern("[0-9a-f]{96}", "no 48 bytes in hexadecimal")

TOTALS = {"gross": MONEY, "numbers": INT, "tickets": INT, "void_gross": MONEY, "void_numbers": INT, "voids": INT}
PLACE_OF_RESULT = {"place": INT_FROM_1, "prize": A_WORD, "result": INT}

# --- types: the members that are required, and the optional ones, beside the four that every leaf has ---

COMMON = {"at": time, "by": ROLE, "p": HEX32, "t": A_WORD}

TYPES = {
    "raffle.open": ({"format": integer(1, 1), "key": vkey, "rules": json_object, "ticket_key": HEX32}, {}),
    "unit.enrol": ({"key": vkey, "name": text(64), "quota": INT, "ticket_key": HEX32, "unit": UNIT},
                   {"away": integer(0, AWAY_MAX), "note": signed_note}),
    "unit.enable": ({"unit": UNIT}, {}),
    "unit.disable": ({"reason": A_WORD, "unit": UNIT}, {}),
    "unit.quota": ({"quota": INT, "unit": UNIT}, {}),
    "unit.unenrol": ({"unit": UNIT}, {}),
    "unit.sync": ({"note": signed_note, "root": HEX32, "size": INT_FROM_1, "twice": INT, "unit": UNIT}, {}),
    "unit.start": ({"n": INT_FROM_1, "open": HEX32, "unit": UNIT}, {}),
    "sale": ({"count": integer(1, 1000000), "n": INT_FROM_1, "price": MONEY, "tier": A_WORD}, {}),
    "void": ({"count": INT, "price": MONEY, "reason": one_of("refund", "payment", "misprint", "error", "other"), "serial": SERIAL,
              "unit": UNIT}, {"n": INT_FROM_1}),
    "unit.close": ({"n": INT_FROM_1, **TOTALS}, {}),
    "seal.unit": ({"note": signed_note, "reconciled": boolean, "root": HEX32, "size": INT, "unit": UNIT, "void_root": HEX32, **TOTALS},
                  {"tiers": tier_counts}),
    "seal": ({"first": INT, "kind": one_of("early", "final"), "units": INT, "unreconciled": INT, **TOTALS}, {"ok": ROLE}),
    "voids.ack": ({"seal": INT, "voids": INT}, {}),
    "draw.intent": ({"attempt": INT_FROM_1, "numbers": INT_FROM_1, "prize": A_WORD, "seal": INT},
                    {"commitment": HEX32, "evidence": TEXT, "ok": ROLE, "provider": TEXT, "reason": A_WORD, "result": INT}),
    "draw.call": ({"intent": INT, "number": INT_FROM_1, "outcome": one_of("unsold", "void", "not-entered", "again", "barred", "taken"), "unit": UNIT},
                  {"serial": SERIAL}),
    "draw.manual": ({"alternates": INT, "attempt": INT_FROM_1, "count": INT, "intent": INT, "note": signed_note, "numbers": INT_FROM_1, "prize": A_WORD,
                     "winners": INT}, {"ok": ROLE}),
    "draw.picks": ({"first": INT_FROM_1, "intent": INT, "places": places}, {}),
    "draw.result": ({"alternates": INT, "attempt": INT_FROM_1, "intent": INT, "note": signed_note, "numbers": INT_FROM_1, "prize": A_WORD,
                     "provider": TEXT, "rejected": INT, "seed": HEX48, "skipped_barred": INT, "skipped_not_entered": INT,
                     "skipped_void": INT, "skips": HEX32, "winners": INT},
                    {"ask": INT_FROM_1, "beacon": HEX48, "evidence": TEXT, "fallback": HEX48, "places": places, "round": INT}),
    "draw.abort": ({"attempt": INT_FROM_1, "intent": INT, "ok": ROLE, "prize": A_WORD, "reason": A_WORD}, {}),
    "winner.verify": ({"outcome": one_of("verified", "void"), **PLACE_OF_RESULT}, {"promoted": INT_FROM_1}),
    "winner.pick": ({**PLACE_OF_RESULT, "envelope": INT_FROM_1, "ok": ROLE, "outcome": one_of("found", "missed")}, {"promoted": INT_FROM_1}),
    "winner.official": (PLACE_OF_RESULT, {}),
    "cash": ({"counted": MONEY, "kind": A_WORD, "unit": UNIT}, {}),
    "claim": ({"ok": ROLE, **PLACE_OF_RESULT}, {"papers": boolean}),
    "claim.wait": (PLACE_OF_RESULT, {}),
    "forfeit": ({"reason": A_WORD, **PLACE_OF_RESULT}, {"ok": ROLE, "promoted": INT_FROM_1}),
    "print": ({"count": INT, "first": INT, "size": INT, "unit": UNIT}, {}),
    "reprint": ({"ok": ROLE, "reason": A_WORD, "unit": UNIT}, {"count": INT, "first": INT, "serial": SERIAL}),
    "event": ({"code": A_WORD},
              {"ask": INT_FROM_1, "component": A_WORD, "count": INT, "first": INT, "key": vkey, "n": INT_FROM_1, "ok": ROLE, "serial": SERIAL, "size": INT, "unit": UNIT}),
}

UNIT_TYPES = {"unit.start", "sale", "void", "event", "unit.close"}
CONTROL_TYPES = set(TYPES) - {"unit.start", "sale", "unit.close"}


def check_members(value, required, optional):
    for name in required:
        if name not in value:
            raise Malformed(f"{name!r} is missing")
    for name, inner in value.items():
        kind = required.get(name) or optional.get(name)
        if kind is None:
            raise Malformed(f"{name!r} is no member here")
        try:
            kind(inner)
        except Malformed as reason:
            raise Malformed(f"{name}: {reason}") from reason


def decode(leaf):
    """The record of a leaf's bytes, a dict; `at_ms` is added: its time in milliseconds."""
    if not 1 <= len(leaf) <= LEAF_MAX:
        raise Malformed("a leaf has 1 to 65535 bytes")
    record = canonical_json.decode(leaf)
    json_object(record)
    if not isinstance(record.get("t"), str) or record["t"] not in TYPES:
        raise Malformed(f"{record.get('t')!r} is no type of format 1")
    required, optional = TYPES[record["t"]]
    check_members(record, {**COMMON, **required}, optional)
    if record["t"] == "event" and "ask" in record and record["code"] not in ("draw.ask-failed", "draw.ask-again"):
        raise Malformed("ask stands in draw.ask-failed and draw.ask-again, and only there")
    if record["t"] == "event" and ("first" in record) != (record["code"] == "remote.end"):
        raise Malformed("first stands in remote.end, and only there")
    if record["t"] == "event" and ("key" in record) != (record["code"] in ("program.altered", "program.verified")):
        raise Malformed("a maker's key stands in program.altered and program.verified, and only there")
    if record["t"] == "event" and record["code"] == "data.altered" and "ok" not in record:
        raise Malformed("data.altered has no second approver")
    record["at_ms"] = milliseconds(record["at"])
    return record
