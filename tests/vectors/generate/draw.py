#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes draw.json and rng_test.json beside this folder with tests/reference/draw_reference.py."""
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reference"))
import draw_reference as reference  # noqa: E402

ORIGIN, ROOT, SEED, BEACON = "raffle.example/gala", "aa" * 32, bytes(range(48)).hex(), "42" * 48


def some(label, length):
    return hashlib.shake_256(label.encode()).hexdigest(length)


def draw(name, n, picks, seed=SEED, beacon="", origin=ORIGIN, intent=7, root=ROOT):
    case = {"name": name, "valid": True, "origin": origin, "intent": str(intent), "root": root, "seed": seed,
            "beacon": beacon, "n": str(n), "picks": [""] * picks}
    case.update(reference.run_draw(case))
    return case


def valid_draws():
    yield draw("6 of 49", 49, 6)
    yield draw("6 of 49 with a beacon", 49, 6, beacon=BEACON)
    yield draw("10 of 1000000", 10**6, 10)
    yield draw("3 of 2^63 + 1, the first word is rejected", 2**63 + 1, 3)
    for n in (1, 2, 3, 4, 5, 7, 8, 16, 17, 52, 100, 255, 256, 257, 1000):
        yield draw(f"all {n}", n, n, seed=some(f"seed {n}", 48), intent=n, root=some(f"root {n}", 32))
    for bits in (31, 32, 33, 53, 62, 63, 64):
        for n in (2**bits - 1, 2**bits, 2**bits + 1):
            if n < 2**64:
                yield draw(f"20 of {n}", n, 20, seed=some(f"wide {n}", 48), beacon=some(f"beacon {n}", 48))
    for n in (3 * 2**62, 3 * 2**62 + 1, 5 * 2**61, 2**64 - 59, 2**64 // 3 + 1, 2**64 * 2 // 3):
        yield draw(f"40 of {n}, words are rejected now and then", n, 40, seed=some(f"reject {n}", 48))
    yield draw("100 of 100000000", 10**8, 100, origin="a", intent=0, root="00" * 32)
    yield draw("the longest origin, the largest index", 10, 10, origin="x" * 200, intent=2**64 - 1, root="ff" * 32)
    yield draw("a seed of zeros", 1000, 20, seed="00" * 48)
    yield draw("a seed of ones", 1000, 20, seed="ff" * 48)


def replay(case, below):
    """The picks that another rule than the design's would give."""
    words = reference.Words(reference.drbg_of(bytes.fromhex(case["seed"]), bytes.fromhex(case["commitment"]),
                                              bytes.fromhex(case["beacon"])))
    words.below = lambda bound: below(words, bound)
    return [str(pick) for pick in reference.select(words, int(case["n"]), len(case["picks"]))]


def low_rejection(words, n):
    while (x := words.next()) < 2**64 % n:
        pass
    return x % n


def little_endian(words, n):
    return int.from_bytes(words.next().to_bytes(8, "big"), "little") % n


def rejects():
    gala, beacon = draw("", 49, 6), draw("", 49, 6, beacon=BEACON)
    wide = draw("", 3 * 2**62, 40, seed=some(f"reject {3 * 2**62}", 48))
    changed = {"origin": "raffle.example/gall", "intent": "8", "root": "ab" + "aa" * 31, "seed": "01" + SEED[2:],
               "n": "50", "beacon": BEACON, "commitment": some("c", 32), "first": some("f", 64), "rejected": 1}
    for name, value in changed.items():
        yield dict(gala, name=f"{name} changed", valid=False, **{name: value})
    yield dict(gala, name="last byte of the seed changed", valid=False, seed=SEED[:-2] + "2e")
    yield dict(beacon, name="last byte of the beacon changed", valid=False, beacon=BEACON[:-2] + "43")
    picks = gala["picks"]
    yield dict(gala, name="two picks exchanged", valid=False, picks=picks[:4] + [picks[5], picks[4]])
    yield dict(gala, name="counted from one", valid=False, picks=[str(int(pick) + 1) for pick in picks])
    yield dict(gala, name="the words modulo 49, no shuffle", valid=False, picks=[
        str(int(gala["first"][at:at + 16], 16) % 49) for at in range(0, 96, 16)])
    yield dict(gala, name="little-endian words", valid=False, picks=replay(gala, little_endian))
    yield dict(wide, name="no rejection", valid=False, picks=replay(wide, lambda words, n: words.next() % n))
    yield dict(wide, name="the low words rejected, not the high ones", valid=False, picks=replay(wide, low_rejection))
    yield dict(wide, name="multiply and shift", valid=False, picks=replay(wide, lambda words, n: words.next() * n >> 64))
    yield dict(gala, name="a beacon of 47 bytes", valid=False, beacon=BEACON[:-2], error="RAFFLE_INVALID")
    yield dict(gala, name="a beacon of 49 bytes", valid=False, beacon=BEACON + "42", error="RAFFLE_INVALID")
    yield dict(gala, name="no numbers", valid=False, n="0", error="RAFFLE_INVALID")
    yield dict(draw("", 6, 6), name="more picks than numbers", valid=False, n="5", error="RAFFLE_NOT_FOUND")


def stream(name, seed, length, n, picks):
    case = {"name": name, "valid": True, "seed": seed, "stream": "00" * length, "range": str(n), "picks": [""] * picks}
    case.update(reference.run_rng_test(case))
    return case


def streams():
    yield stream("one byte", "00", 200, 49, 6)
    yield stream("two bytes", "0000", 64, 1, 1)
    yield stream("32 bytes", bytes(range(32)).hex(), 65, 10**6, 10)
    yield stream("64 bytes", bytes(range(64)).hex(), 3000, 2**63 + 1, 5)
    gala = stream("", "2a", 64, 10, 10)
    yield dict(gala, name="2a", valid=True)
    yield dict(gala, name="another seed", valid=False, seed="2b")
    yield dict(gala, name="the seed with a zero byte", valid=False, seed="2a00")
    yield dict(gala, name="no seed", valid=False, seed="", error="RAFFLE_INVALID")
    yield dict(gala, name="65 bytes", valid=False, seed="2a" * 65, error="RAFFLE_INVALID")


def write(path, algorithm, cases):
    source = "tests/reference/draw_reference.py, by tests/vectors/generate/draw.py"
    lines = ",\n".join(json.dumps(case) for case in cases)
    path.write_text(f'{{"format": "libraffle-vectors-1", "algorithm": "{algorithm}",\n"source": "{source}",\n'
                    f'"cases": [\n{lines}\n]}}\n', encoding="ascii")


if __name__ == "__main__":
    write(HERE.parent / "draw.json", "draw", [*valid_draws(), *rejects()])
    write(HERE.parent / "rng_test.json", "rng_test", list(streams()))
