# SPDX-License-Identifier: Apache-2.0
"""The fold of the control log: units, seals, draws, and the places of each prize (docs/spec/records.md, seal.md, draw.md).

What can be judged from this log alone is judged here. Seals, draws and voids are handed over to be compared with the units' logs.
"""
import hashlib

import merkle
import note
import rules as frozen_rules
from canonical_json import INT_MAX, Malformed
from policy import Policy
from prizes import each_of
from records import CONTROL_TYPES, PLACES_MAX, milliseconds
from unit_log import Refused, check_common, check_role, need

GENESIS, PERIOD, FALLBACK_ROUNDS = 1692803367, 3, 28800  # of drand's quicknet, in seconds; a day of rounds
DAY_MS = 86400000
SUMS = ("gross", "numbers", "tickets", "void_gross", "void_numbers", "voids")
DURING_A_DRAW = ("event", "draw.picks", "draw.result", "draw.abort", "draw.call", "draw.manual")
AFTER_FINAL_SEAL = ("unit.enrol", "unit.enable", "unit.quota", "unit.unenrol", "seal.unit", "seal")
EVENT_ROLES = {"clock.reset": "clock", "rng.unhealthy": "draw", "private.erased": "erase", "raffle.restored": "restore"}
LOST = ("forfeited", "refused", "expired", "missed")


def round_at_or_after(ms):
    """The first round whose time is not before this one."""
    return max(1, -(-(ms - GENESIS * 1000) // (PERIOD * 1000)) + 1)


def time_of_round(number):
    return (GENESIS + PERIOD * (number - 1)) * 1000


class Unit:
    def __init__(self, index, record):
        self.index, self.number, self.name, self.key = index, record["unit"], record["name"], record["key"]
        self.enabled = self.unenrolled = self.ever_enabled = False
        self.quotas, self.printed, self.counted = [record["quota"]], 0, 0
        self.switches = []  # when it was enabled and disabled
        self.enrolled, self.away, self.syncs = record, "away" in record, []  # of one whose log lives elsewhere: index and record of each upload


class SealUnit:
    """A seal.unit. `first`: of its run; `kind`: of the seal that completes the run, None when none does."""

    def __init__(self, index, record, first):
        self.index, self.record, self.first, self.kind = index, record, first, None


class Seal:
    """A complete run: its seal.unit records in unit order, and the seal itself."""

    def __init__(self, index, record, run):
        self.index, self.first, self.kind, self.record, self.run = index, record["first"], record["kind"], record, run
        self.acknowledged = False


class Place:
    """`since`: from when on its claim period runs, its result or its promotion."""

    def __init__(self, place, state, since=None):
        self.unit, self.number, self.serial, self.state, self.found = place["unit"], place["number"], place["serial"], state, False
        self.since = since


class Prize:
    def __init__(self, rule):
        self.rule, self.name, self.attempts, self.result, self.places, self.seal = rule, rule["name"], 0, None, [], None
        self.opened = set()  # envelopes that the ace was not in


class Draw:
    """A result, and all that its replay needs of the control log as it was then."""

    def __init__(self, intent, index, record, places, winners_before):
        self.intent, self.index, self.record, self.places, self.winners_before = intent, index, record, places, winners_before


class Intent:
    def __init__(self, index, record, prize, seal):
        self.index, self.record, self.prize, self.seal = index, record, prize, seal
        self.root, self.asked, self.waiting, self.asked_at, self.picks = None, 0, None, None, []
        self.calls, self.taken = [], []  # of a drum draw: index and record of each, and the places that they took


class ControlLog:
    def __init__(self):
        self.rules, self.policy, self.vkey, self.size, self.last_at, self.latest = None, None, None, 0, 0, 0
        self.units, self.seals, self.seal_units, self.voids, self.void_sums = [], [], [], {}, (0, 0)
        self.prizes, self.intent, self.draws, self.commitments = [], None, [], set()
        self.winners = []  # every place that ever was a winner's, in the order in which it became one
        self.run = []  # of the seal that is being written
        self.verifications, self.backdated = [], []
        self.set_back = False  # its clock
        self.disowned = set()  # the makers' keys by which a program was found to be another one, and not verified since
        self.prints, self.late_claims = [], []  # index and record of each print; claims whose period was over before the clock was set back
        self.lapsed, self.too_early = [], []  # forfeits that nobody approved, and those of them whose claim period was not over

    # --- the record's place ---

    def apply(self, record, leaf_hash):
        """Takes the next record, or raises Refused and leaves all as it is, but for what the next records are judged by."""
        run, self.run = self.run, []
        need(record["t"] in CONTROL_TYPES and "n" not in record, f"a {record['t']}, or n, is not for the control log")
        handler = getattr(self, "_" + record["t"].replace(".", "_"))
        need((self.size == 0) == (record["t"] == "raffle.open"), "the control log begins with raffle.open, and has one")
        if record["t"] == "raffle.open":
            handler(record, leaf_hash)
        else:
            check_common(record, self.last_at, self.rules["roles"])
            need(self.intent is None or record["t"] in DURING_A_DRAW, f"a {record['t']} waits for the open draw")
            need(not self.is_final() or record["t"] not in AFTER_FINAL_SEAL, f"a {record['t']} follows the final seal")
            if record["t"] in ("seal.unit", "seal"):
                handler(record, run)
            else:
                handler(record)

    def follow(self, record):
        """After apply(), also when it refused."""
        self.size += 1
        if record is None:
            return
        if record["at_ms"] < self.last_at:
            self.set_back = True
            self.too_early += [index for index, due in self.lapsed if due > record["at_ms"]]
            self.lapsed = [(index, due) for index, due in self.lapsed if due <= record["at_ms"]]
        self.last_at = record["at_ms"]
        self.latest = max(self.latest, self.last_at)

    def know_root(self, root):
        """The log's root after the record that was just followed."""
        if self.intent is not None and self.intent.index == self.size - 1:
            self.intent.root = root

    def is_final(self):
        return any(seal.kind == "final" for seal in self.seals)

    def newest_seal(self, kind):
        return next((seal for seal in reversed(self.seals) if seal.kind == kind), None)

    def _role(self, record, operation):
        check_role(record, {operation: frozen_rules.roles_of(self.rules, operation)}, operation)

    # --- the raffle and its units ---

    def _raffle_open(self, record, leaf_hash):
        try:
            frozen_rules.check(record["rules"])
        except Malformed as reason:
            raise Refused(f"the rules: {reason}") from reason
        need(record["by"] in ("manager", "administrator"), f"a {record['by']} may not open a raffle")
        vkey = note.parse_vkey(record["key"])
        need(vkey.name == record["rules"]["origin"], f"the key is one of {vkey.name}")
        self.rules, self.vkey, self.open_hash, self.key = record["rules"], vkey, leaf_hash, record["key"]
        self.policy = None if self.rules["witnesses"] == "none" else Policy(self.rules["witnesses"])
        self.prizes = [Prize(rule) for rule in self.rules["prizes"]]

    def _unit(self, record, or_system=False):
        if not or_system or record["by"] != "system":
            self._role(record, "units")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        return self.units[record["unit"] - 1]

    def _unit_enrol(self, record):
        self._role(record, "units")
        need(record["unit"] == len(self.units) + 1, f"the next unit is {len(self.units) + 1}")
        need(note.parse_vkey(record["key"]).name == f"{self.rules['origin']}/unit/{record['unit']}", "the key is one of another log")
        need(("away" in record) == ("note" in record), "a unit that is away proves its key, and no other does")
        need("away" not in record or record["quota"] > 0, "a unit that is away has a quota")
        need("away" not in record or "buyer_tickets" not in self.rules["sales"], "no unit is away where a buyer's tickets are counted")
        self.units.append(Unit(self.size, record))

    def _unit_enable(self, record):
        unit = self._unit(record)
        need(not unit.enabled and not unit.unenrolled, "the unit is enabled, or was un-enrolled")
        unit.enabled = unit.ever_enabled = True
        unit.switches.append((record["at_ms"], True))

    def _unit_disable(self, record):
        unit = self._unit(record, or_system=True)
        need(unit.enabled, "the unit is disabled already")
        unit.enabled = False
        unit.switches.append((record["at_ms"], False))

    def _unit_quota(self, record):
        unit = self._unit(record)
        need(not unit.unenrolled, "the unit was un-enrolled")
        need(not unit.away or record["quota"] > 0, "a unit that is away has a quota")
        unit.quotas.append(record["quota"])

    def _unit_unenrol(self, record):
        unit = self._unit(record)
        need(not unit.unenrolled, "the unit was un-enrolled already")
        need(not unit.syncs, "the unit uploaded records")
        unit.unenrolled, unit.enabled = True, False

    def _unit_sync(self, record):
        unit, final = self._unit(record, or_system=True), self.newest_seal("final")
        need(unit.away and not unit.unenrolled, "the unit is not away, or was un-enrolled")
        if unit.syncs:
            before = unit.syncs[-1][1]
            need(record["size"] >= before["size"] and record["twice"] >= before["twice"], "it uploaded more before, or more that was sold twice")
            need(record["size"] > before["size"] or record["root"] == before["root"], "it uploaded other records before")
        if final is not None and final.run[unit.number - 1].record["reconciled"]:
            need(record["size"] == final.run[unit.number - 1].record["size"], "the final seal took all that there was of the unit")
        unit.syncs.append((self.size, record))

    def _void(self, record):
        self._role(record, "void")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        ticket = (record["unit"], record["serial"])
        need(ticket not in self.voids, "the ticket is void already")
        for prize in self.prizes:
            for place in prize.places:
                need((place.unit, place.serial) != ticket or place.state in LOST, f"the ticket holds a place of {prize.name}")
        numbers, gross = self.void_sums[0] + record["count"], self.void_sums[1] + record["price"]
        need(max(numbers, gross) <= INT_MAX, "the voids of this log are beyond 2^53 - 1")
        self.voids[ticket], self.void_sums = (self.size, record), (numbers, gross)

    # --- seals ---

    def _seal_unit(self, record, run):
        self._role(record, "seal")
        need(record["unit"] == len(run) + 1, f"a seal takes the units in order: the next is {len(run) + 1}")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        need(record["tickets"] == 0 or self.units[record["unit"] - 1].ever_enabled, "it counts tickets of a unit that was never enabled")
        need(all(record[name] <= record[of] for name, of in (("voids", "tickets"), ("void_numbers", "numbers"), ("void_gross", "gross"))),
             "it counts more voids than sales")
        self._check_tiers(record)
        unit = self.units[record["unit"] - 1]
        if unit.away:
            uploaded = (unit.syncs[-1][1]["size"], unit.syncs[-1][1]["root"]) if unit.syncs else (0, merkle.EMPTY_ROOT.hex())
            decayed = not record["reconciled"] and record["size"] < uploaded[0]
            need(decayed or (record["size"], record["root"]) == uploaded, "it takes other records than the unit, which is away, uploaded")
        self.run = run + [SealUnit(self.size, record, self.size if not run else run[0].index)]
        self.seal_units.append(self.run[-1])

    def _check_tiers(self, record):
        """Tickets by tier are there when the pot of a prize needs them, and add up to the totals."""
        need(("tiers" in record) == any(rule.get("pot") == "entered" for rule in self.rules["prizes"]), "it counts its tickets by tier, or does not, against the rules")
        if "tiers" not in record:
            return
        tiers, counts = self.rules["tiers"], record["tiers"]
        need(len(counts) == len(tiers), f"it counts {len(counts)} tiers; the rules have {len(tiers)}")
        need(all(count["voids"] <= count["tickets"] for count in counts), "it counts more voids than sales of a tier")
        for of, names in (("tickets", ("tickets", "numbers", "gross")), ("voids", ("voids", "void_numbers", "void_gross"))):
            for name, each in zip(names, (lambda tier: 1, lambda tier: tier["count"], lambda tier: tier["price"])):
                need(record[name] == sum(count[of] * each(tier) for count, tier in zip(counts, tiers)), f"its tiers do not add up to its {name}")

    def _seal(self, record, run):
        self._role(record, "seal")
        need(len(run) == len(self.units) == record["units"] > 0, "a seal takes every unit, one directly after the other")
        need(record["first"] == run[0].index, f"its first record is {run[0].index}")
        for name in SUMS:
            total = sum(each.record[name] for each in run)
            need(record[name] == total <= INT_MAX, f"{name} is {record[name]}; its units add up to {total}")
        open_still = record["kind"] == "final" and any(each.record["reconciled"] and each.record["size"] < 2 for each in run)
        need(not open_still, "a final seal takes a unit that is not closed")
        unreconciled = sum(not each.record["reconciled"] for each in run)
        need(record["unreconciled"] == unreconciled, f"{unreconciled} of its units are not reconciled")
        need(unreconciled == 0 or "ok" in record, "a unit is not reconciled, and nobody approved it")
        twice = any(unit.syncs and unit.syncs[-1][1]["twice"] > 0 for unit in self.units)
        need(not twice or "ok" in record, "an order was sold twice, and nobody approved it")
        if record["kind"] == "early":
            need(any(p.rule["seal"] == "early" and self._waits(p) for p in self.prizes), "no prize waits for an early seal")
        self.seals.append(Seal(self.size, record, run))
        for each in run:
            each.kind = record["kind"]

    def _voids_ack(self, record):
        self._role(record, "ack")
        seal = next((s for s in self.seals if s.index == record["seal"]), None)
        need(seal is not None and seal is self.newest_seal(seal.kind), "it names no seal that is the newest of its kind")
        need(not seal.acknowledged, "the seal is acknowledged already")
        need(record["voids"] == seal.record["voids"], f"the seal has {seal.record['voids']} voids")
        seal.acknowledged = True

    # --- draws ---

    def _first_draw(self, prize):
        """The prize that a redraw redraws."""
        return next((p for p in self.prizes if p.name == prize.rule.get("redraw_of")), None)

    def _waits(self, prize):
        """A redraw waits while a place of the first draw is lost, went to no alternate, and to no other redraw."""
        first = self._first_draw(prize)
        if prize.result is not None or first is None:
            return prize.result is None
        if first.result is None:
            return False
        held = sum(place.state not in LOST and place.state != "alternate" for place in first.places)
        redrawn = sum(p.result is not None and p.rule.get("redraw_of") == first.name for p in self.prizes)
        return min(len(first.places), first.rule["winners"]) - held - redrawn > 0

    def _draw_intent(self, record):
        self._role(record, "draw")
        prize = next((p for p in self.prizes if self._waits(p)), None)
        need(prize is not None and prize.name == record["prize"], "it is not the next prize")
        first = self._first_draw(prize)
        need(("reason" in record) == ("result" in record) == (first is not None), "a redraw has the first result and a reason, and no other draw")
        need(first is None or (record["result"] == first.result and "ok" in record), "it names another result, or nobody approved the redraw")
        seal = self.newest_seal(prize.rule["seal"])
        need(seal is not None and seal.index == record["seal"], f"{record['seal']} is not the newest seal of its kind")
        need(seal.acknowledged, "the seal's voids are not acknowledged")
        need(record["numbers"] == seal.record["numbers"], f"the seal has {seal.record['numbers']} numbers")
        need(record["attempt"] == prize.attempts + 1, f"the next attempt is {prize.attempts + 1}")
        need(not self.disowned, "a program was found to be another one")
        drum = "draw" in prize.rule
        short = drum and any(unit.printed < said.record["numbers"] for unit, said in zip(self.units, seal.run))
        need(not short or "ok" in record, "draw numbers have no counterfoil, and nobody approved it")
        committed = prize.rule["seed"] == "committed"
        need(all((name in record) == committed for name in ("commitment", "provider")), "commitment and provider are for committed draws")
        need(committed or "evidence" not in record, "evidence of a random draw is in its result")
        if committed:
            need(frozen_rules.allows_provider(self.rules, record["provider"]), f"the rules do not name {record['provider']}")
            need(record["commitment"] not in self.commitments, "another prize had this commitment")
            self.commitments.add(record["commitment"])
            if record["at_ms"] < self.latest:
                self.backdated.append(self.size)
        prize.attempts += 1
        self.intent = Intent(self.size, record, prize, seal)

    def _event(self, record):
        code = record["code"]
        need(record.get("first", -1) < self.size, "the session that ends began earlier")
        if code != "validation.failed" or record["by"] != "system":
            self._role(record, "draw" if code.startswith("draw.") else EVENT_ROLES.get(code, "event"))
        if code == "private.erased" and "keep_years" in self.rules:
            until = milliseconds(self.rules["sales"]["closes"]) + self.rules["keep_years"] * 366 * 86400000
            need(record["at_ms"] >= until, "the private part was to be kept")
        if code in ("program.altered", "program.verified"):
            self._program(record)
        if code == "draw.ask":
            need(self.intent is not None and self.intent.waiting is None, "there is no open draw, or an asking waits already")
            rule = self.intent.prize.rule
            need("draw" not in rule and rule["seed"] == "random", "nobody is asked for a drum draw, or a committed one")
            self.intent.waiting, self.intent.asked_at = self.size, record["at_ms"]
            self.intent.asked += 1
        elif code in ("draw.ask-failed", "draw.ask-again"):
            need(self.intent is not None and self.intent.waiting is not None, "no asking waits")
            need(record.get("ask") == self.intent.waiting, f"the asking that waits is record {self.intent.waiting}")
            need(code == "draw.ask-failed" or "ok" in record, "nobody approved another asking")
            self.intent.waiting = None

    def _program(self, record):
        maker = note.parse_vkey(record["key"]).key
        if record["code"] == "program.altered":
            self.disowned.add(maker)
            return
        if self.disowned and self.disowned != {maker}:
            self._role(record, "approve")
        self.disowned = set()

    def _check_intent(self, record, drum=False):
        self._role(record, "draw")
        need(self.intent is not None and self.intent.index == record["intent"], "it is of no open intent")
        need(record["t"] == "draw.abort" or ("draw" in self.intent.prize.rule) == drum, "an RNG and a drum are two ways to draw")

    def _draw_picks(self, record):
        self._check_intent(record)
        intent = self.intent
        need(record["first"] == len(intent.picks) + 1, f"the next place is {len(intent.picks) + 1}")
        need(len(record["places"]) == PLACES_MAX, f"it has not {PLACES_MAX} places")
        rule = intent.prize.rule
        need(len(intent.picks) + PLACES_MAX <= rule["winners"] + rule["alternates"], "there are more places than winners and alternates")
        intent.picks = intent.picks + record["places"]

    def _draw_result(self, record):
        self._check_intent(record)
        intent, prize, rule = self.intent, self.intent.prize, self.intent.prize.rule
        places = intent.picks + record.get("places", [])
        need(all(record[name] == intent.record[name] for name in ("prize", "attempt", "numbers")), "it is not what the intent says")
        need(len(places) == record["winners"] + record["alternates"], "its places are not as many as it says")
        need(record["winners"] <= rule["winners"] and record["alternates"] <= rule["alternates"], "it has more places than the prize")
        need(record["alternates"] == 0 or record["winners"] == rule["winners"], "it has alternates before all winners are found")
        need(frozen_rules.allows_provider(self.rules, record["provider"]), f"the rules do not name {record['provider']}")
        self._check_quorum(record)
        if rule["seed"] == "committed":
            self._committed_result(record)
        else:
            self._random_result(record)
        self._end_draw(record, places)

    def _end_draw(self, record, places):
        intent, prize, rule = self.intent, self.intent.prize, self.intent.prize.rule
        self.draws.append(Draw(intent, self.size, record, places, len(self.winners)))
        prize.seal = intent.seal
        prize.result = self.size
        prize.places = [Place(place, "drawn" if i < record["winners"] else "alternate", record["at_ms"]) for i, place in enumerate(places)]
        self.winners += prize.places[:record["winners"]]
        self.intent = None

    def _draw_call(self, record):
        self._check_intent(record, drum=True)
        intent, rule, outcome = self.intent, self.intent.prize.rule, record["outcome"]
        need(len(intent.taken) < rule["winners"] + rule["alternates"], "every place is taken")
        run = intent.seal.run
        sold = record["unit"] <= len(run) and record["number"] <= run[record["unit"] - 1].record["numbers"]
        need((outcome != "unsold") == sold == ("serial" in record), "the seal tells what is sold")
        if outcome in ("again", "barred", "taken"):
            place = Place(record, None)
            again = any((p["unit"], p["number"]) == (place.unit, place.number) for p in intent.taken)
            same = rule["one_win"] == "ticket" and any((p["unit"], p["serial"]) == (place.unit, place.serial) for p in intent.taken)
            barred = same or self.is_barred(place, rule["one_win"], self.winners)
            need(outcome == ("again" if again else "barred" if barred else "taken"), "the places so far judge it otherwise")
        if outcome == "taken":
            intent.taken.append({"number": record["number"], "serial": record["serial"], "unit": record["unit"]})
        intent.calls.append((self.size, record))

    def _draw_manual(self, record):
        self._check_intent(record, drum=True)
        intent, rule = self.intent, self.intent.prize.rule
        wanted = rule["winners"] + rule["alternates"]
        winners = min(len(intent.taken), rule["winners"])
        need(all(record[name] == intent.record[name] for name in ("prize", "attempt", "numbers")), "it is not what the intent says")
        need((record["count"], record["winners"], record["alternates"]) == (len(intent.calls), winners, len(intent.taken) - winners),
             "it counts other calls or places")
        need(len(intent.taken) == wanted or "ok" in record, "places are left, and nobody approved it")
        self._check_quorum(record)
        self._end_draw(record, intent.taken)

    def _print(self, record):
        self._role(record, "print")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        unit = self.units[record["unit"] - 1]
        need(record["first"] == unit.printed + 1 and record["count"] > 0, f"the next counterfoil is {unit.printed + 1}")
        need(unit.printed + record["count"] <= INT_MAX, "the counterfoils are beyond 2^53 - 1")
        unit.printed += record["count"]
        self.prints.append((self.size, record))

    def _cash(self, record):
        self._role(record, "cash")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        unit = self.units[record["unit"] - 1]
        need(unit.counted + record["counted"] <= INT_MAX, "the money that was counted is beyond 2^53 - 1")
        unit.counted += record["counted"]

    def _reprint(self, record):
        self._role(record, "reprint")
        need(record["unit"] <= len(self.units), f"there is no unit {record['unit']}")
        need(("serial" in record) != ("first" in record) and ("first" in record) == ("count" in record), "it is a ticket, or a range")
        if "first" in record:
            last = record["first"] + record["count"] - 1
            need(1 <= record["first"] <= last <= self.units[record["unit"] - 1].printed, "these counterfoils did not go to print")

    def _check_quorum(self, record):
        """Whether the cosignatures were in time is asked later."""
        if self.policy is None:
            return
        try:
            checkpoint = note.parse_checkpoint(record["note"].encode("utf-8"))
            cosigned = self.policy.cosigned(checkpoint.note)
        except Malformed as reason:
            raise Refused(f"the intent's checkpoint: {reason}") from reason
        need((checkpoint.name, checkpoint.size) == (self.rules["origin"], self.intent.index + 1), "the checkpoint is not the intent's")
        need(self.policy.is_reached(cosigned), "the witnesses that cosigned the intent are no quorum")

    def _random_result(self, record):
        for name in ("beacon", "fallback", "round"):
            need(name not in record, f"a random draw has no {name}")
        need(self.intent.waiting is not None and record.get("ask") == self.intent.waiting, "it names no asking that waits")

    def _committed_result(self, record):
        intent = self.intent
        need("beacon" in record and "round" in record, "a committed draw has a beacon and its round")
        need("ask" not in record and "evidence" not in record, "a committed draw asks for nothing")
        need(record["provider"] == intent.record["provider"], f"the intent's seed is of {intent.record['provider']}")
        number = round_at_or_after(intent.record["at_ms"] + 1000 * intent.prize.rule["beacon_delay"])
        need(record["round"] == number, f"the intent fixes round {number}")
        due = time_of_round(number + (FALLBACK_ROUNDS if "fallback" in record else 0))
        need(record["at_ms"] >= due, "it is before the time of its beacon's round")
        if "fallback" not in record:
            commitment = hashlib.sha256(b"libraffle/seed/v1\x00" + bytes.fromhex(record["seed"])).hexdigest()
            need(commitment == intent.record["commitment"], "the seed is not the one that the intent committed to")

    def _draw_abort(self, record):
        self._check_intent(record)
        need(self.intent.prize.rule["seed"] == "random", "a committed draw is never aborted")
        need(all(record[name] == self.intent.record[name] for name in ("prize", "attempt")), "it is not what the intent says")
        self.intent = None

    # --- winners ---

    def _place(self, record, *states):
        prize = next((p for p in self.prizes if p.name == record["prize"]), None)
        need(prize is not None and prize.result == record["result"], "it names no result of the prize")
        need(record["place"] <= len(prize.places), f"the result has {len(prize.places)} places")
        place = prize.places[record["place"] - 1]
        need(place.state in states, f"the place is {place.state}")
        return prize, place

    def is_barred(self, place, one_win, winners):
        """By the one-win rule: its number, or its ticket, has won already."""
        if one_win == "none":
            return False
        name = "number" if one_win == "number" else "serial"
        return any(w.unit == place.unit and getattr(w, name) == getattr(place, name) for w in winners)

    def _lose(self, record, prize, place, state):
        """The first alternate takes over that the one-win rule does not bar at this moment."""
        able = (i + 1 for i, p in enumerate(prize.places)
                if p.state == "alternate" and not self.is_barred(p, prize.rule["one_win"], self.winners))
        promoted = next(able, None)
        need(record.get("promoted") == promoted, f"the alternate that takes over is {promoted or 'none'}")
        place.state = state
        if promoted is not None:
            prize.places[promoted - 1].state, prize.places[promoted - 1].since = "drawn", record["at_ms"]
            self.winners.append(prize.places[promoted - 1])

    def _winner_verify(self, record):
        self._role(record, "verify")
        prize, place = self._place(record, "drawn")
        need(record["outcome"] == "void" or "promoted" not in record, "nobody is promoted by a winner who is verified")
        if record["outcome"] == "void":
            self._lose(record, prize, place, "refused")
        else:
            place.state = "verified"
        self.verifications.append((self.size, record, place))

    def _winner_official(self, record):
        self._role(record, "verify")
        self._place(record, "verified")[1].state = "official"

    def _winner_pick(self, record):
        """An envelope of a prize with an ace."""
        self._role(record, "verify")
        prize, place = self._place(record, "official")
        ace, missed = prize.rule.get("ace", 0), record["outcome"] == "missed"
        need(ace > 0 and not place.found, "the prize has no ace, or the place has found it")
        need(record["envelope"] <= ace and record["envelope"] not in prize.opened, "there is no such envelope, or it was opened in vain")
        need(not missed or len(prize.opened) + 1 < ace, "the ace is in the last envelope")
        if missed and "must_go" in prize.rule:
            self._lose(record, prize, place, "missed")
        else:
            need("promoted" not in record, "nobody is promoted")
            place.state = "missed" if missed else place.state
        place.found = not missed
        if missed:
            prize.opened.add(record["envelope"])

    def _needs_papers(self, prize):
        index = self.prizes.index(prize)
        return "papers_above" in prize.rule and each_of(self.rules, [p.seal for p in self.prizes], index) > prize.rule["papers_above"]

    @staticmethod
    def _due(prize, place):
        """Until when the place is claimed; None: no limit."""
        days = prize.rule["claim_days"]
        return place.since + days * DAY_MS if days > 0 else None

    def _check_in_time(self, record, prize, place):
        due = self._due(prize, place)
        need(due is None or record["at_ms"] < due, "the claim period is over")
        if due is not None and self.latest >= due:
            self.late_claims.append(self.size)

    def _claim(self, record):
        self._role(record, "claim")
        prize, place = self._place(record, "official", "waiting")
        need("ace" not in prize.rule or place.found, "the winner has not found the ace")
        if place.state == "official":
            self._check_in_time(record, prize, place)
        need(("papers" in record) == self._needs_papers(prize) and record.get("papers", True), "papers are asked for, or are not")
        place.state = "claimed"

    def _claim_wait(self, record):
        self._role(record, "claim")
        prize, place = self._place(record, "official")
        need("ace" not in prize.rule or place.found, "the winner has not found the ace")
        need(self._needs_papers(prize), "no papers are asked for")
        self._check_in_time(record, prize, place)
        place.state = "waiting"

    def _forfeit(self, record):
        self._role(record, "forfeit")
        prize, place = self._place(record, "drawn", "verified", "official", "waiting")
        due, waits = self._due(prize, place), place.state == "waiting"
        over = due is None or record["at_ms"] >= due
        need("ok" in record or (over and not waits), "the claim period is not over, or the place waits, and nobody approved it")
        self._lose(record, prize, place, "expired" if over and not waits and due is not None else "forfeited")
        if "ok" not in record and due is not None:
            self.lapsed.append((self.size, due))
