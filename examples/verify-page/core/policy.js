/* SPDX-License-Identifier: Apache-2.0 */
/* The witnesses that a raffle's rules name, and their quorum: C2SP tlog-policy without its `log` lines (docs/spec/draw.md, Witnesses). */
import { need } from "./bytes.js";
import { cosignedAt, readVkey } from "./note.js";

const EACH_MAX = 32;

/* {members: name → vkey or {needed, members}, witnesses, quorum}; null for "none". */
export async function readPolicy(lines) {
  if (lines === "none" || lines === undefined) return null;
  need(Array.isArray(lines) && lines.length <= 2 * EACH_MAX + 1 && lines.every((line) => typeof line === "string"), "the rules' witnesses are no list of lines");
  const policy = { members: new Map(), witnesses: [], quorum: null };
  for (const line of lines) {
    need(policy.quorum === null, "the rules' witnesses go on after their quorum");
    await takeLine(policy, line.split(" "));
  }
  need(policy.quorum !== null, "the rules' witnesses have no quorum");
  return policy;
}

async function takeLine(policy, [word, name, ...rest]) {
  const isNew = name !== undefined && name !== "" && name !== "none" && !policy.members.has(name);
  if (word === "witness") {
    need(isNew && rest.length >= 1 && rest.length <= 2, "a witness of the rules is none");
    const key = await readVkey(rest[0]);
    policy.members.set(name, key);
    policy.witnesses.push(key);
  } else if (word === "group") {
    need(isNew && rest.length >= 2 && rest.slice(1).every((member) => policy.members.has(member)), "a group of the rules' witnesses is none");
    policy.members.set(name, { needed: neededOf(rest[0], rest.length - 1), members: rest.slice(1) });
  } else {
    need(word === "quorum" && policy.members.has(name) && rest.length === 0, "a line of the rules' witnesses is none");
    policy.quorum = name;
  }
}

function neededOf(word, count) {
  if (word === "all") return count;
  if (word === "any") return 1;
  need(/^[1-9][0-9]*$/.test(word) && Number(word) <= count, "a group of the rules' witnesses asks for more than it has");
  return Number(word);
}

/* Who of them cosigned the note: vkey → seconds. Throws for a wrong cosignature by one of them. */
export async function cosignatures(note, policy) {
  const found = new Map();
  for (const key of policy.witnesses) {
    const seconds = await cosignedAt(note, key);
    if (seconds !== null && seconds > 0n) found.set(key, seconds);
  }
  return found;
}

export function quorumMet(policy, cosigned, name = policy.quorum) {
  const member = policy.members.get(name);
  if (member.members === undefined) return cosigned.has(member);
  return member.members.filter((each) => quorumMet(policy, cosigned, each)).length >= member.needed;
}

/* A note that waits for its witnesses is no fault, and no tick: what must wait for them is a draw. */
export async function checkWitnesses(report, section, policy, note) {
  const cosigned = await report.check(section, "Its witnesses' cosignatures are right", () => cosignatures(note, policy));
  const counted = `${cosigned.size} of ${policy.witnesses.length} witnesses cosigned`;
  if (quorumMet(policy, cosigned)) report.add(section, "The witnesses' quorum saw it", "good", counted);
  else report.leave(section, "That the witnesses' quorum saw it", `${counted}: too few, so far`);
}
