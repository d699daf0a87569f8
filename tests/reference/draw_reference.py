#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A draw in plain Python, standard library only, sharing no code with the library: HMAC_DRBG (SP 800-90A Rev. 1 section
10.1.2, SHA-256), words, below(n), the permutation, and the stream of the provider `test:`.

Run on vector files (hmac_drbg.json, draw.json, rng_test.json) it checks every case of them.
"""
import hashlib
import hmac
import json
import sys


class Refused(Exception):
    """An input that the algorithm does not take."""


class HmacDrbg:
    def __init__(self, entropy, nonce, personalisation=b""):
        if len(entropy) < 32 or len(nonce) < 16:
            raise Refused("too little entropy input or nonce")
        self.key, self.v = bytes(32), b"\x01" * 32
        self._update(entropy + nonce + personalisation)

    def _hmac(self, data):
        return hmac.new(self.key, data, hashlib.sha256).digest()

    def _update(self, data):
        for tag in (b"\x00", b"\x01") if data else (b"\x00",):
            self.key = self._hmac(self.v + tag + data)
            self.v = self._hmac(self.v)

    def reseed(self, entropy, additional=b""):
        if len(entropy) < 32:
            raise Refused("too little entropy input")
        self._update(entropy + additional)

    def generate(self, length, additional=b""):
        if length > 65536:
            raise Refused("too long a request")
        if additional:
            self._update(additional)
        out = b""
        while len(out) < length:
            self.v = self._hmac(self.v)
            out += self.v
        self._update(additional)
        return out[:length]


def commitment(origin, intent, root):
    return hashlib.sha256(b"libraffle/draw/v1\0" + origin.encode() + b"\0" + intent.to_bytes(8, "big") + root).digest()


def seed_commitment(seed):
    return hashlib.sha256(b"libraffle/seed/v1\0" + seed).digest()


def drbg_of(seed, c, beacon):
    if len(seed) != 48 or len(beacon) not in (0, 48):
        raise Refused("a seed is 48 bytes, a beacon value none or 48")
    return HmacDrbg(seed[:32], seed[32:], hashlib.sha256(c + beacon).digest())


class Words:
    """64-bit words in order, and how many below() rejected."""

    def __init__(self, drbg):
        self.drbg, self.pending, self.rejected = drbg, [], 0

    def next(self):
        if not self.pending:
            block = self.drbg.generate(64)
            self.pending = [int.from_bytes(block[at:at + 8], "big") for at in range(0, 64, 8)]
        return self.pending.pop(0)

    def below(self, n):
        while True:
            x = self.next()
            if x < 2**64 - 2**64 % n:
                return x % n
            self.rejected += 1


def select(words, n, picks):
    """The first `picks` elements of the permutation of 0 ... n - 1: swaps in a list, or in a dictionary where a list is too long."""
    if not 1 <= picks <= n:
        raise Refused("nothing to pick from")
    places = list(range(n)) if n <= 10**6 else {}
    value = places.__getitem__ if isinstance(places, list) else lambda place: places.get(place, place)
    out = []
    for i in range(picks):
        j = i + words.below(n - i)
        a, b = value(i), value(j)
        places[i], places[j] = b, a
        out.append(b)
    return out


class TestStream:
    """What `test:seed=HEX` gives, byte after byte."""

    def __init__(self, seed):
        if not 1 <= len(seed) <= 64:
            raise Refused("a seed is 1 to 64 bytes")
        self.drbg = HmacDrbg(hashlib.sha256(seed).digest(), bytes(16), b"libraffle/test/v1")
        self.left = b""

    def read(self, length):
        while len(self.left) < length:
            self.left += self.drbg.generate(64)
        out, self.left = self.left[:length], self.left[length:]
        return out


def run_hmac_drbg(case):
    data = {name: bytes.fromhex(case.get(name, "")) for name in (
        "entropy", "nonce", "personalisation", "reseed_entropy", "reseed_additional",
        "additional_1", "additional_2", "pr_entropy_1", "pr_entropy_2")}
    drbg = HmacDrbg(data["entropy"], data["nonce"], data["personalisation"])
    if "reseed_entropy" in case:
        drbg.reseed(data["reseed_entropy"], data["reseed_additional"])
    length = case["length"] if "length" in case else len(case["output"]) // 2
    out = b""
    for i in "12":
        additional = data["additional_" + i]
        if "pr_entropy_" + i in case:  # prediction resistance: SP 800-90A section 9.3.1, step 7
            drbg.reseed(data["pr_entropy_" + i], additional)
            additional = b""
        out = drbg.generate(length, additional)
    return {"output": out.hex()}


def run_draw(case):
    c = commitment(case["origin"], int(case["intent"]), bytes.fromhex(case["root"]))
    seed, beacon = bytes.fromhex(case["seed"]), bytes.fromhex(case["beacon"])
    words = Words(drbg_of(seed, c, beacon))
    picks = select(words, int(case["n"]), len(case["picks"]))
    return {
        "seed_commitment": seed_commitment(seed).hex(),
        "commitment": c.hex(),
        "first": drbg_of(seed, c, beacon).generate(64).hex(),
        "picks": [str(pick) for pick in picks],
        "rejected": words.rejected,
    }


def run_rng_test(case):
    seed = bytes.fromhex(case["seed"])
    stream = TestStream(seed).read(len(case["stream"]) // 2)
    own = TestStream(seed).read(48)
    picks = select(Words(HmacDrbg(own[:32], own[32:])), int(case["range"]), len(case["picks"]))
    return {"stream": stream.hex(), "picks": [str(pick) for pick in picks]}


RUN = {"hmac_drbg": run_hmac_drbg, "draw": run_draw, "rng_test": run_rng_test}


def holds(run, case):
    try:
        result = run(case)
    except Refused:
        return False
    return all(case[name] == value for name, value in result.items() if name in case)


def main(paths):
    bad = 0
    for path in paths:
        with open(path, encoding="ascii") as file:
            vectors = json.load(file)
        wrong = [case["name"] for case in vectors["cases"] if holds(RUN[vectors["algorithm"]], case) != case["valid"]]
        for name in wrong:
            print(f"{path}: {name}: not as it says")
        print(f"{path}: {len(vectors['cases'])} cases, {len(wrong)} wrong")
        bad += len(wrong)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
