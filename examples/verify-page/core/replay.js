/* SPDX-License-Identifier: Apache-2.0 */
/* A draw, done again: intent, seed, words, permutation, skips, places (docs/spec/draw.md). */
import { bigEndian, concat, equal, hex, need, unhex, utf8 } from "./bytes.js";
import { checkRound } from "./bls/quicknet.js";
import { sha256 } from "./hash.js";
import { openCheckpoint } from "./note.js";
import { cosignatures, quorumMet } from "./policy.js";
import { commitment, fallbackSeed, seedCommitment, Shuffle, Words } from "./draw.js";

const BEACON_START = 1692803367, BEACON_STEP = 3, BEACON_DAY = 28800;
const VOID = 1, NOT_ENTERED = 2, BARRED = 3;

/* Where element e of the drum is: {unit, number}. */
function locate(seal, element) {
  let before = 0;
  for (const unit of seal.run) {
    if (element < before + unit.numbers) return { unit: unit.unit, number: element - before + 1 };
    before += unit.numbers;
  }
  throw new Error("an element beyond the drum");
}

/* The tickets or numbers that earlier results bar, as keys; `results` as heldWhen() gives them. */
function barredBefore(results, rule) {
  const barred = new Set();
  for (const earlier of results) for (const place of earlier.held) barred.add(keyOf(earlier.places[place - 1], rule));
  return barred;
}

function keyOf(place, rule) {
  return rule.one_win === "ticket" ? `${place.unit}/${place.serial}` : `${place.unit}-${place.number}`;
}

/* The places that held a winner when the result was written: promotions are records, so those before it count. */
export function heldWhen(results, promotions, index) {
  return results.filter((r) => r.index < index).map((r) => ({
    places: r.places,
    held: new Set([...Array.from({ length: r.winners }, (_, i) => i + 1), ...promotions.filter((p) => p.result === r.index && p.index < index).map((p) => p.promoted)]),
  }));
}

/* --- the steps before the walk --- */

/* The commitment C, over the tree as the signed checkpoint of the intent has it. */
export async function checkIntent(result, origin, controlKey, tree, policy) {
  const { open } = result;
  const checkpoint = await openCheckpoint(utf8(result.note), controlKey);
  const root = await tree.root(open.index + 1);
  need(checkpoint.size === BigInt(open.index + 1), `the checkpoint of the intent is of size ${checkpoint.size}`);
  need(equal(checkpoint.root, root), "the checkpoint of the intent is of another log");
  if (policy !== null) result.cosigned = await cosignatures(checkpoint.note, policy);
  need(policy === null || quorumMet(policy, result.cosigned), "the witnesses' quorum is not reached over the intent");
  return commitment(origin, open.index, root);
}

export async function checkSeed(result, c) {
  const seed = unhex(result.seed), { open } = result;
  if (open.commitment === undefined) {
    need(result.beacon === undefined && result.fallback === undefined && result.round === undefined, "a random draw has no beacon");
    return `asked for once the intent was written, in record ${result.ask}${open.asks > 1 ? `; asked ${open.asks} times in all` : ""}`;
  }
  const due = Date.parse(open.at) + 1000 * (open.rule.beacon_delay - BEACON_START);
  const round = 1 + Math.max(0, Math.ceil(due / (1000 * BEACON_STEP)));
  need(result.round === round && result.beacon !== undefined, `the intent fixes round ${round} of the beacon, and the result has another`);
  need(Date.parse(result.at) >= 1000 * (BEACON_START + BEACON_STEP * (round - 1)), "the result is earlier than the beacon's round");
  if (result.fallback !== undefined) {
    need(Date.parse(result.at) >= 1000 * (BEACON_START + BEACON_STEP * (round + BEACON_DAY - 1)), "the result is earlier than the later round");
    need(equal(await fallbackSeed(c, unhex(result.fallback)), seed), "the seed is not the one that stands in for a lost one");
    return "it was lost, and a later round of the beacon stood in: ask the organiser why";
  }
  need(hex(await seedCommitment(seed)) === open.commitment, "the seed is not the one that the intent committed to");
  return `the one that the intent committed to, with round ${round} of the beacon`;
}

/* BLS signatures over the rounds: the intent's, and the later one that stands in for a lost seed. */
export async function checkBeacon(result) {
  await checkRound(result.round, unhex(result.beacon));
  if (result.fallback !== undefined) await checkRound(result.round + BEACON_DAY, unhex(result.fallback));
  return `round ${result.round}`;
}

/* Whether the quorum saw a committed draw's intent before the beacon's round, in whole seconds. */
export function witnessedInTime(result, policy) {
  const time = BigInt(BEACON_START + BEACON_STEP * (result.round - 1));
  return quorumMet(policy, new Map([...result.cosigned].filter(([, seconds]) => seconds < time)));
}

/* --- the walk --- */

class Walk {
  constructor(result, words) {
    this.result = result;
    this.rule = result.open.rule;
    this.seal = result.open.seal;
    this.wanted = this.rule.winners + this.rule.alternates;
    this.shuffle = new Shuffle(words, this.seal.numbers);
    this.places = [];
    this.skips = [];
    this.counts = [0, 0, 0, 0];
  }

  async next() {
    const element = await this.shuffle.next();
    return element === null ? null : locate(this.seal, Number(element));
  }

  skip(reason, at) {
    this.counts[reason]++;
    this.skips.push(concat(Uint8Array.of(reason), bigEndian(at.unit, 2), bigEndian(at.number, 5)));
  }
}

function why(at, sale, units, rule, barred) {
  if (units[at.unit - 1].void.has(sale.serial)) return VOID;
  if (!rule.tiers.includes(sale.tier)) return NOT_ENTERED;
  return rule.one_win !== "none" && barred.has(keyOf({ ...at, serial: sale.serial }, rule)) ? BARRED : 0;
}

/* How many numbers the result says that the walk took: no walk goes on beyond. */
export function stepsOf(result) {
  return result.places.length + result.skipped_void + result.skipped_not_entered + result.skipped_barred;
}

/* With all records: each number's ticket, each skip and its reason. `units`: {unit, void} of the seal. */
export async function walkWhole(result, words, units, earlier) {
  const walk = new Walk(result, words), barred = barredBefore(earlier, walk.rule);
  for (let step = 0; walk.places.length < walk.wanted; step++) {
    const at = await walk.next();
    if (at === null) break;
    need(step < stepsOf(result), "the walk skips more numbers than the result says");
    const sale = units[at.unit - 1].unit.withNumber(at.number);
    const reason = why(at, sale, units, walk.rule, barred);
    if (reason !== 0) {
      walk.skip(reason, at);
      continue;
    }
    const place = { ...at, serial: sale.serial };
    comparePlace(result, place, walk.places.length);
    walk.places.push(place);
    barred.add(keyOf(place, walk.rule));
  }
  compareCounts(result, walk.places);
  for (const [name, reason] of [["skipped_void", VOID], ["skipped_not_entered", NOT_ENTERED], ["skipped_barred", BARRED]]) {
    need(result[name] === walk.counts[reason], `${name} is ${result[name]}, and the walk skips ${walk.counts[reason]}`);
  }
  need(hex(await sha256(concat(...walk.skips))) === result.skips, "the list of skips is another one");
  need(words.rejected === result.rejected, `${words.rejected} words were rejected, and the result says ${result.rejected}`);
  return `${walk.places.length} places, ${walk.skips.length} numbers skipped, ${words.used} words used, ${words.rejected} of them rejected`;
}

function comparePlace(result, place, i) {
  const said = result.places[i];
  need(said !== undefined, `the walk finds place ${i + 1}, and the result has none`);
  need(said.unit === place.unit && said.number === place.number, `place ${i + 1} is number ${place.unit}-${place.number}, and the result says ${said.unit}-${said.number}`);
  need(said.serial === place.serial, `number ${place.unit}-${place.number} is of ticket ${place.unit}/${place.serial}, and the result says ${said.unit}/${said.serial}`);
}

function compareCounts(result, places) {
  need(places.length === result.places.length, `the walk finds ${places.length} places, and the result has ${result.places.length}`);
  const winners = Math.min(places.length, result.open.rule.winners);
  need(result.winners === winners && result.alternates === places.length - winners, "winners and alternates are not parted as the rules say");
}

/* Without the units' records: the places come in the permutation's order, and between them as many numbers are skipped as the result says. */
export async function walkPlaces(result, words) {
  const walk = new Walk(result, words);
  const skipped = stepsOf(result) - result.places.length;
  let found = 0;
  for (let step = 0; step < stepsOf(result); step++) {
    const at = await walk.next(), said = result.places[found];
    need(at !== null, "the result skips more numbers than there are");
    if (said !== undefined && said.unit === at.unit && said.number === at.number) found++;
    else need(step - found < skipped, `the numbers drawn are not those of the result: place ${found + 1} is another`);
  }
  need(found === result.places.length, `only ${found} of the ${result.places.length} places are drawn so early`);
  need(found === walk.wanted || (await walk.next()) === null, "the result has fewer places than the rules, though numbers are left");
  need(words.rejected === result.rejected, `${words.rejected} words were rejected, and the result says ${result.rejected}`);
  return `${found} places in the order drawn, ${skipped} numbers skipped between them`;
}

/* --- a drum draw --- */

/* By whose ticket it is and what was called before; `barred` and `taken` are of the places so far. */
function judge(call, rule, barred, taken) {
  if (taken.has(`${call.unit}-${call.number}`)) return "again";
  return rule.one_win !== "none" && barred.has(keyOf(call, rule)) ? "barred" : "taken";
}

/* What the ticket's own record says against it; null: nothing. */
function against(call, units, rule) {
  const sale = units[call.unit - 1].unit.withNumber(call.number);
  need(sale.serial === call.serial, `number ${call.unit}-${call.number} is of ticket ${call.unit}/${sale.serial}, and record ${call.index} says ${call.unit}/${call.serial}`);
  const reason = why(call, sale, units, rule, new Set());
  return reason === VOID ? "void" : reason === NOT_ENTERED ? "not-entered" : null;
}

/* Every number that was called, judged again; `units` as above, or null without all records: then nobody can tell here what is void or not entered. */
export function checkCalls(result, units, earlier) {
  const { calls, rule, seal } = result.open, barred = barredBefore(earlier, rule), taken = new Set();
  for (const call of calls) {
    const sold = call.number <= (seal.run[call.unit - 1]?.numbers ?? 0);
    need(sold === (call.serial !== undefined), `number ${call.unit}-${call.number} was ${sold ? "" : "not "}sold, and record ${call.index} says otherwise`);
    need(taken.size < rule.winners + rule.alternates, `record ${call.index} calls a number when every place is taken`);
    const believed = units === null && ["void", "not-entered"].includes(call.outcome);
    const own = !sold ? "unsold" : believed ? call.outcome : (units === null ? null : against(call, units, rule)) ?? judge(call, rule, barred, taken);
    need(own === call.outcome, `number ${call.unit}-${call.number} is "${own}", and record ${call.index} says "${call.outcome}"`);
    if (own !== "taken") continue;
    taken.add(`${call.unit}-${call.number}`);
    barred.add(keyOf(call, rule));
  }
  return `${taken.size} places, ${calls.length - taken.size} numbers rejected`;
}
