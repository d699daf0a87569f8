# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON: the profile "libraffle-rec-1" of docs/spec/records.md, which is RFC 8785 without null, fractions and exponents."""
import json
import re

INT_MAX = 2**53 - 1
DEPTH_MAX = 16
NAME = re.compile(r"[a-z][a-z0-9_]*")


class Malformed(ValueError):
    """Bytes that are not what their format asks for; the text says why."""


def encode(value):
    """The one canonical form of a value, as bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def _object(pairs):
    for name, _ in pairs:
        if not NAME.fullmatch(name):
            raise Malformed(f"{name!r} is no name of a member")
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("a member stands twice")
    return dict(pairs)


def _integer(text):
    value = int(text) if len(text) <= 17 else INT_MAX + 1
    if abs(value) > INT_MAX:
        raise Malformed("an integer is beyond 2^53 - 1")
    return value


def _refuse(text):
    raise Malformed(f"{text} is no value of this profile")


def _check_depth(value, depth):
    if value is None:
        raise Malformed("null is no value of this profile")
    if not isinstance(value, (dict, list)):
        return
    if depth > DEPTH_MAX:
        raise Malformed(f"nesting is deeper than {DEPTH_MAX}")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_depth(inner, depth + 1)


def decode(data):
    """The value of canonical bytes; raises Malformed for any others: what would be written otherwise was not written by the format's rules."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_object, parse_int=_integer, parse_float=_refuse, parse_constant=_refuse)
        _check_depth(value, 1)
        if encode(value) != data:
            raise Malformed("the JSON is not canonical")
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {error}") from error
    return value
