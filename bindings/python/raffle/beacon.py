# SPDX-License-Identifier: Apache-2.0
"""The public beacon of committed draws, drand's quicknet: a round every three seconds, whose value nobody knows before its time."""
import datetime
from typing import Any, Callable, Optional, Tuple

from ._border import Document, call, document, ms_of, time_of
from ._callbacks import callback
from ._native import ffi, lib
from .errors import Signature

BeaconVerify = Callable[[int, bytes], bool]
"""A host's verification of a round's value, the BLS signature under quicknet's public key: whether it is good. What it raises is raised by the call that asked;
examples/beacon/ holds two."""


def beacon_round(at: datetime.datetime) -> int:
    """The first round whose time is at or after `at`.

    C: raffle_beacon_round
    """
    return int(lib.raffle_beacon_round(ms_of(at, "at")))


def beacon_time(round: int) -> Optional[datetime.datetime]:
    """A round's time; None for round 0 or one beyond the year 9999.

    C: raffle_beacon_time
    """
    ms = lib.raffle_beacon_time(round)
    return None if ms < 0 else time_of(ms)


def beacon_parse(json: Document) -> Tuple[int, bytes]:
    """Reads what drand's servers publish of a round: its number and value. Nothing is verified beyond the randomness, which is the SHA-256 of the signature.

    C: raffle_beacon_parse
    """
    data, length = document(json, "json")
    round, value = ffi.new("uint64_t *"), ffi.new("uint8_t[]", lib.RAFFLE_BEACON_SIZE)
    call(lib.raffle_beacon_parse, data, length, round, value)
    return int(round[0]), bytes(ffi.buffer(value))


@callback("beacon_verify")
def beacon_verify(verify: BeaconVerify, round: int, value: Any, err: Any) -> None:
    good = verify(round, bytes(ffi.buffer(value, lib.RAFFLE_BEACON_SIZE)))
    if not isinstance(good, bool):
        raise TypeError(f"the beacon's verification gave {type(good).__name__}, not a bool")
    if not good:
        raise Signature(f"the value of round {round} is not the beacon's")
