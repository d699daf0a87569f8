# SPDX-License-Identifier: Apache-2.0
"""Makes records for a control log, likely ones mostly: each from what the verifier's fold has come to. Not a void of a ticket that is void, nor a
key of another name than its log: the library's store refuses the one, its audit the other, and not its fold."""
import base64
import functools
import hashlib

import control_log
import forge
import merkle
import records
from chance import CLOSES, DAY, EXTREMES, MAKERS, NO_HASH, OPENS, QUOTED, moment

SEED, COMMITMENT = "0" * 96, hashlib.sha256(b"libraffle/seed/v1\x00" + bytes(48)).hexdigest()
WITNESSES = [forge.Witness(f"witness.example/{name}", hashlib.sha256(name.encode()).digest()) for name in ("d", "e", "f")]
POLICY = [f"witness w{i} {witness.vkey}" for i, witness in enumerate(WITNESSES)] + ["group two 2 w0 w1 w2", "quorum two"]
LAST_SEED = "1" * 96  # of a result in a hurry: another than the one that was committed to

PROVIDERS = ("test", "system", "test", "system", QUOTED, "kms")

BEFORE = {"unit.enrol": 3, "unit.enable": 3, "unit.disable": 1, "unit.quota": 1, "unit.unenrol": 0.3, "unit.sync": 3, "void": 1, "event": 3, "print": 2, "reprint": 1,
          "cash": 1, "seal": 6, "voids.ack": 4, "draw.intent": 8, "any": 1}
DURING = {"event": 3, "draw.abort": 1, "any": 1}
BY_RNG = {**DURING, "event": 5, "draw.result": 4, "draw.picks": 2}
BY_DRUM = {**DURING, "draw.call": 9, "draw.manual": 2}
NEXT_OF_PLACE = {"drawn": ("winner.verify",), "verified": ("winner.official",), "official": ("winner.pick", "winner.pick", "claim", "claim.wait"), "waiting": ("claim",)}
OF_PLACE = ("winner.verify", "winner.official", "winner.pick", "claim", "claim.wait", "forfeit")
EVENTS = ("x.a", "clock.reset", "validation.failed", "private.erased", "program.altered", "program.verified", "program.verified", "remote.end", "data.altered", "unit.seen",
          "unit.silent", "rng.unhealthy", "raffle.restored")
ASKING = ("draw.ask", "draw.ask", "draw.ask-failed", "draw.ask-again")


@functools.lru_cache
def key_of(unit):
    return forge.Key(f"raffle.example/fold/unit/{unit}", hashlib.sha256(b"%d" % unit).digest()).vkey


class ControlRecords:
    def __init__(self, chance, log, first):
        self.chance, self.log, self.first = chance, log, first  # the raffle.open
        self.hurry = chance.often(0.5)  # few units, and on to the draws

    def openings(self):
        """What cannot begin a log, and then what does."""
        return [{**self.first, "by": "supervisor"}, {**self.first, "format": 2}, {**self.first, "rules": {**self.first["rules"], "currency": "cad"}},
                self.base("cash"), self.first]

    def some(self):
        """The next record, or those of a seal."""
        kind = self.kind()
        if self.chance.often(0.005):
            return [self.alien()]
        if kind == "any":
            kind = self.chance.choice(sorted(records.CONTROL_TYPES - {"raffle.open"}))
        if kind in ("seal", "seal.unit"):
            return self.seal_run()
        if kind in OF_PLACE or kind == "place":
            return self.of_place()
        make = getattr(self, kind.replace(".", "_"))
        record = make(self.base(kind))
        return [record] if record else []

    def alien(self):
        """A record that is at home elsewhere."""
        start = {**self.base("unit.start"), "n": 1, "open": NO_HASH, "unit": 1}
        sale = {**self.base("sale"), "n": 1, "count": 1, "price": 300, "tier": "one"}
        return self.chance.choice((start, sale, {**self.base("void"), "n": 1, "unit": 1, "serial": 99, "count": 1, "price": 300, "reason": "other"}, self.first))

    # --- what comes next ---

    def is_over(self):
        """Every prize is drawn, and nothing can become of its places, but for alternates'."""
        return self.next_prize() is None and not any(place.state in NEXT_OF_PLACE for prize in self.log.prizes for place in prize.places)

    def kind(self):
        log, chance = self.log, self.chance
        if log.intent is not None:
            return chance.weighed(BY_DRUM if "draw" in log.intent.prize.rule else BY_RNG)
        weights = dict(BEFORE)
        if len(log.units) > (1 if self.hurry else 4):
            weights.update({"unit.enrol": 0.2, "unit.unenrol": 0.05})
        if any(prize.result is not None for prize in log.prizes):
            weights["place"] = 25
        waits = self.next_prize()
        seal = log.newest_seal(waits.rule["seal"]) if waits else None
        if seal is not None or waits is None or not any(unit.ever_enabled for unit in log.units):
            weights["seal"] = 0.3
        if log.is_final():
            weights.update({kind: 0.2 for kind in control_log.AFTER_FINAL_SEAL if kind in weights})
        if seal is None or seal.acknowledged:
            weights["voids.ack"] = 0.3
        if seal is None or not seal.acknowledged:
            weights["draw.intent"] = 0.3
        return chance.weighed(weights)

    def next_prize(self):
        return next((prize for prize in self.log.prizes if self.log._waits(prize)), None)

    def name_of(self, prize):
        return prize.name if self.chance.often(0.99) else self.chance.choice(("none", self.log.prizes[0].name))

    def base(self, kind, or_system=False):
        chance, log = self.chance, self.log
        step = chance.choice((0, 1, 1000, 60000)) if chance.often(0.92) else chance.choice((DAY // 2, DAY, 2 * DAY, -1))
        by = "manager" if chance.often(0.96) else chance.choice(records.ROLES)
        return {"t": kind, "at": moment(max(log.last_at + step, OPENS)), "by": "system" if or_system and chance.often(0.3) else by, "p": NO_HASH}

    def approved(self, record, how_often):
        if self.chance.often(how_often):
            record["ok"] = self.chance.choice(("supervisor", "manager")) if self.chance.often(0.9) else "seller"
        return record

    def unit(self):
        return self.chance.randint(1, max(1, len(self.log.units)))

    def row(self, unit):
        return self.log.units[unit - 1] if unit <= len(self.log.units) else None

    # --- units ---

    def unit_enrol(self, record):
        chance = self.chance
        unit = chance.near(len(self.log.units) + 1, 1)
        record.update(unit=unit, name=chance.choice((f"u{unit}", QUOTED, "é" * 32, "é" * 33)), key=key_of(unit), ticket_key=NO_HASH, quota=chance.choice((0, 100)))
        if chance.often(0.4):
            record.update(away=chance.choice((0, 5)), quota=chance.choice((100, 100, 0)), note="x")
        if chance.often(0.03):
            record.update(note="x")
        return record

    def unit_enable(self, record):
        return {**record, "unit": self.chance.near(self.unit(), 1)}

    unit_unenrol = unit_enable

    def unit_disable(self, record):
        return {**record, "by": self.chance.choice((record["by"], "system")), "unit": self.unit(), "reason": "x"}

    def unit_quota(self, record):
        return {**record, "unit": self.unit(), "quota": self.chance.choice((0, 5))}

    def unit_sync(self, record):
        chance, unit = self.chance, self.unit()
        row = self.row(unit)
        before = row.syncs[-1][1] if row and row.syncs else {"size": 0, "twice": 0, "root": NO_HASH}
        size = max(1, before["size"] + chance.choice((0, 0, 1, 3, -1)))
        root = before["root"] if size == before["size"] and chance.often(0.8) else f"{chance.getrandbits(256):064x}"
        return {**record, "by": chance.choice((record["by"], "system")), "unit": unit, "size": size, "root": root, "note": "x",
                "twice": max(0, before["twice"] + chance.choice((0, 0, 0, 0, 0, 0, 1, -1)))}

    def void(self, record):
        chance = self.chance
        held = [(place.unit, place.serial) for prize in self.log.prizes for place in prize.places]
        ticket = chance.choice(held) if held and chance.often(0.5) else (self.unit(), chance.randint(1, 60))
        if ticket in self.log.voids:
            return None
        price = chance.choice((0, 2**53 - 1)) if chance.often(0.03) else 300
        return {**record, "unit": ticket[0], "serial": ticket[1], "count": chance.choice((1, 10, 0)), "price": price, "reason": chance.choice(("refund", "other"))}

    def print(self, record):
        chance, unit = self.chance, self.unit()
        row = self.row(unit)
        return {**record, "unit": unit, "first": chance.near((row.printed if row else 0) + 1), "count": 2**53 - 30 if chance.often(0.01) else chance.choice((0, 5, 20, 50, 60)), "size": chance.randint(0, 20)}

    def reprint(self, record):
        chance, unit = self.chance, self.unit()
        printed = self.row(unit).printed if self.row(unit) else 0
        record.update(unit=unit, reason="x")
        if chance.often(0.6):
            record.update(first=chance.randint(0, printed + 1), count=chance.randint(0, printed + 1))
        if chance.often(0.4):
            record["serial"] = chance.randint(1, 50)
        if chance.often(0.05):
            record.pop("count", None)
        return self.approved(record, 0.95)

    def cash(self, record):
        return {**record, "unit": self.chance.near(self.unit(), 1), "kind": "cash", "counted": self.chance.choice((0, 5, 5, 5, 2**53 - 6))}

    # --- events ---

    def event(self, record):
        chance, log = self.chance, self.log
        code = chance.choice(ASKING if log.intent is not None and chance.often(0.8) else EVENTS + ASKING)
        record["code"] = code
        if not code.startswith("draw."):
            record["by"] = chance.choice((record["by"], record["by"], "system", "seller"))
        if code == "clock.reset":
            record["at"] = moment(max(0, log.last_at - chance.choice((0, 3600000, DAY))))
        if code == "private.erased":
            record["at"] = moment(max(log.last_at, OPENS) if chance.often(0.97) else CLOSES + 3 * 366 * DAY + chance.choice((-1, 0)))
        self.event_members(record, code)
        return self.approved(record, 0.3 if code != "draw.ask-again" else 0.9)

    def event_members(self, record, code):
        chance, log = self.chance, self.log
        if code.startswith("draw.ask-") and chance.often(0.95):
            record["ask"] = chance.near((log.intent.waiting if log.intent else None) or 1, 1)
        if code.startswith("program.") and chance.often(0.95):
            record["key"] = chance.choice(MAKERS if chance.often(0.3) else MAKERS[:1])
        if (code == "remote.end") == chance.often(0.95):
            record["first"] = chance.near(chance.randint(0, log.size))
        if chance.often(0.02):
            record["ask"] = 1
        for name, values in (("unit", range(10)), ("count", range(10)), ("size", range(10)), ("unit", EXTREMES), ("serial", EXTREMES), ("component", ("x", "two words"))):
            if chance.often(0.05):
                record[name] = chance.choice(values)

    # --- seals ---

    def seal_run(self):
        """A seal.unit of each unit, and the seal; at one time, by one role."""
        chance, log, run = self.chance, self.log, []
        first, waits = self.base("seal"), self.next_prize()
        kind = waits.rule["seal"] if waits and chance.often(0.9) else chance.choice(("early", "final"))
        extreme = {"tickets": 2**53 - 1, "numbers": 2**53 - 1} if chance.often(0.01) else {}
        for unit in log.units:
            if chance.often(0.02):
                break
            run.append({**first, "t": "seal.unit", **self.unit_sealed(unit), **(extreme if unit.ever_enabled else {})})
        if run and chance.often(0.02):
            run.append({**run[-1], "unit": len(run) + 1})
        if chance.often(0.97):
            sums = {name: min(sum(record[name] for record in run), EXTREMES[-1]) for name in control_log.SUMS}
            if chance.often(0.05):
                sums[chance.choice(control_log.SUMS)] += 1
            unreconciled = sum(not record["reconciled"] for record in run)
            run.append(self.approved({**first, "first": chance.near(log.size), "kind": kind, "units": chance.near(len(log.units)),
                                      "unreconciled": chance.near(unreconciled), **sums}, 0.7))
        return run

    def unit_sealed(self, unit):
        chance, log = self.chance, self.log
        ones, tens = (chance.randint(0, 5), chance.randint(1, 5)) if unit.ever_enabled or chance.often(0.05) else (0, 0)
        void_ones, void_tens = chance.randint(0, ones + chance.often(0.02)), chance.randint(0, tens + chance.often(0.02))
        sealed = {"unit": unit.number, "size": chance.near(chance.randint(2, 30)), "root": NO_HASH, "note": "x", "reconciled": chance.often(0.9), "void_root": NO_HASH,
                  "tickets": ones + tens, "numbers": ones + 10 * tens, "gross": 300 * ones + 2000 * tens,
                  "voids": void_ones + void_tens, "void_numbers": void_ones + 10 * void_tens, "void_gross": 300 * void_ones + 2000 * void_tens}
        if unit.away:
            sealed.update(self.away_sealed(unit))
        if any(rule.get("pot") == "entered" for rule in log.rules["prizes"]) != chance.often(0.01):
            sealed["tiers"] = [{"tickets": ones, "voids": void_ones}, {"tickets": tens, "voids": void_tens}][:1 if chance.often(0.02) else 2]
        if chance.often(0.03):
            sealed[chance.choice(control_log.SUMS)] += chance.choice((1, 1, 50, 9000))
        return sealed

    def away_sealed(self, unit):
        size, root = (unit.syncs[-1][1]["size"], unit.syncs[-1][1]["root"]) if unit.syncs else (0, merkle.EMPTY_ROOT.hex())
        reconciled = size > 0 and self.chance.often(0.9)
        if not reconciled and size > 0 and self.chance.often(0.5):
            size -= 1
        return {"size": self.chance.near(size), "root": root, "reconciled": reconciled}

    def voids_ack(self, record):
        seals = self.log.seals
        seal = (self.chance.choice(seals) if self.chance.often(0.3) else seals[-1]) if seals else None
        return {**record, "seal": self.chance.near(seal.index) if seal else 0, "voids": self.chance.near(seal.record["voids"]) if seal else 0}

    # --- draws ---

    def draw_intent(self, record):
        chance, log = self.chance, self.log
        prize = self.next_prize() if chance.often(0.95) else None
        prize = prize or chance.choice(log.prizes)
        seal, first = log.newest_seal(prize.rule["seal"]), log._first_draw(prize)
        record.update(prize=self.name_of(prize), attempt=chance.near(prize.attempts + 1, 1), seal=chance.near(seal.index) if seal else 0,
                      numbers=max(1, chance.near(seal.record["numbers"])) if seal else 1)
        if (first is not None) == chance.often(0.97):
            record.update(reason="x", result=chance.near(first.result if first and first.result is not None else 1))
        if (prize.rule["seed"] == "committed") == chance.often(0.99):
            record.update(commitment=COMMITMENT if chance.often(0.8) else NO_HASH, provider=chance.choice(PROVIDERS))
        if chance.often(0.02):
            record["evidence"] = QUOTED
        return self.approved(record, 0.8)

    def of_draw(self, record):
        intent = self.log.intent
        prize = intent.prize if intent else self.log.prizes[0]
        record.update(intent=self.chance.near(intent.index) if intent else 1, prize=self.name_of(prize), attempt=self.chance.near(prize.attempts, 1) or 1)
        return intent, prize.rule

    def note(self, intent):
        """The intent's checkpoint with some witnesses' signatures, where the rules want any."""
        chance = self.chance
        if self.log.policy is None or intent is None:
            return "x"
        size, name = chance.near(intent.index + 1), self.log.rules["origin"]
        signed = f"{name}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n\n— {name} {base64.b64encode(bytes(68)).decode()}\n"
        for witness in chance.sample(WITNESSES, chance.choice((1, 2, 2, 2, 3))):
            signed += witness.cosign(signed if chance.often(0.95) else "else\n\n", 1694768400)
        return signed

    def drawn(self):
        """A place that might have been drawn, mostly one that was sold."""
        run = self.log.intent.seal.run if self.log.intent else []
        unit = self.chance.randint(1, max(1, len(run)))
        number = self.chance.randint(1, max(1, run[unit - 1].record["numbers"] if run else 1) + (self.chance.often(0.1)))
        return {"number": number, "serial": (number + 1) // 2, "unit": unit}

    def draw_picks(self, record):
        intent = self.log.intent
        count = records.PLACES_MAX if self.chance.often(0.95) else 3
        return {**record, "intent": intent.index if intent else 1, "first": self.chance.near(len(intent.picks) + 1 if intent else 1, 1),
                "places": [self.drawn() for _ in range(count)]}

    def draw_result(self, record):
        chance = self.chance
        intent, rule = self.of_draw(record)
        wanted, picked = rule["winners"] + rule["alternates"], len(intent.picks) if intent else 0
        count = chance.near(wanted) if chance.often(0.6) else chance.randint(0, wanted)
        winners = min(count, chance.near(rule["winners"]))
        record.update(numbers=intent.record["numbers"] if intent else 1, note=self.note(intent), provider=chance.choice(PROVIDERS), seed=SEED, winners=chance.near(winners),
                      alternates=chance.near(count - winners), rejected=0, skipped_void=0, skipped_not_entered=0, skipped_barred=0, skips=NO_HASH)
        if 0 < count - picked <= records.PLACES_MAX:
            record["places"] = [self.drawn() for _ in range(count - picked)]
        if chance.often(0.03):
            record.update(chance.choice(({"beacon": SEED}, {"round": 1}, {"fallback": SEED}, {"evidence": "x"}, {"ask": 1})))
        if intent and rule["seed"] == "committed":
            self.committed(record, intent, rule)
        elif intent and intent.waiting is not None and chance.often(0.98):
            record["ask"] = chance.near(intent.waiting, 1)
        return record

    def committed(self, record, intent, rule):
        chance = self.chance
        number = control_log.round_at_or_after(intent.record["at_ms"] + 1000 * rule["beacon_delay"])
        record.update(beacon=SEED, round=chance.near(number))
        if chance.often(0.95):
            record["provider"] = intent.record["provider"]
        late = 0
        if chance.often(0.2):
            late = control_log.FALLBACK_ROUNDS
            record.update(fallback=SEED, seed=LAST_SEED)
        record["at"] = moment(max(self.log.last_at, control_log.time_of_round(number + late) + chance.choice((0, 0, 0, -1))))
        if chance.often(0.03):
            record.pop(chance.choice(("beacon", "round")))

    def draw_call(self, record):
        chance, intent, place = self.chance, self.log.intent, self.drawn()
        record.update(intent=intent.index if intent else 1, unit=place["unit"], number=place["number"], outcome=self.outcome(intent, place))
        if (record["outcome"] != "unsold") == chance.often(0.99):
            record["serial"] = place["serial"]
        return record

    def outcome(self, intent, place):
        """What is true of the place, as far as the control log knows."""
        if intent is None or self.chance.often(0.1):
            return self.chance.choice(("unsold", "void", "not-entered", "again", "barred", "taken"))
        run, one_win = intent.seal.run, intent.prize.rule["one_win"]
        if place["number"] > run[place["unit"] - 1].record["numbers"]:
            return "unsold"
        if any((taken["unit"], taken["number"]) == (place["unit"], place["number"]) for taken in intent.taken):
            return "again"
        same = one_win == "ticket" and any((taken["unit"], taken["serial"]) == (place["unit"], place["serial"]) for taken in intent.taken)
        return "barred" if same or self.log.is_barred(control_log.Place(place, None), one_win, self.log.winners) else "taken"

    def draw_manual(self, record):
        intent, rule = self.of_draw(record)
        taken = len(intent.taken) if intent else 0
        winners = min(taken, rule["winners"])
        return self.approved({**record, "numbers": intent.record["numbers"] if intent else 1, "note": self.note(intent), "count": self.chance.near(len(intent.calls) if intent else 0),
                              "winners": self.chance.near(winners), "alternates": self.chance.near(taken - winners)}, 0.6)

    def draw_abort(self, record):
        self.of_draw(record)
        return self.approved({**record, "reason": "x"}, 0.97)

    # --- places ---

    def of_place(self):
        """What may become of a place that was drawn."""
        chance, log = self.chance, self.log
        drawn = [prize for prize in log.prizes if prize.places]
        if not drawn:
            return []
        prize = chance.choice(drawn)
        number = chance.randint(1, min(8, len(prize.places)))
        number = next((i + 1 for i, place in enumerate(prize.places[:8]) if place.state in NEXT_OF_PLACE and chance.often(0.5)), number)
        state = prize.places[number - 1].state
        kind = chance.choice(NEXT_OF_PLACE.get(state, OF_PLACE) if chance.often(0.8) else OF_PLACE)
        record = {**self.base(kind), "prize": self.name_of(prize), "place": chance.near(number, 1), "result": chance.near(prize.result)}
        getattr(self, kind.replace(".", "_"))(record, prize)
        if chance.often(0.03):
            record["promoted"] = 1
        return [record]

    def promote(self, record, prize):
        log = self.log
        able = next((i + 1 for i, place in enumerate(prize.places)
                     if place.state == "alternate" and not log.is_barred(place, prize.rule["one_win"], log.winners)), None)
        if able and self.chance.often(0.97):
            record["promoted"] = able

    def winner_verify(self, record, prize):
        record["outcome"] = self.chance.choice(("verified", "verified", "verified", "void"))
        if record["outcome"] == "void":
            self.promote(record, prize)

    def winner_official(self, record, prize):
        pass

    def winner_pick(self, record, prize):
        record.update(outcome=self.chance.choice(("found", "missed", "missed")), envelope=self.chance.randint(1, 4))
        if record["outcome"] == "missed" and "must_go" in prize.rule:
            self.promote(record, prize)
        self.approved(record, 0.97)

    def claim(self, record, prize):
        self.approved(record, 0.97)
        if self.log._needs_papers(prize) == self.chance.often(0.95):
            record["papers"] = self.chance.often(0.95)

    def claim_wait(self, record, prize):
        pass

    def forfeit(self, record, prize):
        record["reason"] = "x"
        self.approved(record, 0.5)
        self.promote(record, prize)
