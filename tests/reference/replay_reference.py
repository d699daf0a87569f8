#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raffle's records replayed in plain Python, standard library only, sharing no code with the library: seals with their sums and voids, and draws from the seed to
the places and the skips. `Replay` takes the logs as lists of leaves and raises AssertionError where they do not agree."""

import base64
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import draw_reference as draws  # noqa: E402
import tiles_reference as tiles  # noqa: E402

SUMS = ("tickets", "numbers", "gross", "voids", "void_numbers", "void_gross")


def void_root(serials):
    return tiles.root([serial.to_bytes(5, "big") for serial in sorted(serials)])


def walk(prize, drum, words, won):
    """The permutation, as far as it is needed: places, how many were skipped for which reason, and the list of skips. `won`: unit, number and serial of each place
    that is or was a winner's."""
    places, skipped, skips = [], {1: 0, 2: 0, 3: 0}, b""
    barred = {"none": set(), "number": {(unit, number) for unit, number, _ in won}, "ticket": {(unit, serial) for unit, _, serial in won}}[prize["one_win"]]
    drum = list(drum)
    for i in range(len(drum)):
        if len(places) == prize["winners"] + prize["alternates"]:
            break
        j = i + words.below(len(drum) - i)
        drum[i], drum[j] = drum[j], drum[i]
        unit, number, serial, tier, void = drum[i]
        own = (unit, serial) if prize["one_win"] == "ticket" else (unit, number)
        reason = 1 if void else 2 if tier not in prize["tiers"] else 3 if own in barred else 0
        if reason:
            skipped[reason] += 1
            skips += bytes([reason]) + unit.to_bytes(2, "big") + number.to_bytes(5, "big")
            continue
        places.append({"number": number, "serial": serial, "unit": unit})
        if prize["one_win"] != "none":
            barred.add(own)
    return places, skipped, skips


def note_tree(note):
    """Origin, size and root of a checkpoint."""
    origin, size, root = note.split("\n")[:3]
    return origin, int(size), base64.b64decode(root)


class Replay:
    """`logs`: the control log's leaves, then each unit's."""

    def __init__(self, logs):
        self.leaves = logs
        self.records = [[self.record(leaf) for leaf in log] for log in logs]
        self.rules = self.records[0][0]["rules"]
        self.origin = self.rules["origin"]
        self.prizes = {prize["name"]: prize for prize in self.rules["prizes"]}
        self.away, self.uploaded = set(), {}  # units whose logs live elsewhere; size, root and `twice` of what each uploaded
        self.seals, self.acknowledged, self.won, self.results, self.drawn = {}, {}, [], {}, 0
        self.sold = [{i: r for i, r in enumerate(log) if r["t"] == "sale"} for log in self.records]
        self.voids = {}
        for log, records in enumerate(self.records):
            for i, record in enumerate(records):
                if record["t"] == "void":
                    assert (record["unit"], record["serial"]) not in self.voids, f"{log}/{i}: void twice"
                    assert log in (0, record["unit"]), f"{log}/{i}: the void of another unit"
                    self.voids[record["unit"], record["serial"]] = (log, i)

    @staticmethod
    def record(leaf):
        record = json.loads(leaf)
        assert tiles.canonical(record) == leaf, "not canonical"
        return record

    # --- units ---

    def check_units(self):
        opened = tiles.leaf_hash(self.leaves[0][0]).hex()
        for unit, records in enumerate(self.records[1:], 1):
            number = 1
            for i, record in enumerate(records):
                assert record["n"] == number, f"{unit}/{i}: `n`"
                assert (record["t"] == "unit.start") == (i == 0) and (i > 0 or (record["open"], record["unit"]) == (opened, unit)), f"{unit}/{i}: start"
                assert i == 0 or records[i - 1]["t"] != "unit.close", f"{unit}/{i}: after the close"
                number += record["count"] if record["t"] == "sale" else 0
                if record["t"] == "unit.close":
                    assert {name: record[name] for name in SUMS} == self.sums(unit, i, 0)[0], f"{unit}/{i}: totals"

    def sums(self, unit, size, before):
        """Of a unit's first records, and the control log's voids before a record; and the serials that are void."""
        sold = {serial: record for serial, record in self.sold[unit].items() if serial < size} if unit < len(self.sold) else {}
        void = [serial for serial in sold if (unit, serial) in self.voids and self.voids[unit, serial][1] < (size if self.voids[unit, serial][0] else before)]
        return {"tickets": len(sold), "numbers": sum(r["count"] for r in sold.values()), "gross": sum(r["price"] for r in sold.values()), "voids": len(void),
                "void_numbers": sum(sold[s]["count"] for s in void), "void_gross": sum(sold[s]["price"] for s in void)}, void

    # --- the control log ---

    def check_control(self):
        for i, record in enumerate(self.records[0]):
            take = getattr(self, "take_" + record["t"].replace(".", "_"), None)
            if take is not None:
                take(i, record)

    def take_unit_enrol(self, i, record):
        assert ("away" in record) == ("note" in record) and ("away" not in record or record["quota"] > 0), f"{i}: away, proof and quota"
        if "away" in record:
            assert note_tree(record["note"]) == (f"{self.origin}/unit/{record['unit']}", 0, tiles.root([])), f"{i}: the proof"
            self.away.add(record["unit"])

    def take_unit_quota(self, i, record):
        assert record["unit"] not in self.away or record["quota"] > 0, f"{i}: quota"

    def take_unit_unenrol(self, i, record):
        assert record["unit"] not in self.uploaded, f"{i}: a unit that uploaded"
        self.away.discard(record["unit"])

    def take_unit_sync(self, i, record):
        unit, size, twice = record["unit"], record["size"], record["twice"]
        leaves = self.leaves[unit][:size] if unit < len(self.leaves) else []
        assert unit in self.away and len(leaves) == size > 0 and tiles.root(leaves).hex() == record["root"], f"{i}: what unit {unit} uploaded"
        assert note_tree(record["note"]) == (f"{self.origin}/unit/{unit}", size, tiles.root(leaves)), f"{i}: note of unit {unit}"
        before = self.uploaded.get(unit, (0, 0))
        assert size >= before[0] and twice >= before[1], f"{i}: unit {unit} had uploaded more"
        self.uploaded[unit] = size, twice
        for seal in self.seals.values():
            part = self.records[0][seal["first"] + unit - 1]
            assert seal["kind"] == "early" or not part["reconciled"] or part["size"] == size, f"{i}: the final seal took unit {unit}"

    def check_all(self, i, seal, part):
        """What a seal calls all of a unit ends in its close: in a final one, and of a unit that is away."""
        unit, size = part["unit"], part["size"]
        assert unit not in self.away or size == self.uploaded.get(unit, (0, 0))[0], f"{i}: what unit {unit} uploaded"
        if part["reconciled"] and (seal["kind"] == "final" or unit in self.away):
            assert size > 0 and self.records[unit][size - 1]["t"] == "unit.close", f"{i}: unit {unit} is not closed"

    def take_seal(self, i, seal):
        """Also its run: one that was interrupted counts for nothing."""
        twice = any(twice > 0 for _, twice in self.uploaded.values())
        assert "ok" in seal or not (seal["unreconciled"] or twice), f"{i}: nobody approved it"
        units = self.records[0][seal["first"]:i]
        total = dict.fromkeys(SUMS, 0)
        for number, part in enumerate(units, 1):
            assert part["t"] == "seal.unit" and part["unit"] == number, f"{i}: its run"
            leaves = self.leaves[number][:part["size"]] if number < len(self.leaves) else []
            totals, void = self.sums(number, part["size"], seal["first"])
            root = tiles.root(leaves)
            assert len(leaves) == part["size"] and root.hex() == part["root"], f"{i}: root of unit {number}"
            assert {name: part[name] for name in SUMS} == totals and part["void_root"] == void_root(void).hex(), f"{i}: sums of unit {number}"
            assert note_tree(part["note"]) == (f"{self.origin}/unit/{number}", part["size"], root), f"{i}: note of unit {number}"
            self.check_all(i, seal, part)
            total = {name: total[name] + totals[name] for name in SUMS}
        assert {name: seal[name] for name in SUMS} == total and seal["units"] == len(units), f"{i}: sums"
        self.seals[i] = seal

    def drum(self, seal):
        """Unit, number, serial, tier, and whether it is void, of every sealed draw number."""
        for part in self.records[0][seal["first"]:seal["first"] + seal["units"]]:
            void = set(self.sums(part["unit"], part["size"], seal["first"])[1])
            for serial, sale in sorted(self.sold[part["unit"]].items() if part["unit"] < len(self.sold) else ()):
                if serial < part["size"]:
                    yield from ((part["unit"], number, serial, sale["tier"], serial in void) for number in range(sale["n"], sale["n"] + sale["count"]))

    def take_draw_result(self, i, result):
        intent = self.records[0][result["intent"]]
        prize, root = self.prizes[result["prize"]], tiles.root(self.leaves[0][:result["intent"] + 1])
        assert intent["t"] == "draw.intent" and intent["prize"] == result["prize"], f"{i}: its intent"
        assert note_tree(result["note"]) == (self.origin, result["intent"] + 1, root), f"{i}: its note"
        seed, drum = bytes.fromhex(result["seed"]), list(self.drum(self.seals[intent["seal"]]))
        if "commitment" in intent and "fallback" not in result:
            assert draws.seed_commitment(seed).hex() == intent["commitment"], f"{i}: the seed that was committed to"
        c = draws.commitment(self.origin, result["intent"], root)
        if "fallback" in result:
            assert seed == hashlib.sha384(b"libraffle/fallback/v1\0" + c + bytes.fromhex(result["fallback"])).digest(), f"{i}: the seed in a lost one's place"
        words = draws.Words(draws.drbg_of(seed, c, bytes.fromhex(result.get("beacon", ""))))
        places, skipped, skips = walk(prize, drum, words, self.won)
        winners = min(prize["winners"], len(places))
        picks = [place for record in self.records[0][result["intent"]:i] if record["t"] == "draw.picks" for place in record["places"]]
        assert picks + result.get("places", []) == places, f"{i}: places"
        assert (result["numbers"], intent["numbers"]) == (len(drum), len(drum)), f"{i}: numbers"
        assert (result["winners"], result["alternates"], result["rejected"]) == (winners, len(places) - winners, words.rejected), f"{i}: counts"
        assert [result["skipped_" + name] for name in ("void", "not_entered", "barred")] == [skipped[1], skipped[2], skipped[3]], f"{i}: skipped"
        assert result["skips"] == hashlib.sha256(skips).hexdigest(), f"{i}: skips"
        self.results[i] = places
        self.won += [self.place(place) for place in places[:winners]]
        self.drawn += 1

    def outcome(self, prize, call, sold, places):
        """What becomes of a number that is called: `sold` its serial, its tier, and whether it is void; None: it was not sold. `places`: those that are taken."""
        if sold is None:
            return "unsold"
        serial, tier, void = sold
        won = self.won + [self.place(place) for place in places]
        own = {"none": None, "number": (call["unit"], call["number"]), "ticket": (call["unit"], serial)}[prize["one_win"]]
        if void or tier not in prize["tiers"]:
            return "void" if void else "not-entered"
        if any((place["unit"], place["number"]) == (call["unit"], call["number"]) for place in places):
            return "again"
        return "barred" if own in {(unit, number if prize["one_win"] == "number" else serial) for unit, number, serial in won} else "taken"

    def take_draw_manual(self, i, result):
        """A drum draw: every number that was called, and the places that they took."""
        intent, prize, places = self.records[0][result["intent"]], self.prizes[result["prize"]], []
        drum = {(unit, number): (serial, tier, void) for unit, number, serial, tier, void in self.drum(self.seals[intent["seal"]])}
        calls = [record for record in self.records[0][result["intent"]:i] if record["t"] == "draw.call"]
        for call in calls:
            sold = drum.get((call["unit"], call["number"]))
            assert call.get("serial") == (None if sold is None else sold[0]), f"{i}: whose number {call['unit']}-{call['number']} is"
            assert call["outcome"] == self.outcome(prize, call, sold, places), f"{i}: what becomes of {call['unit']}-{call['number']}"
            if call["outcome"] == "taken":
                places.append({"number": call["number"], "serial": call["serial"], "unit": call["unit"]})
        winners = min(prize["winners"], len(places))
        assert (result["count"], result["winners"], result["alternates"]) == (len(calls), winners, len(places) - winners), f"{i}: counts"
        self.results[i] = places
        self.won += [self.place(place) for place in places[:winners]]
        self.drawn += 1

    @staticmethod
    def place(place):
        return place["unit"], place["number"], place["serial"]

    def take_promotion(self, _, record):
        if "promoted" in record:
            self.won.append(self.place(self.results[record["result"]][record["promoted"] - 1]))

    take_winner_verify = take_forfeit = take_winner_pick = take_promotion

    def check(self):
        self.check_units()
        self.check_control()
        return self
