#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Receipts and checkpoints through the command: a ticket's promise, its proof after each seal, its parts as C2SP tlog-proofs; altered ones and foreign ones; and two
checkpoints of one log, by a store, by what is published, by a proof of our own, and of two histories.

    RAFFLE=build/src/cli/raffle python3 tests/integration/receipts.py
"""
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

RULES = {
    "origin": "raffle.example/receipts", "name": "Receipts", "organisation": "Club", "currency": "CAD", "rehearsal": True, "rng": ["test"],
    "sales": {"opens": "2020-01-01T00:00:00.000Z", "closes": "2100-01-01T00:00:00.000Z"},
    "tiers": [{"name": "ten", "count": 10, "price": 2000}], "units": [{"name": "till"}, {"name": "web"}],
    "prizes": [{"name": "bird", "seal": "early"}, {"name": "car"}],
}
FOREIGN = "raffle.example/other+d77fd236+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"  # of another raffle
STORE = "sqlite:{}?anchor=none"
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


def sell(store, unit, *orders):
    for order in orders:
        raffle("sell", store, "--unit", str(unit), "--tier", "ten", "--order", order)


def verify(path, key, proves):
    said = json.loads(raffle("verify", path, "--key", key, "--json"))
    check(said["good"] and said["proves"] == proves, f"{path} proves {said}")
    return said


def keys_of(store):
    records = [json.loads(line.split(None, 1)[1]) for line in raffle("show", store, "control").splitlines()]
    return [records[0]["key"]] + [r["key"] for r in records if r["t"] == "unit.enrol"]


def check_split(folder):
    """Each part is a tlog-proof whose `extra` hashes into its checkpoint's root, by RFC 9162 2.1.3.2 written out here."""
    for path in sorted(pathlib.Path(folder).iterdir()):
        head, note = path.read_text().split("\n\n", 1)
        first, extra, index, *hashes = head.split("\n")
        check(first == "c2sp.org/tlog-proof@v1" and extra.startswith("extra ") and index.startswith("index "), path)
        _, size, root = note.split("\n")[:3]
        fn, sn = int(index[6:]), int(size) - 1
        value = hashlib.sha256(b"\0" + base64.b64decode(extra[6:])).digest()
        for one in map(base64.b64decode, hashes):
            if fn & 1 or fn == sn:
                value = hashlib.sha256(b"\1" + one + value).digest()
                while fn and not fn & 1:
                    fn, sn = fn >> 1, sn >> 1
            else:
                value = hashlib.sha256(b"\1" + value + one).digest()
            fn, sn = fn >> 1, sn >> 1
        check(sn == 0 and base64.b64encode(value).decode() == root, f"{path} does not hold")


def receipts(store, key):
    """A ticket from its sale to the final seal."""
    sell(store, 1, "a", "b", "c")
    sell(store, 2, "d")
    raffle("receipt", store, "--ticket", "1/2", "--out", "promise")
    verify("promise", key, "promise")
    raffle("void", store, "--ticket", "1/3", "--reason", "refund")
    raffle("receipt", store, "--ticket", "1/3", status=1, says="void")
    raffle("seal", store, "--early")
    raffle("receipt", store, "--ticket", "1/2", "--out", "early")
    check(verify("early", key, "drum")["kind"] == "early", "the early seal is shown")
    verify("promise", key, "promise")
    shutil.copy("s.raffle", "s-old.raffle")
    sell(store, 1, "e")
    raffle("receipt", store, "--ticket", "1/5", "--out", "later")
    raffle("publish", store, "meanwhile")  # whose newest checkpoint of the unit is not the sealed one
    raffle("receipt", "meanwhile", "--ticket", "1/2", "--keys", "", "--out", "of-what-is-published")
    check(verify("of-what-is-published", key, "drum")["kind"] == "early", "what is published makes the same receipt")
    verify("later", key, "promise")
    raffle("seal", store)
    pathlib.Path("parts").mkdir()
    raffle("receipt", store, "--order", "b", "--out", "final", "--split", "parts")
    said = verify("final", key, "drum")
    check(said["kind"] == "final" and said["voids"] == 1 and said["serial"] == 2, said)
    check_split("parts")
    raffle("receipt", store, "--ticket", "1/3", "--out", "void")
    verify("void", key, "void")
    raffle("receipt", store, "--ticket", "1/9", status=1)
    raffle("publish", store, "public")
    raffle("receipt", "public", "--ticket", "1/2", "--keys", "", status=0, says="libraffle/receipt/v1")


def bad_ones(key, foreign):
    text = pathlib.Path("final").read_text()
    cases = {"nothing": "", "cut": text[:-1], "longer": text + "\n", "twice": text + text, "endings": text.replace("\n", "\r\n"), "huge": text + "x" * 200000,
             "other ticket": text.replace(" 1/2\n", " 1/1\n"), "said void": text.replace("\ndrum ", "\nvoid "),
             "hashes": text.replace("\nindex 2\n", "\nindex 2\n" + "A" * 43 + "=\n", 1), "binary": "\0" * 1000, "html": "<html>\n\n</html>"}
    for name, content in cases.items():
        pathlib.Path(name).write_text(content, newline="")
        raffle("verify", name, "--key", key, status=3, says="huge has more" if name == "huge" else "bad: ")
    raffle("verify", "final", "--key", foreign, status=3, says="the key that of")
    said = raffle("verify", "final", "cut", "promise", "--key", key, status=3)
    check([line.split(":")[0] for line in said.splitlines()] == ["good", "bad", "good"], said)
    raffle("verify", "final", "nowhere", "--key", key, status=1)
    raffle("verify", "final", status=2, says="--key")
    raffle("verify", "final", "--key", "x", status=2)


def two_checkpoints(control, till):
    """A log's checkpoints in their order, and two histories of it that one key signed."""
    store = STORE.format("fork.raffle")
    shutil.copy("r.raffle", "fork.raffle")
    shutil.copytree("r.raffle.keys", "fork.raffle.keys")
    old, new = "old/unit/1/checkpoint", "new/unit/1/checkpoint"
    sell(STORE.format("r.raffle"), 1, "a", "b")
    raffle("publish", STORE.format("r.raffle"), "old")
    shutil.copytree("old", "new")
    sell(STORE.format("r.raffle"), 1, "c")
    raffle("publish", STORE.format("r.raffle"), "new")
    for where in ("new", STORE.format("r.raffle")):
        raffle("verify", new, "--key", till, "--old", old, "--store", where, says="which continues that in")
        raffle("verify", "new/control/checkpoint", "--key", control, "--old", "old/control/checkpoint", "--store", where, says="continues")
    proof = json.loads(raffle("verify", new, "--key", till, "--old", old, "--store", "new", "--json"))
    check(proof["continues"] == old and proof["log"] == 1 and proof["size"] == 4, proof)
    hashes = leaf_hashes("new/unit/1/tile/0/000.p/4")
    node = lambda left, right: hashlib.sha256(b"\1" + left + right).digest()
    lines = [hashes[2], hashes[3], node(hashes[0], hashes[1])]  # RFC 6962 2.1.2: PROOF(3, D[4])
    write_hashes("proof", lines)
    raffle("verify", new, "--key", till, "--old", old, "--proof", "proof", says="continues")
    for name, altered in (("turned", lines[::-1]), ("short", lines[:2]), ("long", lines + [lines[0]]), ("none", [])):
        write_hashes(name, altered)
        raffle("verify", new, "--key", till, "--old", old, "--proof", name, status=3, says="does not hold")
    pathlib.Path("garbage").write_text("AAAA\n")
    raffle("verify", new, "--key", till, "--old", old, "--proof", "garbage", status=1, says="no proof")
    raffle("verify", old, "--key", till, "--old", new, "--store", "new", status=2, says="the newer one")
    raffle("verify", new, "--key", till, "--old", "old/control/checkpoint", "--store", "new", status=3, says="checkpoint of")
    raffle("verify", new, "--key", till, "--old", old, status=2)
    raffle("verify", new, "--key", till, "--old", old, "--store", "old", status=1, says="has 3 records, not 4")
    sell(store, 1, "x", "y", "z")
    raffle("publish", store, "forked")
    raffle("verify", "forked/unit/1/checkpoint", "--key", till, "--old", new, "--store", "new", status=3, says="the log's key signed two histories")
    raffle("verify", new, "--key", till, "--old", old, "--store", "forked", status=3, says="evidence of two histories")
    raffle("publish", store, "new", status=1, says="not those of the store")


def brought_back(store, old, key):
    """Receipts against the raffle that gave them, what it published, and the store as it was before the final seal."""
    pathlib.Path("brought").mkdir()
    raffle("audit", store, "--receipts", "brought", status=1, says="no receipt in brought")
    raffle("audit", store, "--receipts", "nowhere", status=1, says="nowhere")
    names = ["early", "final", "later", "promise", "void"]
    for name in names:
        shutil.copy(name, "brought")
    for where in (store, "public"):
        verdict = json.loads(raffle("audit", where, "--key", key, "--receipts", "brought", "--json"))["verdict"]
        check((verdict["receipts"], verdict["receipts_kept"]) == (5, 5), verdict)
    said = json.loads(raffle("audit", old, "--receipts", "brought", "--json", status=3))
    broken = [fault["message"].split(":")[0] for fault in said["faults"] if fault["code"] == "promise"]
    check(sorted(broken) == ["final", "later", "void"] and said["verdict"]["receipts_kept"] == 2, said)
    shutil.copy("huge", "brought")
    shutil.copy("cut", "brought")
    os.mkfifo("brought/pipe")
    os.mkdir("brought/zip")
    said = json.loads(raffle("audit", store, "--receipts", "brought", "--json", status=3))
    none = [fault["message"].split(" ")[0] for fault in said["faults"] if fault["code"] == "receipt"]
    check(none == ["cut", "huge", "pipe", "zip"] and said["verdict"]["receipts_kept"] == 5 and said["verdict"]["integrity"], said)


def leaf_hashes(path):
    tile = pathlib.Path(path).read_bytes()
    return [tile[i:i + 32] for i in range(0, len(tile), 32)]


def write_hashes(path, hashes):
    pathlib.Path(path).write_text("".join(base64.b64encode(h).decode() + "\n" for h in hashes))


def main():
    pathlib.Path("rules.json").write_text(json.dumps(RULES))
    for name in ("r.raffle", "s.raffle"):
        raffle("create", STORE.format(name), "--rules", "rules.json")
    key, other = keys_of(STORE.format("s.raffle")), keys_of(STORE.format("r.raffle"))
    receipts(STORE.format("s.raffle"), key[0])
    bad_ones(key[0], FOREIGN)
    brought_back(STORE.format("s.raffle"), STORE.format("s-old.raffle"), key[0])
    two_checkpoints(other[0], other[1])
    print(f"{checks} checks")


main()
