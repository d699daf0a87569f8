#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library's audit and examples/verifier over the same published raffles: the same verdicts, totals and assurances; and over folders of which a byte
is altered, which both reject. With stores as arguments only over those."""

import json
import os
import shutil
import subprocess
import sys

SOURCE = os.environ["RAFFLE_SOURCE"]
sys.path[:0] = [os.path.join(SOURCE, "tests", "verifier"), os.path.join(SOURCE, "examples", "verifier")]

import raffles
import receipt
import verify

VERIFY = os.path.join(SOURCE, "examples", "verifier", "verify.py")
VERDICT = ("passed", "integrity", "completeness", "key_pinned", "withheld", "records", "private_missing", "tickets", "draw_numbers", "voids", "gross", "void_gross", "pot")
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


def audited(folder, *options):
    environment = dict(os.environ, RAFFLE_BEACON_VERIFIER=raffles.BEACON_VERIFIER)
    done = subprocess.run([raffles.RAFFLE, "audit", folder, "--json", *options], capture_output=True, text=True, env=environment, check=False)
    check(done.returncode in (0, 3), f"the audit of {folder} ends with {done.returncode}: {done.stdout}{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def verified(folder, *options):
    """As a program, without site-packages: the standard library is all that it has."""
    done = subprocess.run([sys.executable, "-S", VERIFY, folder, "--json", *options], capture_output=True, text=True, check=False)
    check(done.returncode in (0, 3), f"the verifier ends with {done.returncode} over {folder}: {done.stdout}{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def agree(folder, *options):
    """Both about one folder; the faults are returned, which they may name differently."""
    status, theirs = audited(folder, *options)
    own_status, own = verified(folder, *options)
    check(status == own_status, f"{folder}: the audit ends with {status}, the verifier with {own_status}: {theirs['faults']} {own['faults']}")
    for name in VERDICT:
        check(theirs["verdict"][name] == own["verdict"][name],
              f"{folder}: {name} is {theirs['verdict'][name]} to the audit and {own['verdict'][name]} to the verifier: {theirs['faults']} {own['faults']}")
    check(theirs["draws"] == own["draws"], f"{folder}: the draws are {theirs['draws']} to the audit and {own['draws']} to the verifier")
    return status, {fault["code"] for fault in theirs["faults"]}, {fault["code"] for fault in own["faults"]}


def good_raffles():
    for make in (raffles.tiny, raffles.night, raffles.refused, raffles.expired, raffles.running, raffles.many, raffles.committed, raffles.drum):
        folder = raffles.publish(make())
        status, _, codes = agree(folder)
        check(status == 0, f"{folder} is refused: {codes}")
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as f:
            key = json.load(f)["logs"][0]["key"]
        check(agree(folder, "--key", key)[0] == 0, f"{folder} is refused with its own key")


def other_key():
    with open("night.public/manifest.json", encoding="utf-8") as f:
        key = json.load(f)["logs"][1]["key"]
    status, theirs, own = agree("tiny.public", "--key", key)
    check(status == 3 and "control-key" in theirs & own, f"another raffle's key: {theirs} {own}")


def lost_seed():
    status, theirs, own = agree(raffles.publish(raffles.lost()))
    check(status == 3 and {"seed-lost", "beacon"} <= theirs & own, f"a lost seed: {theirs} {own}")


def hashes_alone():
    raffles.raffle(raffles.ROUND_AT, "publish", "night.raffle", "night.hashes", "--hashes")
    status, theirs, own = agree("night.hashes")
    check(status == 3 and own == theirs == {"withheld"}, f"hashes alone: {theirs} {own}")


def receipts_of(store, key, *tickets):
    """Good ones, which both verify, and say the same of."""
    receipts = {}
    for ticket in tickets:
        name = f"{store}-{ticket.replace('/', '-')}.receipt"
        raffles.raffle(raffles.ROUND_AT, "receipt", store, "--ticket", ticket, "--out", name)
        done = subprocess.run([sys.executable, "-S", VERIFY, "--receipt", name, "--key", key, "--json"], capture_output=True, text=True, check=False)
        check(done.returncode == 0, f"the verifier refuses the receipt {name}: {done.stdout}{done.stderr}")
        theirs = json.loads(raffles.raffle(raffles.ROUND_AT, "verify", name, "--key", key, "--json"))
        check(theirs["proves"] == json.loads(done.stdout)["proves"], f"{name} proves {theirs['proves']} and {done.stdout}")
        with open(name, "rb") as f:
            receipts[ticket] = f.read()
    return receipts


def altered_receipts(data, others):
    """Bytes, lines and parts: none of these may be good."""
    for i in range(0, len(data), 11):
        yield data[:i] + bytes([data[i] ^ (1 << i % 7)]) + data[i + 1:]
    for end in (b"", b"\r\n", b"\n\n", b" \n"):
        yield data[:-1] + end
    yield b""
    yield b"\n"
    yield data.replace(b"\n", b"\r\n")
    yield data + data
    yield data.replace(b"receipt/v1", b"receipt/v2")
    lines = data.split(b"\n")[:-1]
    for i, line in enumerate(lines):
        for new in ([], [line, line], [line + b" "], [b" " + line], [line + b"="], [line[:-1]], [b""], [line, b""], [line.replace(b" ", b" 0", 1)]):
            altered = b"\n".join(lines[:i] + new + lines[i + 1:]) + b"\n"
            if altered != data:
                yield altered
        if i + 1 < len(lines) and lines[i + 1] != line:
            yield b"\n".join(lines[:i] + [lines[i + 1], line] + lines[i + 2:]) + b"\n"
    for other in others:
        ours, theirs = data.split(b"part "), other.split(b"part ")
        for i in range(min(len(ours), len(theirs))):
            if ours[i] != theirs[i]:
                yield b"part ".join(ours[:i] + [theirs[i]] + ours[i + 1:])


def hostile_receipts(receipts, key):
    """The verifier here, the library's over all files in one call; what each says must be the same."""
    for ticket, data in receipts.items():
        names = []
        for i, altered in enumerate(altered_receipts(data, [other for other in receipts.values() if other != data])):
            names.append(f"altered-{i}")
            with open(names[-1], "wb") as f:
                f.write(altered)
        done = subprocess.run([raffles.RAFFLE, "verify", *names, "--key", key, "--json"], capture_output=True, text=True, check=False)
        check(done.returncode == 3, f"over altered receipts of {ticket}, raffle verify ends with {done.returncode}: {done.stderr}")
        good = {answer["file"] for answer in map(json.loads, done.stdout.splitlines()) if answer["good"]}
        for name in names:
            check(name not in good, f"{name} of {ticket} is good to the library")
            check(not is_good(name, key), f"{name} of {ticket} is good to the verifier")


def is_good(name, key):
    with open(name, "rb") as f:
        data = f.read()
    try:
        receipt.verify(data, key)
    except (receipt.Bad, verify.Malformed):
        return False
    return True


def all_receipts():
    for store, tickets in (("night", ("1/1", "1/5", "2/3")), ("tiny", ("1/1", "1/2", "1/3")), ("running", ("1/1", "1/700"))):
        with open(f"{store}.public/manifest.json", encoding="utf-8") as f:
            key = json.load(f)["logs"][0]["key"]
        receipts = receipts_of(f"{store}.raffle", key, *tickets)
        if store != "night":
            hostile_receipts(receipts, key)
        check(not is_good(f"{store}.raffle-1-1.receipt", key.replace(store, "other")), "a receipt is good with another raffle's key")


def a_part_is_gone():
    """A whole unit that is not published, and a folder that is none."""
    shutil.copytree("night.public", "part.public")
    shutil.rmtree("part.public/unit/3")
    check(agree("part.public")[0] == 3, "a unit is not published, and nobody sees it")
    os.makedirs("empty.public")
    check(not verify.verify_folder("empty.public")["verdict"]["passed"] and agree_on_failure("empty.public"), "an empty folder is a good raffle")
    done = subprocess.run([sys.executable, "-S", VERIFY, "no.public"], capture_output=True, text=True, check=False)
    check(done.returncode == 1, f"without a folder the verifier ends with {done.returncode}")
    for line in ((), ("tiny.public", "--receipt", "x"), ("--receipt", "x"), ("tiny.public", "--key", "none")):
        done = subprocess.run([sys.executable, "-S", VERIFY, *line], capture_output=True, text=True, check=False)
        check(done.returncode == 2, f"{line}: the verifier ends with {done.returncode}")


def files_of(folder):
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)


def altered_bytes():
    """Each byte in turn for the verifier, here without a process of its own; a sample of them for the audit."""
    shutil.copytree("tiny.public", "altered.public")
    place = 0
    for path in files_of("altered.public"):
        with open(path, "rb") as f:
            data = f.read()
        for i in range(len(data)):
            with open(path, "wb") as f:
                f.write(data[:i] + bytes([data[i] ^ (1 << place % 8)]) + data[i + 1:])
            place += 1
            check(not verify.verify_folder("altered.public")["verdict"]["passed"], f"byte {i} of {path} is altered, and nobody sees it")
            if place % 61 == 0:
                check(agree_on_failure("altered.public"), f"byte {i} of {path} is altered, and the audit does not see it")
        for name, other in (("cut", data[:-1]), ("longer", data + b"\n"), ("empty", b"")):
            with open(path, "wb") as f:
                f.write(other)
            check(not verify.verify_folder("altered.public")["verdict"]["passed"], f"{path} is {name}, and the verifier does not see it")
            check(agree_on_failure("altered.public"), f"{path} is {name}, and the audit does not see it")
        os.unlink(path)
        check(not verify.verify_folder("altered.public")["verdict"]["passed"], f"{path} is gone, and the verifier does not see it")
        check(agree_on_failure("altered.public"), f"{path} is gone, and the audit does not see it")
        with open(path, "wb") as f:
            f.write(data)
    check(verify.verify_folder("altered.public")["verdict"]["passed"], "the bytes were put back, and the folder is not good")


def agree_on_failure(folder):
    """The audit may also say that this is no folder of a raffle."""
    done = subprocess.run([raffles.RAFFLE, "audit", folder, "--json"], capture_output=True, text=True, check=False)
    return done.returncode in (1, 3)


def over(stores):
    """Those that can be published here: whose keys are in a folder, and still there."""
    for i, store in enumerate(stores):
        folder = f"store-{i}.public"
        done = subprocess.run([raffles.RAFFLE, "publish", store, folder], capture_output=True, check=False) if os.path.exists(store) else None
        if done is not None and done.returncode == 0:
            agree(folder)


def main():
    if len(sys.argv) > 1:
        over(sys.argv[1:])
        check(checks > 0, "none of the stores can be published")
        return
    good_raffles()
    other_key()
    lost_seed()
    hashes_alone()
    all_receipts()
    a_part_is_gone()
    altered_bytes()


main()
print(f"{checks} checks passed")
