/* SPDX-License-Identifier: Apache-2.0 */
/* The control log, record by record: units, seals, draws and what became of their places. As much of docs/spec/records.md as a draw rests upon;
 * who may do what, and when, is the audit's to check. */
import { need } from "./bytes.js";
import { readPlaces, readRecord } from "./record.js";

export const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; /* SHA-256 of nothing */
const SUMS = ["gross", "numbers", "tickets", "void_gross", "void_numbers", "voids"];
const WHILE_DRAWN = ["event", "draw.picks", "draw.result", "draw.call", "draw.manual", "draw.abort"];

class Control {
  constructor() {
    this.rules = null;
    this.units = []; /* the enrolments, unit 1 first */
    this.uploads = new Map(); /* of each unit that is away: {index, …record}, none larger than the next */
    this.gone = new Set(); /* units that were un-enrolled */
    this.run = []; /* seal.unit records since the last other record */
    this.seals = []; /* {index, units, …record} */
    this.acknowledged = new Set(); /* indexes of seals */
    this.voids = []; /* {index, unit, serial} */
    this.intent = null; /* the open one: {index, …record, asks} */
    this.picks = [];
    this.results = []; /* {index, intent, seal, places, lost, held, …record} */
    this.promotions = []; /* {index, result, promoted} */
    this.attempts = new Map();
    this.at = "";
  }

  take(record, index) {
    const handler = handlers[record.t];
    need(index === 0 ? record.t === "raffle.open" : record.t !== "raffle.open", "it stands in the wrong place");
    need(record.at >= this.at || record.code === "clock.reset", "it is earlier than the record before it");
    need(this.intent === null || WHILE_DRAWN.includes(record.t), "a draw is open");
    need(this.picks.length === 0 || record.t === "draw.picks" || record.t === "draw.result", "its draw's places are not followed by their result");
    if (record.t !== "seal.unit" && record.t !== "seal") this.run = []; /* an interrupted run counts for nothing */
    this.at = record.at;
    handler?.(this, record, index);
  }

  unit(number) {
    need(number >= 1 && number <= this.units.length, "there is no such unit");
    return this.units[number - 1];
  }

  uploaded(number) {
    return this.uploads.get(number)?.at(-1) ?? { size: 0, twice: 0, root: EMPTY_ROOT };
  }

  prize(name) {
    const place = this.rules.prizes.findIndex((prize) => prize.name === name);
    need(place >= 0, "the rules have no such prize");
    return place;
  }

  result(record) {
    const result = this.results.find((r) => r.index === record.result);
    need(result !== undefined && result.prize === record.prize && record.place >= 1 && record.place <= result.places.length, "there is no such place");
    return result;
  }
}

/* A place is lost; the next alternate, where the record names one, becomes a winner. */
function lose(control, record, index) {
  const result = control.result(record);
  need(result.held.has(record.place) && !result.lost.has(record.place), "it is no winner's place, or lost already");
  result.lost.add(record.place);
  result.ended.set(record.place, { forfeit: "forfeited", "winner.pick": "missed" }[record.t] ?? "refused");
  if (record.promoted === undefined) return;
  need(record.promoted > result.winners && record.promoted <= result.places.length && !result.held.has(record.promoted), "it promotes no alternate");
  result.held.add(record.promoted);
  control.promotions.push({ index, result: result.index, promoted: record.promoted });
}

function advance(state) {
  return (control, record) => {
    const result = control.result(record);
    need(result.held.has(record.place) && !result.lost.has(record.place), "it is no winner's place");
    result.ended.set(record.place, state);
  };
}

/* Uploads only grow; what a final seal took as all of a unit stays so. */
function sync(control, record, index) {
  const { away } = control.unit(record.unit), before = control.uploaded(record.unit);
  need(away !== undefined && !control.gone.has(record.unit) && record.size > 0, "it is no upload of a unit that is away");
  need(record.size >= before.size && record.twice >= before.twice, "the unit had uploaded more before");
  need(record.size > before.size || record.root === before.root, "the unit had uploaded other records before");
  const final = control.seals.find((s) => s.kind === "final")?.run[record.unit - 1];
  need(!final?.reconciled || final.size === record.size, "the final seal took all of the unit");
  if (!control.uploads.has(record.unit)) control.uploads.set(record.unit, []);
  control.uploads.get(record.unit).push({ ...record, index });
}

function seal(control, record, index) {
  need(control.run.length > 0 && control.run.length === record.units && record.first + record.units === index && record.units === control.units.length, "it does not follow a run of all units");
  for (const name of SUMS) need(control.run.reduce((sum, unit) => sum + unit[name], 0) === record[name], `its ${name} are not the units' together`);
  need(record.kind === "early" || record.kind === "final", "it is of no kind");
  need(record.unreconciled === control.run.filter((unit) => !unit.reconciled).length, "it counts its unreconciled units wrong");
  control.seals.push({ ...record, index, run: control.run });
  control.run = [];
}

/* A redraw waits while a place of the first draw is lost, went to no alternate, and to no other redraw. */
function waits(control, prize) {
  if (control.results.some((r) => r.prize === prize.name)) return false;
  if (prize.redraw_of === undefined) return true;
  const first = control.results.find((r) => r.prize === prize.redraw_of);
  if (first === undefined) return false;
  const kept = [...first.held].filter((place) => !first.lost.has(place)).length;
  const redrawn = control.results.filter((r) => r.open.rule.redraw_of === prize.redraw_of).length;
  return first.winners - kept - redrawn > 0;
}

function intent(control, record, index) {
  const prize = control.rules.prizes.find((p) => waits(control, p));
  need(prize !== undefined && prize.name === record.prize, "it is not the next prize's");
  const first = control.results.find((r) => r.prize === prize.redraw_of);
  need(record.result === first?.index && (record.reason !== undefined) === (first !== undefined) && (first === undefined || record.ok !== undefined), "a redraw names the first result, a reason and who approved it, and no other draw does");
  const newest = control.seals.findLast((s) => s.kind === prize.seal);
  need(newest !== undefined && newest.index === record.seal, "its seal is not the newest of the prize's kind");
  need(control.acknowledged.has(newest.index), "the voids of its seal are not acknowledged");
  need(newest.numbers === record.numbers && record.numbers > 0, "it counts other numbers than its seal");
  need((record.commitment !== undefined) === (prize.seed === "committed"), "it commits to a seed against the rules, or not against the rules");
  const attempt = (control.attempts.get(prize.name) ?? 0) + 1;
  need(record.attempt === attempt, "it counts its attempt wrong");
  control.attempts.set(prize.name, attempt);
  control.intent = { ...record, index, rule: prize, seal: newest, asked: null, asks: 0, calls: [] };
}

function ask(control, record, index) {
  const open = control.intent;
  if (record.code === "draw.ask") {
    need(open !== null && open.asked === null && open.commitment === undefined && open.rule.draw !== "drum", "a provider is asked for a seed that nobody waits for");
    open.asked = index;
    open.asks++;
  } else if (record.code === "draw.ask-failed" || record.code === "draw.ask-again") {
    need(open !== null && record.ask === open.asked && open.asked !== null, "it ends an asking that does not wait");
    open.asked = null;
  }
}

/* The open intent of which the record is: of a drum draw, or of another. */
function openOf(control, record, drum) {
  const open = control.intent;
  need(open !== null && record.intent === open.index, "it is not the open intent's");
  need((open.rule.draw === "drum") === drum, "an RNG and a drum are two ways to draw");
  return open;
}

function end(control, record, index, open, places) {
  need(record.prize === open.prize && record.attempt === open.attempt && record.numbers === open.numbers, "it is not the open intent's");
  const held = new Set(Array.from({ length: record.winners }, (_, i) => i + 1));
  control.results.push({ ...record, index, open, places, held, lost: new Set(), ended: new Map() });
  control.intent = null;
  control.picks = [];
}

function result(control, record, index) {
  const open = openOf(control, record, false);
  need(open.commitment === undefined ? record.ask !== undefined && record.ask === open.asked : record.ask === undefined, "its seed is not the one that was asked for");
  const places = [...control.picks, ...readPlaces(record.places ?? [], "it")];
  need(places.length === record.winners + record.alternates && record.winners <= open.rule.winners && record.alternates <= open.rule.alternates, "it has more or fewer places than it says");
  end(control, record, index, open, places);
}

function call(control, record, index) {
  openOf(control, record, true).calls.push({ ...record, index });
}

/* The end of a drum draw: its places are those that the calls took. */
function manual(control, record, index) {
  const open = openOf(control, record, true), wanted = open.rule.winners + open.rule.alternates;
  const places = open.calls.filter((c) => c.outcome === "taken").map(({ number, serial, unit }) => ({ number, serial, unit }));
  const winners = Math.min(places.length, open.rule.winners);
  need(record.count === open.calls.length && record.winners === winners && record.alternates === places.length - winners && places.length <= wanted, "it counts other calls or places");
  need(places.length === wanted || record.ok !== undefined, "places are left, and nobody approved it");
  end(control, record, index, open, places);
}

/* An envelope of a prize with an ace: who misses has lost the place. */
function pick(control, record, index) {
  if (record.outcome === "missed") lose(control, record, index);
  else advance("official")(control, record);
}

const handlers = {
  "raffle.open"(control, record) {
    need(record.format === 1, "the raffle is of a newer format");
    control.rules = record.rules;
    control.open = record;
  },
  "unit.enrol"(control, record) {
    need(record.unit === control.units.length + 1, "units are not enrolled in order");
    need((record.away === undefined) === (record.note === undefined) && (record.away === undefined || record.quota > 0), "a unit that is away has a proof of its key and a quota, and no other a proof");
    control.units.push(record);
  },
  "unit.quota"(control, record) {
    need(control.unit(record.unit).away === undefined || record.quota > 0, "a unit that is away has a quota");
  },
  "unit.unenrol"(control, record) {
    control.unit(record.unit);
    need(!control.uploads.has(record.unit), "the unit has uploaded records");
    control.gone.add(record.unit);
  },
  "unit.sync": sync,
  "seal.unit"(control, record) {
    need(record.unit === control.run.length + 1, "a seal's units are not in order");
    const before = control.uploaded(record.unit), away = control.units[record.unit - 1]?.away !== undefined;
    const decayed = !record.reconciled && record.size < before.size; /* of what was uploaded, not all could be read any more */
    need(!away || decayed || (record.size === before.size && record.root === before.root), "it takes other records than the unit uploaded");
    control.run.push(record);
  },
  seal,
  "voids.ack"(control, record) {
    const of = control.seals.find((s) => s.index === record.seal);
    need(of !== undefined && of.voids === record.voids, "it acknowledges no seal");
    control.acknowledged.add(record.seal);
  },
  void(control, record, index) {
    control.voids.push({ index, unit: record.unit, serial: record.serial });
  },
  event: ask,
  "draw.intent": intent,
  "draw.picks"(control, record) {
    openOf(control, record, false);
    need(record.first === control.picks.length + 1, "it does not go on with the places before it");
    control.picks.push(...readPlaces(record.places, "it"));
  },
  "draw.result": result,
  "draw.call": call,
  "draw.manual": manual,
  "draw.abort"(control, record) {
    need(control.intent !== null && record.intent === control.intent.index, "it ends no open draw");
    control.intent = null;
  },
  "winner.verify"(control, record, index) {
    if (record.outcome === "void") lose(control, record, index);
    else advance("verified")(control, record);
  },
  "winner.official": advance("official"),
  "winner.pick": pick,
  claim: advance("claimed"),
  forfeit: lose,
};

export function readControl(leaves) {
  const control = new Control();
  leaves.forEach((leaf, index) => {
    const what = `record ${index} of the control log`;
    const record = readRecord(leaf, what);
    try {
      control.take(record, index);
    } catch (fault) {
      fault.message = `${what} (${record.t}): ${fault.message}`;
      throw fault;
    }
  });
  need(control.rules !== null, "the control log is empty");
  return control;
}
