#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes receipt.json beside this folder with tests/reference: receipts of a raffle that the library had no part in, and what must be refused."""
import copy
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "reference"))
import base  # noqa: E402
import raffle_reference as reference  # noqa: E402
import tiles_reference as tiles  # noqa: E402
from receipt_reference import Part, Receipt, b64  # noqa: E402


def raffle():
    """Two units; of the first, tickets 3, 5 and 9 of twelve are void at the final seal, 3 at the early one; a void after it."""
    r = reference.Raffle("raffle.example/receipts", ({"name": "bird", "seal": "early"}, {"name": "main"}))
    web, till = r.enrol("web"), r.enrol("till")
    for i in range(6):
        r.sell(web, "one", f"w-{i}")
    r.sell(till, "ten", "t-0")
    r.void(web, 3)
    r.seal("early")
    r.void(web, 5)
    for i in range(6, 11):
        r.sell(web, "one", f"w-{i}")
    r.void(web, 9)
    r.close(web)
    r.close(till)
    r.seal("final")
    r.void(web, 4, control=True)
    return r


R = raffle()
KEY = R.control.vkey


def good(name, text, receipt, seal=None, voids=None):
    case = {"name": name, "valid": True, "control_key": KEY, "receipt": text, "proves": receipt.proves, "unit": receipt.unit, "serial": receipt.serial}
    return {**case, **({} if seal is None else {"seal": seal, "voids": voids})}


def accepted():
    early, final = R.seal_at["early"][0], R.seal_at["final"][0]
    for name, unit, serial, kind, voids in [
        ("between two voids", 1, 4, "final", 3), ("before the first void", 1, 1, "final", 3), ("after the last void", 1, 12, "final", 3),
        ("next to its neighbour", 1, 6, "final", 3), ("the early seal", 1, 2, "early", 1), ("a unit without voids", 2, 1, "final", 0),
        ("void, the first", 1, 3, "final", 3), ("void, the second", 1, 5, "final", 3), ("void, the last", 1, 9, "final", 3), ("void at the early seal", 1, 3, "early", 1),
        ("void only after the early seal", 1, 5, "early", 1),
    ]:
        receipt = Receipt(R, unit, serial, kind)
        yield good(name, receipt.text(), receipt, final if kind == "final" else early, voids)
    promise = Receipt(R, 1, 2)
    yield good("a promise", promise.text(), promise)
    single = reference.Raffle("raffle.example/receipts")
    single.sell(single.enrol("web"), "ten", "a")
    promise = Receipt(single, 1, 1)
    yield {**good("a promise in another history of the raffle", promise.text(), promise), "control_key": single.control.vkey}


# --- what must be refused ---


def bad(name, error, text, key=KEY):
    return {"name": name, "valid": False, "control_key": key, "receipt": text, "error": "RAFFLE_" + error}


def changed(name, error, change, unit=1, serial=4, kind="final"):
    """A receipt whose parts something was done to."""
    receipt = copy.deepcopy(Receipt(R, unit, serial, kind))
    change(receipt)
    return bad(name, error, receipt.text())


def setting(part, **members):
    def change(receipt):
        for name, value in members.items():
            setattr(receipt.part(part) if part else receipt, name, value)
    return change


def refused_lines():
    drum = Receipt(R, 1, 4, "final").text()
    promise = Receipt(R, 1, 2).text()
    lines = drum.split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("index ")) + 1
    yield bad("nothing", "INVALID", "")
    yield bad("the first line alone", "INVALID", lines[0] + "\n")
    yield bad("another version", "NEWER", drum.replace("receipt/v1", "receipt/v2", 1))
    yield bad("another first line", "INVALID", drum.replace("libraffle", "libraffles", 1))
    yield bad("a byte-order mark", "INVALID", "\ufeff" + drum)
    yield bad("other line ends", "INVALID", lines[0] + "\n" + "\r\n".join(lines[1:]))
    yield bad("no newline at the end", "INVALID", drum[:-1])
    yield bad("a line at the end", "INVALID", drum + "\n")
    yield bad("twice", "INVALID", drum + drum)
    yield bad("cut in the middle", "INVALID", drum[:drum.index("part seal\n")])
    yield bad("a promise with a seal", "INVALID", drum.replace("drum ", "promise ", 1))
    yield bad("a drum without a seal", "INVALID", promise.replace("promise ", "drum ", 1))
    yield bad("an unknown word", "INVALID", drum.replace("drum ", "dream ", 1))
    yield bad("two spaces", "INVALID", drum.replace("drum ", "drum  ", 1))
    yield bad("unit 0", "INVALID", drum.replace(" 1/4", " 0/4", 1))
    yield bad("unit 65536", "INVALID", drum.replace(" 1/4", " 65536/4", 1))
    yield bad("a serial beyond 2^40", "INVALID", drum.replace(" 1/4", f" 1/{2**40 + 1}", 1))
    yield bad("a leading zero in the serial", "INVALID", drum.replace(" 1/4", " 1/04", 1))
    yield bad("a leading zero in an index", "INVALID", drum.replace("\nindex ", "\nindex 0", 1))
    yield bad("a plus in an index", "INVALID", drum.replace("\nindex ", "\nindex +", 1))
    yield bad("another proof's version", "INVALID", drum.replace("tlog-proof@v1", "tlog-proof@v2", 1))
    yield bad("parts exchanged", "INVALID", drum.replace("part sale", "part seal", 1))
    yield bad("a hash without its padding", "INVALID", drum.replace(lines[first], lines[first][:-1], 1))
    yield bad("spare bits in a hash", "INVALID", drum.replace(lines[first], spare(lines[first]), 1))
    yield bad("a hash of 31 bytes", "INVALID", drum.replace(lines[first], b64(bytes(31)), 1))
    yield bad("64 hashes", "INVALID", drum.replace(lines[first], "\n".join([lines[first]] * 64), 1))
    yield bad("spaces after a line", "INVALID", drum.replace("part sale", "part sale ", 1))
    yield bad("a void more than two", "INVALID", drum + drum[drum.index("void ", drum.index("part voids")):])


def spare(line):
    """The same bytes, with a bit set in the last digit that no byte has."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return line[:-2] + digits[digits.index(line[-2]) | 1] + "="


def refused_keys():
    drum = Receipt(R, 1, 4, "final").text()
    other = reference.Log("raffle.example/other", 0)
    twin = reference.Log("raffle.example/receipts", 0)
    twin.key = base.public_key(bytes(32))
    yield bad("the key of another raffle", "MISMATCH", drum, other.vkey)
    yield bad("another key of the raffle's name", "SIGNATURE", drum, base.vkey(R.origin, 1, twin.key))
    yield bad("no key", "INVALID", drum, "")
    yield bad("the unit's key", "INVALID", drum, R.units[0].vkey)
    yield bad("a witness's key", "INVALID", drum, base.vkey(R.origin, 4, R.control.key))
    yield changed("another origin", "MISMATCH", setting(None, origin="raffle.example/other"))
    yield changed("another unit", "MISMATCH", setting(None, unit=2))
    yield changed("another serial", "MISMATCH", setting(None, serial=6))


def refused_proofs():
    def proof(change):
        def apply(receipt):
            part = receipt.part("sale")
            part.proof = change(part.proof)
        return apply

    for name, change in [("the first hash missing", lambda p: p[1:]), ("the last hash missing", lambda p: p[:-1]), ("no hash", lambda p: []),
                         ("a hash too many", lambda p: p + p[-1:]), ("two hashes exchanged", lambda p: [p[1], p[0], *p[2:]]),
                         ("a bit of a hash changed", lambda p: [base.flip(p[0]), *p[1:]])]:
        yield changed("the sale's proof: " + name, "PROOF", proof(change))
    for part in ("unit.enrol", "sale", "seal.unit", "seal"):
        yield changed(f"{part}: a bit of the record changed", "PROOF", lambda r, part=part: setting(part, leaf=base.flip(r.part(part).leaf, 40))(r))
    yield changed("unit.enrol at another index", "PROOF", setting("unit.enrol", index=2))
    yield changed("seal beyond the log", "PROOF", setting("seal", index=2**30))


def refused_checkpoints():
    def note(part, change):
        return lambda r: setattr(r.part(part), "note", change(r.part(part).note))

    def signature(change):
        def apply(text):
            head, line = text[:-1].rsplit(" ", 1)
            return head + " " + b64(change(base.base64.b64decode(line))) + "\n"
        return apply

    def everywhere(change):
        def apply(receipt):
            for name in ("unit.enrol", "seal.unit", "seal"):
                note(name, change)(receipt)
        return apply

    unknown = base.line("witness.example/w", b"\1\2\3\4", bytes(72))
    yield changed("the unit's signature, a bit changed", "SIGNATURE", note("sale", signature(lambda s: base.flip(s, 100))))
    yield changed("the control log's signature, a bit changed", "SIGNATURE", everywhere(signature(lambda s: base.flip(s, 100))))
    yield changed("another key's id", "SIGNATURE", note("sale", signature(base.flip)))
    yield changed("no signature", "INVALID", note("sale", lambda text: text[:text.rindex("—")]))
    yield changed("no checkpoint", "INVALID", note("sale", lambda text: ""))
    yield changed("a signature that nobody vouches for", "SIGNATURE", note("sale", lambda text: text + unknown))
    yield changed("the same on the control log's", "SIGNATURE", everywhere(lambda text: text + unknown))
    yield changed("another size", "SIGNATURE", note("sale", lambda text: text.replace("\n" + str(len(R.units[0].leaves)) + "\n", "\n99\n")))
    yield changed("a checkpoint of the other unit", "SIGNATURE", setting("sale", note=R.units[1].note()))
    yield changed("an older checkpoint in one part", "MISMATCH", older)
    yield changed("the unit's newest checkpoint under the early seal", "MISMATCH",
                  lambda r: r.parts.__setitem__(1, Part("sale", R.units[0].leaves, 2, len(R.units[0].leaves), R.units[0].note())), serial=2, kind="early")


def older(receipt):
    size = len(R.control.leaves) - 1
    receipt.parts[3] = Part("seal", R.control.leaves, R.seal_at["final"][0], size, R.control.note(size))


def refused_seals():
    def part(name, index):
        return lambda r: r.parts.__setitem__([p.name for p in r.parts].index(name), Part(name, R.control.leaves, index, len(R.control.leaves), R.control.note()))

    early, first = R.seal_at["early"][0], R.seal_at["final"][1]
    yield changed("the other unit's enrolment", "MISMATCH", part("unit.enrol", 3))
    yield changed("a record that is no enrolment", "MISMATCH", part("unit.enrol", 2))
    yield changed("the other unit's seal.unit", "MISMATCH", part("seal.unit", first + 1))
    yield changed("the early seal.unit in the final seal", "MISMATCH", part("seal.unit", early - 2))
    yield changed("the early seal over the final seal.unit", "MISMATCH", part("seal", early))
    yield changed("a record that is no seal", "MISMATCH", part("seal", 2))
    yield changed("unit.start as a ticket", "MISMATCH", start)


def start(receipt):
    receipt.serial = 0
    receipt.parts[1] = Part("sale", R.units[0].leaves, 0, len(R.units[0].leaves), R.units[0].note())


def refused_voids():
    def near(*places):
        return lambda r: setattr(r, "near", [copy.deepcopy(VOIDS[i]) for i in places])

    yield changed("no neighbour", "PROOF", near())
    yield changed("the one before alone", "PROOF", near(0))
    yield changed("the one after alone", "PROOF", near(1))
    yield changed("neighbours of another ticket", "PROOF", near(1, 2))
    yield changed("neighbours that are not next to each other", "PROOF", near(0, 2))
    yield changed("neighbours exchanged", "PROOF", near(1, 0))
    yield changed("one neighbour twice", "PROOF", near(0, 0))
    yield changed("a void ticket as drawn from", "PROOF", lambda r: (setattr(r, "proves", "drum"), near(0, 1)(r)), serial=5)
    yield changed("a void ticket as drawn from, shown itself", "PROOF", lambda r: setattr(r, "proves", "drum"), serial=5)
    yield changed("a good ticket as void", "MISMATCH", lambda r: (setattr(r, "proves", "void"), near(0)(r)))
    yield changed("a void ticket that is not shown", "MISMATCH", near(), serial=5)
    yield changed("a void ticket and another", "MISMATCH", near(1, 2), serial=5)
    yield changed("a bit of a neighbour's proof changed", "PROOF", lambda r: r.near[0].proof.__setitem__(0, base.flip(r.near[0].proof[0])))
    yield changed("a hash of a neighbour's proof missing", "PROOF", lambda r: r.near[0].proof.pop())
    yield changed("another serial for a neighbour", "PROOF", lambda r: setattr(r.near[1], "serial", 6))
    yield changed("another place for a neighbour", "PROOF", lambda r: setattr(r.near[1], "place", 2))
    yield changed("a neighbour beyond 2^40 - 1", "PROOF", lambda r: setattr(r.near[1], "serial", 2**40))
    yield changed("voids where there are none", "PROOF", near(0), unit=2, serial=1)


VOIDS = [Receipt(R, 1, serial, "final").near[0] for serial in (3, 5, 9)]


def resigned(name, error, change):
    """A log whose keys signed what is no record, or another story."""
    r = copy.deepcopy(R)
    change(r)
    for log in (r.control, *r.units):
        log.notes.clear()
    seal, first, sizes, _ = r.seal_at["final"]
    record = json.loads(r.control.leaves[first])
    root = r.units[0].root(sizes[0]).hex()
    if record["root"] != root:  # the operator seals what it has
        r.control.leaves[first] = tiles.canonical({**record, "root": root, "note": r.units[0].note(sizes[0])})
    return bad(name, error, Receipt(r, 1, 4, "final").text())


def rewrite(log, index, **members):
    def change(r):
        target = r.control if log == 0 else r.units[log - 1]
        target.leaves[index] = tiles.canonical({**json.loads(target.leaves[index]), **members})
    return change


def spaced(log, index):
    def change(r):
        target = r.control if log == 0 else r.units[log - 1]
        target.leaves[index] = target.leaves[index].replace(b",", b", ", 1)
    return change


def refused_operators():
    """Signed by the right keys, and still wrong."""
    seal, first, _, _ = R.seal_at["final"]
    yield resigned("a signed sale with white space", "CORRUPT", spaced(1, 4))
    yield resigned("a signed enrolment with white space", "CORRUPT", spaced(0, 1))
    yield resigned("a signed sale with an unknown member", "CORRUPT", rewrite(1, 4, zone="x"))
    yield resigned("a signed sale of no draw number", "CORRUPT", rewrite(1, 4, count=0))
    yield resigned("a signed sale of more draw numbers than a ticket can have", "CORRUPT", rewrite(1, 4, count=1000001))
    yield resigned("a signed sale from draw number 0 on", "CORRUPT", rewrite(1, 4, n=0))
    yield resigned("an enrolment under a name of 65 bytes", "CORRUPT", rewrite(0, 1, name="n" * 65))
    yield resigned("a seal of another kind", "CORRUPT", rewrite(0, seal, kind="late"))
    yield resigned("a seal whose first is another", "MISMATCH", rewrite(0, seal, first=first - 1))
    yield resigned("a seal of more units", "MISMATCH", rewrite(0, seal, units=3))
    yield resigned("a seal of no units", "MISMATCH", rewrite(0, seal, units=0, first=seal))
    yield resigned("a seal.unit of one void less", "PROOF", rewrite(0, first, voids=2))
    yield resigned("a seal.unit of another void_root", "PROOF", rewrite(0, first, void_root="00" * 32))
    yield resigned("a unit's key of another name", "MISMATCH", rewrite(0, 1, key=base.vkey("raffle.example/other/unit/1", 1, R.units[0].key)))
    yield resigned("a unit's key that is another", "SIGNATURE", rewrite(0, 1, key=base.vkey(R.units[0].name, 1, base.public_key(bytes(32)))))


# --- a unit that is away ---


def elsewhere():
    """Its enrolment has a proof, which a receipt's reader takes as it is."""
    away = reference.elsewhere()
    key, seal = away.control.vkey, away.seal_at["final"][0]
    drum, promise, void = Receipt(away, 2, 2, "final"), Receipt(away, 2, 2, None), Receipt(away, 2, 1, "final")
    yield {**good("a drum of a unit that is away", drum.text(), drum, seal, 1), "control_key": key}
    yield {**good("a promise of a unit that is away", promise.text(), promise), "control_key": key}
    yield {**good("a void ticket of a unit that is away", void.text(), void, seal, 1), "control_key": key}
    enrol = index_of(away.control, "unit.enrol", 1)
    for name, member, value in (("a proof that is no text", "note", 1), ("more hours than there are", "away", 2**53)):
        other = copy.deepcopy(away)
        other.control.notes.clear()
        other.control.leaves[enrol] = tiles.canonical({**json.loads(away.control.leaves[enrol]), member: value})
        yield bad(f"an enrolment with {name}", "CORRUPT", Receipt(other, 2, 2, "final").text(), key)


def index_of(log, kind, skip=0):
    return [i for i, leaf in enumerate(log.leaves) if json.loads(leaf)["t"] == kind][skip]


# --- rules that name witnesses ---


def witnessed():
    w = reference.witnessed()
    key, note = w.control.vkey, w.control.note()
    text = note.split("\n\n")[0] + "\n"
    lines = note.split("\n")
    stranger, late = reference.Witness("stranger").line(text), reference.Witness("c", 1).line(text)

    def of(serial, kind="final", opened=True):
        return Receipt(w, 1, serial, kind, opened)

    seal = w.seal_at["final"][0]
    for name, receipt in (("a drum with witnesses", of(1)), ("a void ticket with witnesses", of(2))):
        yield {**good(name, receipt.text(), receipt, seal, 1), "control_key": key}
    promise = of(3, None)
    yield {**good("a promise with witnesses", promise.text(), promise), "control_key": key}
    drum, nobody = of(1), "\n".join(lines[:5]) + "\n"
    yield {**good("cosigned by nobody", drum.text().replace(note, nobody), drum, seal, 1), "control_key": key}
    yield {**good("cosigned by all", drum.text().replace(note, note + late), drum, seal, 1), "control_key": key}
    yield bad("cosignatures, and no raffle.open", "SIGNATURE", of(1, opened=False).text(), key)
    yield bad("a line of no witness of the rules", "SIGNATURE", drum.text().replace(note, note + stranger), key)
    yield bad("cosignatures out of order", "SIGNATURE", drum.text().replace(note, "\n".join([*lines[:5], lines[6], lines[5]]) + "\n"), key)
    flipped = lines[5][:-20] + ("A" if lines[5][-20] != "A" else "B") + lines[5][-19:]
    yield bad("a cosignature that is wrong", "SIGNATURE", drum.text().replace(lines[5], flipped), key)
    yield bad("raffle.open twice", "INVALID", drum.text().replace("part raffle.open", "part raffle.open\npart raffle.open", 1), key)
    yield bad("raffle.open where the rules name nobody", "MISMATCH", Receipt(R, 1, 4, "final", True).text())
    other = copy.deepcopy(drum)
    other.parts[0] = Part("raffle.open", w.control.leaves, 1, len(w.control.leaves), note)
    yield bad("another record for raffle.open", "MISMATCH", other.text(), key)
    other.parts[0] = copy.deepcopy(drum.parts[0])
    other.parts[0].leaf = other.parts[0].leaf.replace(b'"digits":2', b'"digits":3')
    yield bad("other rules in raffle.open", "PROOF", other.text(), key)


def main():
    cases = [*accepted(), *elsewhere(), *witnessed(), *refused_lines(), *refused_keys(), *refused_proofs(), *refused_checkpoints(), *refused_seals(), *refused_voids(), *refused_operators()]
    base.write("receipt", "docs/spec/receipts.md; tests/reference/receipt_reference.py", cases)


if __name__ == "__main__":
    main()
