#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raffle from Python, by cffi's ABI mode, with a clock, a provider of randomness and a store written in Python.

    python3 tests/integration/smoke_python.py BUILD

BUILD (or RAFFLE_BUILD) is meson's build folder, or a prefix into which libraffle was installed. Needs python3-cffi and a C
preprocessor (CC).
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

import cffi

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["RAFFLE_BUILD"]).resolve()
INCLUDES = [pathlib.Path(__file__).resolve().parents[2] / "include", BUILD / "include"]
HEADERS = ["raffle.h", "ext/key.h", "ext/rng.h", "ext/store.h"]
NOON = 1790000000000
UINT64_MAX = 2**64 - 1
RULES = {
    "origin": "raffle.example/smoke-python", "name": "Smoke", "organisation": "Smoke Society", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2026-09-01T00:00:00.000Z", "closes": "2026-12-31T00:00:00.000Z"},
    "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "twenty", "count": 20, "price": 1000}],
    "prizes": [{"name": "first", "title": "Half of the pot", "share": 5000, "alternates": 1}],
    "rng": ["host:smoke"],
}


def headers():
    """The headers as cffi reads them: without attributes, and without the system's headers, whose types it knows."""
    with tempfile.TemporaryDirectory() as empty:
        for name in ("stddef.h", "stdint.h"):
            pathlib.Path(empty, name).touch()
        command = os.environ.get("CC", "cc").split() + ["-E", "-P", "-x", "c", "-U__GNUC__", "-nostdinc", f"-I{empty}"]
        source = "".join(f"#include <raffle/{name}>\n" for name in HEADERS)
        return subprocess.run(command + [f"-I{path}" for path in INCLUDES] + ["-"], input=source, text=True, check=True,
                              stdout=subprocess.PIPE).stdout


ffi = cffi.FFI()
ffi.cdef(headers())
lib = ffi.dlopen(str(next(path for folder in ("", "src/", "lib/", "lib/*/") for path in BUILD.glob(folder + "libraffle.so"))))


# --- calls: failures become exceptions, and exceptions in callbacks become failures ---

class Failure(Exception):
    """A call that failed, or a callback that wants to."""

    def __init__(self, rc, message="", token=0, detail=0):
        super().__init__(f"{ffi.string(lib.raffle_rc_name(rc)).decode()}: {message}")
        self.rc, self.message, self.token, self.detail = rc, message, token, detail


def new(name):
    struct = ffi.new(f"{name} *")
    getattr(lib, f"{name}_init")(struct, ffi.sizeof(name))
    return struct


def call(function, *args):
    err = new("raffle_error")
    rc = getattr(lib, function)(*args, err)
    assert rc == err.rc, (function, rc, err.rc)
    if rc != lib.RAFFLE_OK:
        raise Failure(rc, ffi.string(err.message).decode(), err.token, err.detail)


def make(handle, function, *args):
    out = ffi.new(f"{handle} **")
    call(function, *args, out)
    return ffi.gc(out[0], getattr(lib, f"{handle}_free"))


def get(name, function, *args):
    struct = new(name)
    call(function, *args, struct)
    return struct


def refused(rc, function, *args, token=0):
    try:
        call(function, *args)
    except Failure as no:
        assert (no.rc, no.token) == (rc, token), f"{function}: {no}, token {no.token}"
        return no
    raise AssertionError(f"{function} went well")


escaped = []  # exceptions that only cffi's `error` caught


def callback(kind, method):
    """Failure says what to return; any other exception is for `error`, which cffi returns in its stead."""
    def answer(ctx, *args):
        assert ctx == ffi.NULL and not threading.current_thread().name.startswith("Dummy"), "a thread of the library's"
        try:
            return method(*args) or lib.RAFFLE_OK
        except Failure as no:
            return lib.raffle_error_set(args[-1], no.rc, no.token, no.message.encode())
    if kind.result.kind == "void":
        return ffi.callback(kind, lambda ctx, *args: method(*args))
    return ffi.callback(kind, answer, error=lib.RAFFLE_HOST, onerror=lambda kind, value, trace: escaped.append(value))


def table(name, owner, alive, **names):
    """The functions that `owner` has, under their own names or those of `names`. Whoever gets it keeps `alive`."""
    struct = new(name)
    for field, member in ffi.typeof(name).fields:
        method = getattr(owner, names.get(field, field), None)
        if member.type.kind == "function" and method is not None:
            alive.append(callback(member.type, method))
            setattr(struct, field, alive[-1])
    return struct


# --- what the host brings ---

class Host:
    """A clock that counts up from noon, and a provider that is no good at first."""

    def __init__(self):
        self.alive, self.ms, self.released, self.stopped, self.asked = [], NOON, 0, False, 0
        self.table = table("raffle_host", self, self.alive)
        self.table.flags = lib.RAFFLE_HOST_REPLAYED_CLOCK
        self.rng = table("raffle_rng_table", self, self.alive, free="release")

    def clock(self, ms, err):
        if self.stopped:
            raise Failure(lib.RAFFLE_IO, "the clock stopped", token=11)
        self.ms += 1000
        ms[0] = self.ms

    def fill(self, out, length, filled, evidence, timeout_ms, err):
        self.asked += 1
        if self.asked == 1:
            raise Failure(lib.RAFFLE_HOST, "the dice fell off the table", token=4711)
        ffi.memmove(out, hashlib.shake_256(b"%d" % self.asked).digest(length), length)
        filled[0] = length

    def release(self):
        self.released += 1


def locked(method):
    """One mutex, not reentrant: the contract says that this suffices."""
    def run(self, *args):
        if not self.mutex.acquire(timeout=20):
            raise RuntimeError(f"{method.__name__} waits for its own thread")
        try:
            return method(self, *args)
        finally:
            self.mutex.release()
    return run


class Store:
    """A dictionary of rows, each under its kind and its key; a failed append goes back to the copy that it began with."""

    def __init__(self):
        self.rows, self.mutex, self.alive, self.freed, self.broken, self.log = {}, threading.Lock(), [], 0, False, 0
        self.table = table("raffle_store_table", self, self.alive)
        self.batch = table("raffle_store_batch", self, self.alive, keys="add_keys", records="add_records", node="add_node",
                           state="set_state", note="add_note")

    def free(self):
        self.freed += 1

    def row(self, *key):
        if key not in self.rows:
            raise Failure(lib.RAFFLE_NOT_FOUND, f"no {key[0]}")
        return self.rows[key]

    def fill_head(self, log, head):
        state = self.rows.get(("state", log), b"")
        head.log, head.size, head.control_size = log, self.rows.get(("size", log), 0), self.rows.get(("size", 0), 0)
        head.state_length = len(state)
        ffi.memmove(head.state, state, len(state))

    @locked
    def origin(self, origin, err):
        ffi.memmove(origin, self.row("origin") + b"\0", len(self.row("origin")) + 1)

    @locked
    def create(self, origin, err):
        if ("origin",) in self.rows:
            raise Failure(lib.RAFFLE_EXISTS, "there is a raffle")
        self.rows["origin",] = ffi.string(origin)

    @locked
    def head(self, log, head, err):
        self.fill_head(log, head)

    @locked
    def append(self, log, fill, fill_ctx, timeout_ms, size, err):
        before, self.log, head, rc = dict(self.rows), log, new("raffle_store_head"), lib.RAFFLE_HOST
        self.fill_head(log, head)
        try:
            rc = fill(fill_ctx, head, self.batch, err)
            if self.broken:
                raise ZeroDivisionError("the disk is on fire")
        except Exception:
            rc = lib.RAFFLE_HOST
            raise
        finally:
            if rc != lib.RAFFLE_OK:
                self.rows = before
        size[0] = self.rows["size", log]
        return rc

    # the batch's functions: `append` holds the mutex
    def add_keys(self, keys, n, done, owner, err):
        for i in range(n):
            key = ("key", keys[i].scope, bytes(keys[i].key[0:keys[i].length]))
            if key in self.rows:
                self.fill_key(key, owner)
                break
            self.rows[key] = (keys[i].log, keys[i].index)
            done[0] = i + 1

    def add_records(self, records, n, err):
        for i in range(n):
            r = records[i]
            private = ffi.unpack(r.private_part, r.private_length) if r.private_length else None
            self.rows["record", self.log, r.index] = (ffi.unpack(r.leaf, r.leaf_length), private)
            self.rows["size", self.log] = r.index + 1

    def add_node(self, level, index, node, err):
        self.rows["node", self.log, level, index] = bytes(node[0:32])

    def set_state(self, state, length, err):
        self.rows["state", self.log] = bytes(state[0:length])

    def add_note(self, size, note, length, err):
        text = ffi.unpack(note, length)
        latest = self.rows.get(("latest", self.log), 0)
        known = self.rows.get(("note", self.log, size))
        if size < latest or known and known.rpartition(b"\n\n")[0] != text.rpartition(b"\n\n")[0]:
            raise Failure(lib.RAFFLE_HISTORY, f"log {self.log} has a note over {latest} records")
        self.rows["latest", self.log], self.rows["note", self.log, size] = size, text

    @locked
    def read(self, log, start, count, sink, sink_ctx, err):
        for index in range(start, min(start + count, self.rows.get(("size", log), 0))):
            leaf, private = self.row("record", log, index)
            record = new("raffle_record")
            texts = [ffi.from_buffer("char[]", leaf), ffi.from_buffer("char[]", private or b"")]
            record.index, record.leaf, record.leaf_length = index, texts[0], len(leaf)
            record.private_part, record.private_length = texts[1] if private else ffi.NULL, len(private or b"")
            rc = sink(sink_ctx, record, err)
            if rc != lib.RAFFLE_OK:
                return rc

    @locked
    def node(self, log, level, index, out, err):
        ffi.memmove(out, self.row("node", log, level, index), 32)

    def fill_key(self, key, row):
        row.scope, row.length, (row.log, row.index) = key[1], len(key[2]), self.row(*key)
        ffi.memmove(row.key, key[2], len(key[2]))

    @locked
    def find(self, scope, key, length, row, err):
        self.fill_key(("key", scope, bytes(key[0:length])), row)

    @locked
    def scan(self, scope, prefix, prefix_length, after, after_length, count, sink, sink_ctx, err):
        prefix, after = bytes(ffi.buffer(prefix, prefix_length)), bytes(ffi.buffer(after, after_length))
        keys = sorted(key for key in self.rows if key[:2] == ("key", scope) and key[2].startswith(prefix) and key[2] > after)
        for key in keys[:count]:
            row = new("raffle_store_key")
            self.fill_key(key, row)
            rc = sink(sink_ctx, row, err)
            if rc != lib.RAFFLE_OK:
                return rc

    @locked
    def note_put(self, log, size, note, length, err):
        self.log = log
        self.add_note(size, note, length, err)

    @locked
    def note_get(self, log, size, note_size, note, cap, length, err):
        note_size[0] = self.row("latest", log) if size == UINT64_MAX else size
        text = self.row("note", log, note_size[0])
        length[0] = len(text)
        if len(text) > cap:
            raise Failure(lib.RAFFLE_TOO_SMALL, f"the note has {len(text)} bytes")
        ffi.memmove(note, text, len(text))

    @locked
    def erase(self, log, index, err):
        self.rows["record", log, index] = (self.row("record", log, index)[0], None)


# --- the night ---

def actor(name, role):
    who = ffi.new("raffle_actor *")
    call("raffle_actor_init", who, ffi.sizeof("raffle_actor"), name.encode(), role)
    return who


kept = []  # an element of a cffi array does not keep the array alive


def cart(*lines):
    sales = ffi.new("raffle_sale[]", len(lines))
    for sale, (order, tier) in zip(sales, lines):
        lib.raffle_sale_init(ffi.addressof(sale), ffi.sizeof("raffle_sale"))
        sale.order, sale.tier = order.encode(), tier.encode()
    tickets = ffi.new("raffle_ticket[]", len(lines))
    lib.raffle_ticket_init(tickets, ffi.sizeof("raffle_ticket"))
    kept.append(tickets)
    return sales, tickets


def sell(unit, by, *lines):
    sales, tickets = cart(*lines)
    call("raffle_unit_sell", unit, by, sales, len(lines), 10000, tickets)
    return tickets


def validation(unit, serial):
    out = ffi.new("char[]", lib.RAFFLE_VALIDATION_SIZE)
    call("raffle_unit_validation", unit, serial, out)
    return out


def sales(r, till, host, store, ann, sue):
    first = sell(till, ann, ("web-1", "one"))[0]
    again = sell(till, ann, ("web-1", "one"))[0]
    assert again.serial == first.serial and again.flags & lib.RAFFLE_TICKET_REPLAYED and not first.flags
    pair = sell(till, ann, ("web-2", "twenty"), ("web-2", "twenty"))
    assert pair[1].serial == pair[0].serial + 1 and pair[1].first == pair[0].first + 20 and pair[0].at > NOON
    sell(till, ann, *[("", "one")] * 300)  # enough for a kept node

    crowd = [threading.Thread(target=lambda n=n: [sell(till, ann, (f"till-{n}-{i}", "one")) for i in range(5)]) for n in range(4)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()

    before, order = dict(store.rows), cart(("web-3", "one"))
    host.stopped = True
    refused(lib.RAFFLE_HOST, "raffle_unit_sell", till, ann, order[0], 1, 10000, order[1], token=11)
    host.stopped, store.broken = False, True
    refused(lib.RAFFLE_HOST, "raffle_unit_sell", till, ann, order[0], 1, 10000, order[1])
    assert isinstance(escaped.pop(), ZeroDivisionError) and store.rows == before
    store.broken = False
    call("raffle_unit_sell", till, ann, order[0], 1, 10000, order[1])
    assert not order[1][0].flags, "it had been written"

    found = get("raffle_ticket", "raffle_ticket_by_validation", r, validation(till, pair[0].serial))
    assert (found.serial, found.first, ffi.string(found.order)) == (pair[0].serial, pair[0].first, b"web-2")
    call("raffle_void", r, sue, 1, pair[1].serial, b"refund")
    refused(lib.RAFFLE_VOIDED, "raffle_void", r, sue, 1, pair[1].serial, b"refund")
    return 1 + 2 + 300 + 20 + 1


def draw(r, till, host, boss):
    seal = new("raffle_seal_info")
    call("raffle_seal", r, boss, ffi.NULL, lib.RAFFLE_SEAL_FINAL, seal)
    call("raffle_voids_ack", r, boss, seal.index)
    rng = make("raffle_rng", "raffle_rng_new", b"host:smoke", host.rng, ffi.NULL)
    begun = make("raffle_draw", "raffle_draw_begin", r, boss, b"first", ffi.NULL)
    no = refused(lib.RAFFLE_HOST, "raffle_draw_finish", begun, rng, ffi.NULL, 5000, token=4711)
    assert "dice" in no.message
    call("raffle_draw_finish", begun, rng, ffi.NULL, 5000)
    pick = get("raffle_pick", "raffle_pick_at", r, b"first", 1)
    call("raffle_winner_verify", r, boss, b"first", 1, validation(till, pick.serial), ffi.NULL, ffi.NULL)
    assert get("raffle_pick", "raffle_pick_at", r, b"first", 1).state == lib.RAFFLE_PLACE_VERIFIED
    ffi.release(rng)
    ffi.release(begun)
    return seal


def replay(store):
    options = new("raffle_audit_options")
    options.threads = 1  # with more, threads of the library's read the store
    report = make("raffle_audit", "raffle_audit_run_with", store, options)
    return report, get("raffle_verdict", "raffle_audit_verdict", report)


def audit(store, seal, sold):
    report, verdict = replay(store)
    faults = [get("raffle_fault", "raffle_audit_fault_at", report, i) for i in range(verdict.faults)]
    assert verdict.passed and not faults, [ffi.string(fault.message) for fault in faults]
    assert (verdict.tickets, verdict.voids, verdict.draws, verdict.gross) == (sold, 1, 1, seal.gross)
    assert get("raffle_audit_draw", "raffle_audit_draw_at", report, 0).assurance == lib.RAFFLE_ASSURANCE_OPERATOR
    ffi.release(report)


def falsified(store, memory):
    """The same store, in which one price was changed, does not pass."""
    key = next(key for key, row in memory.rows.items() if key[:2] == ("record", 1) and b'"tier":"one"' in row[0])
    leaf, private = memory.rows[key]
    memory.rows[key] = (leaf.replace(b'"price":500', b'"price":400'), private)
    assert memory.rows[key][0] != leaf
    report, verdict = replay(store)
    assert not verdict.passed and verdict.integrity > 0
    ffi.release(report)


def night(folder):
    ann, sue, boss = actor("ann", lib.RAFFLE_SELLER), actor("sue", lib.RAFFLE_SUPERVISOR), actor("boss", lib.RAFFLE_MANAGER)
    host, memory, rules = Host(), Store(), json.dumps(RULES).encode()
    store = make("raffle_store", "raffle_store_new", memory.table, ffi.NULL)
    keys = make("raffle_keys", "raffle_keys_open", f"file:{folder}/keys".encode(), ffi.NULL)
    r = make("raffle", "raffle_create_with", store, keys, host.table, rules, len(rules), boss)
    ffi.release(keys)
    till = make("raffle_unit", "raffle_unit_open", r, 1)
    sold = sales(r, till, host, memory, ann, sue)
    seal = draw(r, till, host, boss)
    assert seal.tickets == sold and seal.voids == 1
    ffi.release(r)
    ffi.release(till)
    assert host.released == 2 and memory.freed == 0  # by the provider and by the raffle
    host.table.flags |= lib.RAFFLE_HOST_VERIFY_FULL
    r = make("raffle", "raffle_open_with", store, ffi.NULL, host.table)
    assert get("raffle_info", "raffle_describe", r).tickets == sold
    ffi.release(r)
    audit(store, seal, sold)
    falsified(store, memory)
    ffi.release(store)
    assert memory.freed == 1 and host.released == 3 and not escaped, escaped


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        night(place)
    print("ok")
