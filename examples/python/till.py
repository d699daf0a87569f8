#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A till without a link: it applies, gets its kit, sells by itself, and exports what it sold when it comes back.

    till.py apply    FOLDER ORIGIN UNIT           makes the till's key; prints what the raffle enrols it with
    till.py install  FOLDER KIT                   from the kit, a secret file
    till.py sell     FOLDER TIER [COUNT]          prints draw numbers and validation numbers
    till.py export   FOLDER CHALLENGE OUT         for the raffle's challenge, a file
    till.py update   FOLDER NEWS                  what the raffle told since
    till.py close    FOLDER

The raffle's side, in a club's office:

    till.py office enrol STORE NAME QUOTA APPLICATION KIT
    till.py office challenge STORE UNIT OUT
    till.py office upload STORE UPLOAD NEWS

All files may be carried on a stick, twice, or late.
"""
import json
import os
import pathlib
import sys
import uuid
from typing import BinaryIO, Callable, Dict

import raffle

SELLER = raffle.Actor("tent", raffle.Role.SELLER)
BOSS = raffle.Actor("boss", raffle.Role.MANAGER)


# --- the till ---

def keys_of(folder: str) -> str:
    return f"file:{folder}/keys"


def opened(folder: str) -> raffle.Raffle:
    return raffle.Raffle.open(f"{folder}/till.raffle", keys=keys_of(folder))


def secret_file(path: str) -> BinaryIO:
    """A new file that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def apply(folder: str, origin: str, unit: str) -> None:
    application = raffle.unit_apply(keys_of(folder), origin, int(unit))
    print(json.dumps(application._asdict()))


def install(folder: str, kit: str) -> None:
    raffle.Raffle.unit_install(f"{folder}/till.raffle", pathlib.Path(kit).read_bytes(), keys=keys_of(folder)).free()


def sell(folder: str, tier: str, count: str = "1") -> None:
    with opened(folder) as till, till.unit_open(till.describe().till) as unit:
        order = str(uuid.uuid4())  # kept by a real till until the sale is answered, and sent again after a power cut
        for ticket in unit.sell(SELLER, [raffle.Sale(tier, order, channel="till")] * int(count)):
            print(" ".join(ticket.numbers), unit.validation(ticket.serial))


def export(folder: str, challenge: str, out: str) -> None:
    with opened(folder) as till, till.unit_open(till.describe().till) as unit, open(out, "wb") as file:
        unit.export(pathlib.Path(challenge).read_text(encoding="utf-8"), file)


def update(folder: str, news: str) -> None:
    with opened(folder) as till:
        till.unit_update(pathlib.Path(news).read_bytes())


def close(folder: str) -> None:
    with opened(folder) as till, till.unit_open(till.describe().till) as unit:
        unit.close(BOSS)


# --- the raffle's office ---

def enrol(store: str, name: str, quota: str, application: str, kit: str) -> None:
    asked = json.loads(pathlib.Path(application).read_text(encoding="utf-8"))
    with raffle.Raffle.open(store) as r, secret_file(kit) as file:
        unit = r.unit_enrol(BOSS, name, quota=int(quota), away=True, hours=48, key=asked["key"], proof=asked["proof"])
        r.unit_enable(BOSS, unit)
        r.unit_kit(unit, file)
    print(unit)


def challenge(store: str, unit: str, out: str) -> None:
    with raffle.Raffle.open(store) as r:
        pathlib.Path(out).write_text(r.unit_challenge(int(unit)), encoding="utf-8")


def upload(store: str, path: str, news: str) -> None:
    with raffle.Raffle.open(store) as r, open(news, "wb") as file:
        done = r.unit_upload(BOSS, pathlib.Path(path).read_bytes())
        r.unit_news(done.unit, done.control_size, file)
    print(f"unit {done.unit}: {done.taken} records taken, {done.numbers} draw numbers in all" + (", closed" if done.closed else ""))


TILL: Dict[str, Callable[..., None]] = {"apply": apply, "install": install, "sell": sell, "export": export, "update": update, "close": close}
OFFICE: Dict[str, Callable[..., None]] = {"enrol": enrol, "challenge": challenge, "upload": upload}


def main() -> None:
    words = sys.argv[1:]
    table = TILL
    if words[:1] == ["office"]:
        words, table = words[1:], OFFICE
    if not words or words[0] not in table:
        sys.exit(__doc__)
    try:
        table[words[0]](*words[1:])
    except raffle.Error as no:
        sys.exit(f"{raffle.rc_name(no.rc)}: {no}")


if __name__ == "__main__":
    main()
