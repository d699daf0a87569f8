/* SPDX-License-Identifier: Apache-2.0 */
/* Everything, in order: key, receipt, folder, seals, draws; and what it means for the ticket. */
import { hex, isolated, unhex } from "./bytes.js";
import { readVkey } from "./note.js";
import { Words } from "./draw.js";
import { SECTION as TICKET, verifyReceipt } from "./receipt.js";
import { checkDrum, checkReceiptPublished, checkSeals, checkUploads, readPublished, readUnits } from "./published.js";
import { checkBeacon, checkCalls, checkIntent, checkSeed, heldWhen, stepsOf, walkPlaces, walkWhole, witnessedInTime } from "./replay.js";
import { untilStopped } from "./report.js";

const STEPS_MAX = 1000000;

/* --- draws --- */

function wordText(bytes) {
  return hex(bytes).match(/.{16}/g).slice(0, 4).join(" ");
}

/* All records of the seal are there, and are what it says. */
function isWhole({ good, void: voids, run }) {
  return good && voids.length === run.length;
}

async function checkDrumDraw(report, section, published, controlKey, result) {
  const { control } = published, { seal } = result.open;
  await report.check(section, "The intent was signed over this seal and all sales", async () => {
    await checkIntent(result, control.rules.origin, controlKey, published.log.tree, published.policy);
    return `record ${result.open.index}`;
  });
  const earlier = heldWhen(control.results, control.promotions, result.index);
  await report.check(section, "Every number that was called is judged as the rules say", () => checkCalls(result, isWhole(seal) ? seal.void : null, earlier));
  result.check = seal.good ? "good" : "bad";
  if (!isWhole(seal)) report.leave(section, "Which numbers were void or not entered", "this needs the units' records");
  report.leave(section, "That these numbers came out of the drum", "they were drawn by hand: those who watched it know");
}

async function checkDraw(report, section, published, controlKey, result) {
  const { control } = published;
  if (result.open.rule.draw === "drum") {
    await checkDrumDraw(report, section, published, controlKey, result);
    return;
  }
  let c, words;
  await report.check(section, "The intent was signed over this seal and all sales", async () => {
    c = await checkIntent(result, control.rules.origin, controlKey, published.log.tree, published.policy);
    return `record ${result.open.index}; commitment C ${hex(c)}`;
  });
  await report.check(section, "The seed is the one of this intent", async () => `${await checkSeed(result, c)}; from ${isolated(result.provider)}; ${result.seed}`);
  if (result.beacon !== undefined) await report.check(section, "The beacon's value is signed by drand's quicknet", () => checkBeacon(result));
  await report.check(section, "Words follow from the seed (HMAC_DRBG)", async () => {
    words = await Words.of(unhex(result.seed), c, unhex(result.beacon ?? ""));
    await words.fill();
    return `${wordText(words.first)} …`;
  });
  if (result.round !== undefined && published.policy !== null && !witnessedInTime(result, published.policy)) {
    report.leave(section, "That the intent was witnessed before the beacon's round", "it was witnessed later: who wrote it may have known the round");
  }
  const earlier = heldWhen(control.results, control.promotions, result.index);
  if (stepsOf(result) > STEPS_MAX) {
    report.leave(section, "Permutation, skips and places", `the walk of ${stepsOf(result)} numbers is too long for this page: raffle audit and examples/verifier walk it`);
    result.check = "open";
    return;
  }
  const whole = isWhole(result.open.seal);
  await report.check(section, "Permutation, skips and places follow from the words", () =>
    whole ? walkWhole(result, words, result.open.seal.void, earlier) : walkPlaces(result, words));
  result.check = result.open.seal.good ? "good" : "bad";
  if (!whole) report.leave(section, "Why numbers were skipped", "this needs the units' records");
}

async function checkDraws(report, published, controlKey) {
  const { control } = published;
  const section = (i, open) => `Draw ${i + 1}: ${open.rule.title}`;
  for (const [i, result] of control.results.entries()) await untilStopped(() => checkDraw(report, section(i, result.open), published, controlKey, result));
  if (control.intent !== null) report.leave(section(control.results.length, control.intent), "It is not over", `the intent is record ${control.intent.index}, and there is no result so far`);
}

/* --- what it means --- */

/* Every place, winners and alternates; `check` is "good", "bad" or "open", as a step's state. */
export function placesOf(control) {
  return control.results.flatMap((result) => result.places.map((place, i) => {
    const held = result.held.has(i + 1);
    const state = result.ended.get(i + 1) ?? (held ? "winner" : "alternate");
    return {
      result: result.index, check: result.check ?? "bad", prize: result.open.rule.title, place: i + 1, winner: held, lost: result.lost.has(i + 1),
      promoted: held && i >= result.winners, state, ...place,
    };
  }));
}

function outcome(ticket, published) {
  if (ticket.receipt.proves === "void" || ticket.voidInSeal) return "The ticket is void: it takes no part in draws.";
  if (published?.control === undefined) return "";
  const { unit, serial } = ticket.receipt;
  const mine = placesOf(published.control).filter((place) => place.unit === unit && place.serial === serial);
  const won = mine.filter((place) => place.winner && !place.lost);
  const voided = published.control.voids.some((v) => v.unit === unit && v.serial === serial) || published.units[unit - 1]?.unit?.voids.some((v) => v.serial === serial);
  if (voided) return "The ticket was voided.";
  if (won.length > 0) return `The ticket holds a winner's place: ${won.map((place) => `${isolated(place.prize)}, place ${place.place}`).join("; ")}.`;
  if (mine.length > 0) return `The ticket is an alternate, or lost its place: ${mine.map((place) => `${isolated(place.prize)}, place ${place.place}, ${place.state}`).join("; ")}.`;
  return published.control.results.length > 0 ? "The ticket holds no place in the draws so far." : "Nothing is drawn so far.";
}

async function checkTicketPublished(report, published, ticket) {
  await checkReceiptPublished(report, TICKET, published, ticket);
  if (ticket.receipt.proves === "promise") await checkDrum(report, TICKET, published, ticket);
}

/* --- the call --- */

/* `receipt` (bytes) and `address` may be null, not both. {ticket, published, outcome}. */
export async function checkAll(report, { key, receipt, address }) {
  const found = { ticket: null, published: null, outcome: "" };
  const controlKey = await untilStopped(() => report.check("The key", "The control key is one", () => readVkey(key.trim())));
  if (controlKey === null) return found;
  report.leave("The key", "That it is the raffle's key", "compare it with the one on the licence or the regulator's page: everything rests upon it");
  if (receipt !== null) found.ticket = await untilStopped(() => verifyReceipt(report, receipt, controlKey));
  if (address !== null) {
    await untilStopped(async () => {
      const published = await readPublished(report, address, controlKey);
      found.published = published;
      await readUnits(report, published);
      await checkUploads(report, published);
      await checkSeals(report, published);
      if (found.ticket !== null) await untilStopped(() => checkTicketPublished(report, published, found.ticket));
      await checkDraws(report, published, controlKey);
    });
    report.leave("The published records", "That roles, times and quotas kept to the rules", "raffle audit and examples/verifier check every record");
  }
  if (found.ticket !== null) found.outcome = outcome(found.ticket, found.published);
  if (found.outcome !== "" && report.bad > 0) found.outcome = `As published, where not everything holds: ${found.outcome}`;
  return found;
}
