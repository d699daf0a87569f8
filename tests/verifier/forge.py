# SPDX-License-Identifier: Apache-2.0
"""Rewrites a published raffle with its own keys, for tests: records are altered, and all that follows from them (numbers, totals, roots, seals,
draws, signatures, tiles) is made anew, so that what was altered is the one thing that is wrong. It is what an operator with the keys could do."""
import base64
import copy
import hashlib
import json
import os
import shutil
import sys

VERIFIER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "verifier")
sys.path.insert(0, VERIFIER)

import canonical_json
import draw
import ed25519
import merkle
import note
import records
import tiles

REFERENCES = ("seal", "first", "intent", "ask", "result")  # members that are the index of a record of the control log
TOTALS = ("tickets", "numbers", "gross", "voids", "void_numbers", "void_gross")


def sign(seed, message):
    """Ed25519, RFC 8032 5.1.6; not in constant time, which is fine for the keys of a test."""
    digest = hashlib.sha512(seed).digest()
    secret = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = ed25519.encode(ed25519.multiply(secret, ed25519.BASE))
    r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % ed25519.L
    first = ed25519.encode(ed25519.multiply(r, ed25519.BASE))
    k = int.from_bytes(hashlib.sha512(first + public + message).digest(), "little") % ed25519.L
    return first + ((r + k * secret) % ed25519.L).to_bytes(32, "little"), public


class Key:
    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        self.public = sign(seed, b"")[1]
        self.key_id = hashlib.sha256(name.encode() + b"\n\x01" + self.public).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{base64.b64encode(bytes([1]) + self.public).decode()}"

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as f:
            _, _, rest = f.read().strip().split("+", 2)
        name, _, seed = rest.split("+", 2)
        return Key(name, base64.b64decode(seed)[1:])

    def checkpoint(self, size, root):
        text = f"{self.name}\n{size}\n{base64.b64encode(root).decode()}\n"
        line = base64.b64encode(self.key_id + sign(self.seed, text.encode())[0]).decode()
        return f"{text}\n— {self.name} {line}\n"


class Witness:
    """A key of type 04, which cosigns (C2SP tlog-cosignature v1)."""

    def __init__(self, name, seed):
        self.name, self.seed = name, seed
        self.public = sign(seed, b"")[1]
        self.key_id = hashlib.sha256(name.encode() + b"\n\x04" + self.public).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{base64.b64encode(bytes([4]) + self.public).decode()}"

    def cosign(self, signed, time):
        """A line to be added to the note."""
        text = signed[:signed.index("\n\n") + 1]
        signature = sign(self.seed, f"cosignature/v1\ntime {time}\n{text}".encode())[0]
        return f"— {self.name} {base64.b64encode(self.key_id + time.to_bytes(8, 'big') + signature).decode()}\n"


class Record:
    """`value` is what it says; `refers` the records whose index it says; `last` a seal.unit's or unit.sync's last record of its unit."""

    def __init__(self, value):
        self.value, self.refers, self.last = value, {}, None

    def __getitem__(self, name):
        return self.value[name]

    def __setitem__(self, name, value):
        self.value[name] = value


def read_records(folder):
    with open(os.path.join(folder, "checkpoint"), "rb") as f:
        log = tiles.Log(folder, note.parse_checkpoint(f.read()).size)
    return [Record(json.loads(leaf)) for _, leaves in log.tiles() for leaf in leaves]


def refer(control, units):
    for record in control:
        for name in REFERENCES:
            if name in record.value and (record["t"] != "draw.picks" or name == "intent"):
                record.refers[name] = control[record[name]]
        if record["t"] in ("seal.unit", "unit.sync"):
            record.last = units[record["unit"] - 1][record["size"] - 1] if record["size"] else None


class Forgery:
    """`logs[0]` is the control log, `logs[n]` unit n's."""

    def __init__(self, folder, keys):
        self.logs = [read_records(os.path.join(folder, "control"))]
        units = sum(record["t"] == "unit.enrol" for record in self.logs[0])
        self.logs += [read_records(os.path.join(folder, f"unit/{n}")) for n in range(1, units + 1)]
        self.keys = [Key.read(os.path.join(keys, "control.key"))]
        self.keys += [Key.read(os.path.join(keys, f"unit-{n}.key")) for n in range(1, units + 1)]
        refer(self.logs[0], self.logs[1:])
        self.cosigners = []  # of the intents' checkpoints: (witness, seconds after the intent)

    def copy(self):
        return copy.deepcopy(self)

    def find(self, kind, at=0, log=0):
        """The record of this type that is number `at` of its log, counted from 0."""
        return [record for record in self.logs[log] if record["t"] == kind][at]

    def rules(self):
        return self.logs[0][0]["rules"]

    # --- what follows from the records ---

    def _number_unit(self, n, open_hash):
        """Draw numbers and the totals of a close."""
        tickets = dict.fromkeys(TOTALS, 0)
        following = 1
        for record in self.logs[n]:
            record["n"] = following
            if record["t"] == "unit.start":
                record["open"] = open_hash.hex()
            elif record["t"] == "sale":
                following += record["count"]
                tickets["tickets"] += 1
                tickets["numbers"] += record["count"]
                tickets["gross"] += record["price"]
            elif record["t"] == "void":
                tickets["voids"] += 1
                tickets["void_numbers"] += record["count"]
                tickets["void_gross"] += record["price"]
            elif record["t"] == "unit.close":
                record.value.update(tickets)

    def _unit_voids(self, n, size, control_before):
        voids = {r["serial"]: r for r in self.logs[n][:size] if r["t"] == "void"}
        voids.update({r["serial"]: r for r in control_before if r["t"] == "void" and r["unit"] == n and r["serial"] < size})
        return voids

    def _seal_unit(self, record, first):
        n = record["unit"]
        size = self.logs[n].index(record.last) + 1 if record.last is not None else 0
        sales = [r for r in self.logs[n][:size] if r["t"] == "sale"]
        voids = self._unit_voids(n, size, self.logs[0][:first])
        root = merkle.root_of(self.hashes[n][:size])
        record.value.update({
            "size": size, "root": root.hex(), "note": self.keys[n].checkpoint(size, root), "tickets": len(sales),
            "numbers": sum(r["count"] for r in sales), "gross": sum(r["price"] for r in sales), "voids": len(voids),
            "void_numbers": sum(r["count"] for r in voids.values()), "void_gross": sum(r["price"] for r in voids.values()),
            "void_root": merkle.root_of(merkle.leaf_hash(serial.to_bytes(5, "big")) for serial in sorted(voids)).hex()})

    def _sync(self, record):
        """Of a unit that there is: what it uploaded, signed."""
        n = record["unit"]
        if record.last is None or not 0 < n < len(self.logs):
            return
        size = self.logs[n].index(record.last) + 1
        root = merkle.root_of(self.hashes[n][:size])
        record.value.update({"size": size, "root": root.hex(), "note": self.keys[n].checkpoint(size, root)})

    def _seal(self, record, index):
        run = self.logs[0][record["first"]:index]
        for name in TOTALS:
            record[name] = sum(r[name] for r in run)
        record["units"], record["unreconciled"] = len(run), sum(not r["reconciled"] for r in run)

    def _ticket(self, unit, number):
        for serial, record in enumerate(self.logs[unit]):
            if record["t"] == "sale" and record["n"] <= number < record["n"] + record["count"]:
                return draw.Ticket(unit, serial, record["tier"])
        raise ValueError(f"no ticket {unit}-{number}")

    def _result(self, record, roots):
        """The places that follow from its seed. Those of more than 500 places stay as they are."""
        intent, seal = record.refers["intent"], record.refers["intent"].refers["seal"]
        at, where = self.logs[0].index(intent), self.logs[0].index(seal)
        record["note"] = self.keys[0].checkpoint(at + 1, roots[at + 1])
        for witness, seconds in self.cosigners:
            record["note"] += witness.cosign(record["note"], records.milliseconds(intent["at"]) // 1000 + seconds)
        if record["t"] == "draw.manual":
            return
        prize = next((p for p in self.rules()["prizes"] if p["name"] == record["prize"]), None)
        if prize is None:
            return
        run = self.logs[0][seal["first"]:where]
        voids = [self._unit_voids(r["unit"], r["size"], self.logs[0][:seal["first"]]) for r in run]
        c = draw.commitment(self.keys[0].name, at, roots[at + 1])
        words = draw.Words(bytes.fromhex(record["seed"]), c, bytes.fromhex(record.value.get("beacon", "")))
        try:
            outcome = draw.walk(words, [r["numbers"] for r in run], self._ticket, lambda unit, serial: serial in voids[unit - 1], prize,
                                self.winners)
        except (KeyError, ValueError):
            return  # what was altered lets no draw be made
        winners = min(prize["winners"], len(outcome.places))
        before = [r for r in self.logs[0] if r["t"] == "draw.picks" and r.refers["intent"] is intent]
        for i, picks in enumerate(before):
            picks["places"] = outcome.places[500 * i:500 * i + 500]
        record.value.update({
            "winners": winners, "alternates": len(outcome.places) - winners, "rejected": words.rejected, "places": outcome.places[500 * len(before):],
            "skipped_void": outcome.skipped[draw.VOID], "skipped_not_entered": outcome.skipped[draw.NOT_ENTERED],
            "skipped_barred": outcome.skipped[draw.BARRED], "skips": outcome.skips.hexdigest()})
        self.winners += [draw_place(place) for place in outcome.places[:winners]]

    def _derive(self, record, index, roots):
        for name, other in record.refers.items():
            record[name] = next((i for i, r in enumerate(self.logs[0]) if r is other), record[name])
        kind = record["t"]
        if kind == "seal.unit":
            first = index
            while self.logs[0][first - 1]["t"] == "seal.unit":
                first -= 1
            self._seal_unit(record, first)
        elif kind == "unit.sync":
            self._sync(record)
        elif kind == "seal":
            self._seal(record, index)
        elif kind == "voids.ack":
            record["voids"] = record.refers["seal"]["voids"]
        elif kind == "draw.intent":
            record["numbers"] = record.refers["seal"]["numbers"]
        elif kind in ("draw.result", "draw.manual"):
            record["numbers"] = record.refers["intent"]["numbers"]
            self._result(record, roots)
        elif kind == "forfeit" or kind == "winner.verify" and record["outcome"] == "void":
            self._promote(record)

    def _promote(self, record):
        """The first alternate that has not won, by the prize's rule."""
        result = record.refers["result"]
        prize = next(p for p in self.rules()["prizes"] if p["name"] == result["prize"])
        name = {"none": None, "number": "number", "ticket": "serial"}[prize["one_win"]]
        won = {(w.unit, getattr(w, name)) for w in self.winners} if name else set()
        record.value.pop("promoted", None)
        for i, place in enumerate(self.places(result)[result["winners"]:], result["winners"]):
            if (id(result), i) not in self.promoted and (not name or (place["unit"], place[name]) not in won):
                record["promoted"] = i + 1
                self.promoted.add((id(result), i))
                self.winners.append(draw_place(place))
                return

    def places(self, result):
        picks = [r for r in self.logs[0] if r["t"] == "draw.picks" and r.refers["intent"] is result.refers["intent"]]
        return [place for r in picks for place in r["places"]] + result.value.get("places", [])

    # --- writing ---

    def write(self, folder, late=None, leaf_of=None, derive=True):
        """Everything anew, into a folder of its own. `late(record, index, log)` may alter a record after all that follows was derived for it;
        `leaf_of(record, index, log)` may give other bytes than the canonical ones, or None."""
        self.hashes, self.leaves, self.winners, self.promoted = {}, {}, [], set()
        shutil.rmtree(folder, ignore_errors=True)
        roots = {}
        open_leaf = None
        for log in [0, *range(1, len(self.logs)), "control"]:
            number = 0 if log == "control" else log
            if log == 0:  # only raffle.open, which the units name
                if late:
                    late(self.logs[0][0], 0, 0)
                open_leaf = merkle.leaf_hash(encode(self.logs[0][0].value))
                continue
            if number and derive:
                self._number_unit(number, open_leaf)
            tree = merkle.Tree()
            self.hashes[number], self.leaves[number] = [], []
            for index, record in enumerate(self.logs[number]):
                if number == 0 and derive:
                    self._derive(record, index, roots)
                if late and (number or index):
                    late(record, index, number)
                leaf = (leaf_of and leaf_of(record, index, number)) or encode(record.value)
                self.leaves[number].append(leaf)
                self.hashes[number].append(merkle.leaf_hash(leaf))
                tree.append(self.hashes[number][-1])
                if number == 0:
                    roots[tree.size] = tree.root()
            write_log(os.path.join(folder, "control" if number == 0 else f"unit/{number}"), self.leaves[number], self.keys[number])
        logs = [(self.keys[0], "control")] + [(key, f"unit/{n}") for n, key in enumerate(self.keys[1:], 1)]
        put(os.path.join(folder, "manifest.json"), canonical_json.encode({
            "entries": "all", "format": 1, "origin": self.keys[0].name,
            "logs": [{"key": key.vkey, "name": key.name, "path": path} for key, path in logs]}))


def draw_place(place):
    return type("Place", (), place)


def encode(value):
    return canonical_json.encode(value)


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def write_log(folder, leaves, key):
    """In the layout of tlog-tiles."""
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    put(os.path.join(folder, "checkpoint"), key.checkpoint(len(leaves), merkle.root_of(hashes)).encode())
    for n in range(0, len(leaves), 256):
        part = leaves[n:n + 256]
        put(os.path.join(folder, tiles.tile_path("entries", n // 256, len(part))), b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in part))
    level = 0
    while hashes:
        for n in range(0, len(hashes), 256):
            part = hashes[n:n + 256]
            put(os.path.join(folder, tiles.tile_path(level, n // 256, len(part))), b"".join(part))
        hashes = [merkle.root_of(hashes[n:n + 256]) for n in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
