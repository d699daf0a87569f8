# SPDX-License-Identifier: Apache-2.0
"""The parts of examples/verifier, by the vectors that the library runs as well (tests/vectors) and by those of RFC 8032; run by tests/integration/verifier_parts.py."""
import base64
import contextlib
import hashlib
import json
import os
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "examples", "verifier"))

import canonical_json
import draw
import ed25519
import forge
import hmac_drbg
import merkle
import note
import policy
import prizes
import receipt
import records
import tiles
from canonical_json import Malformed
from control_log import ControlLog, round_at_or_after, time_of_round
from unit_log import Refused, UnitLog


def cases(name, kind=None):
    with open(os.path.join(ROOT, "tests", "vectors", f"{name}.json"), encoding="utf-8") as f:
        found = [case for case in json.load(f)["cases"] if kind is None or case["kind"] == kind]
    assert found, f"{name} has no {kind}"
    return found


def text_of(case, name="text"):
    """Bytes, which stand there as text or in hexadecimal."""
    return case[name].encode("utf-8", "surrogatepass") if name in case else bytes.fromhex(case.get(f"{name}_hex") or case.get("hex"))


class Vectors(unittest.TestCase):
    def judge(self, case, claim):
        """What a case claims holds if and only if it is valid."""
        try:
            holds = claim(case)
        except (Malformed, Refused, receipt.Bad, ValueError, StopIteration):
            holds = False
        self.assertEqual(bool(holds), case["valid"], case["name"])

    def each(self, vectors, claim):
        for case in vectors:
            with self.subTest(case["name"]):
                self.judge(case, claim)

    def test_canonical_json(self):
        self.each(cases("json", "canonical"), lambda case: canonical_json.decode(text_of(case)) is not Malformed)

    def test_records(self):
        def claim(case):
            leaf = text_of(case)
            return records.decode(leaf)["t"] == case["type"] and merkle.leaf_hash(leaf).hex() == case["leaf_hash"]
        self.each(cases("record", "leaf"), claim)

    def test_roots(self):
        self.each(cases("merkle", "root"), lambda case: merkle.root_of(merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in case["leaves"]).hex() == case["root"])

    def test_inclusion(self):
        self.each(cases("merkle", "inclusion"), lambda case: merkle.included(
            bytes.fromhex(case["leaf_hash"]), case["index"], case["size"], list(map(bytes.fromhex, case["proof"])), bytes.fromhex(case["root"])))

    def test_consistency(self):
        self.each(cases("merkle", "consistency"), lambda case: merkle.consistent(
            case["old_size"], bytes.fromhex(case["old_root"]), case["size"], bytes.fromhex(case["root"]), list(map(bytes.fromhex, case["proof"]))))

    def test_verifier_keys(self):
        def claim(case):
            vkey = note.parse_vkey(case["vkey"])
            return (vkey.name, vkey.type, vkey.key_id.hex(), vkey.key.hex()) == tuple(case[n] for n in ("key_name", "key_type", "key_id", "key"))
        self.each(cases("note", "vkey"), claim)

    def test_notes(self):
        def claim(case):
            vkey, parsed = note.parse_vkey(case["vkey"]), note.parse_note(text_of(case, "note"))
            own = [s for s in parsed.signatures if (s.name, s.key_id) == (vkey.name, vkey.key_id)]
            return own and all(ed25519.verify(vkey.key, parsed.text, s.data) for s in own)
        self.each(cases("note", "note"), claim)

    def test_cosignatures(self):
        def claim(case):
            witness = policy.Policy([f"witness w {case['vkey']}", "quorum w"])
            signed = note.parse_note(text_of(case, "note"))
            witness.cosigned(signed)
            times = [int.from_bytes(s.data[:8], "big") for s in signed.signatures if s.key_id == witness.witnesses["w"].key_id]
            return times == [case.get("seconds")]
        self.each(cases("note", "cosignature"), claim)

    def policy_of(self, case):
        if not case["policy"].endswith("\n"):
            raise Malformed("the last line has no end")
        return policy.Policy(case["policy"].split("\n")[:-1])

    def test_policies(self):
        self.each(cases("policy", "policy"), lambda case: self.policy_of(case) is not None)

    def test_quorums(self):
        def claim(case):
            own = self.policy_of(case)
            cosigned = own.cosigned(note.parse_note(text_of(case, "note")), case.get("before", 2**63))
            return (sorted(cosigned), own.is_reached(cosigned)) == (sorted(case["cosigned"]), case["reached"])
        self.each(cases("policy", "quorum"), claim)

    def test_receipts(self):
        def claim(case):
            found = receipt.verify(text_of(case, "receipt"), case["control_key"])
            return (found["proves"], found["ticket"]) == (case["proves"], f"{case['unit']}/{case['serial']}") \
                and case.get("quorum", found["quorum"]) == found["quorum"]
        self.each(cases("receipt"), claim)

    def test_signing(self):
        """That of the forger, which tests rely on."""
        for case in cases("note", "sign"):
            if case["valid"]:
                key = forge.Key(case["key_name"], bytes.fromhex(case["seed"]))
                line = base64.b64encode(key.key_id + forge.sign(key.seed, case["text"].encode())[0]).decode()
                self.assertEqual(f"{case['text']}\n— {key.name} {line}\n", case["note"], case["name"])

    def test_checkpoints(self):
        def claim(case):
            text = text_of(case)
            signed = note.parse_checkpoint(text + b"\n\xe2\x80\x94 a AAAAAAA=\n")
            return (signed.name, str(signed.size), signed.root.hex()) == (case["origin"], case["size"], case["root"])
        self.each(cases("checkpoint"), claim)

    def test_hmac_drbg(self):
        """Those without reseeding and additional input, as in a draw."""
        vectors = [case for case in cases("hmac_drbg") if set(case) <= {"name", "valid", "entropy", "nonce", "personalisation", "output"} and case["valid"]]
        self.assertGreaterEqual(len(vectors), 100)
        for case in vectors:
            drbg = hmac_drbg.HmacDrbg(*(bytes.fromhex(case.get(name, "")) for name in ("entropy", "nonce", "personalisation")))
            size = len(case["output"]) // 2
            drbg.generate(size)
            self.assertEqual(drbg.generate(size).hex(), case["output"], case["name"])

    def test_draws(self):
        def claim(case):
            seed, beacon = bytes.fromhex(case["seed"]), bytes.fromhex(case["beacon"])
            if len(beacon) not in (0, 48) or len(seed) != 48 or len(case["root"]) != 64 or not 0 < int(case["n"]) < 2**64:
                return False
            c = draw.commitment(case["origin"], int(case["intent"]), bytes.fromhex(case["root"]))
            words = draw.Words(seed, c, beacon)
            places = draw.permutation(words, int(case["n"]))
            picks = [str(next(places)) for _ in case["picks"]]
            return (picks, c.hex(), words.rejected, hashlib.sha256(b"libraffle/seed/v1\0" + seed).hexdigest()) == tuple(
                case[name] for name in ("picks", "commitment", "rejected", "seed_commitment")) and draw.Words(
                    seed, c, beacon).drbg.generate(64).hex() == case["first"]
        plain = [case for case in cases("draw") if {"picks", "commitment", "first"} <= set(case)]
        self.assertGreaterEqual(len(plain), 20)
        self.each(plain, claim)

    def test_tile_paths(self):
        def claim(case):
            log = tiles.Log("", int(case["size"]))
            index, level = int(case["index"]), 0 if case["entries"] else case["level"]
            width = dict(enumerate(log.widths(level))).get(index)
            return width == case["width"] and tiles.tile_path("entries" if case["entries"] else level, index, width) == case["path"]
        small = [case for case in cases("tile", "path") if int(case["size"]) < 2**26]
        self.each(small, claim)

    def test_bundles(self):
        def claim(case):
            data = bytes.fromhex(case["bundle"])
            with tempfile.TemporaryDirectory() as folder:
                width = len(case["list"])
                forge.put(os.path.join(folder, tiles.tile_path("entries", 0, width)), data)
                return 1 <= width <= 256 and [leaf.hex() for leaf in tiles.Log(folder, width)._bundle(0, width)[0]] == case["list"]
        self.each(cases("tile", "bundle"), claim)

    def test_void_roots(self):
        def claim(case):
            serials = [int(serial) for serial in case["serials"]]
            return serials == sorted(set(serials)) and all(0 < s < 2**40 for s in serials) and merkle.root_of(
                merkle.leaf_hash(s.to_bytes(5, "big")) for s in serials).hex() == case["root"]
        self.each(cases("void_root"), claim)

    def fold_control(self, leaves):
        control, tree = ControlLog(), merkle.Tree()
        for leaf in leaves:
            record = records.decode(leaf.encode())
            control.apply(record, merkle.leaf_hash(leaf.encode()))
            control.follow(record)
            tree.append(merkle.leaf_hash(leaf.encode()))
        return control, tree.root().hex()

    def test_prizes(self):
        def claim(case):
            value, overflow = prizes.worth(case, case["pot"], case["passed"])
            winners = case.get("winners", 1)
            return (value, overflow, value // winners, value % winners) == tuple(case[name] for name in ("value", "overflow", "each", "remainder"))
        self.each(cases("prize"), claim)

    def test_folds(self):
        def claim(case):
            control, root = self.fold_control(case["control"])
            if "unit" not in case:
                return root == case.get("root", root)
            unit, tree = UnitLog(case["unit"], control.rules, control.open_hash), merkle.Tree()
            for leaf in case["records"]:
                unit.apply(records.decode(leaf.encode()))
                tree.append(merkle.leaf_hash(leaf.encode()))
            totals = unit.totals()
            return all(case.get(name, totals[name]) == totals[name] for name in totals) and case.get("unit_root") in (None, tree.root().hex())
        self.each(cases("fold"), claim)


class Ed25519(unittest.TestCase):
    """RFC 8032 7.1, and what a strict verifier must refuse."""

    VECTORS = [
        ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
        ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
        ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ]
    # The points whose order divides 8, and other encodings of them: as libsodium's list of small orders has them.
    SMALL = ["00" * 32, "01" + "00" * 31, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f",
             "ee" + "ff" * 30 + "7f", "00" * 31 + "80", "01" + "00" * 30 + "80", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
             "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"]

    def setUp(self):
        _, key, message, signature = self.VECTORS[2]
        self.key, self.message, self.signature = (bytes.fromhex(value) for value in (key, message, signature))

    def test_rfc8032(self):
        for seed, key, message, signature in self.VECTORS:
            key, message, signature = (bytes.fromhex(value) for value in (key, message, signature))
            self.assertTrue(ed25519.verify(key, message, signature))
            self.assertEqual(forge.sign(bytes.fromhex(seed), message), (signature, key))

    def test_every_bit(self):
        for i in range(512):
            altered = bytearray(self.signature)
            altered[i // 8] ^= 1 << i % 8
            self.assertFalse(ed25519.verify(self.key, self.message, bytes(altered)), i)
        for i in range(256):
            altered = bytearray(self.key)
            altered[i // 8] ^= 1 << i % 8
            self.assertFalse(ed25519.verify(bytes(altered), self.message, self.signature), i)

    def test_lengths(self):
        for size in (0, 63, 65):
            self.assertFalse(ed25519.verify(self.key, self.message, (self.signature * 2)[:size]))
        self.assertFalse(ed25519.verify(self.key[:31], self.message, self.signature))

    def test_s_beyond_the_order(self):
        s = int.from_bytes(self.signature[32:], "little")
        for more in range(1, 15):
            if s + more * ed25519.L < 2**256:
                self.assertFalse(ed25519.verify(self.key, self.message, self.signature[:32] + (s + more * ed25519.L).to_bytes(32, "little")))

    def test_small_order(self):
        """With a key of small order, S = 0 and R = the neutral element "sign" any message."""
        for small in self.SMALL:
            for r in ("01" + "00" * 31, small):
                self.assertFalse(ed25519.verify(bytes.fromhex(small), self.message, bytes.fromhex(r) + bytes(32)), small)
            self.assertFalse(ed25519.verify(self.key, self.message, bytes.fromhex(small) + self.signature[32:]), small)

    def test_order_of_points(self):
        neutral = ed25519.multiply(ed25519.L, ed25519.BASE)
        self.assertTrue(ed25519.is_neutral(neutral))
        self.assertFalse(ed25519.has_small_order(ed25519.BASE))
        self.assertEqual(ed25519.encode(ed25519.BASE).hex(), "58" + "66" * 31)

    def test_a_part_of_small_order(self):
        """A key with a component of small order, whose signature holds with the cofactor alone, is refused when k is not a multiple of 8."""
        torsion = ed25519.decode(bytes.fromhex(self.SMALL[2]))
        seed = hashlib.sha512(b"\x05" * 32).digest()
        secret = int.from_bytes(seed[:32], "little") % ed25519.L
        mixed = ed25519.encode(ed25519.add(ed25519.multiply(secret, ed25519.BASE), torsion))
        refused = 0
        for i in range(8):
            r = ed25519.multiply(1000 + i, ed25519.BASE)
            k = int.from_bytes(hashlib.sha512(ed25519.encode(r) + mixed + self.message).digest(), "little") % ed25519.L
            signature = ed25519.encode(r) + ((1000 + i + k * secret) % ed25519.L).to_bytes(32, "little")
            good = ed25519.verify(mixed, self.message, signature)
            self.assertEqual(good, k % 8 == 0)
            refused += not good
        self.assertGreater(refused, 0)


class Policies(unittest.TestCase):
    def setUp(self):
        self.keys = [forge.Witness(f"w{i}.example", bytes([i]) * 32) for i in range(4)]
        self.lines = [f"witness w{i} {key.vkey}" for i, key in enumerate(self.keys)]

    def refuse(self, *lines):
        with self.assertRaises(Malformed):
            policy.Policy(list(lines))

    def test_quorums(self):
        own = policy.Policy(self.lines + ["group two 2 w0 w1 w2", "group all all two w3", "quorum all"])
        for names, reached in (("", False), ("w0 w1", False), ("w3", False), ("w0 w3", False), ("w0 w2 w3", True), ("w0 w1 w2 w3", True)):
            self.assertEqual(own.is_reached(set(names.split())), reached, names)

    def test_names(self):
        """Any text without a space of ASCII: the library's reader says the same."""
        for name in ("a+b", "no\u00a0break", "é" * 32, "#"):
            policy.Policy([self.lines[0].replace("w0", name, 1), f"quorum {name}"])
        for name in ("a\tb", "a\u0085b", "é" * 33):
            self.refuse(self.lines[0].replace("w0", name, 1), f"quorum {name}")

    def test_lines_that_are_refused(self):
        good = self.lines[0]
        self.refuse()
        self.refuse(good)
        self.refuse("quorum w0", good)
        self.refuse(good, "quorum none")
        self.refuse(good, "quorum w0", "quorum w0")
        self.refuse(good, good, "quorum w0")
        self.refuse(good, good.replace("w0 ", "other "), "quorum w0")
        self.refuse(good, "group g 2 w0", "quorum g")
        self.refuse(good, "group g 0 w0", "quorum g")
        self.refuse(good, "group g any", "quorum g")
        self.refuse(good, "group g any w1", "quorum g")
        self.refuse(good, "group g any w0 w0", "quorum g")
        self.refuse(good, "group g any w0", "group h any w0", "quorum h")
        self.refuse(good, "", "quorum w0")
        self.refuse(good, "# comment", "quorum w0")
        self.refuse(good + " ", "quorum w0")
        self.refuse(good + " ftp://w0.example", "quorum w0")
        self.refuse(good.replace("w0 ", "none ", 1), "quorum none")
        self.refuse(good.replace(" ", "  ", 1), "quorum w0")

    def test_cosignatures_in_time(self):
        log = forge.Key("raffle.example/x", b"\x09" * 32)
        signed = log.checkpoint(1, bytes(32))
        own = policy.Policy(self.lines + ["group two 2 w0 w1 w2 w3", "quorum two"])
        for i, time in ((0, 100), (2, 200)):
            signed += self.keys[i].cosign(signed, time)
        parsed = note.parse_note(signed.encode())
        self.assertEqual(own.cosigned(parsed), {"w0", "w2"})
        self.assertEqual(own.cosigned(parsed, 200), {"w0"})
        self.assertEqual(own.cosigned(parsed, 100), set())
        with self.assertRaises(Malformed):
            own.cosigned(note.parse_note((signed + self.keys[1].cosign(log.checkpoint(2, bytes(32)), 50)).encode()))


class Beacon(unittest.TestCase):
    def test_rounds(self):
        self.assertEqual(time_of_round(1), 1692803367000)
        for ms, number in ((0, 1), (1692803367000, 1), (1692803367001, 2), (1692803370000, 2), (1692803370001, 3)):
            self.assertEqual(round_at_or_after(ms), number, ms)


class Times(unittest.TestCase):
    def test_times(self):
        self.assertEqual(records.milliseconds("1970-01-01T00:00:00.000Z"), 0)
        self.assertEqual(records.milliseconds("2026-11-22T21:14:44.552Z"), 1795382084552)
        self.assertEqual(records.milliseconds("9999-12-31T23:59:59.999Z"), 253402300799999)
        for text in ("2026-02-29T00:00:00.000Z", "2026-11-22T24:00:00.000Z", "2026-11-22T23:59:60.000Z", "1969-12-31T23:59:59.999Z",
                     "2026-11-22T21:14:44.55Z", "2026-11-22t21:14:44.552Z", "2026-11-22T21:14:44.552", "2026-11-22T21:14:44.552Z\n", "٢٠٢٦-11-22T21:14:44.552Z"):
            with self.assertRaises(Malformed):
                records.milliseconds(text)


class Files(unittest.TestCase):
    def test_a_file_that_is_too_long(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "checkpoint")
            forge.put(path, b"x" * 100)
            self.assertEqual(len(tiles.read_file(path, 100)), 100)
            with self.assertRaises(Malformed):
                tiles.read_file(path, 99)

    def test_a_size_that_is_a_lie(self):
        """Nothing is made for the records that a checkpoint claims, before they are read."""
        with tempfile.TemporaryDirectory() as folder, self.assertRaises(OSError):
            next(tiles.Log(folder, 2**63 - 1).tiles())

    def test_types_that_are_none(self):
        for t in ("[]", "{}", "1", "true", '"nothing"'):
            with self.assertRaises(Malformed):
                records.decode(f'{{"at":"1970-01-01T00:00:00.000Z","by":"seller","p":"{"0" * 64}","t":{t}}}'.encode())

    def test_upper_tiles(self):
        """More than 256^2 records, so that there are three levels; each hash of the upper ones is compared."""
        leaves = [i.to_bytes(3, "big") for i in range(256 * 256 + 300)]
        with tempfile.TemporaryDirectory() as folder:
            forge.write_log(folder, leaves, forge.Key("raffle.example/x", b"\x01" * 32))
            self.assertIsNone(self.read(folder, len(leaves)))
            for level, n, width in ((1, 0, 256), (1, 1, 1), (2, 0, 1)):
                path = os.path.join(folder, tiles.tile_path(level, n, width))
                with open(path, "rb") as f:
                    data = f.read()
                forge.put(path, data[:-1] + bytes([data[-1] ^ 1]))
                self.assertIn(f"tile/{level}/", self.read(folder, len(leaves)))
                forge.put(path, data)

    def read(self, folder, size):
        log, roots = tiles.Log(folder, size), []
        with contextlib.suppress(StopIteration):
            try:
                for hashes, _ in log.tiles():
                    if len(hashes) == tiles.WIDTH:
                        roots.append(merkle.root_of(hashes))
                log.check_upper_tiles(roots)
            except Malformed as reason:
                return str(reason)
        return None


if __name__ == "__main__":
    unittest.main()
