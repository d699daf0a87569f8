#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The verifiers of examples/beacon: what they accept and refuse, and their arithmetic against RFC 9380's vectors and py_ecc.

    python3 tests/integration/beacon.py

Installs py_ecc by pip into a venv in the folder it starts in; needs python3-venv.
"""
import hashlib
import importlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import venv

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BEACON = SOURCE / "examples/beacon"
VECTORS = SOURCE / "tests/vectors/rfc9380/hash_to_g1.json"
ORACLE = "py_ecc==8.0.0"

# As published by the group.
ROUND = 657413
SIGNATURE = bytes.fromhex("b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b")

MISMATCH = "the signature is not the key's over this message"
FLAGS = "the point is not marked as compressed"
INFINITY = "the signature is the point at infinity"
INFINITY_BITS = "the point at infinity is marked so, but has other bits"
TOO_LARGE = "a coordinate is not below the field's size"
NO_POINT = "no point of the curve has this x"
SUBGROUP = "the point is not in the subgroup"
NOT_HEX = "the signature is not hexadecimal"


class Fault(Exception):
    """Something that must not be."""


def need(condition, sentence):
    if not condition:
        raise Fault(sentence)


def inside_venv():
    """This script again, in a venv that has the oracle."""
    folder = pathlib.Path("venv").resolve()
    venv.create(folder, with_pip=True)
    python = folder / "bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ORACLE], check=True)
    os.execv(python, [python, __file__, "inside"])


# --- the verifiers as programs ---


def run(script, *arguments, options=()):
    done = subprocess.run([sys.executable, *options, script, *arguments], text=True, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def standard(*arguments):
    """Without site-packages: the standard library is all that it has."""
    return run(BEACON / "verify_quicknet.py", *arguments, options=["-S"])


def established(*arguments):
    return run(BEACON / "verify_quicknet_established.py", *arguments)


VERIFIERS = [standard, established]


def accepted():
    for verifier in VERIFIERS:
        for text in (SIGNATURE.hex(), SIGNATURE.hex().upper()):
            status, out, err = verifier(str(ROUND), text)
            need((status, err) == (0, ""), f"{verifier.__name__} refuses the published round: {err}")
            need(out == f"round {ROUND} of quicknet: the signature is good\n", f"{verifier.__name__} says {out}")


def flipped(bit):
    data = bytearray(SIGNATURE)
    data[bit // 8] ^= 0x80 >> bit % 8
    return bytes(data).hex()


def compressed(x, flags=0x80):
    return (x | flags << 376).to_bytes(48, "big").hex()


def altered_bits():
    """The reason where it is known by construction: a flag's bit, or one that makes x too large."""
    yield "bit 0, compressed", ROUND, flipped(0), FLAGS
    yield "bit 1, infinity", ROUND, flipped(1), INFINITY_BITS
    yield "bit 2, the negated point", ROUND, flipped(2), MISMATCH
    yield "bit 4, which makes x too large", ROUND, flipped(4), TOO_LARGE
    for bit in (3, 5, 8, 127, 200, 311, 382, 383):
        yield f"bit {bit}", ROUND, flipped(bit), ""


def altered_forms(bls):
    text = SIGNATURE.hex()
    yield "nothing", ROUND, "", "48 bytes, not 0"
    yield "47 bytes", ROUND, text[:-2], "48 bytes, not 47"
    yield "49 bytes", ROUND, text + "00", "48 bytes, not 49"
    yield "a leading zero byte", ROUND, "00" + text, "48 bytes, not 49"
    s = bls.decode_g1(SIGNATURE)
    uncompressed = f"{s.x.n:096x}{s.y.n:096x}"
    yield "uncompressed", ROUND, uncompressed, "48 bytes, not 96"
    yield "x alone", ROUND, uncompressed[:96], FLAGS
    yield "half a byte", ROUND, text[:-1], NOT_HEX
    yield "0x before it", ROUND, "0x" + text, NOT_HEX
    yield "a space", ROUND, text[:48] + " " + text[48:], NOT_HEX
    yield "a newline", ROUND, text + "\n", NOT_HEX
    yield "other letters", ROUND, text[:-1] + "g", NOT_HEX
    yield "wide digits", ROUND, text[:-2] + "\uff11\uff12", NOT_HEX


def altered_points(bls):
    yield "infinity", ROUND, compressed(0, 0xC0), INFINITY
    yield "infinity, larger", ROUND, compressed(0, 0xE0), INFINITY_BITS
    yield "infinity, x = 1", ROUND, compressed(1, 0xC0), INFINITY_BITS
    yield "infinity, not compressed", ROUND, compressed(0, 0x40), FLAGS
    yield "zeros", ROUND, compressed(0, 0), FLAGS
    yield "x = P", ROUND, compressed(bls.P), TOO_LARGE
    yield "all bits", ROUND, "ff" * 48, TOO_LARGE
    yield "x + P", ROUND, compressed(small_x(bls) + bls.P), TOO_LARGE
    yield "not on the curve", ROUND, compressed(first_x(bls, on_curve=False)), NO_POINT
    yield "not in the subgroup", ROUND, compressed(first_x(bls, on_curve=True)), SUBGROUP
    s, torsion = bls.decode_g1(SIGNATURE), bls.Point(bls.Fp(0), bls.Fp(2))
    # Of order 3, so that the pairing does not see it: the check of the subgroup alone refuses the sum.
    need(bls.multiply(3, torsion) is None, "(0, 2) is not of order 3")
    need(bls.pairing(bls.add(s, torsion), bls.G2) == bls.pairing(s, bls.G2), "the pairing sees a point of order 3")
    yield "order 3", ROUND, bls.encode_g1(torsion).hex(), SUBGROUP
    yield "order 3 added", ROUND, bls.encode_g1(bls.add(s, torsion)).hex(), SUBGROUP
    yield "doubled", ROUND, bls.encode_g1(bls.add(s, s)).hex(), MISMATCH
    yield "the generator", ROUND, bls.encode_g1(bls.G1).hex(), MISMATCH


def altered_rounds():
    for number in (ROUND + 1, 1, 2**64 - 1):
        yield f"round {number}", number, SIGNATURE.hex(), MISMATCH


def small_x(bls):
    """The x of a point of the subgroup, to which P can be added within 381 bits."""
    p = bls.G1
    while p.x.n >= 2**381 - bls.P:
        p = bls.add(p, bls.G1)
    return p.x.n


def first_x(bls, on_curve):
    return next(x for x in range(1, 100) if on_curve == (bls.Fp(x**3 + 4).sqrt() is not None))


def refused(bls):
    count = 0
    for name, number, text, reason in [*altered_bits(), *altered_forms(bls), *altered_points(bls), *altered_rounds()]:
        for verifier in VERIFIERS:
            status, out, err = verifier(str(number), text)
            need((status, out) == (1, ""), f"{name}: {verifier.__name__} ends with {status} and says {out}")
            # An exception that nobody caught ends with 1 as well; an answer is one line.
            need(err.startswith(f"round {number} of quicknet: ") and err.count("\n") == 1, f"{name}: {verifier.__name__} says {err}")
            need(verifier is established or reason in err, f"{name}: the reason is {err}")
        count += 1
    return count


def misused():
    text = SIGNATURE.hex()
    lines = [[], [str(ROUND)], [str(ROUND), text, text], [text, str(ROUND)]]
    lines += [[word, text] for word in ("0", "-1", "+1", "0657413", "657413 ", "", "1e3", str(2**64), "9" * 5000, "\u0661")]
    for verifier, line in [(standard, line) for line in lines] + [(established, []), (established, ["0", text])]:
        status, out, err = verifier(*line)
        need((status, out) == (2, "") and err.startswith("usage: "), f"{verifier.__name__} {line}: {status} {err}")
    status, _, err = run(BEACON / "verify_quicknet_established.py", str(ROUND), text, options=["-S"])
    need(status == 2 and err.startswith("py_ecc cannot be used: "), f"without py_ecc: {status} {err}")


def guarded():
    """A constant that was altered is found by the chain hash, before the signature is looked at."""
    text = (BEACON / "quicknet.py").read_text("utf-8")
    for before, after in (("1692803367", "1692803368"), ("PERIOD = 1692803367, 3", "PERIOD = 1692803367, 30"), ("83cf0f28", "a3cf0f28"),
                          ("f477d5c8", "f477d5c9"), ('b"quicknet"', 'b"default"')):
        shutil.rmtree("altered", ignore_errors=True)
        shutil.copytree(BEACON, "altered", ignore=shutil.ignore_patterns("__pycache__"))
        need(text.count(before) == 1, f"{before} is not in quicknet.py once")
        pathlib.Path("altered/quicknet.py").write_text(text.replace(before, after), "utf-8")
        status, _, err = run("altered/verify_quicknet.py", str(ROUND), SIGNATURE.hex())
        need(status == 2 and "not those of its chain hash" in err, f"with {after}: {status} {err}")


# --- the arithmetic by itself ---


def raises(bls, reason, call, *arguments):
    try:
        call(*arguments)
    except bls.Invalid as error:
        need(reason in str(error), f"{call.__name__}: {error}")
        return
    raise Fault(f"{call.__name__} accepts what it must refuse: {reason}")


def rfc9380(bls):
    vectors = json.loads(VECTORS.read_text("utf-8"))
    dst = vectors["dst"].encode()

    def same(p, numbers):
        return p == bls.Point(*(bls.Fp(int(n, 16)) for n in numbers))

    for case in vectors["cases"]:
        message = case["message"].encode()
        u = bls.hash_to_field(message, dst)
        need([f"{element.n:096x}" for element in u] == case["u"], f"u of {message[:16]}")
        need(all(same(bls.isogeny(bls.map_to_isogenous(element)), q) for element, q in zip(u, case["q"])), f"Q0, Q1 of {message[:16]}")
        need(same(bls.hash_to_g1(message, dst), case["p"]), f"P of {message[:16]}")
    need(len(vectors["cases"]) == 5, "the appendix has five cases")


def fields(bls, rng):
    def some():
        return bls.Fp2(rng.randrange(bls.P), rng.randrange(bls.P))

    need(bls.Fp2(-1, 0).sqrt() in (bls.Fp2(0, 1), bls.Fp2(0, -1)), "the root of -1")
    need(bls.Fp2(0, 0).sqrt() == bls.Fp2(0, 0), "the root of 0")
    for a in [some() for _ in range(8)] + [bls.Fp2(rng.randrange(bls.P), 0) for _ in range(4)]:
        root = (a * a).sqrt()
        need(root in (a, -a) and a * a.inverse() == bls.Fp2(1, 0), "a root or an inverse in Fp2")
        need(a.is_larger() != (-a).is_larger(), "one of a and -a is the larger one")
        need((a * a * bls.XI).sqrt() is None, "XI is no square, nor is a square times it")
    f = bls.Fp12([some() for _ in range(6)])
    need(f * f.inverse() == bls.ONE, "an inverse in Fp12")
    need(f.frobenius() == f**bls.P, "the P-th power")
    image = f
    for _ in range(6):
        image = image.frobenius()
    need(image == f.conjugate(), "the P^6-th power")


class Oracle:
    """py_ecc's values, and what they are in bls12_381.py's."""

    def __init__(self, bls):
        self.bls = bls
        self.curve = importlib.import_module("py_ecc.optimized_bls12_381")
        self.hash = importlib.import_module("py_ecc.bls.hash_to_curve")
        self.bytes = importlib.import_module("py_ecc.bls.g2_primitives")

    def element(self, value):
        return self.bls.Fp(int(value)) if hasattr(value, "n") else self.bls.Fp2(*map(int, value.coeffs))

    def point(self, p):
        return None if self.curve.is_inf(p) else self.bls.Point(*map(self.element, self.curve.normalize(p)))

    def value(self, f):
        """py_ecc's Fp12 has powers of w alone, 0 … 11, where u = w^6 - 1; and it leaves out that X is negative."""
        c = [int(n) for n in f.coeffs]
        return self.bls.Fp12([self.bls.Fp2(c[i] + c[i + 6], c[i + 6]) for i in range(6)]).conjugate()


def against_constants(bls, oracle):
    c = oracle.curve
    need((bls.P, bls.R) == (c.field_modulus, c.curve_order), "P or R")
    need((bls.G1, bls.G2) == (oracle.point(c.G1), oracle.point(c.G2)), "a generator")


def against_points(bls, oracle, rng):
    c = oracle.curve
    for n in [0, 1, 2, bls.R - 1, bls.R, bls.R + 1] + [rng.randrange(bls.R) for _ in range(6)]:
        one, two = c.multiply(c.G1, n), c.multiply(c.G2, n)
        p, q = bls.multiply(n, bls.G1), bls.multiply(n, bls.G2)
        need((p, q) == (oracle.point(one), oracle.point(two)), f"{n} times a generator")
        need(bls.encode_g1(p) == oracle.bytes.G1_to_pubkey(one) and bls.decode_g1(bls.encode_g1(p)) == p, f"{n} G1 as bytes")
        need(bls.decode_g2(oracle.bytes.G2_to_signature(two)) == q, f"{n} G2 from bytes")
        need(bls.add(p, bls.negate(p)) is None and bls.add(p, None) == p and bls.add(None, q) == q, f"a sum with {n} G")


def against_hashes(bls, oracle, rng):
    for size, tag in ((0, 1), (1, 255), (55, 43), (64, 43), (1000, 43)):
        message, dst = rng.randbytes(size), rng.randbytes(tag)
        theirs = oracle.hash.hash_to_G1(message, dst, hashlib.sha256)
        need(bls.hash_to_g1(message, dst) == oracle.point(theirs), f"the hash of {size} bytes")
    # Where the map's denominator is 0: u = 0, and u^2 = -1 / Z.
    for u in (bls.Fp(0), (-bls.Z.inverse()).sqrt()):
        theirs = oracle.hash.map_to_curve_G1(oracle.curve.FQ(u.n))
        need(bls.isogeny(bls.map_to_isogenous(u)) == oracle.point(theirs), "the map where its denominator is 0")


def against_pairings(bls, oracle, rng):
    c = oracle.curve
    base = bls.pairing(bls.G1, bls.G2)
    need(base != bls.ONE and base**bls.R == bls.ONE, "e(G1, G2) is not of order R")
    need(base == oracle.value(c.pairing(c.G2, c.G1)), "e(G1, G2)")
    need(bls.pairing(None, bls.G2) == bls.ONE == bls.pairing(bls.G1, None), "a pairing with the point at infinity")
    for _ in range(3):
        m, n = rng.randrange(1, bls.R), rng.randrange(1, bls.R)
        value = bls.pairing(bls.multiply(m, bls.G1), bls.multiply(n, bls.G2))
        need(value == base ** (m * n % bls.R), "the pairing is not bilinear")
        need(value == oracle.value(c.pairing(c.multiply(c.G2, n), c.multiply(c.G1, m))), "a pairing")


def against_signatures(bls, oracle, rng):
    """Signatures of other keys, made by py_ecc."""
    c, dst = oracle.curve, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
    for _ in range(2):
        secret, message = rng.randrange(1, bls.R), rng.randbytes(32)
        key = oracle.bytes.G2_to_signature(c.multiply(c.G2, secret))
        signature = oracle.bytes.G1_to_pubkey(c.multiply(oracle.hash.hash_to_G1(message, dst, hashlib.sha256), secret))
        bls.verify(key, message, signature, dst)
        raises(bls, MISMATCH, bls.verify, key, message, signature, b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_")
        raises(bls, MISMATCH, bls.verify, oracle.bytes.G2_to_signature(c.G2), message, signature, dst)
    infinity = bytes([0xC0]) + bytes(47)
    raises(bls, "the public key is the point at infinity", bls.verify, infinity + bytes(48), message, infinity, dst)


def keys_refused(bls):
    """Malformed points of G2."""
    key = bytes.fromhex("93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
                        "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8")
    need(bls.decode_g2(key) == bls.G2, "the generator of G2 as bytes")
    need(bls.decode_g2(bytes([key[0] ^ 0x20]) + key[1:]) == bls.negate(bls.G2), "its negative")
    modulus, zeros = bls.P.to_bytes(48, "big"), bytes(47)
    cases = [(key[:95], "96 bytes, not 95"), (key + b"\0", "96 bytes, not 97"), (bytes([key[0] & 0x7F]) + key[1:], FLAGS),
             (bytes([key[0] | 0x40]) + key[1:], INFINITY_BITS), (b"\xc0" + zeros + zeros + b"\x01", INFINITY_BITS),
             (b"\xe0" + zeros + b"\0" + zeros, INFINITY_BITS), (bytes([modulus[0] | 0x80]) + modulus[1:] + key[48:], TOO_LARGE),
             (key[:48] + modulus, TOO_LARGE), (key[:48] + bytes([key[48] | 0x80]) + key[49:], TOO_LARGE)]
    for data, reason in cases:
        raises(bls, reason, bls.decode_g2, data)
    reasons = {reason_of(bls, b"\x80" + zeros + bytes([0] * 47 + [a])) for a in range(1, 20)}
    need(reasons == {NO_POINT, SUBGROUP}, f"small x of G2's curve: {reasons}")


def reason_of(bls, data):
    try:
        bls.decode_g2(data)
    except bls.Invalid as error:
        return str(error)
    return "accepted"


def main():
    if sys.argv[1:] != ["inside"]:
        inside_venv()
    sys.path.insert(0, str(BEACON))
    bls = importlib.import_module("bls12_381")
    rng, oracle = random.Random(657413), Oracle(bls)
    rfc9380(bls)
    fields(bls, rng)
    against_constants(bls, oracle)
    against_points(bls, oracle, rng)
    against_hashes(bls, oracle, rng)
    against_pairings(bls, oracle, rng)
    against_signatures(bls, oracle, rng)
    keys_refused(bls)
    accepted()
    print(f"{refused(bls)} altered rounds refused by both verifiers")
    misused()
    guarded()
    print("ok")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        sys.exit(f"FAILED: {fault}")
