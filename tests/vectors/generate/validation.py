#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes validation.json and check37.json from tests/reference/validation_reference.py, and checks the design's own values."""
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "reference"))
import validation_reference as vn  # noqa: E402

KEY = bytes(range(32))
ORIGIN = "raffle.example/gala"
AT = 1790000000000
DESIGN = [
    (1, 1, "000J3-SPE42-90ZF8-9PKAV-XMQWP"),
    (1, 2, "000JC-5VG3S-XKE5A-T8P44-JJ1Q2"),
    (3, 1000000, "001Y5-0DWM4-JMVSW-Z4BKR-CJY3M"),
    (65535, 2**40 - 1, "ZZZWX-H3C5B-GYNCC-SVG13-2BK7Y"),
]


def write(algorithm, source, cases):
    """One case a line, so that a changed case is a changed line."""
    head = {"format": "libraffle-vectors-1", "algorithm": algorithm, "source": source}
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    text = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    (HERE.parent / f"{algorithm}.json").write_text("{" + text + ',\n"cases": [\n' + lines + "\n]}\n", encoding="ascii")


def ticket(unit, serial, at=AT, key=KEY, origin=ORIGIN):
    return {"key": key.hex(), "origin": origin, "unit": unit, "serial": str(serial), "at": at}


def derived(label):
    return hashlib.sha256(label.encode()).digest()


class Validation:
    def __init__(self):
        self.cases = []

    def add(self, name, kind, valid, members, **more):
        self.cases.append({"name": name, "kind": kind, "valid": valid, **members, **more})

    def unit_key(self, name, valid, of, key=None):
        members = {k: of[k] for k in ("key", "origin", "unit")}
        right = vn.unit_key(bytes.fromhex(of["key"]), of["origin"], of["unit"]).hex()
        assert (key in (None, right)) == valid
        self.add(name, "unit_key", valid, members, unit_key=key or right)

    def make(self, name, valid, of, number=None):
        right = vn.make(bytes.fromhex(of["key"]), of["origin"], of["unit"], int(of["serial"]), of["at"])
        assert (number in (None, right)) == valid, name
        self.add(name, "make", valid, of, number=number or right)

    def read(self, name, of, text, expected):
        """`expected`: "valid", "forged" (well formed, another ticket's) or "malformed"."""
        try:
            holds = vn.is_number_of(bytes.fromhex(of["key"]), of["origin"], text, of["unit"], int(of["serial"]), of["at"])
            outcome = "valid" if holds else "forged"
        except vn.Malformed:
            outcome = "malformed"
        assert outcome == expected, (name, outcome)
        extra = {"error": "RAFFLE_INVALID"} if outcome == "malformed" else {}
        # Many readers of JSON refuse a NUL in a string.
        typed = {"text_hex": text.encode().hex()} if "\0" in text else {"text": text}
        self.add(name, "read", outcome == "valid", of, **typed, **extra)


def add_makes(v):
    for unit, serial, number in DESIGN:
        assert vn.make(KEY, ORIGIN, unit, serial, AT) == number
        v.unit_key(f"the key of unit {unit}, serial {serial}", True, ticket(unit, serial))
        v.make(f"design: unit {unit} serial {serial}", True, ticket(unit, serial), number)
    for unit in (1, 2, 255, 256, 65534, 65535):
        for serial in (1, 255, 256, 65536, 2**32, 2**40 - 2):
            v.make(f"unit {unit} serial {serial}", True, ticket(unit, serial))
    for at in (0, 1, AT + 1, 253402300799999):
        v.make(f"at {at}", True, ticket(1, 1, at))
    for origin in ("a", "raffle.example/gala/2026", "x" * 200):
        v.make(f"an origin of {len(origin)} bytes", True, ticket(1, 1, origin=origin))
    for i in range(20):
        seed = derived(f"validation {i}")
        unit = int.from_bytes(seed[:2], "big") or 1
        v.make(f"random {i}", True, ticket(unit, int.from_bytes(seed[2:7], "big"), int.from_bytes(seed[7:12], "big"), derived(f"key {i}")))


def add_other_numbers(v):
    """The number of one ticket, for a ticket that differs in one thing."""
    unit, serial, number = DESIGN[0]
    others = {
        "another unit": ticket(2, serial), "another serial": ticket(unit, 2), "another time": ticket(unit, serial, AT + 1),
        "another key": ticket(unit, serial, key=bytes([1]) + KEY[1:]), "another origin": ticket(unit, serial, origin=ORIGIN + "a"),
    }
    for name, other in others.items():
        v.make(f"the number is not that of {name}", False, other, number)
        v.read(f"the number is not read as that of {name}", other, number, "forged")
    v.unit_key("another unit's key", False, ticket(2, 1), vn.unit_key(KEY, ORIGIN, 1).hex())
    v.unit_key("another raffle's key", False, ticket(1, 1, origin=ORIGIN + "a"), vn.unit_key(KEY, ORIGIN, 1).hex())


def find_check(wanted):
    """A serial of unit 1 whose number has this check character."""
    return next(s for s in range(1, 10000) if vn.make(KEY, ORIGIN, 1, s, AT)[-1] == wanted)


def find_body(wanted):
    """A serial of unit 1 whose number has this character before the check character."""
    return next(s for s in range(1, 10000) if wanted in vn.make(KEY, ORIGIN, 1, s, AT)[:-1][5:])


def add_typed(v):
    unit, serial, number = DESIGN[0]
    of, plain = ticket(unit, serial), number.replace("-", "")
    for u, s, n in DESIGN:
        v.read(f"as printed: unit {u} serial {s}", ticket(u, s), n, "valid")
    for name, text in {
        "lower case": number.lower(), "no hyphens": plain, "spaces for hyphens": number.replace("-", " "), "spaces around": f"  {number}  ",
        "a hyphen between all": "-".join(plain), "in blocks of four": " ".join(plain[i:i + 4] for i in range(0, 25, 4)),
        "O for 0": number.replace("0", "O"), "o for 0": number.replace("0", "o"), "127 bytes": number + " " * (127 - len(number)),
    }.items():
        v.read(f"typed with {name}", of, text, "valid")
    ones = find_body("1")
    for letter in "IiLl":
        body = vn.make(KEY, ORIGIN, 1, ones, AT)
        v.read(f"typed with {letter} for 1", ticket(1, ones), body[:-1].replace("1", letter) + body[-1], "valid")
    for c in "ILOU*01":
        s = find_check(c)
        n = vn.make(KEY, ORIGIN, 1, s, AT)
        v.read(f"the check character {c}", ticket(1, s), n, "valid")
        v.read(f"the check character {c} in lower case", ticket(1, s), n.lower(), "valid")
    for c, folded in (("I", "1"), ("L", "1"), ("O", "0"), ("1", "I"), ("1", "L"), ("0", "O")):
        s = find_check(c)
        n = vn.make(KEY, ORIGIN, 1, s, AT)
        v.read(f"the check character {c} typed as {folded}", ticket(1, s), n[:-1] + folded, "malformed")


def add_malformed(v):
    unit, serial, number = DESIGN[0]
    of, plain = ticket(unit, serial), number.replace("-", "")
    bad = {
        "nothing": "", "hyphens alone": "-----", "24 characters": plain[:-1], "26 characters": plain + "0", "a leading 0": "0" + plain,
        "the first character missing": plain[1:], "a U": plain[:7] + "U" + plain[8:], "a lower-case u": plain[:7] + "u" + plain[8:],
        "a * inside": plain[:7] + "*" + plain[8:], "a tab": plain[:5] + "\t" + plain[5:], "a newline at the end": plain + "\n",
        "an underscore": number.replace("-", "_"), "a NUL inside": plain[:5] + "\0" + plain[6:], "a NUL at the end": plain + "\0",
        "a dot": plain[:5] + "." + plain[6:], "a wide digit": "\uff10" + plain[1:], "an e with accent": plain[:7] + "\u00e9" + plain[8:],
        "an en dash": number.replace("-", "\u2013"), "a ~ as check": plain[:-1] + "~", "a $ as check": plain[:-1] + "$",
        "a = as check": plain[:-1] + "=", "twice": plain + plain,
    }
    for name, text in bad.items():
        v.read(f"malformed: {name}", of, text, "malformed")
    body = "0" * 24
    v.read("malformed: unit 0", of, body + vn.check37(body), "malformed")
    zero = vn.to_text(0, vn.tag_of(vn.unit_key(KEY, ORIGIN, 0), 1, AT), 1)
    v.read("malformed: unit 0 with its own tag", of, zero, "malformed")
    # 128 bytes are refused unread: a bound, not a property of the number.
    v.add("malformed: 128 bytes", "read", False, of, text=number + " " * (128 - len(number)), error="RAFFLE_INVALID")


def add_forged(v):
    """Every bit of the 15 bytes changed, with the right check character: well formed, and nobody's."""
    unit, serial, number = DESIGN[2]
    of = ticket(unit, serial)
    _, tag, masked = vn.parse(number)
    raw = int.from_bytes(unit.to_bytes(2, "big") + tag + masked.to_bytes(5, "big"), "big")
    for bit in range(120):
        changed = (raw ^ 1 << bit).to_bytes(15, "big")
        text = vn.to_text(int.from_bytes(changed[:2], "big"), changed[2:10], int.from_bytes(changed[10:], "big"))
        v.read(f"forged: bit {bit} changed", of, vn.hyphenated(text), "forged")


def check37_cases():
    cases = []

    def add(name, text, valid):
        assert vn.check37_holds(text) == valid, (name, text)
        cases.append({"name": name, "valid": valid, "text": text})

    numbers = ["A999914123456N", "G123498654321H", DESIGN[0][2].replace("-", "")]
    for c in vn.CHECK:
        s = find_check(c)
        add(f"the check character {c}", vn.make(KEY, ORIGIN, 1, s, AT).replace("-", ""), True)
    for n in range(1, 60, 6):
        body = (vn.CHECK[:36] * 2)[n:2 * n][:60]
        add(f"{len(body)} characters", body + vn.check37(body), True)
    for text in numbers:
        add(f"{text}", text, True)
        for i, c in enumerate(text):
            for other in (vn.CHECK if i == len(text) - 1 else vn.CHECK[:36]):
                if other != c:
                    add(f"{text}: {other} at {i + 1}", text[:i] + other + text[i + 1:], False)
        for i in range(len(text)):
            for j in range(i + 1, len(text)):
                swapped = list(text)
                swapped[i], swapped[j] = text[j], text[i]
                if swapped != list(text):
                    add(f"{text}: {i + 1} and {j + 1} swapped", "".join(swapped), False)
    for name, text in {"* before the end": "A9*9914123456N", "lower case": "a999914123456n", "a space": "A9999 14123456N", "empty": "",
                       "one character": "1", "a hyphen": "A-999914123456N", "beyond ASCII": "\u00c4999914123456N"}.items():
        add(f"refused: {name}", text, False)
    return cases


def main():
    v = Validation()
    for part in (add_makes, add_other_numbers, add_typed, add_malformed, add_forged):
        part(v)
    source = "design section 11; tests/reference/validation_reference.py, by tests/vectors/generate/validation.py"
    write("validation", source, v.cases)
    write("check37", "ISO/IEC 7064:2003 MOD 37,2; tests/reference/validation_reference.py", check37_cases())


if __name__ == "__main__":
    main()
