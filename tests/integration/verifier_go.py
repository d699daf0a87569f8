#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Go verifier (examples/verifier-go) over raffles that are published, and over altered ones, which it must refuse: each byte of a small folder in turn, and many of a
larger one. With stores as arguments only over those."""

import glob
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys

RAFFLE = os.environ["RAFFLE"]
SOURCE = os.environ["RAFFLE_SOURCE"]
NIGHT = os.path.join(os.environ["RAFFLE_BUILD"], "examples", "night")
MODULE = os.path.join(SOURCE, "examples", "verifier-go")
VERIFIER = os.path.abspath("verifier")
TESTS = os.path.abspath("verifier.test")
HEADER = "kind,at,unit,order,tier,count,payment,buyer,channel,reason,by\n"
checks = 0

sys.path.insert(0, os.path.join(SOURCE, "tests", "reference"))
import raffle_reference  # noqa: E402
import receipt_reference  # noqa: E402
import tiles_reference  # noqa: E402


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


def run(*arguments, status=0, says="", environment=None, stdin=None):
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, input=stdin)
    check(done.returncode == status, f"{arguments} ends with {done.returncode}, not {status}: {done.stdout}{done.stderr}")
    check(says in done.stdout + done.stderr, f"{arguments} does not say {says!r}: {done.stdout}{done.stderr}")
    return done.stdout


def raffle(clock, *arguments):
    return run(RAFFLE, *arguments, environment=dict(os.environ, RAFFLE_CLOCK=clock, RAFFLE_ACTOR="boss:manager"))


def build():
    environment = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-mod=readonly -buildvcs=false")
    for command in (["go", "vet", "."], ["go", "build", "-o", VERIFIER, "."], ["go", "test", "-c", "-o", TESTS, "."]):
        done = subprocess.run(command, cwd=MODULE, env=environment, capture_output=True, text=True)
        check(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")


# --- raffles ---


def sales(first, last, hour):
    """Orders of one unit each, in time; every fiftieth is voided at the end."""
    lines = [f"sale,2026-11-15T{hour:02}:{i // 60 % 60:02}:{i % 60:02}.000Z,{1 + (i % 8 == 0)},o-{i},{'one' if i % 3 else 'ten'},1,,,,,"
             for i in range(first, last)]
    voids = [f"void,2026-11-15T{hour:02}:59:59.000Z,,o-{i},,,,,,refund," for i in range(first, last, 50)]
    return HEADER + "\n".join(lines + voids) + "\n"


def many_tiles(store):
    """More than two tiles, three units one of which sells nothing, an early and a final seal, voids before, between and after them."""
    rules = {
        "origin": "raffle.example/tiles", "name": "Tiles", "organisation": "Club", "currency": "CAD", "rehearsal": True,
        "sales": {"opens": "2026-11-15T01:00:00.000Z", "closes": "2026-11-15T05:00:00.000Z"},
        "tiers": [{"name": "one", "count": 1, "price": 500}, {"name": "ten", "count": 10, "price": 2000}],
        "units": [{"name": "web"}, {"name": "till"}, {"name": "spare"}], "rng": ["test"],
        "prizes": [{"name": "bird", "seal": "early"}, {"name": "main", "winners": 2, "alternates": 1}],
    }
    with open("tiles.json", "w", encoding="utf-8") as f:
        json.dump(rules, f)
    for name, text in (("early.csv", sales(0, 350, 1)), ("late.csv", sales(350, 950, 3))):
        with open(name, "w", encoding="utf-8") as f:
            f.write(text)
    raffle("2026-11-15T00:59:00.000Z", "create", store, "--rules", "tiles.json")
    run(RAFFLE, "import", store, "early.csv", "--replay", "--by", "boss:manager")
    raffle("2026-11-15T02:00:00.000Z", "seal", store, "--early")
    raffle("2026-11-15T02:00:00.000Z", "ack", store, "--early")
    raffle("2026-11-15T02:01:00.000Z", "draw", store, "bird", "--rng", "test:seed=00")
    publish(store, store + ".published")
    good(store + ".published")
    run(RAFFLE, "import", store, "late.csv", "--replay", "--by", "boss:manager")
    raffle("2026-11-15T05:00:00.000Z", "seal", store)
    raffle("2026-11-15T05:01:00.000Z", "ack", store)
    raffle("2026-11-15T05:02:00.000Z", "draw", store, "main", "--rng", "test:seed=01")


def read(folder):
    names = [name for name in glob.glob(folder + "/**", recursive=True) if os.path.isfile(name)]
    files = {}
    for name in names:
        with open(name, "rb") as f:
            files[os.path.relpath(name, folder)] = f.read()
    return files


def key_of(folder):
    with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
        return json.load(f)["logs"][0]["key"]


def publish(store, folder, *options):
    """By the command; then by the second implementation from the same records and checkpoints, which must give the same bytes."""
    run(RAFFLE, "publish", store, folder, *options)
    files = read(folder)
    logs = [(path, leaves, files[path + "/checkpoint"]) for path, leaves, _ in tiles_reference.logs_of(store)]
    again = tiles_reference.folder(logs, "control" if "--hashes" in options else "all")
    for name, data in again.items():
        check(files.get(name) == data, f"{folder}: {name} is not what the second implementation writes")
    check(all(name in again or ".p/" in name for name in files), f"{folder}: there is more than the format has: {sorted(files.keys() - again.keys())}")


# --- verdicts ---


def good(folder):
    """A folder that is good with its key and without; returns both."""
    key = key_of(folder)
    run(VERIFIER, "folder", "-key", key, folder, says="verdict     good")
    run(VERIFIER, "folder", folder, says="compare it with one that you trust")
    return folder, key


def older(folder, key):
    """Consistency with checkpoints that somebody kept."""
    note = os.path.join(folder, "unit", "1", "checkpoint")
    run(VERIFIER, "folder", "-key", key, "-old", note, folder, says="are a prefix of")
    with open(os.path.join(folder, "control", "tile", "entries", "000.p", newest(folder)), "rb") as f:
        data = f.read()
    seals = [json.loads(leaf) for leaf in entries(data) if b'"t":"seal.unit"' in leaf]
    for record in (seals[0], seals[-1]):
        with open("old", "w", encoding="utf-8") as f:
            f.write(record["note"])
        run(VERIFIER, "folder", "-key", key, "-old", "old", folder, says="are a prefix of")
    with open("old", "w", encoding="utf-8") as f:
        f.write(record["note"].replace("\n" + str(record["size"]), "\n7"))
    run(VERIFIER, "folder", "-key", key, "-old", "old", folder, status=3, says="FAILED")


def newest(folder):
    return max(os.listdir(os.path.join(folder, "control", "tile", "entries", "000.p")), key=int)


def entries(data):
    while data:
        length = int.from_bytes(data[:2], "big")
        yield data[2:2 + length]
        data = data[2 + length:]


def each_byte(folder, key):
    environment = dict(os.environ, RAFFLE_FOLDER=os.path.abspath(folder), RAFFLE_KEY=key)
    return run(TESTS, "-test.run", "Folder|Signatures", "-test.v", environment=environment, says="PASS")


def receipts(store, key, tickets):
    """Receipts of some tickets, each good; by another key not; and with each byte altered, or cut there."""
    folder = store + ".receipts"
    os.makedirs(folder)
    proves = set()
    for unit, serial in tickets:
        name = os.path.join(folder, f"{unit}-{serial}")
        run(RAFFLE, "receipt", store, "--ticket", f"{unit}/{serial}", "--out", name)
        run(VERIFIER, "receipt", "-key", key, name, says="verdict     good")
        with open(name, encoding="utf-8") as f:
            proves.add(f.read().split("\n")[1].split(" ")[0])
    run(VERIFIER, "receipt", "-key", raffle_reference.example().control.vkey, name, status=3, says="FAILED")
    environment = dict(os.environ, RAFFLE_RECEIPTS=folder, RAFFLE_KEY=key)
    print(run(TESTS, "-test.run", "Receipts", "-test.v", environment=environment, says="PASS"), end="")
    return proves


def write_text(name, text):
    with open(name, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def witnessed():
    """Rules that name witnesses, in raffles of the second implementation: quorums, cosignatures that are wrong, of others, out of order; and in receipts."""
    def folder(name, raffle, change=None, **expected):
        files = raffle.files()
        if change is not None:
            files["control/checkpoint"] = change(files["control/checkpoint"].decode()).encode()
        tiles_reference.write(files, name)
        return run(VERIFIER, "folder", "-key", raffle.control.vkey, name, **expected)

    two = raffle_reference.witnessed()
    stranger = raffle_reference.Witness("d").line(two.control.note().split("\n\n")[0] + "\n")
    late = raffle_reference.Witness("a", 1763168401).line(two.control.note().split("\n\n")[0] + "\n")
    lines = two.control.note().split("\n")
    folder("two", two, says="2 of 3 cosigned the control checkpoint: quorum reached")
    folder("all", raffle_reference.witnessed((0, 1, 2)), says="3 of 3 cosigned the control checkpoint: quorum reached")
    folder("one", raffle_reference.witnessed((1,)), status=3, says="quorum is not reached")
    folder("none", raffle_reference.witnessed(()), status=3, says="quorum is not reached")
    folder("fewer", two, lambda text: "\n".join(lines[:-2]) + "\n", says="1 of 3 cosigned the control checkpoint: quorum not reached")
    folder("stranger", two, lambda text: text + stranger, says="2 of 3 cosigned")
    folder("twice", two, lambda text: text + late, status=3, says="two signatures of")
    folder("altered", two, lambda text: text.replace(lines[-2], altered_signature(lines[-2])), status=3, says="invalid signature")
    witnessed_receipts(two, stranger)


def altered_signature(line):
    at = len(line) - 20
    return line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1:]


def witnessed_receipts(raffle, stranger):
    os.makedirs("witnessed.receipts")
    key = raffle.control.vkey
    for serial, kind in ((1, "final"), (2, "final"), (3, None)):
        write_text(f"witnessed.receipts/{serial}", receipt_reference.Receipt(raffle, 1, serial, kind, opened=True).text())
        run(VERIFIER, "receipt", "-key", key, f"witnessed.receipts/{serial}", says="quorum reached: true")
    environment = dict(os.environ, RAFFLE_RECEIPTS="witnessed.receipts", RAFFLE_KEY=key)
    print(run(TESTS, "-test.run", "Receipts", "-test.v", environment=environment, says="PASS"), end="")
    good_text = receipt_reference.Receipt(raffle, 1, 1, "final", opened=True).text()
    note = raffle.control.note()
    lines = note.split("\n")
    exchanged = "\n".join(lines[:5] + [lines[6], lines[5]]) + "\n"
    for what, text in {
        "without raffle.open": receipt_reference.Receipt(raffle, 1, 1, "final").text(), "a stranger's line": good_text.replace(note, note + stranger),
        "out of order": good_text.replace(note, exchanged), "raffle.open twice": good_text.replace("part raffle.open", "part raffle.open\npart raffle.open", 1),
    }.items():
        check(text != good_text, what)
        write_text("refused", text)
        run(VERIFIER, "receipt", "-key", key, "refused", status=3, says="FAILED")
    plain = raffle_reference.example()
    write_text("refused", receipt_reference.Receipt(plain, 1, 1, "final", opened=True).text())
    run(VERIFIER, "receipt", "-key", plain.control.vkey, "refused", status=3, says="without witnesses")


def promised(store):
    """A raffle that is not sealed yet."""
    raffle("2026-11-15T00:59:00.000Z", "create", store, "--rules", "tiles.json")
    for i in range(3):
        raffle("2026-11-15T01:01:00.000Z", "sell", store, "--unit", "1", "--tier", "one", "--order", f"p-{i}")
    publish(store, store + ".published")
    return key_of(store + ".published")


def tickets_of(store, unit, wanted):
    """Serials of tickets that are void at the seal, or not: the last ones."""
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        void = {serial for (serial,) in db.execute("select serial from void where unit = ?", (unit,))}
        sold = [serial for (serial,) in db.execute("select serial from ticket where unit = ?", (unit,))]
    return [(unit, serial) for serial in sold if (serial in void) == wanted]


def vectors():
    environment = dict(os.environ, RAFFLE_VECTORS=os.path.join(SOURCE, "tests", "vectors"))
    return run(TESTS, "-test.run", "Vectors", "-test.v", environment=environment, says="PASS")


def is_older(name, names):
    """A partial tile that only readers of an older checkpoint need: the audit does not read it, the Go verifier does."""
    tile, _, width = name.partition(".p/")
    return width != "" and (tile in names or any(other.startswith(tile + ".p/") and int(other.rpartition("/")[2]) > int(width) for other in names))


def many_bytes(folder, key):
    """A byte here and there of the larger folder, all in one process; and by the audit."""
    chance = random.Random(1)
    names = sorted(name for name in glob.glob(folder + "/**", recursive=True) if os.path.isfile(name))
    lines = []
    for i, name in enumerate(chance.choices(names, k=60)):
        copy = f"altered/{i}"
        shutil.copytree(folder, copy, copy_function=os.link)
        target = os.path.join(copy, os.path.relpath(name, folder))
        with open(name, "rb") as f:
            data = bytearray(f.read())
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        os.unlink(target)
        with open(target, "wb") as f:
            f.write(data)
        lines.append(f"folder {key} {copy}\n")
        audit = subprocess.run([RAFFLE, "audit", copy, "--key", key], capture_output=True, text=True)  # 1: a file that it opens the raffle by is malformed
        check(audit.returncode in ((0,) if is_older(name, names) else (1, 3)), f"the audit of {name} altered ends with {audit.returncode}: {audit.stdout}")
    answer = run(VERIFIER, "batch", status=3, stdin=f"folder {key} {folder}\n" + "".join(lines)).splitlines()
    check(answer[0] == f"good {folder}", answer[0])
    check(any(is_older(name, names) for name in names), "there is no older partial tile")
    check(len(answer) == 61 and all(line.startswith("FAILED altered/") for line in answer[1:]), "an altered folder is taken: " + "\n".join(answer))


def whole(store):
    """Whether the audit finds a store that another script left whole, and all its logs are signed: tests of damage, and of beginnings, leave others."""
    audit = subprocess.run([RAFFLE, "audit", store], capture_output=True)
    if audit.returncode != 0:
        return False
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        ((units,),) = db.execute("select count(*) from unit where type = 'unit.enrol'").fetchall()
        ((signed,),) = db.execute("select count(distinct log) from note").fetchall()
    return signed == units + 1


def over(stores):
    """Stores that other scripts left, whose keys may be elsewhere: as far as they are signed."""
    stores = [store for store in stores if whole(store)]
    check(stores, "none of the stores is a whole raffle")
    for number, store in enumerate(stores):
        publish(store, f"left.{number}", "--keys", "")
        good(f"left.{number}")
    print(f"{len(stores)} stores; {checks} checks passed")


def main():
    build()
    if len(sys.argv) > 1:
        over(sys.argv[1:])
        return
    run(NIGHT, "night.raffle")
    publish("night.raffle", "night.published")
    many_tiles("tiles.raffle")
    publish("tiles.raffle", "tiles.raffle.published")
    publish("tiles.raffle", "tiles.withheld", "--hashes")
    small, small_key = good("night.published")
    large, large_key = good("tiles.raffle.published")
    good("tiles.withheld")
    for entries in ("all", "control"):  # a raffle that the library had no part in
        tiles_reference.write(raffle_reference.example().files(entries), "python." + entries)
        good("python." + entries)
        run(RAFFLE, "audit", "python." + entries, "--key", key_of("python." + entries), status=0 if entries == "all" else 3, says="integrity: good")
    older(large, large_key)
    witnessed()
    print(each_byte(small, small_key), vectors(), sep="", end="")
    many_bytes(large, large_key)
    good_ones, void_ones = tickets_of("tiles.raffle", 1, False), tickets_of("tiles.raffle", 1, True)
    check(receipts("tiles.raffle", large_key, [good_ones[0], good_ones[-1], void_ones[0]]) == {"drum", "void"}, "not a drum and a void")
    check(receipts("promised.raffle", promised("promised.raffle"), [(1, 2)]) == {"promise"}, "not a promise")
    run(VERIFIER, "folder", "nowhere", status=1)
    run(VERIFIER, "folder", status=2, says="usage")
    print(f"{checks} checks passed")


main()
