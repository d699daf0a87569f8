# SPDX-License-Identifier: Apache-2.0
"""Records of format 1 (docs/spec/records.md): which members each type has, and of what kind."""
import datetime
import re

import canonical_json

ROLES = ("seller", "supervisor", "manager", "administrator", "auditor", "system")
SUMS = ("tickets", "numbers", "gross", "voids", "void_numbers", "void_gross")
MOST = canonical_json.MOST
SERIAL_MOST, LEAF_MOST, NOTE_MOST = 2**40 - 1, 65535, 16384
WORD = re.compile("[a-z0-9][a-z0-9._-]{0,31}")
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z", re.ASCII)
EPOCH = datetime.datetime(1970, 1, 1)


class BadRecord(ValueError):
    """A leaf that is no record of format 1."""


def milliseconds(text):
    """A time's milliseconds since 1970, or None for one that does not exist."""
    found = isinstance(text, str) and TIME.fullmatch(text)
    if not found or not 1970 <= int(found[1]) <= 9999:
        return None
    try:
        return (datetime.datetime(*map(int, found.groups()[:6])) - EPOCH) // datetime.timedelta(milliseconds=1) + int(found[7])
    except ValueError:
        return None


def is_int(value, low=0, high=MOST):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_text(value, low=1, high=512):
    return isinstance(value, str) and low <= len(value.encode()) <= high and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value)


def is_hex(value, size):
    return isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{2 * size}}}", value) is not None


def is_place(value):
    return isinstance(value, dict) and set(value) == {"number", "serial", "unit"} and is_int(value["number"], 1) and is_int(value["serial"], 1, SERIAL_MOST) \
        and is_int(value["unit"], 1, 65535)


def between(low, high=MOST):
    return lambda value: is_int(value, low, high)


def one_of(*words):
    return lambda value: isinstance(value, str) and value in words


KINDS = {
    "alternates": is_int, "ask": between(1), "attempt": between(1), "beacon": lambda v: is_hex(v, 48), "code": lambda v: is_word(v),
    "commitment": lambda v: is_hex(v, 32), "component": lambda v: is_word(v), "count": is_int, "evidence": is_text, "fallback": lambda v: is_hex(v, 48),
    "first": is_int, "format": is_int, "gross": is_int, "intent": is_int, "key": lambda v: is_text(v, 1, 319), "kind": one_of("early", "final"),
    "n": between(1), "name": lambda v: is_text(v, 1, 64), "note": lambda v: isinstance(v, str) and 1 <= len(v.encode()) <= NOTE_MOST, "numbers": is_int,
    "ok": one_of(*ROLES), "open": lambda v: is_hex(v, 32), "outcome": one_of("verified", "void"), "place": between(1),
    "places": lambda v: isinstance(v, list) and 1 <= len(v) <= 500 and all(map(is_place, v)), "price": is_int, "prize": lambda v: is_word(v),
    "promoted": between(1), "provider": is_text, "quota": is_int, "reason": lambda v: is_word(v), "reconciled": lambda v: isinstance(v, bool),
    "rejected": is_int, "result": is_int, "root": lambda v: is_hex(v, 32), "round": is_int, "rules": lambda v: isinstance(v, dict), "seal": is_int,
    "seed": lambda v: is_hex(v, 48), "serial": between(1, SERIAL_MOST), "size": is_int, "skipped_barred": is_int, "skipped_not_entered": is_int,
    "skipped_void": is_int, "skips": lambda v: is_hex(v, 32), "ticket_key": lambda v: is_hex(v, 32), "tickets": is_int, "tier": lambda v: is_word(v),
    "unit": between(1, 65535), "units": is_int, "unreconciled": is_int, "void_gross": is_int, "void_numbers": is_int, "void_root": lambda v: is_hex(v, 32),
    "voids": is_int, "winners": is_int,
    "at": lambda v: milliseconds(v) is not None, "by": one_of(*ROLES), "p": lambda v: is_hex(v, 32), "t": lambda v: is_word(v),
}

# The members that a type has beside at, by, p and t; those with a question mark may be missing.
TYPES = {
    "raffle.open": "format key rules ticket_key", "unit.enrol": "key name quota ticket_key unit", "unit.enable": "unit", "unit.disable": "reason unit",
    "unit.quota": "quota unit", "unit.unenrol": "unit", "unit.start": "n open unit", "sale": "count n price tier", "void": "count n? price reason serial unit",
    "unit.close": "gross n numbers tickets void_gross void_numbers voids",
    "seal.unit": "gross note numbers reconciled root size tickets unit void_gross void_numbers void_root voids",
    "seal": "first gross kind numbers ok? tickets units unreconciled void_gross void_numbers voids", "voids.ack": "seal voids",
    "draw.intent": "attempt commitment? evidence? numbers prize provider? seal", "draw.picks": "first intent places",
    "draw.result": "alternates ask? attempt beacon? evidence? fallback? intent note numbers places? prize provider rejected round? seed skipped_barred "
                   "skipped_not_entered skipped_void skips winners",
    "draw.abort": "attempt intent ok prize reason", "winner.verify": "outcome place prize promoted? result", "winner.official": "place prize result",
    "claim": "ok place prize result", "forfeit": "ok? place prize promoted? reason result",
    "event": "ask? code component? count? n? ok? serial? size? unit?",
}
VOID_REASONS = ("refund", "payment", "misprint", "error", "other")


def is_word(value):
    return isinstance(value, str) and WORD.fullmatch(value) is not None


def read(leaf):
    """The record in a leaf's bytes, with its time in milliseconds as `ms`; raises BadRecord."""
    if not 1 <= len(leaf) <= LEAF_MOST:
        raise BadRecord(f"a leaf has {len(leaf)} bytes")
    try:
        record = canonical_json.read(leaf)
    except canonical_json.NotCanonical as error:
        raise BadRecord(f"not canonical: {error}") from None
    members = TYPES.get(record.get("t")) if isinstance(record.get("t"), str) else None
    if members is None:
        raise BadRecord("its type is not known")
    must = {"at", "by", "p", "t"} | {name for name in members.split() if name[-1] != "?"}
    may = must | {name.rstrip("?") for name in members.split()}
    if not must <= set(record) <= may:
        raise BadRecord(f"a {record['t']} without {sorted(must - set(record))} and with {sorted(set(record) - may)}")
    for name, value in record.items():
        if not KINDS[name](value):
            raise BadRecord(f"{name} is not of its kind")
    record["ms"] = milliseconds(record["at"])
    return record
