/* SPDX-License-Identifier: Apache-2.0 */
/* C2SP signed notes, verifier keys and checkpoints, read strictly (docs/spec/logs.md). */
import { concat, decimal, equal, need, textOf, unbase64, unhex, utf8 } from "./bytes.js";
import { sha256 } from "./hash.js";
import { verifyEd25519 } from "./ed25519.js";

const NOTE_MAX = 16384, NAME_MAX = 255, SIGNATURES_MAX = 64;
const ED25519 = 1, COSIGNATURE = 4;

function nameGood(name) {
  return name.length > 0 && utf8(name).length <= NAME_MAX && !/[\u0000-\u001f+]|\p{White_Space}/u.test(name);
}

export async function keyId(name, type, key) {
  return (await sha256(concat(utf8(name), Uint8Array.of(10, type), key))).subarray(0, 4);
}

/* {name, type, id, key} of "name+8 hex digits+base64". */
export async function readVkey(text) {
  const first = text.indexOf("+"), second = text.indexOf("+", first + 1);
  const name = text.slice(0, first), id = text.slice(first + 1, second), rest = text.slice(second + 1);
  need(first > 0 && second > 0 && nameGood(name), "the key is not of the form name+8 hex digits+base64");
  need(/^[0-9a-f]{8}$/.test(id) && rest.length === 44, "the key is not of the form name+8 hex digits+base64");
  const bytes = unbase64(rest, "the key");
  const key = { name, type: bytes[0], id: unhex(id), key: bytes.subarray(1) };
  need(bytes.length === 33 && (key.type === ED25519 || key.type === COSIGNATURE), "the key is of a type that is not known here");
  need(equal(await keyId(name, key.type, key.key), key.id), "the key's digits are not those of the key: a letter may be wrong");
  return key;
}

function readSignature(line, earlier) {
  need(line.startsWith("\u2014 "), "a signature line does not begin with a dash and a space");
  const space = line.indexOf(" ", 2);
  const name = line.slice(2, space);
  need(space > 0 && nameGood(name), "a signature line has no valid name");
  const bytes = unbase64(line.slice(space + 1), "a signature");
  need(bytes.length >= 5, "a signature is too short");
  const signature = { name, id: bytes.subarray(0, 4), body: bytes.subarray(4) };
  need(!earlier.some((s) => s.name === name && equal(s.id, signature.id)), `${name} signed twice`);
  return signature;
}

/* {text, signatures} of bytes. */
export function readNote(bytes) {
  need(bytes.length <= NOTE_MAX, "a note is too long");
  const whole = textOf(bytes, "a note");
  need(!/[\u0000-\u0009\u000b-\u001f]/.test(whole), "a note holds a control character");
  const end = whole.lastIndexOf("\n\n");
  need(end >= 0 && end + 2 < whole.length && whole.endsWith("\n"), "a note is not a text, a blank line and signatures");
  const lines = whole.slice(end + 2, -1).split("\n");
  need(lines.length <= SIGNATURES_MAX, "a note has too many signatures");
  const signatures = [];
  for (const line of lines) signatures.push(readSignature(line, signatures));
  return { text: whole.slice(0, end + 1), signatures };
}

function signatureBy(note, key) {
  return note.signatures.find((s) => s.name === key.name && equal(s.id, key.id));
}

/* Throws unless this key signed. */
export async function checkSigned(note, key) {
  const signature = signatureBy(note, key);
  need(signature !== undefined, `it is not signed by ${key.name}`);
  need(key.type === ED25519 && (await verifyEd25519(key.key, utf8(note.text), signature.body)), `the signature by ${key.name} is wrong`);
}

/* The time, in seconds, at which this witness cosigned (C2SP tlog-cosignature v1); null when it did not. Throws for a wrong cosignature. */
export async function cosignedAt(note, key) {
  const signature = signatureBy(note, key);
  if (signature === undefined) return null;
  need(key.type === COSIGNATURE && signature.body.length === 72, `the cosignature by ${key.name} is none`);
  const seconds = new DataView(signature.body.buffer, signature.body.byteOffset, 8).getBigUint64(0);
  const message = utf8(`cosignature/v1\ntime ${seconds}\n${note.text}`);
  need(seconds < 2n ** 63n && (await verifyEd25519(key.key, message, signature.body.subarray(8))), `the cosignature by ${key.name} is wrong`);
  return seconds;
}

/* {origin, size (BigInt), root}. */
export function readCheckpoint(text) {
  const lines = text.split("\n");
  need(lines.length === 4 && lines[3] === "", "a checkpoint has not exactly three lines");
  need(nameGood(lines[0]), "a checkpoint has no valid origin");
  const root = unbase64(lines[2], "a checkpoint's root");
  need(root.length === 32, "a checkpoint's root has not 32 bytes");
  return { origin: lines[0], size: decimal(lines[1], 2n ** 63n - 1n, "a checkpoint's size"), root };
}

/* The checkpoint of this key's log. */
export async function openCheckpoint(bytes, key) {
  const note = readNote(bytes);
  await checkSigned(note, key);
  const checkpoint = readCheckpoint(note.text);
  need(checkpoint.origin === key.name, `a checkpoint signed by ${key.name} is of another log`);
  return { ...checkpoint, note };
}
