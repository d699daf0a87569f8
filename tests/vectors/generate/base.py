#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors of the base layer beside this folder, with Python's standard library alone: a second implementation of
RFC 6962, C2SP signed-note and cosignature/v1, Ed25519 (RFC 8032), canonical JSON, SHA-256 and HMAC-SHA-256."""

import base64
import hashlib
import hmac
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parents[1]


def write(name, source, cases):
    names = [case["name"] for case in cases]
    assert len(set(names)) == len(names), name
    vectors = {"format": "libraffle-vectors-1", "algorithm": name, "source": source, "cases": cases}
    (HERE / (name + ".json")).write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sha256(data):
    return hashlib.sha256(data).digest()


def flip(data, bit=0):
    """One bit changed."""
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


# --- SHA-256, HMAC ---------------------------------------------------------------------------------------------------


def make_sha256():
    cases = []
    for name, message in [
        ("empty", b""),
        ("abc, FIPS 180-4", b"abc"),
        ("448 bits, FIPS 180-4", b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
        ("55 bytes: the longest in one block", bytes(range(55))),
        ("56 bytes", bytes(range(56))),
        ("64 bytes", bytes(range(64))),
        ("65 bytes: a Merkle node", bytes(range(65))),
        ("513 bytes", bytes(i % 251 for i in range(513))),
    ]:
        cases.append({"name": name, "valid": True, "message": message.hex(), "digest": sha256(message).hex()})
    assert cases[1]["digest"].startswith("ba7816bf8f01cfea")
    assert cases[2]["digest"].startswith("248d6a61d20638b8")
    cases.append({"name": "a bit of the digest changed", "valid": False, "message": b"abc".hex(), "digest": flip(sha256(b"abc")).hex()})
    write("sha256", "FIPS 180-4 examples; hashlib", cases)


def make_hmac():
    rfc4231 = [
        ("case 1", b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
        ("case 2", b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c7"),
        ("case 3", b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a7"),
        ("case 4", bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a"),
        ("case 5, untruncated", b"\x0c" * 20, b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        ("case 6", b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f"),
        ("case 7", b"\xaa" * 131, b"This is a test using a larger than block-size key and a larger than block-size data. "
         b"The key needs to be hashed before being used by the HMAC algorithm.", "9b09ffa71b942fcb27635fbcd5b0e944"),
    ]
    cases = []

    def add(name, key, message, mac, valid=True):
        cases.append({"name": name, "valid": valid, "key": key.hex(), "message": message.hex(), "mac": mac.hex()})

    def mac_of(key, message):
        return hmac.new(key, message, hashlib.sha256).digest()

    for name, key, message, start in rfc4231:
        assert mac_of(key, message).hex().startswith(start), name
        add("RFC 4231 " + name, key, message, mac_of(key, message))
    for length in (0, 32, 63, 64, 65):
        key = bytes(range(length))
        add(f"a key of {length} bytes", key, b"libraffle", mac_of(key, b"libraffle"))
    add("an empty message", b"key", b"", mac_of(b"key", b""))
    good = mac_of(b"Jefe", b"what do ya want for nothing?")
    add("a bit of the MAC changed", b"Jefe", b"what do ya want for nothing?", flip(good), False)
    add("a bit of the key changed", flip(b"Jefe"), b"what do ya want for nothing?", good, False)
    add("a bit of the message changed", b"Jefe", flip(b"what do ya want for nothing?"), good, False)
    write("hmac_sha256", "RFC 4231 section 4; keys around the block size by Python's hmac", cases)


# --- RFC 6962 --------------------------------------------------------------------------------------------------------

LEAVES = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [root(leaves[k:])]
    return path(m - k, leaves[k:]) + [root(leaves[:k])]


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return subproof(m, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [root(leaves[:k])]


def hexes(hashes):
    return [h.hex() for h in hashes]


def inclusion(name, index, size, /, **changes):
    case = {
        "name": name,
        "kind": "inclusion",
        "valid": not changes,
        "index": index,
        "size": size,
        "leaf_hash": leaf_hash(LEAVES[index]).hex(),
        "proof": hexes(path(index, LEAVES[:size])),
        "root": root(LEAVES[:size]).hex(),
    }
    case.update(changes)
    return case


def consistency(name, old, size, /, **changes):
    case = {
        "name": name,
        "kind": "consistency",
        "valid": not changes,
        "old_size": old,
        "size": size,
        "old_root": root(LEAVES[:old]).hex(),
        "root": root(LEAVES[:size]).hex(),
        "proof": hexes(subproof(old, LEAVES[:size], True)) if old else [],
    }
    case.update(changes)
    return case


def make_merkle():
    cases = []
    published = ("e3b0c442 6e340b9c fac54203 aeb6bcfe d37ee418 4e3bbb1f 76e67dad ddb89be4 5dc9da79").split()
    for size in range(9):
        assert root(LEAVES[:size]).hex().startswith(published[size])
        cases.append({"name": f"root of {size}", "kind": "root", "valid": True, "leaves": hexes(LEAVES[:size]), "root": root(LEAVES[:size]).hex()})
    assert [h.hex()[:8] for h in path(5, LEAVES)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert [h.hex()[:8] for h in subproof(3, LEAVES[:7], True)] == ["0298d122", "07506a85", "fac54203", "837dbb15"]

    swapped = root([LEAVES[1], LEAVES[0]] + LEAVES[2:])
    cases.append({"name": "root of leaves in another order", "kind": "root", "valid": False, "leaves": hexes(LEAVES), "root": swapped.hex()})
    unprefixed = sha256(sha256(LEAVES[0]) + sha256(LEAVES[1]))
    cases.append({"name": "root without prefixes", "kind": "root", "valid": False, "leaves": hexes(LEAVES[:2]), "root": unprefixed.hex()})
    doubled = root(LEAVES[:3] + [LEAVES[2]])
    cases.append({"name": "root with the last leaf doubled", "kind": "root", "valid": False, "leaves": hexes(LEAVES[:3]), "root": doubled.hex()})

    for size in range(1, 9):
        cases += [inclusion(f"inclusion {index} of {size}", index, size) for index in range(size)]
    proof = path(5, LEAVES)
    no = "inclusion 5 of 8, "
    cases += [
        inclusion(no + f"bit of hash {i} changed", 5, 8, valid=False, proof=hexes(proof[:i] + [flip(proof[i])] + proof[i + 1:]))
        for i in range(3)
    ]
    cases += [
        inclusion(no + "first hash missing", 5, 8, valid=False, proof=hexes(proof[1:])),
        inclusion(no + "last hash missing", 5, 8, valid=False, proof=hexes(proof[:-1])),
        inclusion(no + "empty proof", 5, 8, valid=False, proof=[]),
        inclusion(no + "a hash too many", 5, 8, valid=False, proof=hexes(proof + [proof[2]])),
        inclusion(no + "root appended", 5, 8, valid=False, proof=hexes(proof + [root(LEAVES)])),
        inclusion(no + "two hashes swapped", 5, 8, valid=False, proof=hexes([proof[1], proof[0], proof[2]])),
        inclusion(no + "index 4", 5, 8, valid=False, index=4),
        inclusion(no + "index 8", 5, 8, valid=False, index=8),
        inclusion(no + "index 2^53-1", 5, 8, valid=False, index=2**53 - 1),
        inclusion(no + "size 6", 5, 8, valid=False, size=6),
        inclusion(no + "size 0", 5, 8, valid=False, size=0),
        inclusion(no + "size 2^49", 5, 8, valid=False, size=2**49),
        inclusion(no + "bit of the leaf hash changed", 5, 8, valid=False, leaf_hash=flip(leaf_hash(LEAVES[5])).hex()),
        inclusion(no + "bit of the root changed", 5, 8, valid=False, root=flip(root(LEAVES), 255).hex()),
        inclusion(no + "root of the empty tree", 5, 8, valid=False, root=sha256(b"").hex()),
        inclusion("inclusion 0 of 1, proof not empty", 0, 1, valid=False, proof=hexes([leaf_hash(LEAVES[0])])),
        inclusion("inclusion 0 of 1, other root", 0, 1, valid=False, root=root(LEAVES[1:2]).hex()),
        # A node passed off as a leaf: the prefix 0x00 of leaves forbids it (RFC 6962 section 2.1).
        inclusion("inclusion of an inner node as leaf", 0, 2, valid=False,
                  leaf_hash=leaf_hash(b"\x01" + leaf_hash(LEAVES[0]) + leaf_hash(LEAVES[1])).hex(), proof=[], size=1),
    ]

    for size in range(9):
        cases += [consistency(f"consistency {old} to {size}", old, size) for old in range(size + 1)]
    proof = subproof(6, LEAVES, True)
    no = "consistency 6 to 8, "
    cases += [
        consistency(no + f"bit of hash {i} changed", 6, 8, valid=False, proof=hexes(proof[:i] + [flip(proof[i])] + proof[i + 1:]))
        for i in range(3)
    ]
    cases += [
        consistency(no + "first hash missing", 6, 8, valid=False, proof=hexes(proof[1:])),
        consistency(no + "last hash missing", 6, 8, valid=False, proof=hexes(proof[:-1])),
        consistency(no + "empty proof", 6, 8, valid=False, proof=[]),
        consistency(no + "a hash too many", 6, 8, valid=False, proof=hexes(proof + [proof[2]])),
        consistency(no + "old root prepended", 6, 8, valid=False, proof=hexes([root(LEAVES[:6])] + proof)),
        consistency(no + "roots exchanged", 6, 8, valid=False, old_root=root(LEAVES).hex(), root=root(LEAVES[:6]).hex()),
        consistency(no + "sizes exchanged", 6, 8, valid=False, old_size=8, size=6),
        consistency(no + "old size 5", 6, 8, valid=False, old_size=5),
        consistency(no + "size 9", 6, 8, valid=False, size=9),
        consistency(no + "bit of the old root changed", 6, 8, valid=False, old_root=flip(root(LEAVES[:6])).hex()),
        consistency(no + "bit of the root changed", 6, 8, valid=False, root=flip(root(LEAVES)).hex()),
        consistency("consistency 4 to 8, old root repeated in the proof", 4, 8, valid=False,
                    proof=hexes([root(LEAVES[:4])] + subproof(4, LEAVES, True))),
        consistency("consistency 8 to 8, other root", 8, 8, valid=False, root=root(LEAVES[:7]).hex()),
        consistency("consistency 8 to 8, proof not empty", 8, 8, valid=False, proof=hexes([root(LEAVES)])),
        consistency("consistency 0 to 8, proof not empty", 0, 8, valid=False, proof=hexes([root(LEAVES)])),
        consistency("consistency 0 to 8, old root not that of nothing", 0, 8, valid=False, old_root=root(LEAVES[:1]).hex()),
        consistency("consistency 0 to 0, root not that of nothing", 0, 0, valid=False, root=root(LEAVES[:1]).hex()),
        consistency("consistency 6 to 2^49", 6, 8, valid=False, size=2**49),
    ]
    write("merkle", "RFC 6962 section 2.1; the leaves of transparency-dev/merkle; a recursive reference", cases)


# --- Ed25519, RFC 8032 section 6: slow, for vectors only ----------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def point_add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    i, j, k, m = f - e, h - g, h + g, f + e
    return i * j % P, k * m % P, j * k % P, i * m % P


def point_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def encode(point):
    x, y, z, _ = point
    inverse = pow(z, P - 2, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return encode(point_multiply(expand(seed)[0], BASE))


def number(data):
    return int.from_bytes(hashlib.sha512(data).digest(), "little") % L


def sign(seed, message):
    scalar, prefix = expand(seed)
    key = public_key(seed)
    r = number(prefix + message)
    big_r = encode(point_multiply(r, BASE))
    s = (r + number(big_r + key + message) * scalar) % L
    return big_r + s.to_bytes(32, "little")


# --- signed notes ----------------------------------------------------------------------------------------------------

LOG = "raffle.example/log1"
WITNESS = "witness.example/w1"
LOG_SEED = bytes(range(32))
WITNESS_SEED = bytes(range(32, 64))
TIME = 1700000000


def b64(data):
    return base64.b64encode(data).decode()


def key_id(name, kind, key):
    return sha256(name.encode() + b"\n" + bytes([kind]) + key)[:4]


def vkey(name, kind, key):
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(bytes([kind]) + key)}"


def line(name, identifier, body):
    return f"— {name} {b64(identifier + body)}\n"


def cosign(text, seed, seconds):
    return seconds.to_bytes(8, "big") + sign(seed, f"cosignature/v1\ntime {seconds}\n{text}".encode())


def make_note():
    log_key, witness_key = public_key(LOG_SEED), public_key(WITNESS_SEED)
    log_id, witness_id = key_id(LOG, 1, log_key), key_id(WITNESS, 4, witness_key)
    log_vkey, witness_vkey = vkey(LOG, 1, log_key), vkey(WITNESS, 4, witness_key)
    assert log_vkey == "raffle.example/log1+8c468b83+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    assert witness_vkey == "witness.example/w1+20324abe+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
    entries = [f"entry {i}".encode() for i in range(600)]
    text = f"{LOG}\n600\n{b64(root(entries))}\n"
    log_line = line(LOG, log_id, sign(LOG_SEED, text.encode()))
    cosignature = cosign(text, WITNESS_SEED, TIME)
    witness_line = line(WITNESS, witness_id, cosignature)
    assert log_line.endswith("jEaLg3a62T/EyZwhPUG1HP1yJnlnfBopJbjeW5WfBWBYCzs8FjZDQ6NsYw2biw7eXZxVspHV9He2WPhfdUkqeHJQuwc=\n")
    assert witness_line.endswith(
        "IDJKvgAAAABlU/EA4psL2w6kvHjunCR6iRRvgW1vfNjzqReh15E9Y4oTdcW44LvHXlaXBM0A6gx3875GPmcFYk9HqMNrS9Qlp5auBA==\n")
    note = text + "\n" + log_line + witness_line
    spec_vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    spec_note = ("This is an example message.\n\n"
                 "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n")
    cases = []

    def add_vkey(name, valid, value, **parts):
        cases.append({"name": "vkey: " + name, "kind": "vkey", "valid": valid, "vkey": value, **parts})

    def parts(name, kind, key):
        return {"key_name": name, "key_type": kind, "key_id": key_id(name, kind, key).hex(), "key": key.hex()}

    add_vkey("the specification's", True, spec_vkey,
             **parts("example.com/foo", 1, base64.b64decode(spec_vkey.rsplit("+", 1)[1])[1:]))
    neumann = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    add_vkey("x/mod's", True, neumann, **parts("PeterNeumann", 1, base64.b64decode(neumann.split("+")[2])[1:]))
    add_vkey("of the log", True, log_vkey, **parts(LOG, 1, log_key))
    add_vkey("of the witness", True, witness_vkey, **parts(WITNESS, 4, witness_key))
    add_vkey("the witness's key as type 01", True, "witness.example/w1+484bc619+ASmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X",
             **parts(WITNESS, 1, witness_key))
    add_vkey("a name in UTF-8", True, vkey("tómbola", 1, log_key), **parts("tómbola", 1, log_key))
    add_vkey("of 255 bytes", True, vkey("a" * 255, 1, log_key), **parts("a" * 255, 1, log_key))
    add_vkey("a name of 256 bytes", False, vkey("a" * 256, 1, log_key))
    add_vkey("an empty name", False, vkey("", 1, log_key))
    add_vkey("a space in the name", False, vkey("a b", 1, log_key))
    add_vkey("a no-break space in the name", False, vkey("a\u00a0b", 1, log_key))
    add_vkey("an ideographic space in the name", False, vkey("a\u3000b", 1, log_key))
    add_vkey("an id that is not the key's", False, log_vkey.replace("8c468b83", "8c468b84"))
    add_vkey("an id in upper case", False, log_vkey.replace("8c468b83", "8C468B83"))
    add_vkey("an id of 7 digits", False, log_vkey.replace("8c468b83", "8c468b8"))
    add_vkey("another name", False, "other" + log_vkey)
    add_vkey("a key of 31 bytes", False, vkey(LOG, 1, log_key[:31]))
    add_vkey("a key of 33 bytes", False, vkey(LOG, 1, log_key + b"\0"))
    add_vkey("base64 without its last digit", False, log_vkey[:-1])
    add_vkey("a newline after it", False, log_vkey + "\n")
    add_vkey("ECDSA's type 02", False, vkey(LOG, 2, log_key))
    add_vkey("ML-DSA-44's type 06", False, vkey(LOG, 6, log_key))
    add_vkey("no plus", False, LOG)
    add_vkey("one plus", False, LOG + "+8c468b83")

    def add(name, valid, value, key=log_vkey):
        case = {"name": "note: " + name, "kind": "note", "valid": valid, "vkey": key}
        try:
            case["note"] = (value if isinstance(value, str) else value.decode())
        except UnicodeDecodeError:
            case["note_hex"] = value.hex()
        if "\0" in case.get("note", ""):
            case["note_hex"] = case.pop("note").encode().hex()
        cases.append(case)

    head, log_body = text + "\n", sign(LOG_SEED, text.encode())
    unknown = line("other.example", b"\1\2\3\4", bytes(64))
    add("the specification's", True, spec_note, spec_vkey)
    add("the worked example", True, note)
    add("the signature in the second line", True, head + witness_line + log_line)
    add("a signature of an unknown type and 2,420 bytes", True, note + line("other.example", b"\1\2\3\4", bytes(2420)))
    add("the same name with another id", True, note + line(LOG, b"\1\2\3\4", bytes(64)))
    add("64 signature lines", True, head + log_line + "".join(line(f"w{i}", b"\1\2\3\4", bytes(64)) for i in range(63)))
    blank = "a\n\nb\n"
    add("a blank line in the text", True, blank + "\n" + line(LOG, log_id, sign(LOG_SEED, blank.encode())))
    add("65 signature lines", False, head + log_line + "".join(line(f"w{i}", b"\1\2\3\4", bytes(64)) for i in range(64)))
    add("no signature by the key", False, head + unknown)
    add("no signature", False, head)
    add("no blank line", False, text + log_line)
    add("no last newline", False, note[:-1])
    add("a line too many", False, note + "\n")
    add("a bit of the signature changed", False, head + line(LOG, log_id, flip(log_body)))
    add("a bit of S changed", False, head + line(LOG, log_id, flip(log_body, 256)))
    order = (int.from_bytes(log_body[32:], "little") + L).to_bytes(32, "little")
    add("S not reduced", False, head + line(LOG, log_id, log_body[:32] + order))
    add("another size", False, note.replace("\n600\n", "\n601\n"))
    add("the text without its newline was signed", False, head + line(LOG, log_id, sign(LOG_SEED, text[:-1].encode())))
    add("the blank line was signed too", False, head + line(LOG, log_id, sign(LOG_SEED, head.encode())))
    add("another id", False, head + line(LOG, flip(log_id), log_body))
    add("another name", False, head + line(LOG + "x", log_id, log_body))
    add("63 bytes of signature", False, head + line(LOG, log_id, log_body[:63]))
    add("65 bytes of signature", False, head + line(LOG, log_id, log_body + b"\0"))
    add("the id alone", False, head + line(LOG, log_id, b""))
    add("the same line twice", False, note + log_line)
    add("a second, wrong one by the key", False, note + line(LOG, log_id, bytes(64)))
    add("a hyphen for the dash", False, note.replace("—", "-"))
    add("two spaces", False, head + log_line.replace("log1 ", "log1  "))
    add("a space at the end of a line", False, head + log_line[:-1] + " \n")
    add("carriage returns", False, note.replace("\n", "\r\n"))
    add("a tab in the text", False, "a\tb\n\n" + line(LOG, log_id, sign(LOG_SEED, b"a\tb\n")))
    add("a NUL in the text", False, "a\0b\n\n" + line(LOG, log_id, sign(LOG_SEED, b"a\0b\n")))
    add("invalid UTF-8 in the text", False, b"a\xffb\n\n" + line(LOG, log_id, sign(LOG_SEED, b"a\xffb\n")).encode())
    add("base64 without padding", False, head + log_line.replace("=", ""))
    add("base64 with bits left over", False, head + log_line.replace("uwc=", "uwd="))
    add("the URL alphabet", False, head + log_line.replace("/", "_", 2).replace("_log1", "/log1"))
    add("base64 after a line break", False, head + log_line[:60] + "\n" + log_line[60:])
    long = "x" * 16383 + "\n"
    add("too long", False, long + "\n" + line(LOG, log_id, sign(LOG_SEED, long.encode())))
    add("empty", False, "")
    add("newlines alone", False, "\n\n\n")
    add("a key of type 04", False, note, witness_vkey)

    def add_cosigned(name, valid, value, seconds=None, key=witness_vkey):
        case = {"name": "cosignature: " + name, "kind": "cosignature", "valid": valid, "vkey": key, "note": value}
        if seconds is not None:
            case["seconds"] = seconds
        cases.append(case)

    def cosigned(body):
        return head + log_line + line(WITNESS, witness_id, body)

    late = (2**63).to_bytes(8, "big") + sign(WITNESS_SEED, f"cosignature/v1\ntime {2**63}\n{text}".encode())
    add_cosigned("the worked example", True, note, TIME)
    add_cosigned("at time 0", True, cosigned(cosign(text, WITNESS_SEED, 0)), 0)
    add_cosigned("at time 2^53-1", True, cosigned(cosign(text, WITNESS_SEED, 2**53 - 1)), 2**53 - 1)
    add_cosigned("at time 2^63", False, cosigned(late))
    add_cosigned("another time", False, cosigned(flip(cosignature, 56)))
    add_cosigned("a bit of the signature changed", False, cosigned(flip(cosignature, 64)))
    add_cosigned("the first line of the text alone was signed", False, cosigned(cosign(LOG + "\n", WITNESS_SEED, TIME)))
    add_cosigned("another size", False, note.replace("\n600\n", "\n601\n"))
    add_cosigned("a plain signature", False, cosigned(sign(WITNESS_SEED, text.encode())))
    add_cosigned("73 bytes", False, cosigned(cosignature + b"\0"))
    add_cosigned("no line by the witness", False, head + log_line)
    add_cosigned("the witness's key as type 01", False, note, key=vkey(WITNESS, 1, witness_key))

    for name, seed, key_name in [("the log", LOG_SEED, LOG), ("a name in UTF-8", WITNESS_SEED, "tómbola")]:
        key = public_key(seed)
        cases.append({"name": "signing: " + name, "kind": "sign", "valid": True, "seed": seed.hex(), "key_name": key_name, "text": text,
                      "note": head + line(key_name, key_id(key_name, 1, key), sign(seed, text.encode()))})
    write("note", "C2SP signed-note v1.0.0 and tlog-cosignature v1.0.1; x/mod; RFC 8032 in Python", cases)


def make_checkpoint():
    cases = []
    digest = sha256(b"libraffle")

    def add(name, text, *fields):
        case = {"name": name, "valid": bool(fields), "text": text}
        if fields:
            case.update(zip(("origin", "size", "root"), (fields[0], str(fields[1]), fields[2].hex())))
        if "\0" in text:
            case["text_hex"] = case.pop("text").encode().hex()
        cases.append(case)

    def good(origin, size, digest):
        return f"{origin}\n{size}\n{b64(digest)}\n"

    for name, origin, size, value in [
        ("the empty tree", "raffle.example/gala", 0, sha256(b"")),
        ("one record", "raffle.example/gala/unit/1", 1, digest),
        ("2^53-1 records", "raffle.example/gala", 2**53 - 1, digest),
        ("2^63-1 records", "raffle.example/gala", 2**63 - 1, digest),
        ("an origin of 255 bytes", "a" * 255, 600, digest),
    ]:
        add(name, good(origin, size, value), origin, size, value)
    text = good("raffle.example/gala", 600, digest)
    add("an extension line", text + "extension\n")
    add("an empty line at the end", text + "\n")
    add("no last newline", text[:-1])
    add("two lines", "raffle.example/gala\n600\n")
    add("empty", "")
    add("an empty origin", good("", 600, digest))
    add("a space in the origin", good("raffle example", 600, digest))
    add("a plus in the origin", good("raffle+example", 600, digest))
    add("an origin of 256 bytes", good("a" * 256, 600, digest))
    add("a NUL in the origin", good("raffle\0example", 600, digest))
    add("no size", good("raffle.example/gala", "", digest))
    add("a leading zero", good("raffle.example/gala", "0600", digest))
    add("two zeros", good("raffle.example/gala", "00", digest))
    add("a sign", good("raffle.example/gala", "+600", digest))
    add("a minus", good("raffle.example/gala", "-600", digest))
    add("a space before the size", good("raffle.example/gala", " 600", digest))
    add("hexadecimal", good("raffle.example/gala", "0x258", digest))
    add("size 2^63", good("raffle.example/gala", 2**63, digest))
    add("size 2^64", good("raffle.example/gala", 2**64, digest))
    add("a root of 31 bytes", good("raffle.example/gala", 600, digest[:31]))
    add("a root of 33 bytes", good("raffle.example/gala", 600, digest + b"\0"))
    add("a root without padding", text.replace("=", ""))
    last = b64(digest)[-2]
    add("a root with bits left over", text.replace(last + "=", chr(ord(last) + 1) + "="))
    add("a root in hexadecimal", f"raffle.example/gala\n600\n{digest.hex()}\n")
    add("a carriage return", text.replace("\n", "\r\n"))
    write("checkpoint", "C2SP tlog-checkpoint v1.0.0", cases)


# --- canonical JSON ----------------------------------------------------------------------------------------------------


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def nested(depth, bracket="[]"):
    inner = "[]" if bracket == "[]" else '{"a":1}'
    for _ in range(depth - 1):
        inner = "[" + inner + "]" if bracket == "[]" else '{"a":' + inner + "}"
    return inner


def make_json():
    cases = []

    def add(kind, name, valid, data, **outputs):
        """kind `canonical`: whether the bytes are canonical. kind `rewrite`: JSON to its canonical form, or no JSON of the profile."""
        data = data if isinstance(data, bytes) else data.encode()
        case = {"name": f"{kind}: {name}", "kind": kind, "valid": valid}
        try:
            case["text"] = data.decode()
        except UnicodeDecodeError:
            case["hex"] = data.hex()
        if "\0" in case.get("text", ""):
            case["hex"] = case.pop("text").encode().hex()
        case.update(outputs)
        cases.append(case)

    values = [
        ("empty object", {}),
        ("empty array", []),
        ("a sale", {"at": "2026-11-21T18:30:00.000Z", "by": "seller", "count": 5, "n": 17, "price": 2000, "t": "sale", "tier": "five"}),
        ("names that are prefixes", {"a": 1, "a0": 2, "a_": 3, "aa": 4, "ab": 5, "b": 6}),
        ("zero and one", [0, 1, -1]),
        ("2^53-1", 2**53 - 1),
        ("-(2^53-1)", -(2**53) + 1),
        ("powers of ten", [10**i for i in range(16)]),
        ("truth", [True, False]),
        ("empty string", ""),
        ("every control character", "".join(chr(i) for i in range(32))),
        ("quote, backslash, solidus", "\"\\/"),
        ("DEL and C1 are not escaped", "\u007f\u0080\u009f"),
        ("line separators are not escaped", "\u2028\u2029"),
        ("ASCII", "".join(chr(i) for i in range(32, 127))),
        ("UTF-8 of each length", "aé€😀 \u07ff\u0800\uffff\U00010000\U0010ffff"),
        ("around the surrogates", "\ud7ff\ue000"),
        ("16 deep, arrays", json.loads(nested(16))),
        ("16 deep, objects", json.loads(nested(16, "{}"))),
        ("nested", {"a": {"b": [{"c": {}}, [], "x"], "d": 1}, "e": True}),
    ]
    values += [(f"a special character after {n} plain ones", "x" * n + "\n" + "y" * n + "é" + "z" * n) for n in range(18)]
    for name, value in values:
        add("canonical", name, True, canonical(value))

    bad = [
        ("nothing", ""),
        ("white space before", " {}"),
        ("white space after", "{} "),
        ("newline after", "{}\n"),
        ("space in an object", '{"a": 1}'),
        ("space in an array", "[1, 2]"),
        ("two values", "{}{}"),
        ("names descend", '{"b":1,"a":2}'),
        ("names by length", '{"b":1,"aa":2}'),
        ("a name twice", '{"a":1,"a":2}'),
        ("a name twice in a nested object", '{"a":{"b":1,"b":1}}'),
        ("a name and its prefix", '{"aa":1,"a":2}'),
        ("an empty name", '{"":1}'),
        ("a name in upper case", '{"A":1}'),
        ("a name with a digit first", '{"1a":1}'),
        ("a name with an underscore first", '{"_a":1}'),
        ("a name with a hyphen", '{"a-b":1}'),
        ("a name with an escape", '{"\\u0061":1}'),
        ("a name in UTF-8", '{"é":1}'),
        ("no quotes", "{a:1}"),
        ("single quotes", "{'a':1}"),
        ("comma before a bracket", '{"a":1,}'),
        ("comma before a bracket in an array", "[1,]"),
        ("comma first", "[,1]"),
        ("two commas", "[1,,2]"),
        ("no comma", "[1 2]"),
        ("no colon", '{"a"1}'),
        ("no value", '{"a":}'),
        ("no end", '{"a":1'),
        ("no end of an array", "[1"),
        ("no end of a string", '"abc'),
        ("the wrong bracket", '{"a":1]'),
        ("the wrong bracket of an array", "[1}"),
        ("a bracket too many", "[1]]"),
        ("null", "null"),
        ("null in an object", '{"a":null}'),
        ("a float", "1.5"),
        ("a float that is whole", "1.0"),
        ("an exponent", "1e3"),
        ("an exponent in upper case", "1E3"),
        ("-0", "-0"),
        ("a leading zero", "01"),
        ("a negative leading zero", "-01"),
        ("a plus", "+1"),
        ("a minus alone", "-"),
        ("2^53", str(2**53)),
        ("-2^53", str(-(2**53))),
        ("2^64+1", str(2**64 + 1)),
        ("100 digits", "1" * 100),
        ("hexadecimal", "0x10"),
        ("NaN", "NaN"),
        ("Infinity", "-Infinity"),
        ("True", "True"),
        ("tru", "tru"),
        ("falsey", "falsey"),
        ("a comment", "{}//"),
        ("a byte order mark", "\ufeff{}"),
        ("17 deep, arrays", nested(17)),
        ("17 deep, objects", nested(17, "{}")),
        ("1,000 deep", "[" * 1000),
        ("a tab as it is", '"\t"'),
        ("a NUL as it is", '"\0"'),
        ("a newline as it is", '"\n"'),
        ("a NUL after", "{}\0"),
        ("an escaped solidus", '"\\/"'),
        ("an escaped letter", '"\\u0061"'),
        ("an escaped quote as \\u", '"\\u0022"'),
        ("an escaped newline as \\u", '"\\u000a"'),
        ("an escaped control character in upper case", '"\\u001F"'),
        ("an escaped DEL", '"\\u007f"'),
        ("an escape beyond ASCII", '"\\u00e9"'),
        ("escaped surrogates", '"\\ud83d\\ude00"'),
        ("a lone high surrogate", '"\\ud83d"'),
        ("a lone low surrogate", '"\\ude00"'),
        ("two high surrogates", '"\\ud83d\\ud83d"'),
        ("an unknown escape", '"\\x41"'),
        ("an escaped apostrophe", '"\\\'"'),
        ("a short \\u", '"\\u12"'),
        ("\\u without hex", '"\\u00g0"'),
        ("a backslash at the end", '"\\'),
        ("a backslash before the quote", '"\\"'),
        ("an overlong slash", b'"\xc0\xaf"'),
        ("an overlong euro sign", b'"\xf0\x82\x82\xac"'),
        ("a surrogate in UTF-8", b'"\xed\xa0\x80"'),
        ("beyond U+10FFFF", b'"\xf4\x90\x80\x80"'),
        ("a lone continuation byte", b'"\x80"'),
        ("UTF-8 cut by the quote", b'"\xe2\x82"'),
        ("UTF-8 cut by the end", b'"\xe2\x82'),
        ("Latin-1", b'"\xe9"'),
        ("0xff", b'"\xff"'),
    ]
    for name, data in bad:
        add("canonical", name, False, data)

    good = [
        ("names sorted", '{"b":1,"a":2,"aa":3}'),
        ("nested names sorted", '{"z":[{"y":1,"x":{"w":1,"v":2}}],"a":{"c":1,"b":2}}'),
        ("white space of every kind", ' {\n\t"b" :\r\n [ 1 ,\t2 ] , "a" : { } }\n'),
        ("every escape", r'"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\uD83D\uDE00\u001f\u007f"'),
        ("short forms for \\u", r'"\u0008\u0009\u000a\u000c\u000d\u0022\u005c\u002f"'),
        ("a NUL", r'"\u0000"'),
        ("escapes among text", r'"caf\u00e9 \u2014 5\u20ac, \"x\" é"'),
        ("canonical already", canonical(values[2][1])),
        ("512 members", "{" + ",".join(f'"a{i}":{i}' for i in range(511, -1, -1)) + "}"),
        ("a number", " 7 "),
        ("16 deep", " " + nested(16, "{}").replace(":", " : ")),
    ]
    for name, data in good:
        add("rewrite", name, True, data, canonical=canonical(json.loads(data)))
    rewritable = {"white space before", "white space after", "newline after", "space in an object", "space in an array",
                  "names descend", "names by length", "a name and its prefix",
                  "an escaped solidus", "an escaped letter", "an escaped quote as \\u", "an escaped newline as \\u",
                  "an escaped control character in upper case", "an escaped DEL", "an escape beyond ASCII", "escaped surrogates"}
    assert rewritable <= {name for name, _ in bad}
    for name, data in bad:
        if name in rewritable:
            add("rewrite", name, True, data, canonical=canonical(json.loads(data)))
        else:
            add("rewrite", name, False, data)
    add("rewrite", "a name twice, not neighbours", False, '{"a":1,"b":2,"a":3}')
    add("rewrite", "a name twice after sorting", False, '{"c":1,"a":2,"b":3,"c":4}')
    add("rewrite", "513 members", False, "{" + ",".join(f'"a{i}":{i}' for i in range(513)) + "}")
    add("rewrite", "a vertical tab", False, "{\v}")
    add("rewrite", "a form feed", False, "{\f}")
    add("rewrite", "a no-break space", False, "{\u00a0}")
    write("json", "RFC 8785 restricted (libraffle-rec-1); Python's json.dumps(sort_keys=True, separators=(',', ':'), ensure_ascii=False)", cases)


if __name__ == "__main__":
    make_sha256()
    make_hmac()
    make_merkle()
    make_note()
    make_checkpoint()
    make_json()
