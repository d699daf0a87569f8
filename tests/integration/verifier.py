#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python verifier (examples/verifier) beside `raffle audit`: over raffles that are published both say the same; raffles forged in one record, under the right signatures,
both refuse; so does the verifier each byte of a small folder in turn, and altered receipts. With stores as arguments only over those.

    RAFFLE=build/src/cli/raffle RAFFLE_SOURCE=. python3 tests/integration/verifier.py [STORE …]
"""
import functools
import json
import os
import sqlite3
import subprocess
import sys

RAFFLE, SOURCE = os.environ["RAFFLE"], os.environ["RAFFLE_SOURCE"]
VERIFY = os.path.join(SOURCE, "examples", "verifier", "verify.py")
BEACON = f"{sys.executable} {SOURCE}/examples/beacon/verify_quicknet.py"
sys.path[:0] = [os.path.join(SOURCE, "examples", "verifier"), os.path.join(SOURCE, "tests", "reference")]
import canonical_json  # noqa: E402
import draw  # noqa: E402
import ed25519  # noqa: E402
import folder  # noqa: E402
import note  # noqa: E402
import raffle_reference as reference  # noqa: E402
import receipt_reference  # noqa: E402
import tiles_reference as tiles  # noqa: E402
import verify  # noqa: E402
from hmac_drbg import HmacDrbg  # noqa: E402
from receipt import verify_receipt  # noqa: E402

VERDICT = ("passed", "integrity", "completeness", "key_pinned", "records", "withheld", "tickets", "draw_numbers", "voids", "gross", "void_gross", "pot")
DRAW = ("prize", "assurance", "provider", "committed", "result", "attempt", "asked", "witnessed", "places", "draw_numbers", "skipped", "round", "beacon_verified",
        "seed_lost")
counts = {}


def check(good, sentence, kind):
    if not good:
        sys.exit(f"FAILED: {sentence}")
    counts[kind] = counts.get(kind, 0) + 1


def said(command, path, key):
    """The verdict and the draws, as both print them."""
    done = subprocess.run([*command, path, "--json", *(["--key", key] if key else [])], capture_output=True, text=True,
                          env={**os.environ, "RAFFLE_BEACON_VERIFIER": BEACON})
    if done.returncode not in (0, 3):
        sys.exit(f"FAILED: {command} {path}: {done.stdout}{done.stderr}")
    answer = json.loads(done.stdout)
    verdict = {name: answer["verdict"][name] for name in VERDICT}
    return verdict, [{name: draw[name] for name in DRAW if name in draw} for draw in answer["draws"]], answer["faults"]


def both(path, key, good, kind):
    """Both implementations over a folder."""
    library, python = said([RAFFLE, "audit"], path, key), said([sys.executable, VERIFY], path, key)
    if good is None or good:
        check(library[:2] == python[:2], f"{path}: the library says {library}, the verifier {python}", kind)
    if good is not None:
        check(library[0]["integrity"] == good and python[0]["integrity"] == good, f"{path}: the library says {library}, the verifier {python}", kind)


# --- forged in one record, and signed as if nothing had happened ---


def other_hex(value):
    return ("1" if value[0] == "0" else "0") + value[1:]


def more(name, by=1):
    return name, lambda value: value + by


def swap(places):
    return [{**places[0], "number": places[0]["number"] % 3 + 1}] + places[1:]


FORGERIES = [
    ("sale", more("price")), ("sale", more("count")), ("sale", ("tier", lambda v: "one" if v == "ten" else "ten")), ("sale", ("by", lambda v: "auditor")),
    ("sale", more("n")), ("sale", ("at", lambda v: "2026-11-15T06:00:00.000Z")), ("sale", ("t", lambda v: "sold")), ("sale", ("p", lambda v: v[:-1])),
    ("void", more("serial", 50)), ("void", more("price")), ("void", ("by", lambda v: "seller")), ("void", ("reason", lambda v: "whim")), ("void", more("unit")),
    ("unit.start", ("open", other_hex)), ("unit.start", more("unit")), ("unit.close", more("gross")), ("unit.close", more("voids")),
    ("unit.enrol", more("unit")), ("unit.enrol", ("by", lambda v: "seller")), ("unit.enable", more("unit", 7)),
    ("seal.unit", more("tickets")), ("seal.unit", more("void_gross")), ("seal.unit", ("void_root", other_hex)), ("seal.unit", ("root", other_hex)),
    ("seal.unit", ("note", lambda v: v.replace("\u2014 ", "\u2014 x"))), ("seal.unit", more("size", -1)),
    ("seal", more("gross")), ("seal", more("units")), ("seal", more("first")), ("seal", ("by", lambda v: "auditor")), ("seal", more("unreconciled")),
    ("voids.ack", more("voids")), ("voids.ack", more("seal", -1)),
    ("draw.intent", more("numbers")), ("draw.intent", more("attempt")), ("draw.intent", ("prize", lambda v: "small")), ("draw.intent", more("seal", -1)),
    ("draw.result", ("seed", other_hex)), ("draw.result", ("skips", other_hex)), ("draw.result", more("rejected")), ("draw.result", more("skipped_void")),
    ("draw.result", ("places", swap)), ("draw.result", more("ask", -1)), ("draw.result", ("provider", lambda v: "pkcs11:x")), ("draw.result", more("winners")),
    ("draw.result", ("note", lambda v: v.replace("\u2014 ", "\u2014 x"))), ("draw.result", more("intent", -1)), ("draw.result", more("attempt")),
    ("winner.verify", more("place", 8)), ("winner.verify", ("outcome", lambda v: "void")), ("winner.official", more("result", -1)),
    ("claim", ("ok", lambda v: "seller")), ("claim", more("place")), ("event", ("code", lambda v: "draw.ask-failed")), ("event", ("by", lambda v: "seller")),
]


def forged(kind, member, change):
    """The example raffle, whose first record of this type says something else; whatever follows is made over that, and signed."""
    add, done = reference.Log.add, []

    def tampered(self, record, private):
        if record["t"] == kind and member in record and not done:
            done.append(True)
            record = {**record, member: change(record[member])}
        elif member == "p" and record["t"] == kind and not done:
            index = add(self, record, private)
            leaf = json.loads(self.leaves[index])
            done.append(True)
            self.leaves[index] = tiles.canonical({**leaf, "p": change(leaf["p"])})
            return index
        return add(self, record, private)

    reference.Log.add = tampered
    try:
        made = reference.example()
    finally:
        reference.Log.add = add
    if not done:
        sys.exit(f"FAILED: the example has no {kind} with {member}")
    return made


def forgeries():
    for number, (kind, (member, change)) in enumerate(FORGERIES):
        made = forged(kind, member, change)
        path = f"forged.{number}.{kind}.{member}"
        tiles.write(made.files(), path)
        both(path, made.control.vkey, False, "forgeries that both refuse")


# --- altered bytes ---


class InMemory(folder.Folder):
    def __init__(self, files):
        super().__init__("memory")
        self.files = files

    def read(self, name, most):
        if name not in self.files:
            raise folder.Missing(name)
        if len(self.files[name]) > most:
            raise folder.Damaged(name)
        return self.files[name]


def passes(files, key):
    audit = verify.Audit("memory", key, lambda *_: None)
    audit.folder = InMemory(files)
    try:
        audit.run()
    except (folder.Missing, folder.Damaged):
        return False
    return audit.verdict()["passed"]


def small():
    made = reference.Raffle(prizes=({"name": "main", "alternates": 0},))
    unit = made.enrol("web")
    for i in range(3):
        made.sell(unit, "one", f"o-{i}")
    made.void(unit, 2)
    made.close(unit)
    made.seal("final")
    made.draw("main")
    return made


def bytes_in_turn():
    made = small()
    files, key = made.files(), note.read_vkey(made.control.vkey)
    check(passes(files, key), "the small raffle is good", "bytes altered")
    for name, data in files.items():
        for at in range(len(data)):
            altered = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1:]
            check(not passes({**files, name: altered}, key), f"{name} altered at {at} is taken for good", "bytes altered")
        for other in (data[:-1], data + b"\0", b""):
            check(not passes({**files, name: other}, key), f"{name} of {len(other)} bytes is taken for good", "bytes altered")
        check(not passes({n: d for n, d in files.items() if n != name}, key), f"the folder without {name} is taken for good", "bytes altered")


def receipts():
    """Good ones of the second implementation, and each of their bytes altered."""
    made = reference.example()
    key = note.read_vkey(made.control.vkey)
    for unit, serial in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2)):
        data = receipt_reference.Receipt(made, unit, serial).text().encode()
        says = verify_receipt(data, key)
        check((says["unit"], says["serial"]) == (unit, serial), says, "receipts")
        for at in range(0, len(data), 3):
            altered = data[:at] + bytes([data[at] ^ 1 << at % 7]) + data[at + 1:]
            try:
                verify_receipt(altered, key)
            except (ValueError, KeyError, TypeError):
                check(True, "", "bytes of receipts altered")
                continue
            sys.exit(f"FAILED: the receipt of {unit}/{serial} altered at {at} is taken for good")


# --- the primitives, by published vectors ---

RFC_8032 = [  # section 7.1: public key, message, signature
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]


def vectors(name):
    with open(os.path.join(SOURCE, "tests", "vectors", name + ".json"), encoding="utf-8") as f:
        return json.load(f)["cases"]


def signatures():
    for key, message, signature in RFC_8032:
        key, message, signature = map(bytes.fromhex, (key, message, signature))
        check(ed25519.verify(key, message, signature), "a signature of RFC 8032", "primitives")
        s = int.from_bytes(signature[32:], "little")
        for other in (signature[:32] + (s + ed25519.ORDER).to_bytes(32, "little"), signature[:63], signature[:32] + bytes(32), bytes(32) + signature[32:]):
            check(not ed25519.verify(key, message, other), "a signature that is not canonical", "primitives")
        check(not ed25519.verify(key, message + b"x", signature), "a signature of another message", "primitives")
    for low in (0, 1, ed25519.P - 1, ed25519.P, ed25519.P + 1):  # small order, or not canonical
        check(not ed25519.verify(low.to_bytes(32, "little"), b"", bytes([1]) + bytes(63)), f"the key {low}", "primitives")


def published_vectors():
    for case in vectors("hmac_drbg"):
        if case["valid"] and not any(name.startswith(("reseed", "pr_", "additional")) for name in case):
            entropy, nonce, personalisation = (bytes.fromhex(case.get(name, "")) for name in ("entropy", "nonce", "personalisation"))
            drbg = HmacDrbg(entropy, nonce, personalisation)
            drbg.generate(len(case["output"]) // 2)
            check(drbg.generate(len(case["output"]) // 2).hex() == case["output"], case["name"], "primitives")
    for case in vectors("json"):
        if case["kind"] == "canonical":
            data = case["text"].encode() if "text" in case else bytes.fromhex(case["hex"])
            try:
                good = canonical_json.read(data) is not None
            except canonical_json.NotCanonical as error:
                good = str(error) == "it is no object" and case["valid"]
            check(good == case["valid"], case["name"], "primitives")
    for case in vectors("draw"):
        if case["valid"] and "picks" in case and "root" in case:
            c = draw.commitment(case["origin"], int(case["intent"]), bytes.fromhex(case["root"]))
            words = draw.Words(bytes.fromhex(case["seed"]), c, bytes.fromhex(case.get("beacon", "")))
            picks = [str(pick) for pick, _ in zip(draw.permutation(words, int(case["n"])), case["picks"])]
            check((picks, c.hex()) == (case["picks"], case["commitment"]), case["name"], "primitives")


def published(store, number):
    """A store as its newest checkpoints have it; None where there are none."""
    logs = tiles.logs_of(store)
    if not logs or logs[0][0] != "control":
        return None
    path = f"published.{number}"
    tiles.write(tiles.folder(logs), path)
    return path


def main():
    ed25519.verify = functools.lru_cache(maxsize=None)(ed25519.verify)
    for number, store in enumerate(sys.argv[1:]):
        try:
            path = published(store, number)
        except (ValueError, KeyError, IndexError, sqlite3.Error):
            continue  # no store, or one that a test damaged
        if path is not None:
            both(path, None, None, "raffles of other scripts")
    if len(sys.argv) == 1:
        signatures()
        published_vectors()
        for number, made in enumerate([reference.example(), reference.witnessed(), *map(reference.arbitrary, range(8))]):
            tiles.write(made.files(), f"made.{number}")
            both(f"made.{number}", made.control.vkey, True, "raffles")
            tiles.write(made.files("control"), f"hashes.{number}")
            both(f"hashes.{number}", made.control.vkey, True, "raffles")
        forgeries()
        bytes_in_turn()
        receipts()
    print("checked: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))


main()
