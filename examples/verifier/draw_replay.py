# SPDX-License-Identifier: Apache-2.0
"""A draw's result, made again from its seed (docs/spec/draw.md), and what is proved of it."""
import note
from draw import BARRED, FALLBACK_ROUNDS, NOT_ENTERED, VOID, Drum, Words, commitment, fallback_seed, seed_commitment, time_of, walk
from faults import COMPLETENESS, Fault


def drum_of(control, prize):
    """The numbers of the prize's seal, or None where a unit's records are withheld."""
    seal, units = control.seals[prize.rules["seal"]], []
    for says in seal["run"]:
        log, _ = control.unit_logs[says["unit"] - 1]
        if log is None:
            return None
        units.append((log.sold_before(says["size"]), log.void_by(says["size"], control.voids.get(says["unit"], {}), seal["first"])))
    return Drum(units)


def compare(record, drawn, words, places):
    """What the record says, against what follows."""
    if drawn.places != places:
        raise Fault("draw", "the places are not those that follow from the seed")
    if words.rejected != record["rejected"]:
        raise Fault("draw", "the number of rejected words is another")
    said = {VOID: record["skipped_void"], NOT_ENTERED: record["skipped_not_entered"], BARRED: record["skipped_barred"]}
    if said != drawn.skipped or drawn.skips.hexdigest() != record["skips"]:
        raise Fault("draw", "the draw numbers that were skipped are others")


def check_note(control, record, root, policy):
    """The intent's checkpoint as the result carries it. Returns whether the rules' witnesses cosigned it in time, None: they were late."""
    intent, parsed = control.intent["index"], note.Note(record["note"].encode())
    says = parsed.checkpoint()
    parsed.verify(control.vkey)
    if says != (control.vkey.name, intent + 1, root):
        raise Fault("draw", "the intent's checkpoint is over other records")
    if policy is None:
        return False
    before = time_of(record["round"]) // 1000 if "round" in record else None
    if not policy.reached(policy.cosigned(parsed)):
        raise Fault("quorum", "too few of the rules' witnesses cosigned the intent")
    return policy.reached(policy.cosigned(parsed, before)) or None


def check_seed(control, record, c, beacon_good):
    """A committed draw's seed and beacon; `beacon_good`: (round, value) to whether the value is the round's, or None when it is not found out. Returns the same of both
    values."""
    values = [(record["round"], bytes.fromhex(record["beacon"]))]
    seed = bytes.fromhex(record["seed"])
    if "fallback" in record:
        values.append((record["round"] + FALLBACK_ROUNDS, bytes.fromhex(record["fallback"])))
        if fallback_seed(c, values[1][1]) != seed:
            raise Fault("draw", "the seed is not the one that follows from the later round")
    elif seed_commitment(seed).hex() != control.intent["commitment"]:
        raise Fault("draw", "the seed is not the one that the intent committed to")
    good = [beacon_good(*value) for value in values]
    if False in good:
        raise Fault("beacon", "the beacon's value is not that of its round")
    return None not in good


class Replayer:
    """Called by the control log with each result that may stand where it does; `roots`: the control log's root by size; `report` takes what was found."""

    def __init__(self, roots, beacon_good, report):
        self.roots, self.beacon_good, self.report = roots, beacon_good, report

    def __call__(self, control, record, prize, places):
        intent, before = control.intent["index"], self.report.count()
        root = self.roots(intent + 1)
        drum = drum_of(control, prize)
        facts = {"beacon_verified": False, "witnessed": False, "late": False}
        try:
            self._check(control, record, prize, places, root, drum, facts)
        except (Fault, note.BadNote) as error:
            self.report.fault(0, control.size, error if isinstance(error, Fault) else Fault("draw", str(error)))
        if drum is None:
            self.report.add(COMPLETENESS, 0, control.size, "withheld", f"the draw of {record['prize']} cannot be replayed: what was sold is not published")
            return
        self.report.draws.append(self._describe(control, record, places, facts, self.report.count() == before))
        if facts["late"]:
            self.report.add(COMPLETENESS, 0, control.size, "quorum-late", "the witnesses cosigned the intent too late")

    def _check(self, control, record, prize, places, root, drum, facts):
        witnessed = check_note(control, record, root, control.policy)
        facts["witnessed"], facts["late"] = witnessed is True, witnessed is None
        c = commitment(control.vkey.name, control.intent["index"], root)
        if "fallback" in record:
            self.report.add(COMPLETENESS, 0, control.size, "seed-lost", "the seed that the intent committed to is lost")
        if "beacon" in record:
            facts["beacon_verified"] = check_seed(control, record, c, self.beacon_good)
        if drum is not None:
            words = Words(bytes.fromhex(record["seed"]), c, bytes.fromhex(record.get("beacon", "")))
            compare(record, walk(prize.rules, drum, words, control.winners()), words, places)

    @staticmethod
    def _assurance(control, record, facts, follows):
        if not follows:
            return "wrong"
        if control.rules["rehearsal"] or record["provider"] == "test":
            return "operator-trusted"
        if "beacon" in record:
            return "verifiable" if facts["beacon_verified"] and facts["witnessed"] else "operator-trusted"
        return "certified"

    def _describe(self, control, record, places, facts, follows):
        skipped = record["skipped_void"] + record["skipped_not_entered"] + record["skipped_barred"]
        draw = {"prize": record["prize"], "assurance": self._assurance(control, record, facts, follows), "provider": record["provider"],
                "committed": "beacon" in record, "result": control.size, "attempt": record["attempt"], "asked": control.asked,
                "redraw_excluded": facts["witnessed"], "witnessed": facts["witnessed"], "places": len(places), "draw_numbers": control.intent["numbers"],
                "skipped": skipped, "winners": [f"{p['unit']}-{p['number']:07}" for p in places[:record["winners"]]]}
        if draw["committed"]:
            draw.update(round=record["round"], beacon_verified=facts["beacon_verified"], seed_lost="fallback" in record)
        return draw
