#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The worked example of docs/spec, recomputed from its own bytes: lengths, leaf hashes and private parts of records.md, the roots of logs.md, the anchor of
store-sqlite.md, and records.schema.json over every record. With --write the values that follow from the records are written into the pages."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys

import jsonschema

SPEC = os.path.join(os.environ.get("RAFFLE_SOURCE", "."), "docs", "spec")
WRITE = "--write" in sys.argv
RECORD = re.compile(r"Record (\d+), (\d+) bytes, leaf hash `([0-9a-f]{64})`; private part `(\{.*\})`:\n\n((?:    .*\n)+)")
ORIGIN = b"raffle.example/gala"
LEAVES = {}  # of each log, as bytes
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
            LEAVES.setdefault(log, []).append(leaf)
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


def correct(name, text, pattern, true):
    """The place that looks so says this."""
    check(len(re.findall(pattern, text)) == 1, f"{name} has no {pattern}, or several")
    text = re.sub(pattern, lambda _: true, text) if WRITE else text
    check(true in text, f"{name}: in truth {true}")
    return text


def check_published(logs):
    text = page("publishing.md")
    opened, enrolled = (json.loads(LEAVES["control"][i]) for i in (0, 1))
    manifest = canonical({"entries": "all", "format": 1, "origin": ORIGIN.decode(), "logs": [
        {"key": record["key"], "name": record["key"].split("+")[0], "path": path} for record, path in ((opened, "control"), (enrolled, "unit/1"))]})
    files = {"manifest.json": manifest.encode()}
    for log, path in (("unit 1", "unit/1"), ("control", "control")):
        size = len(logs[log])
        files[f"{path}/tile/0/000.p/{size}"] = b"".join(logs[log])
        files[f"{path}/tile/entries/000.p/{size}"] = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in LEAVES[log])
    for path, data in files.items():
        place = re.escape(path)
        text = correct("publishing.md", text, rf"    {place} +\d+ bytes, SHA-256 [0-9a-f]{{64}}",
                       f"    {path:<32}{len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    broken = "".join(f"    {line}\n" for line in manifest.replace('},{"key"', '},\n{"key"').replace("[{", "[\n{").replace("],", "],\n").split("\n"))
    text = correct("publishing.md", text, r'    \{"entries":"all".*\n(    [{"].*\n)*', broken)
    if WRITE:
        keep("publishing.md", text)


def path_of(index, hashes):
    """RFC 6962 2.1.1, leaf sibling first."""
    if len(hashes) == 1:
        return []
    split = 1
    while 2 * split < len(hashes):
        split *= 2
    if index < split:
        return path_of(index, hashes[:split]) + [root(hashes[split:])]
    return path_of(index - split, hashes[split:]) + [root(hashes[:split])]


def check_receipt(logs):
    text = page("receipts.md")
    lines = page("logs.md").split("The checkpoint over the intent, record 6:\n\n")[1].split("\n")
    control_note = "".join(f"{line[4:]}\n" for line in lines[:5])
    unit_note = json.loads(LEAVES["control"][3])["note"]
    receipt = "libraffle/receipt/v1\ndrum raffle.example/gala 1/1\n"
    for part, log, index, size, note in (("unit.enrol", "control", 1, 7, control_note), ("sale", "unit 1", 1, 5, unit_note),
                                         ("seal.unit", "control", 3, 7, control_note), ("seal", "control", 4, 7, control_note)):
        hashes = [base64.b64encode(hashed).decode() for hashed in path_of(index, logs[log][:size])]
        leaf = base64.b64encode(LEAVES[log][index]).decode()
        receipt += f"part {part}\nc2sp.org/tlog-proof@v1\nextra {leaf}\nindex {index}\n" + "".join(f"{h}\n" for h in hashes) + f"\n{note}"
        text = correct("receipts.md", text, rf"\| `{re.escape(part)}` \| {index} \| .*\|", f"| `{part}` | {index} | {', '.join(f'`{h}`' for h in hashes)} |")
    receipt += "part voids\nvoid 2 0\n\n"
    text = correct("receipts.md", text, r"Whole it has \d+ bytes, and the SHA-256 `[0-9a-f]{64}`",
                   f"Whole it has {len(receipt)} bytes, and the SHA-256 `{hashlib.sha256(receipt.encode()).hexdigest()}`")
    if WRITE:
        keep("receipts.md", text)
    with open("example.receipt", "w", encoding="utf-8") as f:
        f.write(receipt)
    key = json.loads(LEAVES["control"][0])["key"]
    for command in ([os.environ["RAFFLE"], "verify", "example.receipt"],
                    [sys.executable, os.path.join(SPEC, "..", "..", "examples", "verifier", "verify.py"), "--receipt", "example.receipt"]):
        done = subprocess.run([*command, "--key", key], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"the example's receipt is refused: {done.stdout}{done.stderr}")


with open(os.path.join(SPEC, "records.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)


records = read_records()
check_roots(records)
check_anchor(records)
check_published(records)
check_receipt(records)
print(f"{checks} checks passed")
