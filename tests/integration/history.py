#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One history, end to end: backups that are put back, write-ahead logs that are gone, copies that sell on, two notes of one size, and what was done to
journald's seals and immudb's proofs. Each ends in a clear refusal, and nothing that was acknowledged is lost in silence."""

import copy
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.environ["RAFFLE_SOURCE"], "tests", "integration"))
import smoke_python as host  # noqa: E402: the calls, and a store written in Python
from smoke_python import call, ffi, get, lib, make  # noqa: E402

RAFFLE = os.environ["RAFFLE"]
RULES = {
    "origin": "raffle.example/history", "name": "History", "organisation": "Club", "currency": "CAD", "rehearsal": True,
    "sales": {"opens": "2026-09-01T00:00:00.000Z", "closes": "2026-12-31T00:00:00.000Z"},
    "tiers": [{"name": "one", "count": 1, "price": 500}], "rng": ["host:smoke", "test"],
    "prizes": [{"name": "bird", "seal": "early", "share": 1000}, {"name": "first", "share": 5000}],
}
CLOCK = "2026-09-21T12:00:00.000Z"  # before smoke_python.NOON
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


# --- the command ---

def raffle(*arguments, status=0, says=""):
    environment = dict(os.environ, RAFFLE_CLOCK=CLOCK, RAFFLE_ACTOR="boss:manager")
    done = subprocess.run([RAFFLE, *arguments], env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {said}")
    check(re.search(says, said) is not None, f"{arguments} does not say {says!r}: {said}")
    return done.stdout


def create(store):
    raffle("create", store, "--rules", "rules.json")


def sell(store, *orders, **expected):
    for order in orders:
        raffle("sell", store, "--tier", "one", "--order", order, **expected)


def refused(store, rc="RAFFLE_HISTORY", url=None):
    """No sale, no close, no seal; and the sale is not half there."""
    name = url or store
    raffle("sell", name, "--tier", "one", "--order", "refused", "--json", status=1, says=rc)
    raffle("unit", "close", name, "1", status=1)
    check(rows(store, "SELECT count(*) FROM record WHERE private LIKE '%refused%'") == [(0,)], "a sale that was refused is there")


def rows(store, query):
    """By a connection of its own, as a stranger would."""
    with sqlite3.connect(store) as db:
        found = db.execute(query).fetchall()
    db.close()
    return found


def spoil(store, *statements):
    db = sqlite3.connect(store)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def tickets(store):
    return json.loads(raffle("status", store, "--json"))["raffle"]["tickets"]


def restored_backup():
    """The anchor by file, beside the store and elsewhere."""
    for name, url in (("backup.raffle", "backup.raffle"), ("else.raffle", "sqlite:else.raffle?anchor=file:elsewhere")):
        create(url)
        sell(url, "a", "b")
        shutil.copy(name, "kept")
        sell(url, "c", "d")
        shutil.copy(name, "newest")
        shutil.copy("kept", name)
        refused(name, url=url)
        raffle("status", url, says="HALTED")
        raffle("audit", url, status=3, says="behind-anchor .*the log has 3 records; its anchor saw 5")
        raffle("seal", url, status=1, says="second approver")
        shutil.copy("newest", name)  # the copy that reaches the anchor goes on
        sell(url, "e")
        raffle("audit", url)
        check(rows(name, "SELECT size FROM log WHERE log = 1") == [(6,)], "what was acknowledged is not there")


def restored_control_log():
    create("control.raffle")
    shutil.copy("control.raffle", "kept")
    raffle("unit", "enrol", "control.raffle", "--name", "gate 2")
    shutil.copy("kept", "control.raffle")
    raffle("unit", "enrol", "control.raffle", "--name", "gate 3", "--json", status=1, says="RAFFLE_HISTORY")
    sell("control.raffle", "a", status=1, says="behind what was seen")
    raffle("audit", "control.raffle", status=3, says="behind-anchor")


def link_to_a_backup():
    """Under another name it is found out too."""
    create("named.raffle")
    os.symlink("named.raffle", "link.raffle")
    sell("link.raffle", "a")
    shutil.copy("named.raffle", "kept")
    sell("named.raffle", "b")
    shutil.copy("kept", "named.raffle")
    refused("link.raffle")
    refused("named.raffle")


def lost_write_ahead_log():
    """A reader keeps the write-ahead log from being folded, as a crash does; the database alone is what is left without it."""
    create("wal.raffle")
    sell("wal.raffle", "a")
    reader = sqlite3.connect("wal.raffle")
    reader.execute("SELECT count(*) FROM record").fetchall()
    sell("wal.raffle", "b", "c")
    check(os.path.getsize("wal.raffle-wal") > 0, "nothing is in the write-ahead log")
    shutil.copy("wal.raffle", "lost.raffle")
    for suffix in ("-anchor", ".keys"):
        (shutil.copytree if suffix == ".keys" else shutil.copy)("wal.raffle" + suffix, "lost.raffle" + suffix)
    reader.close()
    refused_without_wal = ("sell", "lost.raffle", "--tier", "one", "--order", "refused", "--keys", "file:lost.raffle.keys", "--json")
    raffle(*refused_without_wal, status=1, says="RAFFLE_HISTORY")
    raffle("audit", "lost.raffle", status=3, says="the log has 2 records; its anchor saw 4")
    raffle("audit", "wal.raffle")


def copies_that_sell_on():
    """One anchor finds the second of them out at its first sale; two anchors, when they meet."""
    create("one.raffle")
    sell("one.raffle", "a")
    shutil.copy("one.raffle", "two.raffle")
    shutil.copytree("one.raffle.keys", "two.raffle.keys")
    shutil.copy("one.raffle-anchor", "two.raffle-anchor")
    sell("one.raffle", "b")
    refused("two.raffle", url="sqlite:two.raffle?anchor=file:one.raffle-anchor")
    sell("two.raffle", "other", "more")  # with an anchor of its own
    raffle("audit", "two.raffle")
    raffle("audit", "sqlite:two.raffle?anchor=file:one.raffle-anchor", status=3, says="anchor")
    refused("two.raffle", url="sqlite:two.raffle?anchor=file:one.raffle-anchor")
    refused("one.raffle", url="sqlite:one.raffle?anchor=file:two.raffle-anchor")
    sell("one.raffle", "c")
    raffle("audit", "one.raffle")


# --- what was done to others ---

def remade(store, *statements, anchor=False, notes=False):
    """A copy that was altered by somebody who may write the store: the anchor and the notes go too. Not named like a raffle, which others would verify again."""
    name = store.replace(".raffle", f"-{checks}.altered")
    shutil.copy(store, name)
    shutil.copytree(store + ".keys", name + ".keys")
    if not anchor:
        shutil.copy(store + "-anchor", name + "-anchor")
    spoil(name, *statements, *(["DELETE FROM note WHERE log = 1"] if notes else []))
    return name


def truncated_and_continued():
    """journald, CVE-2023-31438: the end of a log is cut off, and it goes on from there."""
    cut = ("DELETE FROM record WHERE id >= (1 << 40) + 2", "UPDATE log SET size = 2, state = NULL WHERE log = 1",
           "DELETE FROM key WHERE id >= (1 << 40) + 2 AND id < (2 << 40)")
    create("cut.raffle")
    sell("cut.raffle", "a", "b", "c")
    refused(remade("cut.raffle", *cut))  # the anchor saw more
    raffle("seal", "cut.raffle", "--early")
    refused(remade("cut.raffle", *cut, anchor=True))  # the newest checkpoint saw more
    name = remade("cut.raffle", *cut, anchor=True, notes=True)
    refused(name)  # the seal in the control log saw more
    raffle("audit", name, status=3, says="unit 1")


def swapped(store, one, two):
    """Statements that give each of two tickets to the buyer of the other: records that the fold takes as they are."""
    pair = [rows(store, f"SELECT json_extract(leaf, '$.p'), private FROM record WHERE id = (1 << 40) + {i}")[0] for i in (one, two)]
    return [f"UPDATE record SET leaf = replace(leaf, '{mine[0]}', '{other[0]}'), private = '{other[1]}' WHERE id = (1 << 40) + {i}"
            for i, mine, other in ((one, *pair), (two, *reversed(pair)))]


def resealed_entries():
    """journald, CVE-2023-31439: old entries are altered, and what guards them is made anew, by the very key."""
    create("reseal.raffle")
    sell("reseal.raffle", "a", "b", "c")
    raffle("seal", "reseal.raffle", "--early")
    state = "UPDATE log SET state = NULL WHERE log = 1"
    dearer = "UPDATE record SET leaf = replace(leaf, '\"price\":500', '\"price\":400') WHERE id = (1 << 40) + 1"
    for statements, rc in (([dearer, state], "RAFFLE_HALTED"), (swapped("reseal.raffle", 1, 2), "RAFFLE_HISTORY")):
        refused(remade("reseal.raffle", *statements), rc)
        name = remade("reseal.raffle", *statements, anchor=True, notes=True)
        refused(name, rc)  # whoever owns store, anchor, notes and keys does not get past the seal
        raffle("audit", name, status=3, says="integrity: FAILED")


def linear_fake():
    """immudb, GHSA-672p-m5jq-mrh8: what is hashed and what is shown are not the same. The tree and its notes stay; the records under them are others."""
    create("fake.raffle")
    for order in "abc":
        raffle("sell", "fake.raffle", "--tier", "one", "--order", order, "--count", "100")
    raffle("seal", "fake.raffle", "--early")
    dearer = "UPDATE record SET leaf = replace(leaf, '\"price\":500', '\"price\":400') WHERE id = (1 << 40) + 7"
    name = remade("fake.raffle", dearer)
    raffle("audit", name, status=3, says="integrity: FAILED")
    with Open(name) as r:
        size, root = root_of(r, 1)
        proof = inclusion(r, 7, size)
        leaf = rows(name, "SELECT leaf FROM record WHERE id = (1 << 40) + 7")[0][0]
        check(verified(7, size, leaf, proof, root) == lib.RAFFLE_PROOF, "a record that was altered is proved to be in the tree")
    with Open("fake.raffle") as r:
        proof, good = inclusion(r, 7, size), rows("fake.raffle", "SELECT leaf FROM record WHERE id = (1 << 40) + 7")[0][0]
        check(verified(7, size, good, proof, root) == lib.RAFFLE_OK, "the record itself is not")
        check(verified(7, size, leaf, proof, root) == lib.RAFFLE_PROOF, "nor is another proof good for it")
        check(verified(8, size, good, proof, root) == lib.RAFFLE_PROOF, "one record is proved at two places")
    poisoned = remade("fake.raffle", "UPDATE node SET hash = zeroblob(32) WHERE id >> 38 = 1")
    refused(poisoned)  # the cache lies: nothing is signed or sold over it
    raffle("audit", poisoned, status=3, says="unit 1")


def keys_of_others():
    """The table of keys is a function of the records; altered, it gives nobody the ticket of another, and the audit finds what it let through."""
    create("keys.raffle")
    sell("keys.raffle", "a", "b", "c")
    name = remade("keys.raffle", "UPDATE key SET id = (1 << 40) + 2 WHERE id = (1 << 40) + 1")
    raffle("sell", name, "--tier", "one", "--order", "a", "--json", status=1, says="RAFFLE_CORRUPT")
    raffle("order", name, "a", "--json", status=1, says="RAFFLE_CORRUPT")
    raffle("order", name, "b", says="1/2")
    name = remade("keys.raffle", "DELETE FROM key")
    sell(name, "a")
    raffle("audit", name, status=3, says="its order key is that of ticket 1/1 too")
    raffle("void", name, "--ticket", "1/2", "--reason", "refund")
    spoil(name, "DELETE FROM key")
    raffle("void", name, "--ticket", "1/2", "--reason", "refund")
    raffle("audit", name, status=3, says="ticket 1/2 is void already")


# --- the library: SQLite ---

class Host(host.Host):
    """All handles have one clock."""

    now = host.NOON

    def clock(self, ms, err):
        Host.now += 1000
        ms[0] = Host.now


class Open:
    """A raffle in a file, by the library."""

    def __init__(self, store):
        self.host = Host()
        self.store = make("raffle_store", "raffle_store_open", store.encode(), ffi.NULL)
        self.keys = make("raffle_keys", "raffle_keys_open", f"file:{store}.keys".encode(), ffi.NULL)
        self.raffle = make("raffle", "raffle_open_with", self.store, self.keys, self.host.table)

    def __enter__(self):
        return self.raffle

    def __exit__(self, *_):
        for handle in (self.raffle, self.keys, self.store):
            ffi.release(handle)


def root_of(r, log):
    size, root = ffi.new("uint64_t *"), ffi.new("uint8_t[32]")
    call("raffle_root", r, log, host.UINT64_MAX, size, root)
    return size[0], bytes(root)


def inclusion(r, index, size):
    proof, n = ffi.new("uint8_t[]", 64 * 32), ffi.new("size_t *")
    call("raffle_inclusion", r, 1, index, size, proof, n)
    return proof, n[0]


def verified(index, size, leaf, proof, root):
    leaf_hash, text = ffi.new("uint8_t[32]"), leaf.encode()
    call("raffle_leaf_hash", text, len(text), leaf_hash)
    try:
        call("raffle_inclusion_verify", index, size, leaf_hash, proof[0], proof[1], root)
    except host.Failure as no:
        return no.rc
    return lib.RAFFLE_OK


def code_of(function, *args):
    try:
        function(*args)
    except host.Failure as no:
        return no.rc
    return lib.RAFFLE_OK


def killed_before_the_fold():
    """Killed with everything in the write-ahead log, which then is deleted: no raffle is to be made in its place, and none goes on."""
    child = os.fork()
    if child == 0:
        child_host = Host()
        store = make("raffle_store", "raffle_store_open", b"sqlite:killed.raffle?create=1", ffi.NULL)
        keys = make("raffle_keys", "raffle_keys_open", b"file:killed.raffle.keys", ffi.NULL)
        rules = json.dumps(RULES).encode()
        r = make("raffle", "raffle_create_with", store, keys, child_host.table, rules, len(rules), BOSS)
        till = make("raffle_unit", "raffle_unit_open", r, 1)
        host.sell(till, ANN, ("a", "one"))
        os.kill(os.getpid(), signal.SIGKILL)
    check(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, "the child was not killed")
    shutil.copy("killed.raffle", "kept")
    shutil.copy("killed.raffle-wal", "kept-wal")
    os.unlink("killed.raffle-wal")
    os.unlink("killed.raffle-shm")
    raffle("status", "killed.raffle", status=1, says="holds no raffle")
    raffle("create", "killed.raffle", "--rules", "rules.json", "--keys", "file:killed.raffle.keys", status=1,
           says="anchor saw 3 records of the control log .* not made anew")
    raffle("status", "killed.raffle", status=1, says="holds no raffle")
    shutil.copy("kept", "killed.raffle")
    shutil.copy("kept-wal", "killed.raffle-wal")
    raffle("audit", "killed.raffle", says="tickets sold +1\n")


def gone_while_selling():
    """The files of a till that is running are moved away, or replaced by a backup: it stops, rather than write where nobody will look."""
    create("till.raffle")
    sell("till.raffle", "a")
    shutil.copy("till.raffle", "kept")
    with Open("till.raffle") as r:
        till = make("raffle_unit", "raffle_unit_open", r, 1)
        host.sell(till, ANN, ("b", "one"))
        for name in ("till.raffle-wal", "till.raffle"):
            os.rename(name, "moved")
            check(code_of(host.sell, till, ANN, ("c", "one")) == lib.RAFFLE_IO, f"sold although {name} is gone")
            if name == "till.raffle":
                os.rename("kept", name)
                check(code_of(host.sell, till, ANN, ("c", "one")) == lib.RAFFLE_IO, "sold although a backup was put in place")
            os.rename("moved", name)
        host.sell(till, ANN, ("c", "one"))
        ffi.release(till)
    raffle("audit", "till.raffle", says="tickets sold +3\n")


# --- the library: a host's store and anchor ---

class Anchored(host.Store):
    """A host's store, with an anchor that lives elsewhere and can be shared."""

    def __init__(self, rows=None, anchor=None):
        self.anchor, self.durable = {} if anchor is None else anchor, []
        super().__init__()
        self.rows.update(rows or {})

    def anchor_get(self, log, size, root, err):
        if log not in self.anchor:
            raise host.Failure(lib.RAFFLE_NOT_FOUND, "nothing was seen")
        size[0], seen = self.anchor[log]
        ffi.memmove(root, seen, 32)

    def anchor_put(self, log, size, root, durable, err):
        seen, root = self.anchor.get(log, (-1, b"")), bytes(root[0:32])
        if seen[0] == size and seen[1] != root:
            raise host.Failure(lib.RAFFLE_HISTORY, f"log {log} has another root at {size}")
        if seen[0] < size:
            self.anchor[log] = (size, root)
        if durable:
            self.durable.append((log, max(size, seen[0])))


class Handle:
    """A raffle over a store of the host's; its first till; what it signed."""

    def __init__(self, memory, create=False):
        self.memory, self.host = memory, Host()
        self.store = make("raffle_store", "raffle_store_new", memory.table, ffi.NULL)
        self.keys = make("raffle_keys", "raffle_keys_open", b"file:keys", ffi.NULL)
        rules = json.dumps(RULES).encode()
        self.raffle = (make("raffle", "raffle_create_with", self.store, self.keys, self.host.table, rules, len(rules), BOSS) if create
                       else make("raffle", "raffle_open_with", self.store, self.keys, self.host.table))
        self.till = make("raffle_unit", "raffle_unit_open", self.raffle, 1)

    def sell(self, order):
        return host.sell(self.till, ANN, (order, "one"))

    def checkpoint(self, log=1):
        note, length = ffi.new("char[]", lib.RAFFLE_STORE_NOTE_MAX + 1), ffi.new("size_t *")
        call("raffle_checkpoint", self.raffle, log, note, len(note), length)
        return ffi.string(note).decode()

    def close(self):
        for handle in (self.till, self.raffle, self.keys, self.store):
            ffi.release(handle)


def host_raffle():
    shutil.rmtree("keys", ignore_errors=True)
    return Handle(Anchored(), create=True)


def restored_backup_of_a_host():
    h = host_raffle()
    h.sell("a")
    backup = copy.copy(h.memory.rows)
    h.sell("b")
    anchor, newest = h.memory.anchor, copy.copy(h.memory.rows)
    h.close()
    h = Handle(Anchored(backup, anchor))
    before = copy.copy(h.memory.rows)
    check(code_of(h.sell, "c") == lib.RAFFLE_HISTORY, "sold on a backup that was put back")
    check(code_of(h.checkpoint) == lib.RAFFLE_HISTORY, "signed a backup that was put back")
    check(get("raffle_unit_info", "raffle_unit_describe", h.raffle, 1).halted == 1, "the unit does not seem to be halted")
    check(h.memory.rows == before, "a store that is behind its anchor was written")
    h.close()
    h = Handle(Anchored(newest, anchor))
    h.sell("c")
    h.close()


def put_back_under_a_handle():
    """A failed-over standby: the store goes back while it is open."""
    h = host_raffle()
    h.sell("a")
    backup = copy.copy(h.memory.rows)
    h.sell("b")
    h.memory.rows = backup
    check(code_of(h.sell, "c") == lib.RAFFLE_HISTORY, "sold on a store that went back")
    check(code_of(h.checkpoint) == lib.RAFFLE_HISTORY, "signed a store that went back")
    h.close()


def two_notes_of_one_size():
    """Two copies with one anchor, in any order of sales and signatures: of each size one note leaves, and all are of one history."""
    for seed in range(12):
        chance, notes, refusals = random.Random(seed), {}, 0
        first = host_raffle()
        first.sell("a")
        copies = [first, Handle(Anchored(first.memory.rows, first.memory.anchor))]
        for step in range(30):
            which = chance.randrange(2)
            act = copies[which].checkpoint if chance.random() < 0.4 else lambda: copies[which].sell(f"{which}-{step}")
            try:
                note = act()
            except host.Failure as no:
                check(no.rc == lib.RAFFLE_HISTORY, f"seed {seed}: {no}")
                refusals += 1
                continue
            if isinstance(note, str):
                size = note.split("\n")[1]
                check(notes.setdefault(size, note) == note, f"seed {seed}: two notes over {size} records")
        check(refusals > 0, f"seed {seed}: both copies sold on")
        for h in copies:
            h.close()


def kept_notes_speak():
    """Without an anchor, a note that the store has still tells that its records are others."""
    h = host_raffle()
    h.sell("a")
    backup = copy.copy(h.memory.rows)
    h.sell("b")
    h.checkpoint()
    notes = {key: row for key, row in h.memory.rows.items() if key[0] in ("note", "latest")}
    h.close()
    h = Handle(Anchored(backup))
    h.sell("other")
    rows_now = {**h.memory.rows, **notes}
    h.close()
    h = Handle(Anchored(rows_now))
    check(code_of(h.sell, "c") == lib.RAFFLE_HISTORY, "sold over a note of another history")
    check(code_of(h.checkpoint) == lib.RAFFLE_HISTORY, "signed, or gave away, a second note of one size")
    h.close()


def anchors_before_notes():
    """Nothing that is signed is ahead of what the anchor has durably."""
    h = host_raffle()
    for i in range(3):
        h.sell(f"s{i}")
        size = int(h.checkpoint().split("\n")[1])
        check((1, size) in h.memory.durable, f"a note over {size} records left before its anchor was durable")
    size = int(h.checkpoint(0).split("\n")[1])
    check((0, size) in h.memory.durable, "the control log's note left before its anchor was durable")
    h.close()


ANN, BOSS = host.actor("ann", lib.RAFFLE_SELLER), host.actor("boss", lib.RAFFLE_MANAGER)

if __name__ == "__main__":
    with open("rules.json", "w", encoding="utf-8") as f:
        json.dump(RULES, f)
    for test in (killed_before_the_fold, restored_backup, restored_control_log, link_to_a_backup, lost_write_ahead_log, copies_that_sell_on,
                 truncated_and_continued, resealed_entries, linear_fake, keys_of_others, gone_while_selling, restored_backup_of_a_host,
                 put_back_under_a_handle, two_notes_of_one_size, kept_notes_speak, anchors_before_notes):
        print(test.__name__, flush=True)
        test()
    assert threading.active_count() == 1
    print(f"ok: {checks} checks")
