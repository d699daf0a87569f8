# SPDX-License-Identifier: Apache-2.0
"""The control log, replayed: units, seals, acknowledgements, draws, and what becomes of winners (docs/spec/records.md, seal.md, draw.md). Draws are replayed in
draw_replay.py, when this has found that their records may stand where they do."""
import note
import records
from draw import key_of, round_at, time_of
from faults import Fault
from policy import Policy
from unit_log import void_root

WAITING, INTENT, DRAWN = "waiting", "intent", "drawn"
ALTERNATE, WON, VERIFIED, OFFICIAL, CLAIMED, LOST = "alternate", "drawn", "verified", "official", "claimed", "lost"
DAY = 86400000
PICKS = 500


class Prize:
    def __init__(self, rules):
        self.rules, self.state, self.attempts, self.places, self.states = rules, WAITING, 0, [], []
        self.result, self.result_ms, self.commitments = None, 0, set()


class Unit:
    def __init__(self, record):
        self.key, self.quota_most, self.enabled, self.ever_enabled, self.unenrolled = record["key"], record["quota"], False, False, False
        self.unlimited = record["quota"] == 0
        self.record = record


class ControlLog:
    """`unit_logs`: each unit's UnitLog and leaf hashes, or None where they are withheld; `replay`: called with a result that may stand here."""

    def __init__(self, vkey, replay):
        self.vkey, self.replay = vkey, replay
        self.size, self.last, self.latest, self.rules, self.units, self.unit_logs = 0, 0, 0, None, [], None
        self.run, self.seals, self.acked, self.prizes, self.open = [], {}, set(), [], None
        self.voids = {}  # unit: serial: index, time
        self.asking, self.asked, self.picks, self.intent = None, 0, [], None
        self.lapsed = []  # forfeits that nobody approved: index, and when their period ended

    # --- every record ---

    def take(self, record):
        try:
            self._judge(record)
            if record["t"] not in ("seal.unit", "seal"):
                self.run = []
            getattr(self, "_" + record["t"].replace(".", "_"))(record)
        finally:
            self.last, self.latest = record["ms"], max(self.latest, record["ms"])
            self.size += 1

    def skip(self):
        self.run = []
        self.size += 1

    def _judge(self, record):
        kind = record["t"]
        if kind in ("unit.start", "sale", "unit.close") or "n" in record:
            raise Fault("record", f"a {kind} has no place in the control log, or counts draw numbers there")
        if (kind == "raffle.open") != (self.size == 0):
            raise Fault("record", f"record {self.size} is a {kind}")
        if record["ms"] < self.last and record.get("code") != "clock.reset":
            raise Fault("time", "it is earlier than the record before it")
        if self.open is not None and kind not in ("event", "draw.picks", "draw.result", "draw.abort"):
            raise Fault("draw", f"a {kind} while the draw of {self.open.rules['name']} is open")
        if "ok" in record and record["ok"] not in self.rules["roles"]["approve"]:
            raise Fault("role", f"the role {record['ok']} may not approve")

    def _role(self, record, operation):
        if record["by"] not in self.rules["roles"][operation]:
            raise Fault("role", f"the role {record['by']} may not {operation}")

    def _raffle_open(self, record):
        if record["format"] != 1 or record["by"] not in ("manager", "administrator"):
            raise Fault("open", "the format is another, or the role may not open a raffle")
        rules = record["rules"]
        if note.read_vkey(record["key"]) != self.vkey or rules.get("origin") != self.vkey.name:
            raise Fault("open", "the key or the origin is another raffle's")
        self.rules, self.prizes = rules, [Prize(prize) for prize in rules["prizes"]]
        self.policy = None if rules["witnesses"] == "none" else Policy(rules["witnesses"])

    # --- units ---

    def _unit(self, record):
        self._role(record, "units")
        if not 1 <= record["unit"] <= len(self.units):
            raise Fault("unit", f"there is no unit {record['unit']}")
        if "final" in self.seals and record["t"] != "unit.disable":
            raise Fault("unit", f"a {record['t']} after the final seal")
        return self.units[record["unit"] - 1]

    def _unit_enrol(self, record):
        self._role(record, "units")
        if record["unit"] != len(self.units) + 1 or "final" in self.seals:
            raise Fault("unit", f"unit {record['unit']} is enrolled after unit {len(self.units)}, or after the final seal")
        if note.read_vkey(record["key"]).name != f"{self.vkey.name}/unit/{record['unit']}":
            raise Fault("unit", "its key is named otherwise")
        self.units.append(Unit(record))

    def _unit_enable(self, record):
        unit = self._unit(record)
        if unit.enabled or unit.unenrolled:
            raise Fault("unit", "it is enabled already, or was un-enrolled")
        unit.enabled = unit.ever_enabled = True

    def _unit_disable(self, record):
        unit = self._unit(record)
        if not unit.enabled:
            raise Fault("unit", "it is disabled already")
        unit.enabled = False

    def _unit_quota(self, record):
        unit = self._unit(record)
        unit.quota_most, unit.unlimited = max(unit.quota_most, record["quota"]), unit.unlimited or record["quota"] == 0

    def _unit_unenrol(self, record):
        unit = self._unit(record)
        if unit.unenrolled:
            raise Fault("unit", "it was un-enrolled already")
        unit.enabled, unit.unenrolled = False, True

    def _log_of(self, number):
        """A unit's log, or None where it is withheld; with the hashes of its leaves."""
        return self.unit_logs[number - 1]

    def _void(self, record):
        self._role(record, "void")
        if not 1 <= record["unit"] <= len(self.units):
            raise Fault("void", f"there is no unit {record['unit']}")
        voids = self.voids.setdefault(record["unit"], {})
        log, _ = self._log_of(record["unit"])
        if log is not None:
            log.check_void(record)
        if record["serial"] in voids:
            raise Fault("void", "the ticket is void already")
        if any(state != LOST and (place["unit"], place["serial"]) == (record["unit"], record["serial"])
               for prize in self.prizes for place, state in zip(prize.places, prize.states)):
            raise Fault("void", "the ticket holds a place in a result")
        voids[record["serial"]] = (self.size, record["ms"])

    # --- seals ---

    def _seal_unit(self, record):
        self._role(record, "seal")
        if record["unit"] != len(self.run) + 1:
            self.run = []
        if record["unit"] != len(self.run) + 1 or record["unit"] > len(self.units) or "final" in self.seals:
            raise Fault("seal", f"a seal of unit {record['unit']} stands out of order, or after the final one")
        self.run.append(record)
        says = note.checkpoint_of(record["note"].encode(), note.read_vkey(self.units[record["unit"] - 1].key))
        if (says.size, says.root.hex()) != (record["size"], record["root"]):
            raise Fault("seal", "the unit's checkpoint is over other records")

    def _seal(self, record):
        run, first, self.run = self.run, self.size - len(self.run), []
        self._role(record, "seal")
        if not run or len(run) != len(self.units) or (record["units"], record["first"]) != (len(run), first):
            raise Fault("seal", "it does not follow a seal.unit for each unit")
        if any(record[name] != sum(one[name] for one in run) for name in records.SUMS):
            raise Fault("seal", "the sums are not those of its units")
        unreconciled = sum(not one["reconciled"] for one in run)
        if record["unreconciled"] != unreconciled or (unreconciled and "ok" not in record):
            raise Fault("seal", "units are not reconciled, and nobody approved it, or they are counted wrongly")
        if record["kind"] == "early" and not any(p.rules["seal"] == "early" and p.state == WAITING for p in self.prizes):
            raise Fault("seal", "no prize is drawn from an early seal any more")
        self.seals[record["kind"]] = {"index": self.size, "first": first, "run": run, "says": record}
        self._compare_seal(record["kind"], run, first)

    def _compare_seal(self, kind, run, first):
        """What the seal says of each unit's log, against that log."""
        for says in run:
            log, hashes = self._log_of(says["unit"])
            self.root_at(says, hashes)
            if log is None:
                continue
            void = log.void_by(says["size"], self.voids.get(says["unit"], {}), first)
            totals = log.totals(says["size"], void)
            if any(says[name] != totals[name] for name in records.SUMS) or void_root(void).hex() != says["void_root"]:
                raise Fault("seal", f"the totals or voids of unit {says['unit']} are others")
            if kind == "final" and says["reconciled"] and says["size"] > 0 and log.closed_at != says["size"] - 1:
                raise Fault("seal", f"unit {says['unit']} was not closed with its last sealed record")

    def root_at(self, says, hashes):
        """Overridden by the caller, who has the trees."""

    def _voids_ack(self, record):
        self._role(record, "ack")
        seal = next((s for s in self.seals.values() if s["index"] == record["seal"]), None)
        if seal is None or seal["says"]["voids"] != record["voids"]:
            raise Fault("ack", "it is of no seal that is the newest of its kind, or of another number of voids")
        self.acked.add(record["seal"])

    # --- draws ---

    def _draw_intent(self, record):
        self._role(record, "draw")
        prize = next((p for p in self.prizes if p.state != DRAWN), None)
        if prize is None or prize.rules["name"] != record["prize"]:
            raise Fault("draw", f"{record['prize']} is not the next prize")
        seal = self.seals.get(prize.rules["seal"])
        if seal is None or (record["seal"], record["numbers"]) != (seal["index"], seal["says"]["numbers"]) or seal["index"] not in self.acked or record["numbers"] == 0:
            raise Fault("draw", "the seal is not the newest of its kind, not acknowledged, or holds no such numbers")
        committed = prize.rules["seed"] == "committed"
        if record["attempt"] != prize.attempts + 1 or (committed and prize.attempts > 0):
            raise Fault("draw", f"it is attempt {prize.attempts + 1}")
        if ("commitment" in record, "provider" in record) != (committed, committed) or ("evidence" in record and not committed):
            raise Fault("draw", "a commitment is missing, or not asked for")
        if committed:
            if any(record["commitment"] in p.commitments for p in self.prizes):
                raise Fault("draw", "the commitment was another prize's")
            self._provider(record)
            prize.commitments.add(record["commitment"])
        prize.state, prize.attempts, self.open, self.intent = INTENT, record["attempt"], prize, {**record, "index": self.size}
        self.asking, self.asked, self.picks = None, 0, []
        if committed and record["ms"] < self.latest:
            raise Fault("backdated", "the intent is earlier than a record before it, and its beacon's round may have been known")

    def _provider(self, record):
        """Names: a whole one, or that of a token, region or store that the rules leave open."""
        name, allowed = record["provider"], self.rules["rng"]
        if (name == "test" and not self.rules["rehearsal"]) or not any(provider_fits(rule, name) for rule in allowed):
            raise Fault("provider", f"the rules do not allow the provider {name}")

    def _event(self, record):
        code, operation = record["code"], self._event_operation(record)
        if operation is not None:
            self._role(record, operation)
        if ("ask" in record) != (code in ("draw.ask-failed", "draw.ask-again")):
            raise Fault("event", "it names an asking that it does not end, or none")
        if code == "draw.ask":
            if self.open is None or self.asking is not None or self.open.rules["seed"] == "committed":
                raise Fault("draw", "nothing is to be asked for")
            self.asking, self.asked = self.size, self.asked + 1
        elif "ask" in record:
            if self.asking is None or record["ask"] != self.asking or (code == "draw.ask-again" and "ok" not in record):
                raise Fault("draw", "no such asking waits, or nobody approved it")
            self.asking = None
        if record["ms"] < self.last:
            self._taken_back(record["ms"])

    @staticmethod
    def _event_operation(record):
        """Whose leave an event needs; None: that somebody guesses validation numbers is the library's own remark."""
        code = record["code"]
        if code == "validation.failed" and record["by"] == "system":
            return None
        if code.startswith("draw.") or code == "rng.unhealthy":
            return "draw"
        return {"clock.reset": "clock", "private.erased": "erase"}.get(code, "event")

    def _taken_back(self, ms):
        """The clock went back: claim periods that end later were not over."""
        for index, due in [one for one in self.lapsed if one[1] > ms]:
            self.lapsed.remove((index, due))
            raise Fault("forfeit", f"the clock that had ended the claim period of record {index} was set back")

    def _opened(self, record):
        if self.open is None or record["intent"] != self.intent["index"]:
            raise Fault("draw", f"record {record['intent']} is no open intent")
        return self.open

    def _draw_picks(self, record):
        self._role(record, "draw")
        self._opened(record)
        if record["first"] != len(self.picks) + 1 or len(record["places"]) != PICKS:
            raise Fault("draw", "the picks are not the next five hundred")
        self.picks += record["places"]

    def _draw_abort(self, record):
        self._role(record, "draw")
        prize = self._opened(record)
        if prize.rules["seed"] == "committed" or (record["prize"], record["attempt"]) != (prize.rules["name"], prize.attempts):
            raise Fault("draw", "it aborts another draw, or a committed one")
        prize.state, self.open = WAITING, None

    def _draw_result(self, record):
        self._role(record, "draw")
        prize = self._opened(record)
        places = self.picks + record.get("places", [])
        try:
            self._judge_result(record, prize, places)
            self.replay(self, record, prize, places)
        finally:
            prize.state, prize.places, prize.result, prize.result_ms = DRAWN, places, self.size, record["ms"]
            prize.states = [WON if i < record["winners"] else ALTERNATE for i in range(len(places))]
            self.open, self.picks = None, []

    def _judge_result(self, record, prize, places):
        rules, committed = prize.rules, prize.rules["seed"] == "committed"
        if (record["prize"], record["attempt"], record["numbers"]) != (rules["name"], prize.attempts, self.intent["numbers"]):
            raise Fault("draw", "prize, attempt or numbers are not the intent's")
        if record["winners"] + record["alternates"] != len(places) or record["winners"] > rules["winners"] or record["alternates"] > rules["alternates"]:
            raise Fault("draw", "the places are not as many as it says, or more than the rules have")
        self._provider(record)
        if committed != ("beacon" in record) or committed != ("round" in record) or committed == ("ask" in record) or ("fallback" in record and not committed) \
                or ("evidence" in record and committed):
            raise Fault("draw", "a member of the other kind of draw")
        if not committed and record["ask"] != self.asking:
            raise Fault("draw", "the seed is not from the asking that waits")
        if committed:
            self._judge_round(record, rules)
        if len(self.picks) % PICKS or (self.picks and "places" not in record):
            raise Fault("draw", "the picks before it are not whole")

    def _judge_round(self, record, rules):
        if record["round"] != round_at(self.intent["ms"] + rules["beacon_delay"] * 1000) or record["provider"] != self.intent["provider"]:
            raise Fault("draw", "the beacon's round, or the provider, is not the intent's")
        last = record["round"] + (28800 if "fallback" in record else 0)
        if record["ms"] < time_of(last):
            raise Fault("draw", "the result is earlier than the beacon's round")

    # --- winners ---

    def _place(self, record, *states):
        prize = next((p for p in self.prizes if p.state == DRAWN and (p.rules["name"], p.result) == (record["prize"], record["result"])), None)
        if prize is None or record["place"] > len(prize.places) or prize.states[record["place"] - 1] not in states:
            raise Fault("winner", f"place {record['place']} of {record['prize']} is not {' or '.join(states)}")
        return prize, record["place"] - 1

    def winners(self):
        """Unit, number and serial of every place that is or was a winner's."""
        return [(place["unit"], place["number"], place["serial"]) for prize in self.prizes for place, state in zip(prize.places, prize.states) if state != ALTERNATE]

    def _lose(self, record, prize, at):
        """The place is lost, and the first alternate that the one-win rule does not bar takes over."""
        rule = prize.rules["one_win"]
        barred = {key_of(rule, *winner) for winner in self.winners()} - {None}
        prize.states[at] = LOST
        heir = next((i + 1 for i, (place, state) in enumerate(zip(prize.places, prize.states))
                     if state == ALTERNATE and key_of(rule, place["unit"], place["number"], place["serial"]) not in barred), None)
        if heir != record.get("promoted"):
            raise Fault("winner", f"place {heir} takes over, and not {record.get('promoted')}")
        if heir is not None:
            prize.states[heir - 1] = WON

    def _winner_verify(self, record):
        self._role(record, "verify")
        prize, at = self._place(record, WON)
        void = record["outcome"] == "void"
        if not void and "promoted" in record:
            raise Fault("winner", "nobody takes over from a verified place")
        if void:
            self._lose(record, prize, at)
        else:
            prize.states[at] = VERIFIED
        if self._void_then(prize.places[at], record["ms"]) not in (void, None):
            raise Fault("winner", "the ticket was void then, or was not, and the outcome says otherwise")

    def _void_then(self, place, ms):
        log, _ = self._log_of(place["unit"])
        if log is None:
            return None
        here, there = log.voids.get(place["serial"]), self.voids.get(place["unit"], {}).get(place["serial"])
        return there is not None or (here is not None and here[1] <= ms)

    def _winner_official(self, record):
        self._role(record, "verify")
        prize, at = self._place(record, VERIFIED)
        prize.states[at] = OFFICIAL

    def _claim(self, record):
        self._role(record, "claim")
        prize, at = self._place(record, OFFICIAL)
        prize.states[at] = CLAIMED

    def _forfeit(self, record):
        self._role(record, "forfeit")
        prize, at = self._place(record, WON, VERIFIED, OFFICIAL)
        due = prize.result_ms + prize.rules["claim_days"] * DAY
        self._lose(record, prize, at)
        if "ok" not in record and record["ms"] < due:
            raise Fault("forfeit", "the claim period is not over, and nobody approved it")
        if "ok" not in record:
            self.lapsed.append((self.size, due))


def provider_fits(rule, name):
    """Whether a provider's name is one that a rule allows: `kms:REGION` any store there, `pkcs11:LABEL` any serial, `pkcs11:/SERIAL` any label; a name with an
    @ by its whole name alone."""
    if rule == name:
        return True
    if "@" in name:
        return False
    if rule.startswith("kms:") and "/" not in rule:
        return name.startswith(rule + "/")
    label, slash, serial = name.partition("/")
    return rule.startswith("pkcs11:") and bool(slash) and rule in (label, "pkcs11:/" + serial)
