/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt proves, with the control key as the only trust (docs/spec/receipts.md). */
import { bigEndian, equal, hex, isolated, need, unhex } from "./bytes.js";
import { sha256 } from "./hash.js";
import { included, leafHash } from "./merkle.js";
import { openCheckpoint, readVkey } from "./note.js";
import { checkWitnesses, cosignatures, readPolicy } from "./policy.js";
import { readRecord } from "./record.js";
import { readReceipt } from "./receipt_text.js";

export const SECTION = "Your ticket";

/* Signed by its log, and else by witnesses of the policy alone, in its order. */
async function checkpointOf(part, key, policy) {
  const checkpoint = await openCheckpoint(part.note, key);
  const cosigned = policy === null ? [] : [...(await cosignatures(checkpoint.note, policy)).keys()];
  const expected = [key, ...cosigned], { signatures } = checkpoint.note;
  need(signatures.length === expected.length && signatures.every((s, i) => s.name === expected[i].name && equal(s.id, expected[i].id)),
    "a checkpoint in the receipt has a signature that nobody vouches for");
  return checkpoint;
}

/* The policy of the rules that the receipt shows; null when it shows none. That they are the log's is proved once its checkpoint is opened. */
async function policyOf(receipt, controlKey) {
  if (receipt.open === undefined) return null;
  const record = readRecord(receipt.open.leaf, "the raffle.open");
  need(record.t === "raffle.open" && record.rules.origin === receipt.origin, "its raffle.open is of another raffle");
  need(equal((await readVkey(record.key)).key, controlKey.key), "its raffle.open names another control key");
  const policy = await readPolicy(record.rules.witnesses);
  need(policy !== null, "it shows rules without witnesses");
  return policy;
}

async function checkOpen(facts, receipt) {
  need(receipt.open.index === 0n && equal(receipt.open.note, receipt.enrol.note), "its raffle.open is not the log's first record");
  await provenRecord(receipt.open, facts.control, "raffle.open");
}

/* The record of this type that the part proves to be in the log. */
async function provenRecord(part, checkpoint, type) {
  const record = readRecord(part.leaf, `the ${type}`);
  need(record.t === type, `a record is a ${record.t} where a ${type} must be`);
  need(await included(part.index, checkpoint.size, await leafHash(part.leaf), part.hashes, checkpoint.root), `the proof of the ${type} does not hold`);
  return record;
}

async function checkUnit(facts, receipt, controlKey) {
  facts.policy = await policyOf(receipt, controlKey);
  facts.control = await checkpointOf(receipt.enrol, controlKey, facts.policy);
  const record = await provenRecord(receipt.enrol, facts.control, "unit.enrol");
  need(record.unit === receipt.unit, `the enrolment is of unit ${record.unit}, the ticket of unit ${receipt.unit}`);
  facts.unitKey = await readVkey(record.key);
  need(facts.unitKey.name === `${receipt.origin}/unit/${receipt.unit}`, "the unit's key has another name");
  facts.unitName = record.name;
  return `unit ${receipt.unit}, ${isolated(record.name)}: its key is in the control log`;
}

async function checkSale(facts, receipt) {
  facts.unitHead = await checkpointOf(receipt.sale, facts.unitKey, facts.policy);
  need(receipt.sale.index === BigInt(receipt.serial), "the proof is of another record than the ticket's");
  facts.sale = await provenRecord(receipt.sale, facts.unitHead, "sale");
  return `record ${receipt.serial} of ${facts.unitHead.size} in the unit's signed log`;
}

async function checkSealUnit(facts, receipt) {
  need(equal(receipt.sealUnit.note, receipt.enrol.note) && equal(receipt.seal.note, receipt.enrol.note), "the parts of the control log have not the same checkpoint");
  facts.sealUnit = await provenRecord(receipt.sealUnit, facts.control, "seal.unit");
  need(facts.sealUnit.unit === receipt.unit, "the seal is of another unit");
  need(BigInt(facts.sealUnit.size) === facts.unitHead.size && facts.sealUnit.root === hex(facts.unitHead.root), "the unit's checkpoint is not the one that was sealed");
}

/* A run of seal.unit counts when its seal follows it directly, with a place for each unit. */
async function checkSeal(facts, receipt) {
  await checkSealUnit(facts, receipt);
  facts.seal = await provenRecord(receipt.seal, facts.control, "seal");
  const { first, units, kind } = facts.seal;
  need(receipt.seal.index === BigInt(first) + BigInt(units), "the seal does not follow its units");
  need(receipt.unit <= units && receipt.sealUnit.index === BigInt(first) + BigInt(receipt.unit) - 1n, "the unit is not in this seal");
  need(kind === "early" || kind === "final", "the seal is of no kind");
  facts.sealIndex = Number(receipt.seal.index);
  return `the ${kind} seal of ${facts.seal.at}, with all ${facts.sealUnit.size} records of the unit`;
}

async function checkListed(facts, v) {
  const leaf = await leafHash(bigEndian(v.serial, 5));
  need(await included(v.index, BigInt(facts.sealUnit.voids), leaf, v.hashes, unhex(facts.sealUnit.void_root)), `the proof that ${v.serial} is void does not hold`);
}

async function checkVoid(facts, receipt) {
  need(receipt.voids.length === 1 && receipt.voids[0].serial === BigInt(receipt.serial), "the ticket is not the one that is shown among the voids");
  await checkListed(facts, receipt.voids[0]);
  return `one of the ${facts.sealUnit.voids} void tickets of its unit: it takes no part`;
}

/* Voids ascend: the neighbours of the place where the ticket would be are shown, and nothing lies between them. */
async function checkNotVoid(facts, receipt) {
  const serial = BigInt(receipt.serial), count = BigInt(facts.sealUnit.voids);
  const shown = [...receipt.voids];
  const before = shown.length > 0 && shown[0].serial < serial ? shown.shift() : null;
  const after = shown.shift() ?? null;
  const place = before === null ? 0n : before.index + 1n;
  need(shown.length === 0 && (after === null || (after.serial > serial && after.index === place)), "the voids that are shown are not the ticket's neighbours");
  need(after !== null || place === count, `the unit has ${count} voids, and those after the ticket are not shown`);
  for (const v of receipt.voids) await checkListed(facts, v);
  need(count > 0n || facts.sealUnit.void_root === hex(await sha256(new Uint8Array(0))), "without voids their root is not that of nothing");
  return count === 0n ? "its unit has no void ticket" : `its neighbours among the ${count} void tickets of its unit are shown, and it is not between them`;
}

/* Facts: receipt, sale, unitName, control, unitHead, seal … */
export async function verifyReceipt(report, bytes, controlKey) {
  const facts = {};
  await report.check(SECTION, "It is a receipt of this raffle", () => {
    facts.receipt = readReceipt(bytes);
    need(facts.receipt.origin === controlKey.name, `the receipt is of ${facts.receipt.origin}, the key that of ${controlKey.name}`);
    return facts.receipt.origin;
  });
  const { receipt } = facts;
  await report.check(SECTION, "The seller is one of the raffle's", () => checkUnit(facts, receipt, controlKey));
  if (receipt.open !== undefined) {
    await report.check(SECTION, "The rules that it shows are the raffle's", () => checkOpen(facts, receipt));
    await checkWitnesses(report, SECTION, facts.policy, facts.control.note);
  }
  await report.check(SECTION, "The ticket was sold", () => checkSale(facts, receipt));
  if (receipt.proves === "promise") {
    report.leave(SECTION, "That it was in the drum", "this receipt is a promise, made before a seal; get a new one after the seal, or give the published folder's address");
    return facts;
  }
  await report.check(SECTION, "A seal covers it", () => checkSeal(facts, receipt));
  if (receipt.proves === "void") await report.check(SECTION, "It is void", () => checkVoid(facts, receipt));
  else await report.check(SECTION, "It was in the drum: not void", () => checkNotVoid(facts, receipt));
  return facts;
}
