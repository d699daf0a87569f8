#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the library makes, checked by the second implementation in tests/reference: records, private parts, key commitments, notes, roots, nodes, proofs, order keys, voids,
validation numbers, seals and draws. Altered ones it must refuse. And raffles that it makes itself, which the library must take, or refuse when forged. With stores as arguments only those
that the audit finds whole: tests of damage leave others."""

import base64
import ctypes
import datetime
import glob
import hashlib
import hmac
import json
import os
import random
import sqlite3
import subprocess
import sys

RAFFLE = os.environ["RAFFLE"]
SOURCE = os.environ["RAFFLE_SOURCE"]
BUILD = os.environ["RAFFLE_BUILD"]
sys.path[:0] = [os.path.join(SOURCE, "tests", "reference"), os.path.join(SOURCE, "tests", "vectors", "generate"),
                os.path.join(SOURCE, "examples", "witness")]
import base  # noqa: E402
import raffle_reference  # noqa: E402
import ed25519  # noqa: E402
import policy_reference  # noqa: E402
import replay_reference  # noqa: E402
import tiles_reference as tiles  # noqa: E402
import validation_reference as validation  # noqa: E402
from raffle import siphash128  # noqa: E402

counts = {}


def check(good, sentence, kind):
    if not good:
        sys.exit("FAILED: " + sentence)
    counts[kind] = counts.get(kind, 0) + 1


def run(*arguments, **variables):
    done = subprocess.run(arguments, env=dict(os.environ, **variables), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"FAILED: {arguments} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


# --- a store ---


class Store:
    """A SQLite store's rows, as docs/spec/store-sqlite.md has them."""

    def __init__(self, path):
        self.path = path
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            self.sizes = dict(db.execute("select log, size from log"))
            self.leaves = [tiles.leaves_of(db, log) for log in range(max(self.sizes, default=-1) + 1)]
            self.private = {(row >> 40, row & (1 << 40) - 1): part for row, part in db.execute("select id, private from record")}
            self.keys = {bytes(key): (row >> 40, row & (1 << 40) - 1) for key, row in db.execute("select key, id from key")}
            self.nodes = dict(db.execute("select id, hash from node"))
            self.notes = db.execute("select log, size, note from note").fetchall()
        self.records = [[json.loads(leaf) for leaf in log] for log in self.leaves]
        self.origin = self.records[0][0]["rules"]["origin"]

    def secret(self, name):
        """A line of a key file; None when the keys are not beside the store."""
        try:
            with open(f"{self.path}.keys/{name}.key", encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            return None


def records(store):
    for log, leaves in enumerate(store.leaves):
        for i, (leaf, record) in enumerate(zip(leaves, store.records[log])):
            check(tiles.canonical(record) == leaf, f"{store.path}: {log}/{i} is not canonical", "records")
            part = store.private[log, i]
            if part is not None:
                text = part if isinstance(part, bytes) else part.encode()
                good = hashlib.sha256(text).hexdigest() == record["p"] and tiles.canonical(json.loads(text)) == text and len(json.loads(text)["salt"]) == 32
                check(good, f"{store.path}: the private part of {log}/{i}", "private parts")


def notes(store):
    """Every note's root; and the signature, made again, when the key is there: Ed25519 has one for a text. Cosignatures may follow."""
    for log, size, note in store.notes:
        origin, said, root = replay_reference.note_tree(note)
        name = f"{store.origin}/unit/{log}" if log else store.origin
        check((origin, said, root) == (name, size, tiles.root(store.leaves[log][:size]) if log < len(store.leaves) else tiles.root([])),
              f"{store.path}: the note of log {log} at {size}", "notes")
        secret = store.secret(f"unit-{log}" if log else "control")
        if secret is not None:
            seed = base64.b64decode(secret.split("+", 4)[4])[1:]
            text = "\n".join(note.split("\n")[:3]) + "\n"
            key = base.public_key(seed)
            line = base.line(name, base.key_id(name, 1, key), base.sign(seed, text.encode()))
            check(note.startswith(text + "\n" + line), f"{store.path}: the signature of log {log} at {size}", "signatures")
            cosigned(store, text, note[len(text + "\n" + line):], f"{store.path}: log {log} at {size}")


def cosigned(store, text, lines, where):
    """What stands behind the log's own line: cosignatures of those whom the rules name, each once, and nothing else."""
    policy = store.records[0][0]["rules"]["witnesses"]
    known = {} if policy == "none" else {vkey.split("+")[0]: key[1:] for key, vkey in policy_reference.Policy(policy).witnesses.values()}
    for line in lines.splitlines():
        dash, name, encoded = line.split(" ")
        data = base64.b64decode(encoded, validate=True)
        message = f"cosignature/v1\ntime {int.from_bytes(data[4:12], 'big')}\n{text}".encode()
        key = known.pop(name, b"")
        check(dash == "\u2014" and data[:4] == base.key_id(name, 4, key) and ed25519.verify(key, message, data[12:]), f"{where}: {name}", "cosignatures")


def nodes(store):
    for row, stored in store.nodes.items():
        log, level, index = row >> 38, row >> 32 & 63, row & (1 << 32) - 1
        part = store.leaves[log][index << level:(index + 1) << level]
        check(len(part) == 1 << level and tiles.root(part) == stored, f"{store.path}: node {log}/{level}/{index}", "nodes")


def ticket_key(store):
    line = store.secret("ticket")
    return None if line is None else bytes.fromhex(line.split(" ")[-1])


def commitments(store, key):
    opened = store.records[0][0]
    made = hashlib.sha256(b"libraffle/ticket-key/v1\0" + store.origin.encode() + b"\0" + key).hexdigest()
    check(opened["ticket_key"] == made, f"{store.path}: the commitment to K", "commitments")
    for record in store.records[0]:
        if record["t"] == "unit.enrol":
            unit_key = validation.unit_key(key, store.origin, record["unit"])
            check(record["ticket_key"] == hashlib.sha256(b"libraffle/unit-key/v1\0" + unit_key).hexdigest(), f"{store.path}: unit {record['unit']}'s key", "commitments")


def keys(store, key):
    """Order keys and voids: what the key table says of them."""
    k = hmac.new(key, b"libraffle/order/v1\0" + store.origin.encode(), hashlib.sha256).digest()[:16]
    for log, log_records in enumerate(store.records):
        for i, record in enumerate(log_records):
            part = store.private[log, i]
            if record["t"] == "sale" and part is not None and json.loads(part)["line"] == 0:
                order = json.loads(part)["order"]
                digits = order.replace("-", "")[:12] if len(order) == 36 and order[14] == "7" else ""
                row = b"\1" + bytes.fromhex(digits) + siphash128(k, order.encode())
                check(store.keys.get(row) == (log, i), f"{store.path}: the row of order {order}", "order keys")
            if record["t"] == "void":
                row = b"\2" + record["unit"].to_bytes(2, "big") + record["serial"].to_bytes(5, "big")
                check(store.keys.get(row) == (log, i), f"{store.path}: the row of the void {log}/{i}", "void keys")


def validation_numbers(store, key):
    for unit in range(1, len(store.records)):
        tickets = [serial for serial, record in enumerate(store.records[unit]) if record["t"] == "sale"][:5]
        for serial in tickets:
            at = datetime.datetime.fromisoformat(store.records[unit][serial]["at"].replace("Z", "+00:00"))
            ms = round((at - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(milliseconds=1))
            said = json.loads(run(RAFFLE, "ticket", store.path, "--ticket", f"{unit}/{serial}", "--keys", f"file:{store.path}.keys", "--json"))["tickets"][0]["validation"]
            check(said == validation.make(key, store.origin, unit, serial, ms), f"{store.path}: the validation number of {unit}/{serial}", "validation numbers")


# --- proofs, by the C API ---


class Library:
    def __init__(self):
        path = next(path for folder in ("", "src/") for path in glob.glob(os.path.join(BUILD, folder, "libraffle.so")))
        self.c = ctypes.CDLL(path)
        handle, number, log = ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32
        self.c.raffle_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p, handle, ctypes.POINTER(handle), handle]
        self.c.raffle_free.argtypes = [handle]
        self.c.raffle_inclusion.argtypes = self.c.raffle_consistency.argtypes = [handle, log, number, number, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t), handle]

    def open(self, path):
        raffle = ctypes.c_void_p()
        rc = self.c.raffle_open(os.path.abspath(path).encode(), b"", None, ctypes.byref(raffle), None)
        if rc != 0:
            sys.exit(f"FAILED: {path} does not open: {rc}")
        return raffle

    def proof(self, call, raffle, log, first, size):
        out, n = ctypes.create_string_buffer(64 * 32), ctypes.c_size_t()
        rc = call(raffle, log, first, size, out, ctypes.byref(n), None)
        if rc != 0:
            sys.exit(f"FAILED: no proof of {log}, {first} and {size}: {rc}")
        return [out.raw[i * 32:(i + 1) * 32] for i in range(n.value)]


def proofs(library, store, chance):
    raffle = library.open(store.path)
    for log, leaves in enumerate(store.leaves):
        hashes = [tiles.leaf_hash(leaf) for leaf in leaves]
        for _ in range(20 if hashes else 0):
            size = chance.randint(1, len(hashes))
            index, old = chance.randrange(size), chance.randint(1, size)
            made = library.proof(library.c.raffle_inclusion, raffle, log, index, size)
            check(made == tiles.inclusion(hashes[:size], index), f"{store.path}: the proof of {log}/{index} in {size}", "inclusion proofs")
            made = library.proof(library.c.raffle_consistency, raffle, log, old, size)
            check(made == tiles.consistency(hashes[:size], old), f"{store.path}: the proof of {log} from {old} to {size}", "consistency proofs")
    library.c.raffle_free(raffle)


# --- whole raffles ---


def replay(store):
    try:
        done = replay_reference.Replay(store.leaves).check()
    except AssertionError as fault:
        sys.exit(f"FAILED: {store.path}: {fault}")
    counts["seals"] = counts.get("seals", 0) + len(done.seals)
    counts["draws"] = counts.get("draws", 0) + done.drawn


def altered(store, chance):
    """A number in a record that counts, one more: the replay must refuse it. Which members are not judged by it: times, roles, prizes' claims and `attempt`."""
    judged = {"sale": ("n",), "void": ("n",), "seal.unit": ("size", "gross", "numbers", "tickets", "voids"), "seal": ("first", "units", "gross", "void_numbers"),
              "unit.sync": ("size",),
              "draw.result": ("numbers", "winners", "alternates", "skipped_void", "rejected")}
    for log, log_records in enumerate(store.records):
        for i, record in enumerate(log_records):
            if record["t"] not in judged or (record["t"] in ("sale", "void") and chance.random() > 10 / len(log_records)):
                continue
            for name in judged[record["t"]]:
                if name in record:
                    refuse(store, log, i, {**record, name: record[name] + 1})


def refuse(store, log, i, record):
    logs = [list(leaves) for leaves in store.leaves]
    logs[log][i] = tiles.canonical(record)
    try:
        replay_reference.Replay(logs).check()
    except (AssertionError, KeyError, IndexError):
        counts["altered records"] = counts.get("altered records", 0) + 1
        return
    sys.exit(f"FAILED: {store.path}: {log}/{i} altered is taken for good")


def second(library, path, chance):
    store = Store(path)
    records(store)
    notes(store)
    nodes(store)
    replay(store)
    proofs(library, store, chance)
    key = ticket_key(store)
    if key is not None:
        commitments(store, key)
        keys(store, key)
        validation_numbers(store, key)
    return store


# --- the other way round: raffles that the second implementation makes, audited by the library ---


def audited(raffle, name, status, draws):
    tiles.write(raffle.files(), name)
    done = subprocess.run([RAFFLE, "audit", name, "--key", raffle.control.vkey, "--json"], capture_output=True, text=True)
    check(done.returncode == status, f"the audit of {name} ends with {done.returncode}: {done.stdout}{done.stderr}", "audits of its raffles")
    check(len(json.loads(done.stdout)["draws"]) == draws, f"{name}: not {draws} draws", "audits of its raffles")


def counted_wrong():
    """Two tiers of one price: totals do not tell them apart, and their tickets do. A seal that takes some for others is refused by both."""
    for seal_right in (True, False):
        raffle = raffle_reference.twins(seal_right)
        name = f"twins.{seal_right}"
        audited(raffle, name, 0 if seal_right else 3, 1)
        verified = subprocess.run([sys.executable, os.path.join(SOURCE, "examples/verifier/verify.py"), name, "--key", raffle.control.vkey], capture_output=True, text=True)
        check((verified.returncode == 0) == seal_right and ("tiers of unit" in verified.stdout) != seal_right, f"{name}: {verified.stdout}", "audits of its raffles")


def made():
    """Raffles with what rules may ask for, which the verifier takes, too; raffles by chance, all good; and each with another last result, signed by the right keys, which is
    refused."""
    for name, raffle, draws in (("growing", raffle_reference.growing(), 3), ("ace", raffle_reference.ace(), 2), ("again", raffle_reference.again(), 4)):
        audited(raffle, name, 0, draws)
        run(sys.executable, os.path.join(SOURCE, "examples/verifier/verify.py"), name, "--key", raffle.control.vkey)
    for number, fault in enumerate(raffle_reference.AGAIN_FAULTS):
        raffle, name = raffle_reference.again(fault), f"again.{number}"
        audited(raffle, name, 3, 4)
        verified = subprocess.run([sys.executable, os.path.join(SOURCE, "examples/verifier/verify.py"), name, "--key", raffle.control.vkey], capture_output=True, text=True)
        check(verified.returncode == 3, f"{name}, {fault}: {verified.stdout}", "audits of its raffles")
    for number in range(20):
        raffle = raffle_reference.arbitrary(number)
        results = [i for i, leaf in enumerate(raffle.control.leaves) if json.loads(leaf)["t"] == "draw.result"]
        audited(raffle, f"made.{number}", 0, len(results))
        result = json.loads(raffle.control.leaves[results[-1]])
        places = result.get("places", [])
        other = [{"rejected": result["rejected"] + 1}, {"skips": "00" * 32}, {"skipped_void": result["skipped_void"] + 1}, {"seed": "01" * 48},
                 {"places": places[1:] + places[:1]} if len(places) > 1 else {"provider": "system:", "seed": "02" * 48}][number % 5]
        raffle.control.leaves[results[-1]] = tiles.canonical({**result, **other})
        raffle.control.notes.clear()
        audited(raffle, f"forged.{number}", 3, len(results))


def busy(path):
    """Two units, orders with every kind of key, voids, an early and a final seal, two draws."""
    rules = {
        "origin": "raffle.example/second", "name": "Second", "organisation": "Club", "currency": "CAD", "rehearsal": True,
        "sales": {"opens": "2026-11-15T01:00:00.000Z", "closes": "2026-11-15T05:00:00.000Z"},
        "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "ten", "count": 10, "price": 2000}],
        "units": [{"name": "web"}, {"name": "till"}], "rng": ["test"],
        "prizes": [{"name": "bird", "seal": "early", "tiers": ["ten"], "share": 5000, "pot": "entered"}, {"name": "main", "winners": 3, "alternates": 2, "one_win": "number"},
                   {"name": "free", "one_win": "none", "alternates": 1}],
    }
    with open("rules.json", "w", encoding="utf-8") as f:
        json.dump(rules, f)
    lines = ["kind,at,unit,order,tier,count,payment,buyer,channel,reason,by"]
    for i in range(400):
        order = f"019a5e50-{i:04x}-7def-8123-456789abcdef" if i % 3 else f"order {i}"
        lines.append(f"sale,2026-11-15T01:{i // 60:02}:{i % 60:02}.000Z,{1 + i % 2},{order},{'one' if i % 5 else 'ten'},{1 + i % 3},,,web,,")
        if i % 40 == 39:
            lines.append(f"void,2026-11-15T01:{i // 60:02}:{i % 60:02}.500Z,,{order},,,,,,refund,")
    with open("sales.csv", "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")
    actor = {"RAFFLE_ACTOR": "boss:manager"}
    run(RAFFLE, "create", path, "--rules", "rules.json", RAFFLE_CLOCK="2026-11-15T00:59:00.000Z", **actor)
    run(RAFFLE, "import", path, "sales.csv", "--replay", **actor)
    for hour, early, prizes in (("02", ["--early"], ["bird"]), ("05", [], ["main", "free"])):
        clock = {"RAFFLE_CLOCK": f"2026-11-15T{hour}:30:00.000Z", **actor}
        run(RAFFLE, "seal", path, *early, **clock)
        run(RAFFLE, "ack", path, *early, **clock)
        for prize in prizes:
            run(RAFFLE, "draw", path, prize, "--rng", "test:seed=0" + hour[1], **clock)


def main():
    chance, library = random.Random(1), Library()
    stores = sys.argv[1:]
    if not stores:
        busy("busy.raffle")
        run(os.path.join(BUILD, "examples", "night"), "night.raffle")
        for path in ("busy.raffle", "night.raffle"):
            altered(second(library, path, chance), chance)
        made()
        counted_wrong()
    for path in stores:
        if subprocess.run([RAFFLE, "audit", path], capture_output=True).returncode == 0:
            second(library, path, chance)
            counts["stores"] = counts.get("stores", 0) + 1
    check(not stores or "stores" in counts, "none of the stores is a whole raffle", "runs")
    print("checked: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))


main()
