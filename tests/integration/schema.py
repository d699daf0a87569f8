#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the records of stores against docs/spec/records.schema.json, sharing no code with the library: each leaf and private part fits the
schema, is canonical JSON, and hashes to what the leaf and the stored checkpoints say. Also that the schema says what src/raffle/fold/record.c says.

    python3 tests/integration/schema.py STORE …

Without a store, the raffle that examples/night.c makes is checked; RAFFLE_BUILD then says where it was built. Needs python3-jsonschema.
"""
import base64
import hashlib
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys

import jsonschema

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = SOURCE / "docs/spec/records.schema.json"
EMPTY = hashlib.sha256(b"").digest()


class Fault(Exception):
    """Something that must not be."""


def need(condition, sentence):
    if not condition:
        raise Fault(sentence)


# --- the schema ---


class Schema:
    def __init__(self, path):
        self.whole = json.loads(path.read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(self.whole)
        self.one_of = jsonschema.Draft202012Validator(self.whole)
        names = [ref["$ref"].rsplit("/", 1)[1] for ref in self.whole["oneOf"]]
        self.types = {name: self._part(name) for name in names}
        self.private = self._part("private")
        self.seen = dict.fromkeys(names, 0)

    def _part(self, name):
        return jsonschema.Draft202012Validator({"$ref": "#/$defs/" + name, "$defs": self.whole["$defs"]})

    def check_leaf(self, leaf):
        kind = leaf.get("t")
        need(kind in self.types, f"the type {kind!r} is unknown")
        self.types[kind].validate(leaf)
        if self.seen[kind] < 3:  # trying all types at each record would take too long
            self.one_of.validate(leaf)
        self.seen[kind] += 1


def rows_of_record_c():
    """The types and the members of private parts, as the tables in record.c have them."""
    text = (SOURCE / "src/raffle/fold/record.c").read_text("utf-8")
    macros = dict(re.findall(r"^#define (\w+) (\([^\n]*\))$", text, re.M))
    names = dict(re.findall(r'\[RF_F_(\w+)\] = MEMBER\("(\w+)"', text))

    def members(expression):
        found = {names[bit] for bit in re.findall(r"\bB\((\w+)\)", expression)}
        for macro in re.findall(r"\b[A-Z_]{2,}\b", re.sub(r"B\(\w+\)", "", expression)):
            found |= members(macros[macro])
        return found

    rows = {}
    for name, must, may in re.findall(r'\[RF_\w+\] = \{"([a-z.]+)",\s*(.*?),\s*([^{},]*?)\},', text, re.S):
        rows[name] = (members(must), members(may))
    return rows, set(re.findall(r'\[RF_P_\w+\] = MEMBER\("(\w+)"', text))


def check_tables(schema):
    rows, private = rows_of_record_c()
    need(set(rows) == set(schema.types), f"types of record.c and the schema differ: {set(rows) ^ set(schema.types)}")
    for name, (must, may) in rows.items():
        part = schema.whole["$defs"][name]
        need(set(part["required"]) == must, f"{name}: what it must have differs: {set(part['required']) ^ must}")
        need(set(part["properties"]) == must | may, f"{name}: members differ: {set(part['properties']) ^ (must | may)}")
    part = schema.whole["$defs"]["private"]
    need(set(part["properties"]) == private, f"private parts: members differ: {set(part['properties']) ^ private}")


# --- RFC 6962 section 2.1 ---


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


class Tree:
    """Grows by leaves: a stack of the roots of complete subtrees, largest first."""

    def __init__(self):
        self.size, self.stack = 0, []

    def push(self, node):
        size, self.size = self.size, self.size + 1
        while size & 1:
            node = hashlib.sha256(b"\1" + self.stack.pop() + node).digest()
            size >>= 1
        self.stack.append(node)

    def root(self):
        if not self.stack:
            return EMPTY
        node = self.stack[-1]
        for left in reversed(self.stack[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node


def read_checkpoint(note):
    text, _, signatures = note.rpartition("\n\n")
    lines = text.split("\n")
    need(len(lines) == 3 and signatures.startswith("\u2014 "), "a note is no checkpoint with a signature")
    return lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)


# --- a store ---


def parse_canonical(text, what):
    def once(pairs):
        need(len(pairs) == len({name for name, _ in pairs}), f"{what}: a member twice")
        return dict(pairs)

    def refused(number):
        raise Fault(f"{what}: {number} is no integer")

    value = json.loads(text, object_pairs_hook=once, parse_float=refused, parse_constant=refused)
    again = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(again == text, f"{what} is not canonical: {text!r} is written {again!r}")
    return value


def check_record(schema, log, index, text, private):
    what = f"log {log}, record {index}"
    leaf = parse_canonical(text, what)
    need(len(text.encode()) <= 65535, f"{what} is too long")
    try:
        schema.check_leaf(leaf)
        if private is not None:
            schema.private.validate(parse_canonical(private, what + ", private part"))
    except jsonschema.ValidationError as fault:
        raise Fault(f"{what}: {fault.json_path}: {fault.message}") from fault
    need(("n" in leaf) == (log > 0), f"{what}: n stands in a unit's records, and in no other")
    if private is not None:
        need(hashlib.sha256(private.encode()).hexdigest() == leaf["p"], f"{what}: p is not SHA-256 of the private part")


def check_log(db, schema, origin, log, size):
    notes = {}
    for at, note in db.execute("SELECT size, note FROM note WHERE log = ?", (log,)):
        name, signed, root = read_checkpoint(note)
        need(name == (origin if log == 0 else f"{origin}/unit/{log}") and signed == at, f"log {log}: the note over {at} is another's")
        notes[at] = root
    tree, private_parts = Tree(), 0
    need(notes.pop(0, EMPTY) == EMPTY, f"log {log}: the note over 0 records has another root")
    rows = db.execute("SELECT id, leaf, private FROM record WHERE id >= ? AND id < ? ORDER BY id", (log << 40, (log + 1) << 40))
    for row, text, private in rows:
        need(row == (log << 40) + tree.size, f"log {log}, record {tree.size} is missing")
        check_record(schema, log, tree.size, text, private)
        private_parts += private is not None
        tree.push(leaf_hash(text.encode()))
        root = notes.pop(tree.size, None)
        need(root is None or root == tree.root(), f"log {log}: the note over {tree.size} records has another root")
    need(tree.size == size, f"log {log} has {tree.size} records, and its head says {size}")
    need(not notes, f"log {log}: notes over more records than there are: {sorted(notes)}")
    return tree.size, private_parts


def check_store(schema, path):
    db = sqlite3.connect(f"{pathlib.Path(path).resolve().as_uri()}?mode=ro", uri=True)
    (origin,) = db.execute("SELECT value FROM meta WHERE key = 'origin'").fetchone()
    records = private_parts = 0
    for log, size in db.execute("SELECT log, size FROM log ORDER BY log").fetchall():
        n, private = check_log(db, schema, origin, log, size)
        records += n
        private_parts += private
    (notes,) = db.execute("SELECT count(*) FROM note").fetchone()
    db.close()
    need(records > 0 and notes > 0, f"{path} holds nothing to check")
    print(f"{path}: {records} records, {private_parts} private parts, {notes} checkpoints")


def make_store():
    build = os.environ.get("RAFFLE_BUILD")
    need(build, "usage: schema.py STORE …")
    subprocess.run([build + "/examples/night", "schema.raffle"], check=True, stdout=subprocess.DEVNULL)
    return ["schema.raffle"]


def main(stores):
    try:
        schema = Schema(SCHEMA)
        check_tables(schema)
        for path in stores or make_store():
            check_store(schema, path)
    except Fault as fault:
        sys.exit(f"schema.py: {fault}")
    missing = sorted(name for name, n in schema.seen.items() if n == 0)
    print("types that did not occur: " + (", ".join(missing) or "none"))


if __name__ == "__main__":
    main(sys.argv[1:])
