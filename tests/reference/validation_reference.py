#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The validation number (docs/spec) a second time, in the standard library alone, sharing no code with the library.

Slow and plain on purpose: numbers are long integers, the check character is the definition's sum of weights.
"""
import hashlib
import hmac

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"


class Malformed(ValueError):
    """What was typed is no validation number."""


def mac(key, *parts):
    return hmac.new(key, b"\0".join(parts), hashlib.sha256).digest()


def unit_key(key, origin, unit):
    return mac(key, b"libraffle/vn/unit/v1", origin.encode(), unit.to_bytes(2, "big"))


def tag_of(ku, serial, at):
    return mac(ku, b"libraffle/vn/v1", serial.to_bytes(5, "big") + at.to_bytes(8, "big"))[:8]


def mask_of(ku, tag):
    return int.from_bytes(mac(ku, b"libraffle/vn/mask/v1", tag)[:5], "big")


def check37(text):
    """ISO 7064 MOD 37,2: with the check character of weight 1, the weighted sum is 1 modulo 37."""
    total = sum(CHECK.index(c) * pow(2, len(text) - i, 37) for i, c in enumerate(text))
    return CHECK[(1 - total) % 37]


def check37_holds(text):
    if len(text) < 2 or any(c not in CHECK[:36] for c in text[:-1]) or text[-1] not in CHECK:
        return False
    return check37(text[:-1]) == text[-1]


def to_text(unit, tag, masked):
    """Unhyphenated."""
    value = int.from_bytes(unit.to_bytes(2, "big") + tag + masked.to_bytes(5, "big"), "big")
    digits = []
    for _ in range(24):
        value, digit = divmod(value, 32)
        digits.append(CROCKFORD[digit])
    body = "".join(reversed(digits))
    return body + check37(body)


def hyphenated(text):
    return "-".join(text[i:i + 5] for i in range(0, 25, 5))


def make(key, origin, unit, serial, at):
    ku = unit_key(key, origin, unit)
    tag = tag_of(ku, serial, at)
    return hyphenated(to_text(unit, tag, serial ^ mask_of(ku, tag)))


def parse(typed):
    """(unit, tag, masked), or Malformed."""
    text = typed.replace("-", "").replace(" ", "")
    if len(text) != 25 or not text.isascii():
        raise Malformed(typed)
    text = text.upper()
    body = text[:24].translate(str.maketrans("ILO", "110"))
    if any(c not in CROCKFORD for c in body) or text[24] != check37(body):
        raise Malformed(typed)
    value = 0
    for c in body:
        value = value * 32 + CROCKFORD.index(c)
    raw = value.to_bytes(15, "big")
    unit = int.from_bytes(raw[:2], "big")
    if unit == 0:
        raise Malformed(typed)
    return unit, raw[2:10], int.from_bytes(raw[10:], "big")


def read(key, origin, typed):
    """(unit, serial, tag) as the number claims; the tag is still to be compared."""
    unit, tag, masked = parse(typed)
    return unit, masked ^ mask_of(unit_key(key, origin, unit), tag), tag


def is_number_of(key, origin, typed, unit, serial, at):
    claimed_unit, claimed_serial, tag = read(key, origin, typed)
    return claimed_unit == unit and claimed_serial == serial and tag == tag_of(unit_key(key, origin, unit), serial, at)
