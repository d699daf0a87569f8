#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The 196 inclusion and consistency cases of transparency-dev/merkle against the library's verifiers, through the C API and `raffle vectors`.

195 of them are what the tests of the Go module v0.0.2 ask of its verifiers: they run here with verifiers that write down each call and go on to the real ones. The
repository later wrote the same cases out as JSON, which no released module has, and added one, which stands below."""

import base64
import ctypes
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.join(os.environ["RAFFLE_SOURCE"], "tests", "integration", "merkle_go")
RAFFLE = os.environ["RAFFLE"]
NOTHING = hashlib.sha256(b"").digest()
HASH = 32
checks = 0


def check(good, sentence):
    global checks
    if not good:
        sys.exit("FAILED: " + sentence)
    checks += 1


# --- the cases ---


def go(*arguments, **variables):
    environment = dict(os.environ, CGO_ENABLED="0", GOTOOLCHAIN="local", GOWORK="off", GOFLAGS="-mod=readonly -buildvcs=false", **variables)
    done = subprocess.run(["go", *arguments], cwd="module", env=environment, capture_output=True, text=True)
    check(done.returncode == 0, f"go {arguments}: {done.stdout}{done.stderr}")
    return done.stdout


def recorded():
    """The calls that upstream's tests make."""
    os.makedirs("module/proof")
    for name in ("go.mod", "go.sum"):
        shutil.copy(os.path.join(HERE, name), "module")
    shutil.copy(os.path.join(HERE, "record.go"), "module/proof")
    upstream = json.loads(go("mod", "download", "-json", "github.com/transparency-dev/merkle"))["Dir"]
    with open(os.path.join(upstream, "proof", "verify_test.go"), "rb") as original, open("module/proof/verify_test.go", "wb") as copy:
        copy.write(original.read())
    go("test", "-count=1", "./proof", CALLS=os.path.abspath("calls"))
    with open("calls", encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def later():
    """Added in June 2026, "size1 is zero and size2 is not zero", which upstream refuses."""
    text = base64.b64encode(b"don't care 2").decode()
    return {"Kind": "consistency", "Index": 0, "OldSize": 0, "Size": 1, "Leaf": None, "OldRoot": base64.b64encode(NOTHING).decode(), "Root": text,
            "Proof": [], "Holds": False}


def hash_of(text):
    """32 bytes; None for what is empty there, which this API cannot be given. Placeholders such as "don't care 1" become their SHA-256."""
    data = base64.b64decode(text or "")
    if not data:
        return None
    return data if len(data) == HASH else hashlib.sha256(data).digest()


class Case:
    def __init__(self, number, call):
        self.name = f"{call['Kind']} {number}"
        self.inclusion = call["Kind"] == "inclusion"
        self.index, self.old_size, self.size = call["Index"], call["OldSize"], call["Size"]
        self.leaf, self.old_root, self.root = hash_of(call["Leaf"]), hash_of(call["OldRoot"]), hash_of(call["Root"])
        self.proof = [hash_of(each) for each in call["Proof"] or []]
        self.valid = call["Holds"]

    def hashes(self):
        return [self.leaf if self.inclusion else self.old_root, self.root, *self.proof]

    def of_nothing(self):
        """From size 0, tlog-witness and docs/spec/logs.md take the empty proof from the root of nothing, and no other root. Upstream first took any, and later none."""
        if self.inclusion or self.old_size != 0 or self.proof:
            return False
        self.valid = self.old_root == NOTHING and (self.size > 0 or self.root == NOTHING)
        return True

    def vector(self):
        """As a case of tests/vectors/."""
        head = {"name": self.name, "valid": self.valid, "size": str(self.size), "root": hexed(self.root), "proof": [hexed(each) for each in self.proof]}
        if self.inclusion:
            return head | {"kind": "inclusion", "index": str(self.index), "leaf_hash": hexed(self.leaf)}
        return head | {"kind": "consistency", "old_size": str(self.old_size), "old_root": hexed(self.old_root)}


def hexed(data):
    return (data or b"").hex()


# --- the verifiers ---


def load():
    library = ctypes.CDLL(next(path for folder in ("", "src/") for path in glob.glob(os.path.join(os.environ["RAFFLE_BUILD"], folder, "libraffle.so"))))
    number, data, size = ctypes.c_uint64, ctypes.c_char_p, ctypes.c_size_t
    library.raffle_inclusion_verify.argtypes = [number, number, data, data, size, data, ctypes.c_void_p]
    library.raffle_consistency_verify.argtypes = [number, number, data, data, data, size, ctypes.c_void_p]
    return library


def by_call(library, case):
    proof = b"".join(case.proof)
    if case.inclusion:
        rc = library.raffle_inclusion_verify(case.index, case.size, case.leaf, proof, len(case.proof), case.root, None)
    else:
        rc = library.raffle_consistency_verify(case.old_size, case.size, case.old_root, case.root, proof, len(case.proof), None)
    check((rc == 0) == case.valid, f"{case.name}: status {rc}, and it should {'hold' if case.valid else 'not'}")


def by_command(cases, status):
    with open("cases.json", "w", encoding="utf-8") as f:
        json.dump({"format": "libraffle-vectors-1", "algorithm": "merkle", "cases": [case.vector() for case in cases]}, f)
    done = subprocess.run([RAFFLE, "vectors", "cases.json"], capture_output=True, text=True)
    check(done.returncode == status, f"{cases[0].name} and others: raffle vectors ends with {done.returncode}: {done.stdout}{done.stderr}")


def main():
    calls = recorded() + [later()]
    kinds = [call["Kind"] for call in calls]
    check((kinds.count("inclusion"), kinds.count("consistency")) == (98, 98), f"{len(kinds)} cases, and not 98 and 98")
    cases = [Case(number, call) for number, call in enumerate(calls)]
    check(sum(case.of_nothing() for case in cases) == 5, "not five cases from size 0 without a proof")
    whole = [case for case in cases if None not in case.hashes()]
    library = load()
    for case in whole:
        by_call(library, case)
    by_command(whole, 0)
    for case in cases:
        if case not in whole:  # a hash of no bytes: a file with it is malformed
            check(not case.valid, f"{case.name} should be refused")
            by_command([case], 1)
    print(f"{len(cases)} cases: {len(whole)} by the verifiers, {len(cases) - len(whole)} refused for a hash of no bytes; {sum(case.valid for case in cases)} hold")


main()
