#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The receipt of a unit's close through the command: at the close, again, of units that the final seal closed, of a till elsewhere, from what is published. Each is read by
code that shares none with the library, examples/verifier, and held against the records and the seal; altered ones are refused by both.

    RAFFLE=build/src/cli/raffle RAFFLE_SOURCE=. python3 tests/integration/close_receipt.py
"""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, os.path.join(os.environ["RAFFLE_SOURCE"], "examples", "verifier"))
import merkle  # noqa: E402
import note  # noqa: E402
import receipt  # noqa: E402

ORIGIN = "raffle.example/close"
RULES = {
    "origin": ORIGIN, "name": "Close", "organisation": "Club", "currency": "CAD", "rehearsal": True, "rng": ["test"],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "ten", "count": 10, "price": 2000}],
    "units": [{"name": "till"}, {"name": "web"}], "prizes": [{"name": "car"}],
}
STORE = "sqlite:r.raffle?anchor=none"
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit(f"FAILED: {sentence}")
    checks += 1


def raffle(*arguments, status=0, says=""):
    done = subprocess.run([os.environ["RAFFLE"], *arguments], capture_output=True, text=True, env={**os.environ, "RAFFLE_ACTOR": "boss:manager"})
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def records_of(log):
    return [line.split(None, 1)[1] for line in raffle("show", STORE, log).splitlines()]


def keys_of_units():
    return {r["unit"]: r["key"] for r in map(json.loads, records_of("control")) if r["t"] == "unit.enrol"}


def verify_close(data, vkey):
    """docs/spec/receipts.md, "Of a unit's close", written out with the parts of examples/verifier."""
    lines, key = receipt.Lines(data), note.parse_vkey(vkey)
    receipt.need(len(data) <= 8192, "it is too long")
    proof = receipt.Proof(lines, receipt.LEAF_MAX)
    receipt.need(lines.peek() is None, "something follows")
    checkpoint = note.signed_checkpoint(proof.checkpoint, key)
    receipt.need(len(checkpoint.note.signatures) == 1, "somebody else signed, too")
    record = proof.check(checkpoint.root, checkpoint.size, "unit.close")
    receipt.need(proof.index == checkpoint.size - 1, "it is not the end")
    return record, checkpoint


def check_receipt(path, unit, key):
    """Both readings of it, and the records of the unit added up here."""
    data = pathlib.Path(path).read_bytes()
    record, checkpoint = verify_close(data, key)
    said = json.loads(raffle("verify", path, "--key", key, "--json"))
    leaves = records_of(str(unit))
    sold = [json.loads(leaf) for leaf in leaves]
    sales = {i: r for i, r in enumerate(sold) if r["t"] == "sale"}
    void = [sales[r["serial"]] for r in sold if r["t"] == "void"]
    totals = {"tickets": len(sales), "numbers": sum(r["count"] for r in sales.values()), "gross": sum(r["price"] for r in sales.values()),
              "voids": len(void), "void_numbers": sum(r["count"] for r in void), "void_gross": sum(r["price"] for r in void)}
    root = merkle.root_of(merkle.leaf_hash(leaf.encode()) for leaf in leaves)
    for name, value in totals.items():
        check(record[name] == value == said[name], f"{path}: {name} is {value}, and {record[name]} and {said[name]} are said")
    check((checkpoint.size, checkpoint.root) == (len(leaves), root) == (said["size"], bytes.fromhex(said["root"])), f"{path} is over other records")
    check((said["good"], said["proves"], said["origin"], said["unit"], said["at"]) == (True, "close", ORIGIN, unit, record["at"]), said)
    raffle("verify", path, "--key", key, says=f"good: unit {unit} of {ORIGIN} closed at {record['at']}: {totals['tickets']} tickets")
    return data, checkpoint


def refused(data, key):
    try:
        verify_close(data, key)
    except (receipt.Bad, note.Malformed):
        return True
    return False


def altered(data, key, other, control):
    cases = {"cut": data[:-1], "longer": data + b"\n", "twice": data + data, "endings": data.replace(b"\n", b"\r\n"), "huge": data + b"x" * 9000,
             "index": data.replace(b"\nindex ", b"\nindex 1"), "version": data.replace(b"@v1", b"@v2"), "cosigned": data + b"\xe2\x80\x94 w.example AAAAAAAA\n"}
    for name, content in cases.items():
        pathlib.Path(name).write_bytes(content)
        raffle("verify", name, "--key", key, status=3, says="bad: ")
        check(refused(content, key), f"{name} is good to the second reader")
    for at in range(0, len(data), 3):
        one = bytearray(data)
        one[at] ^= 1
        check(refused(bytes(one), key), f"byte {at} does not count")
    raffle("verify", "1.close", "--key", other, status=3, says="not signed by")
    raffle("verify", "1.close", "--key", control, status=3, says="no unit's")


def till_elsewhere():
    """Unit 3, in a store of its own: its receipt there is that of the raffle once it uploaded."""
    till = ("--keys", "file:tent.keys")
    raffle("unit", "apply", ORIGIN, "3", *till, "--out", "tent.key")
    raffle("unit", "enrol", STORE, "--name", "tent", "--quota", "50", "--key", "tent.key", "--kit", "tent.kit", "--enable")
    raffle("unit", "install", "tent.till", "tent.kit", *till)
    for order in ("t1", "t2"):
        raffle("sell", "tent.till", "--tier", "ten", "--order", order, *till)
    raffle("unit", "close", "tent.till", "3", "--receipt", "3.close", *till)
    raffle("unit", "receipt", STORE, "3", status=1, says="unit 3 is not closed")
    raffle("unit", "challenge", STORE, "3", "--out", "tent.challenge")
    raffle("unit", "export", "tent.till", "--challenge", "tent.challenge", "--out", "tent.upload", *till)
    raffle("unit", "upload", STORE, "tent.upload")
    check(raffle("unit", "receipt", STORE, "3").encode() == pathlib.Path("3.close").read_bytes(), "the raffle gives another receipt than the till")


def main():
    pathlib.Path("rules.json").write_text(json.dumps(RULES))
    raffle("create", STORE, "--rules", "rules.json")
    for unit, tier, order in ((1, "ten", "a"), (1, "one", "b"), (1, "ten", "c"), (2, "one", "d")):
        raffle("sell", STORE, "--unit", str(unit), "--tier", tier, "--order", order)
    raffle("void", STORE, "--ticket", "1/1", "--reason", "refund")
    raffle("unit", "receipt", STORE, "1", status=1, says="unit 1 is not closed")
    raffle("unit", "receipt", STORE, "9", status=1)
    raffle("unit", "close", STORE, "1", "--receipt", "nowhere/1.close", status=1, says="is closed all the same")
    raffle("unit", "close", STORE, "1", "--receipt", "1.close", status=1, says="closed already")
    raffle("unit", "receipt", STORE, "1", "--out", "1.close")
    till_elsewhere()
    raffle("seal", STORE)
    raffle("unit", "receipt", STORE, "2", "--keys", "", "--out", "2.close")
    raffle("publish", STORE, "public")
    keys, good = keys_of_units(), {}
    for unit in (1, 2, 3):
        good[unit], checkpoint = check_receipt(f"{unit}.close", unit, keys[unit])
        check(raffle("unit", "receipt", STORE, str(unit)).encode() == good[unit], f"the receipt of unit {unit} is another one now")
        check(raffle("unit", "receipt", "public", str(unit), "--keys", "").encode() == good[unit], f"what is published gives another receipt of unit {unit}")
        sealed = [r for r in map(json.loads, records_of("control")) if r["t"] == "seal.unit" and r["unit"] == unit][-1]
        check((sealed["size"], sealed["root"]) == (checkpoint.size, checkpoint.root.hex()), f"unit {unit} was sealed with other records")
    control = json.loads(records_of("control")[0])["key"]
    altered(good[1], keys[1], keys[2], control)
    raffle("receipt", STORE, "--ticket", "1/2", "--out", "ticket", "--split", ".")
    raffle("verify", "sale.tlog-proof", "--key", keys[1], status=3, says="is a sale, not a unit.close")
    raffle("audit", STORE)
    print(f"{checks} checks")


main()
