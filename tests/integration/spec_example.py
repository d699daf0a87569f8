#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The worked example of docs/spec, recomputed from its own bytes: lengths, leaf hashes and private parts of records.md, the roots of logs.md, the anchor of
store-sqlite.md, and records.schema.json over every record. With --write the values that follow from the records are written into the pages."""

import hashlib
import json
import os
import re
import sys

import jsonschema

SPEC = os.path.join(os.environ.get("RAFFLE_SOURCE", "."), "docs", "spec")
WRITE = "--write" in sys.argv
RECORD = re.compile(r"Record (\d+), (\d+) bytes, leaf hash `([0-9a-f]{64})`; private part `(\{.*\})`:\n\n((?:    .*\n)+)")
ORIGIN = b"raffle.example/gala"
checks = 0


def page(name):
    with open(os.path.join(SPEC, name), encoding="utf-8") as f:
        return f.read()


def keep(name, text):
    with open(os.path.join(SPEC, name), "w", encoding="utf-8") as f:
        f.write(text)


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


def leaf_hash(leaf):
    return hashlib.sha256(b"\0" + leaf).digest()


def root(hashes):
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while 2 * split < len(hashes):
        split *= 2
    return hashlib.sha256(b"\1" + root(hashes[:split]) + root(hashes[split:])).digest()


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check_record(log, match, index):
    number, length, hashed, private, lines = match.groups()
    leaf = "".join(line[4:] for line in lines.splitlines())
    value = json.loads(leaf)
    name = f"record {number} of {log}"
    check(int(number) == index, f"{name} stands at {index}")
    check(canonical(value) == leaf, f"{name} is not canonical")
    check(value["p"] == hashlib.sha256(private.encode()).hexdigest(), f"the private part of {name} is another")
    check(canonical(json.loads(private)) == private, f"the private part of {name} is not canonical")
    jsonschema.validate(value, SCHEMA)
    leaf = leaf.encode()
    true = f"Record {number}, {len(leaf)} bytes, leaf hash `{leaf_hash(leaf).hex()}`"
    check(WRITE or true == f"Record {number}, {length} bytes, leaf hash `{hashed}`", f"{name} is in truth: {true}")
    return leaf, match.group(0).replace(f"Record {number}, {length} bytes, leaf hash `{hashed}`", true)


def read_records():
    text = page("records.md")
    logs = {}
    for title, log in (("### The control log", "control"), ("### Unit 1's log", "unit 1")):
        begin = text.index(title)
        end = text.find("\n###", begin + 5)
        part = text[begin:end if end > 0 else None]
        new, logs[log] = part, []
        for match in RECORD.finditer(part):
            leaf, true = check_record(log, match, len(logs[log]))
            logs[log].append(leaf_hash(leaf))
            new = new.replace(match.group(0), true)
        check(part.count("\nRecord ") == len(logs[log]) > 4, f"the records of {log} are not all read")
        text = text.replace(part, new)
    if WRITE:
        keep("records.md", text)
    return logs


def check_roots(logs):
    text = page("logs.md")
    for size in range(1, len(logs["control"]) + 1):
        true = f"| {size} | `{root(logs['control'][:size]).hex()}` |"
        text = re.sub(rf"\| {size} \| `[0-9a-f]{{64}}` \|", true, text) if WRITE else text
        check(true in text, f"logs.md: the control log at size {size} is in truth {true}")
    for size in (4, 5):
        check(root(logs["unit 1"][:size]).hex() in text, f"logs.md: the root of unit 1 at size {size} is another")
    if WRITE:
        keep("logs.md", text)


def check_anchor(logs):
    text = page("store-sqlite.md")
    lines = re.findall(r"    (log (\d) size (\d+) root [0-9a-f]{64}) sum ([0-9a-f]{64})", text)
    check(len(lines) == 4, "store-sqlite.md: an anchor has four lines after its first")
    for said, log, size, written in lines:
        hashes = logs["control" if log == "0" else "unit 1"][:int(size)]
        line = f"log {log} size {size} root {root(hashes).hex()}"
        total = hashlib.sha256(ORIGIN + b"\0" + line.encode() + b" sum ").hexdigest()
        true = f"{line} sum {total}"
        text = text.replace(f"{said} sum {written}", true) if WRITE else text
        check(true in text, f"store-sqlite.md: in truth {true}")
    if WRITE:
        keep("store-sqlite.md", text)


with open(os.path.join(SPEC, "records.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)


records = read_records()
check_roots(records)
check_anchor(records)
print(f"{checks} checks passed")
