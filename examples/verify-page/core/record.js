/* SPDX-License-Identifier: Apache-2.0 */
/* Records, format 1: each type's members and their kinds (docs/spec/records.md). Whether the rules allowed a record is the audit's to say. */
import { need, utf8 } from "./bytes.js";
import { readCanonical } from "./json.js";

const ROLES = ["seller", "supervisor", "manager", "administrator", "auditor", "system"];
const LEAF_MAX = 65535, TEXT_MAX = 512, NAME_MAX = 64, NOTE_MAX = 16384;

const kinds = {
  int: (v) => Number.isSafeInteger(v) && v >= 0,
  hours: (v) => kinds.int(v) && v <= 100000,
  one: (v) => kinds.int(v) && v > 0,
  unit: (v) => kinds.one(v) && v <= 65535,
  serial: (v) => kinds.one(v) && v < 2 ** 40,
  numbers: (v) => kinds.one(v) && v <= 1000000,
  bool: (v) => typeof v === "boolean",
  time: (v) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(v) && !Number.isNaN(Date.parse(v)) && new Date(v).toISOString() === v,
  role: (v) => ROLES.includes(v),
  word: (v) => typeof v === "string" && /^[a-z0-9][a-z0-9._-]{0,31}$/.test(v),
  text: (v) => typeof v === "string" && v !== "" && utf8(v).length <= TEXT_MAX && !/[\u0000-\u001f\u007f-\u009f]/.test(v),
  name: (v) => kinds.text(v) && utf8(v).length <= NAME_MAX,
  note: (v) => typeof v === "string" && v !== "" && utf8(v).length <= NOTE_MAX,
  hex32: (v) => typeof v === "string" && /^[0-9a-f]{64}$/.test(v),
  hex48: (v) => typeof v === "string" && /^[0-9a-f]{96}$/.test(v),
  object: (v) => typeof v === "object" && !Array.isArray(v),
  array: (v) => Array.isArray(v),
};

/* "?" marks a member that may be missing. */
const sums = { gross: "int", numbers: "int", tickets: "int", void_gross: "int", void_numbers: "int", voids: "int" };
const taken = { place: "one", prize: "word", result: "int" };
const types = {
  "raffle.open": { format: "int", key: "text", rules: "object", ticket_key: "hex32" },
  "unit.enrol": { away: "hours?", key: "text", name: "name", note: "note?", quota: "int", ticket_key: "hex32", unit: "unit" },
  "unit.enable": { unit: "unit" },
  "unit.disable": { reason: "word", unit: "unit" },
  "unit.quota": { quota: "int", unit: "unit" },
  "unit.unenrol": { unit: "unit" },
  "unit.sync": { note: "note", root: "hex32", size: "one", twice: "int", unit: "unit" },
  "unit.start": { n: "one", open: "hex32", unit: "unit" },
  sale: { count: "numbers", n: "one", price: "int", tier: "word" },
  void: { count: "int", n: "one?", price: "int", reason: "word", serial: "serial", unit: "unit" },
  "unit.close": { n: "one", ...sums },
  "seal.unit": { ...sums, note: "note", reconciled: "bool", root: "hex32", size: "int", tiers: "array?", unit: "unit", void_root: "hex32" },
  seal: { ...sums, first: "int", kind: "word", ok: "role?", units: "int", unreconciled: "int" },
  "voids.ack": { seal: "int", voids: "int" },
  "draw.intent": { attempt: "one", commitment: "hex32?", evidence: "text?", numbers: "int", ok: "role?", prize: "word", provider: "text?", reason: "word?", result: "int?", seal: "int" },
  "draw.call": { intent: "int", number: "one", outcome: "word", serial: "serial?", unit: "unit" },
  "draw.manual": {
    alternates: "int", attempt: "one", count: "int", intent: "int", note: "note", numbers: "int", ok: "role?", prize: "word", winners: "int",
  },
  "draw.picks": { first: "int", intent: "int", places: "array" },
  "draw.result": {
    alternates: "int", ask: "one?", attempt: "one", beacon: "hex48?", evidence: "text?", fallback: "hex48?", intent: "int", note: "note",
    numbers: "int", places: "array?", prize: "word", provider: "text", rejected: "int", round: "int?", seed: "hex48", skipped_barred: "int",
    skipped_not_entered: "int", skipped_void: "int", skips: "hex32", winners: "int",
  },
  "draw.abort": { attempt: "one", intent: "int", ok: "role", prize: "word", reason: "word" },
  "winner.verify": { ...taken, outcome: "word", promoted: "one?" },
  "winner.official": taken,
  "winner.pick": { ...taken, envelope: "one", ok: "role", outcome: "word", promoted: "one?" },
  cash: { counted: "int", kind: "word", unit: "unit" },
  claim: { ...taken, ok: "role", papers: "bool?" },
  "claim.wait": taken,
  forfeit: { ...taken, ok: "role?", promoted: "one?", reason: "word" },
  print: { count: "int", first: "int", size: "int", unit: "unit" },
  reprint: { count: "int?", first: "int?", ok: "role", reason: "word", serial: "serial?", unit: "unit" },
  event: { ask: "one?", code: "word", component: "word?", count: "int?", first: "int?", key: "text?", n: "one?", ok: "role?", serial: "serial?", size: "int?", unit: "unit?" },
};
const common = { at: "time", by: "role", p: "hex32", t: "word" };

function checkMember(record, name, kind, what) {
  const optional = kind.endsWith("?");
  const value = record[name];
  need(value !== undefined || optional, `${what} has no "${name}"`);
  need(value === undefined || kinds[optional ? kind.slice(0, -1) : kind](value), `${what} has a "${name}" that is none`);
}

/* The record that the leaf's bytes are; `what` names it in a fault. */
export function readRecord(leaf, what) {
  need(leaf.length > 0 && leaf.length <= LEAF_MAX, `${what} has ${leaf.length} bytes`);
  const record = readCanonical(leaf, what);
  need(kinds.object(record) && Object.hasOwn(types, record.t), `${what} is of no known type`);
  const members = { ...common, ...types[record.t] };
  for (const [name, kind] of Object.entries(members)) checkMember(record, name, kind, what);
  const unknown = Object.keys(record).find((name) => !Object.hasOwn(members, name));
  need(unknown === undefined, `${what} has an unknown member`);
  return record;
}

/* Places of draw.picks and draw.result. */
export function readPlaces(places, what) {
  need(places.length <= 500, `${what} has more than 500 places`);
  for (const place of places) {
    need(kinds.object(place) && Object.keys(place).join() === "number,serial,unit", `${what} has a place that is none`);
    need(kinds.one(place.number) && kinds.serial(place.serial) && kinds.unit(place.unit), `${what} has a place that is none`);
  }
  return places;
}
