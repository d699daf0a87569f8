/* SPDX-License-Identifier: Apache-2.0 */
/* The published folder as a whole: the control log, the manifest, the units, the seals. */
import { equal, hex, isolated, need, textOf, utf8 } from "./bytes.js";
import { Folder } from "./folder.js";
import { canonical, readCanonical } from "./json.js";
import { leafHash } from "./merkle.js";
import { openCheckpoint, readVkey } from "./note.js";
import { checkWitnesses, readPolicy } from "./policy.js";
import { EMPTY_ROOT, readControl } from "./control.js";
import { checkSealed, Unit } from "./unit.js";
import { untilStopped } from "./report.js";

/* What a browser reads in reasonable time; for larger raffles the units' hashes, or their seals alone, are checked. */
export const CONTROL_MAX = 300000, RECORDS_MAX = 200000, HASHES_MAX = 500000;
const SECTION = "The published records";

function manifestOf(control, entries) {
  const unit = (enrol) => ({ key: enrol.key, name: `${control.rules.origin}/unit/${enrol.unit}`, path: `unit/${enrol.unit}` });
  const logs = [{ key: control.open.key, name: control.rules.origin, path: "control" }, ...control.units.map(unit)];
  return canonical({ entries, format: 1, logs, origin: control.rules.origin });
}

async function readManifest(folder, control) {
  const bytes = await folder.manifest();
  const manifest = readCanonical(bytes, "manifest.json");
  need(["all", "control"].includes(manifest?.entries) && textOf(bytes, "manifest.json") === manifestOf(control, manifest.entries), "manifest.json is not what follows from the control log");
  return manifest.entries;
}

/* {folder, log, control, entries, units}, as far as the checks go. */
export async function readPublished(report, address, controlKey) {
  const published = { units: [] };
  await report.check(SECTION, "The control log is signed by the control key", async () => {
    published.folder = new Folder(address);
    published.log = await published.folder.log("control", controlKey, CONTROL_MAX);
    return `${published.log.size} records`;
  });

  await report.check(SECTION, "Its records fit together", async () => {
    published.control = readControl(published.log.leaves);
    need(published.control.rules.origin === controlKey.name, "its origin is not the key's name");
    const own = await readVkey(published.control.open.key);
    need(equal(own.key, controlKey.key), "it names another control key");
    published.policy = await readPolicy(published.control.rules.witnesses);
    const { rules, units, results } = published.control;
    return `${isolated(rules.name)}, of ${isolated(rules.organisation)}: ${units.length} units, ${results.length} of ${rules.prizes.length} prizes drawn`;
  });
  if (published.policy !== null) await checkWitnesses(report, SECTION, published.policy, published.log.checkpoint.note);
  await report.check(SECTION, "The manifest follows from it", async () => {
    published.entries = await readManifest(published.folder, published.control);
    return published.entries === "all" ? "the units' records are published" : "the units' records are withheld, their hashes published";
  });
  return published;
}

/* --- units --- */

async function readUnit(published, enrol, depth) {
  const key = await readVkey(enrol.key), log = `unit/${enrol.unit}`;
  need(key.name === `${published.control.rules.origin}/unit/${enrol.unit}`, "its key has another name");
  if (depth === "seal") return { key, log: null, unit: null };
  const read = depth === "records" ? await published.folder.log(log, key, RECORDS_MAX) : await published.folder.hashes(log, key, HASHES_MAX);
  const unit = read.leaves === null ? null : new Unit(enrol.unit, read, published.control.rules);
  if (unit !== null && read.size > 0) await checkStart(published, read.leaves[0], enrol.unit);
  return { key, log: read, unit };
}

async function checkStart(published, leaf, number) {
  const start = readCanonical(leaf, "unit.start");
  need(start.unit === number && start.open === hex(published.log.tree.levels[0][0]), "its log belongs to another raffle or unit");
}

/* How much of the units this page reads: "records", "hashes" or "seal". */
async function depthOf(published) {
  let total = 0n;
  for (const enrol of published.control.units) total += (await published.folder.checkpoint(`unit/${enrol.unit}`, await readVkey(enrol.key))).size;
  if (published.entries === "all" && total <= BigInt(RECORDS_MAX)) return "records";
  return total <= BigInt(HASHES_MAX) ? "hashes" : "seal";
}

export async function readUnits(report, published) {
  await report.check(SECTION, "Each unit's checkpoint is signed by its key", async () => {
    published.depth = await depthOf(published);
    return `${published.control.units.length} units`;
  });
  for (const enrol of published.control.units) {
    published.units.push(await untilStopped(() => report.check(SECTION, `Unit ${enrol.unit}, ${isolated(enrol.name)}: its log is whole`, async () => {
      const read = await readUnit(published, enrol, published.depth);
      published.units[enrol.unit - 1] = read;
      return read;
    })));
  }
  if (published.depth !== "records") {
    report.leave(SECTION, "Each unit's records", published.entries === "all"
      ? "there are too many for this page: raffle audit, examples/verifier and the Go verifier read them"
      : "they are withheld: the organiser can show them to an auditor");
  }
}

/* --- uploads of units that are away --- */

/* The note in a record about a unit: by the unit's key, of exactly this size and root. */
async function checkUnitNote(record, size, root, key, what) {
  const checkpoint = await openCheckpoint(utf8(record.note), key);
  need(checkpoint.size === BigInt(size) && hex(checkpoint.root) === root, `the checkpoint of unit ${record.unit} is not the one that was ${what}`);
}

async function checkUpload(upload, { key, log }) {
  await checkUnitNote(upload, upload.size, upload.root, key, "uploaded");
  if (log === null) return;
  need(upload.size <= log.size, `record ${upload.index} of the control log says that the unit uploaded ${upload.size} records, and ${log.size} are published`);
  need(hex(await log.tree.root(upload.size)) === upload.root, `the unit uploaded other ${upload.size} records, as record ${upload.index} of the control log says`);
}

/* A unit that is away proved its key by signing that it had no records. */
export async function checkUploads(report, published) {
  for (const enrol of published.control.units.filter((unit) => unit.away !== undefined)) {
    await untilStopped(() => report.check(SECTION, `Unit ${enrol.unit}, ${isolated(enrol.name)}: it uploaded what is published`, async () => {
      const read = published.units[enrol.unit - 1], uploads = published.control.uploads.get(enrol.unit) ?? [];
      need(read !== null, "its log was not read");
      await checkUnitNote(enrol, 0, EMPTY_ROOT, read.key, "the proof of its key");
      for (const upload of uploads) await checkUpload(upload, read);
      return `${uploads.length} uploads`;
    }));
  }
}

/* --- seals --- */

async function checkSeal(published, seal) {
  seal.void = [];
  for (const [i, sealed] of seal.run.entries()) {
    const read = published.units[i];
    need(read !== null, `unit ${sealed.unit} was not read`);
    await checkUnitNote(sealed, sealed.size, sealed.root, read.key, "sealed");
    const closed = sealed.reconciled && (seal.kind === "final" || published.control.units[i].away !== undefined);
    need(read.unit === null || !closed || read.unit.closed === sealed.size, `the seal takes all of unit ${sealed.unit}, and does not end in its close`);
    if (read.unit !== null) seal.void.push({ unit: read.unit, void: await checkSealed(read.unit, sealed, seal.first, published.control.voids) });
    else if (read.log !== null) need(hex(await read.log.tree.root(sealed.size)) === sealed.root, `unit ${sealed.unit} is not what was sealed`);
  }
  return `${seal.tickets} tickets, ${seal.numbers} numbers, ${seal.voids} tickets void`;
}

export async function checkSeals(report, published) {
  for (const seal of published.control.seals) {
    seal.good = (await untilStopped(() => report.check(SECTION, `The ${seal.kind} seal of ${seal.at} is what was sold`, () => checkSeal(published, seal)))) !== null;
    if (seal.unreconciled > 0) report.leave(SECTION, "Sales that are missing in a seal", `${seal.unreconciled} of its units entered with less than all that they sold, with a second approver`);
  }
}

/* --- the receipt against the folder --- */

async function sameHistory(log, checkpoint, what) {
  need(checkpoint.size <= BigInt(log.size), `the receipt's ${what} has ${checkpoint.size} records, and the published one ${log.size}: the folder is older, or was cut`);
  need(equal(await log.tree.root(Number(checkpoint.size)), checkpoint.root), `the receipt's ${what} is another one than that which is published: there are two histories. Keep the receipt, it is evidence`);
}

export async function checkReceiptPublished(report, section, published, ticket) {
  await report.check(section, "The receipt is of the history that is published", async () => {
    await sameHistory(published.log, ticket.control, "control log");
    const read = published.units[ticket.receipt.unit - 1];
    if (!read?.log) return "the control log";
    await sameHistory(read.log, ticket.unitHead, "unit");
    const leaf = await leafHash(ticket.receipt.sale.leaf);
    need(equal(read.log.tree.levels[0][ticket.receipt.serial], leaf), "another record is published in the ticket's place");
    return "control log and unit";
  });
}

/* --- after a promise: whether it was kept --- */

export async function checkDrum(report, section, published, ticket) {
  const { unit, serial } = ticket.receipt;
  const covers = (seal) => seal.run[unit - 1] !== undefined && serial < seal.run[unit - 1].size;
  const seal = published.control.seals.findLast((s) => s.kind === "final") ?? published.control.seals.findLast(covers);
  if (seal === undefined) {
    report.leave(section, "That it was in the drum", "no seal that is published covers it so far");
    return;
  }
  await report.check(section, `The published ${seal.kind} seal covers it`, () => {
    need(covers(seal), "the final seal leaves it out: the promise was not kept. Keep the receipt, it is evidence");
    need(seal.good, "the seal is not what was sold");
    return `record ${serial} of the ${seal.run[unit - 1].size} that it covers`;
  });
  if (seal.void.length !== seal.run.length) {
    report.leave(section, "That it was not void then", "this needs the units' records: get a receipt that was made after the seal");
    return;
  }
  ticket.voidInSeal = seal.void[unit - 1].void.has(serial);
  report.add(section, ticket.voidInSeal ? "It is void in this seal" : "It was in the drum: not void", "good", ticket.voidInSeal ? "it takes no part" : "");
}
