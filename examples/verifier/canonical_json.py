# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON, the profile libraffle-rec-1 (docs/spec/records.md): read strictly, by writing again what was read and comparing the bytes."""
import json
import re

MOST = 2**53 - 1
NAME = re.compile("[a-z][a-z0-9_]*")
DEEP = 16


class NotCanonical(ValueError):
    """Bytes that a writer of the profile would not have written."""


def write(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise NotCanonical("a member stands twice")
    for name in names:
        if not NAME.fullmatch(name):
            raise NotCanonical(f"a member is named {name!r}")
    return dict(pairs)


def _refuse(text):
    raise NotCanonical(f"{text} is no integer")


def _check(value, depth):
    if value is None:
        raise NotCanonical("null is no value of the profile")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MOST:
        raise NotCanonical(f"{value} is beyond 2^53-1")
    if isinstance(value, (dict, list)):
        if depth == DEEP:
            raise NotCanonical("it is nested too deeply")
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, depth + 1)


def read(data):
    """The object in these bytes."""
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_float=_refuse, parse_constant=_refuse)
        _check(value, 0)
        same = write(value) == data
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None
    if not same:
        raise NotCanonical("it is not written canonically")
    if not isinstance(value, dict):
        raise NotCanonical("it is no object")
    return value
