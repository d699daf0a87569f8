#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A witness of transparency logs: C2SP tlog-witness v1.0.0, `add-checkpoint`, with Ed25519 cosignatures, for those logs that it is told of.

    python3 witness.py --key FILE --new NAME                            makes the key, and prints the vkey for the rules
    python3 witness.py --key FILE --logs FILE --state FILE [--listen HOST:PORT]

The key's file holds the name and the seed. The logs' file holds lines `log VKEY`, as `raffle witness STORE --policy` prints them; other lines of a policy are skipped. The
state is a SQLite database: what was cosigned last of each log is in it, durably, before the cosignature leaves, in the transaction that compared it with what the asker
said. Python's standard library alone. It speaks HTTP: put a server with TLS before it.
"""

import argparse
import base64
import binascii
import contextlib
import hashlib
import http.server
import os
import re
import sqlite3
import sys
import time

import ed25519

BODY_MAX = 32768
DASH = "\u2014 "


class Refused(Exception):
    """The answer to a request that is not cosigned."""

    def __init__(self, status, body="", kind="text/plain; charset=utf-8"):
        super().__init__(status)
        self.status, self.body, self.kind = status, body, kind


# --- keys and notes (C2SP signed-note) ---


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name, kind, public):
    return f"{name}+{key_id(name, kind, public).hex()}+{base64.b64encode(bytes([kind]) + public).decode()}"


def read_vkey(text):
    name, identity, encoded = text.split("+", 2)
    data = base64.b64decode(encoded, validate=True)
    if len(data) != 33 or data[0] != 1 or key_id(name, 1, data[1:]).hex() != identity:
        raise ValueError(f"{text} is no key of a log")
    return name, data[1:]


def unbase64(text, size=None):
    """Canonical base64 only."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(400) from None
    if base64.b64encode(data).decode() != text or (size is not None and len(data) != size):
        raise Refused(400)
    return data


def read_note(note):
    """Its text, and its signature lines as (name, id, signature)."""
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in note):
        raise Refused(400)
    signatures = []
    for line in lines[:-1].split("\n"):
        if not line.startswith(DASH) or line.count(" ") != 2:
            raise Refused(400)
        _, name, encoded = line.split(" ")
        data = unbase64(encoded)
        if not name or "+" in name or len(data) < 5 or len(signatures) == 64:
            raise Refused(400)
        signatures.append((name, data[:4], data[4:]))
    return text + "\n", signatures


def number(text):
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) >= 2**63:
        raise Refused(400)
    return int(text)


# --- Merkle consistency (RFC 9162 2.1.4.2) ---


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(old, old_root, size, root, proof):
    """0 < old < size."""
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    if not proof:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = proof[0]
    for hashed in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node(hashed, first), node(hashed, second)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node(second, hashed)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and first == old_root and second == root


# --- the witness ---


class Witness:
    def __init__(self, name, seed, logs, state, clock):
        self.name, self.seed, self.logs, self.state, self.clock = name, seed, logs, state, clock
        self.public = ed25519.public_key(seed)
        with contextlib.closing(self.open()) as db:
            db.execute("CREATE TABLE IF NOT EXISTS cosigned (origin TEXT PRIMARY KEY, size INTEGER, root BLOB, note TEXT)")

    def open(self):
        db = sqlite3.connect(self.state, isolation_level=None, timeout=10)
        db.execute("PRAGMA synchronous=FULL")
        return db

    def cosign(self, text):
        seconds = int(self.clock())
        signature = ed25519.sign(self.seed, f"cosignature/v1\ntime {seconds}\n{text}".encode())
        data = key_id(self.name, 4, self.public) + seconds.to_bytes(8, "big") + signature
        return f"{DASH}{self.name} {base64.b64encode(data).decode()}\n"

    def check_signed(self, origin, text, signatures):
        """By the one key that is trusted for the origin; what others signed is nothing to us. The log's own line."""
        if origin not in self.logs:
            raise Refused(404)
        public = self.logs[origin]
        ours = [s for name, identity, s in signatures if name == origin and identity == key_id(origin, 1, public)]
        if len(ours) != 1 or not ed25519.verify(public, text.encode(), ours[0]):
            raise Refused(403)
        return f"{DASH}{origin} {base64.b64encode(key_id(origin, 1, public) + ours[0]).decode()}\n"

    def add_checkpoint(self, body):
        head, blank, note = body.partition("\n\n")
        lines = head.split("\n")
        if not blank or not lines[0].startswith("old ") or len(lines) > 64:
            raise Refused(400)
        old = number(lines[0][4:])
        proof = [unbase64(line, 32) for line in lines[1:]]
        text, signatures = read_note(note)
        fields = text.split("\n")
        if len(fields) < 4 or "" in fields[:-1]:
            raise Refused(400)
        own = self.check_signed(fields[0], text, signatures)
        size, root = number(fields[1]), unbase64(fields[2], 32)
        if old > size:
            raise Refused(400)
        return self.advance(fields[0], old, size, root, proof, text, own)

    def advance(self, origin, old, size, root, proof, text, own):
        """Compares and writes in one transaction: of two requests at once, the second sees the first."""
        db = self.open()
        try:
            db.execute("BEGIN IMMEDIATE")
            known, known_root = db.execute("SELECT size, root FROM cosigned WHERE origin = ?", (origin,)).fetchone() or (0, None)
            if old != known:
                raise Refused(409, f"{known}\n", "text/x.tlog.size")
            if not self.extends(old, known_root, size, root, proof):
                raise Refused(422)
            line = self.cosign(text)
            db.execute("INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?)", (origin, size, root, text + "\n" + own + line))
            db.execute("COMMIT")
            return line
        finally:
            db.close()  # what was not committed is undone

    @staticmethod
    def extends(old, old_root, size, root, proof):
        if size == 0 and root != hashlib.sha256(b"").digest():
            return False
        if old == 0:
            return not proof
        if old == size:
            return not proof and root == old_root
        return consistent(old, old_root, size, root, proof)

    def latest(self, name):
        """The monitors' view: the last checkpoint that was cosigned, by the hash of its origin."""
        db = self.open()
        try:
            for origin, note in db.execute("SELECT origin, note FROM cosigned"):
                if hashlib.sha256(origin.encode()).hexdigest() == name:
                    return note
        finally:
            db.close()
        raise Refused(404)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    witness = None

    def answer(self, status, body, kind="text/plain; charset=utf-8"):
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if status != 200:  # what was not read of the request must not be taken for another
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def run(self, work):
        try:
            self.answer(200, work())
        except Refused as refused:
            self.answer(refused.status, refused.body, refused.kind)

    def do_POST(self):
        self.run(self.post)

    def post(self):
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            raise Refused(404)
        if not re.fullmatch(r"[0-9]{1,6}", length) or int(length) > BODY_MAX:
            raise Refused(400)
        try:
            body = self.rfile.read(int(length)).decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(400) from None
        return self.witness.add_checkpoint(body)

    def do_GET(self):
        match = re.fullmatch(r"/([0-9a-f]{64})/checkpoint", self.path)
        self.run(lambda: self.witness.latest(match.group(1) if match else ""))

    def log_message(self, form, *arguments):
        print(form % arguments, file=sys.stderr)


# --- the command ---


def make_key(path, name):
    seed = os.urandom(32)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as f:
        f.write(f"{name}\n{seed.hex()}\n")
    return name, seed


def read_key(path):
    with open(path, encoding="utf-8") as f:
        name, seed = f.read().split("\n")[:2]
    return name, bytes.fromhex(seed)


def read_logs(path):
    with open(path, encoding="utf-8") as f:
        return dict(read_vkey(line.split()[1]) for line in f if line.startswith("log "))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--key", required=True, help="the file with the witness's name and seed")
    parser.add_argument("--new", metavar="NAME", help="make that file, and print the vkey")
    parser.add_argument("--logs", help="the file with the logs that are cosigned")
    parser.add_argument("--state", help="the database of what was cosigned")
    parser.add_argument("--listen", default="127.0.0.1:8080", metavar="HOST:PORT", help="default: %(default)s")
    parser.add_argument("--time", type=int, metavar="SECONDS", help="cosign with this time, in rehearsals and tests")
    options = parser.parse_args()
    name, seed = make_key(options.key, options.new) if options.new else read_key(options.key)
    print(vkey(name, 4, ed25519.public_key(seed)), flush=True)
    if options.new:
        return
    if not options.logs or not options.state:
        parser.error("--logs and --state are needed")
    clock = time.time if options.time is None else lambda: options.time
    Handler.witness = Witness(name, seed, read_logs(options.logs), options.state, clock)
    host, _, port = options.listen.rpartition(":")
    server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
    print(f"http://{host}:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
