/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON, the profile "libraffle-rec-1" (docs/spec/records.md): what is read must be what would be written. */
import { need, textOf, utf8, Fault } from "./bytes.js";

const DEPTH = 16;

function writeObject(value, depth) {
  const names = Object.keys(value).sort();
  for (const name of names) need(/^[a-z][a-z0-9_]*$/.test(name), "a member's name is not of the profile");
  return `{${names.map((name) => `"${name}":${write(value[name], depth + 1)}`).join(",")}}`;
}

function write(value, depth) {
  need(value !== null, "a value is null");
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") {
    need(value.isWellFormed?.() ?? !/\p{Surrogate}/u.test(value), "a text has half a character");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    need(Number.isSafeInteger(value), "a number is no integer within 2^53-1");
    return String(value);
  }
  need(depth < DEPTH, `it nests deeper than ${DEPTH}`);
  return Array.isArray(value) ? `[${value.map((v) => write(v, depth + 1)).join(",")}]` : writeObject(value, depth);
}

export function canonical(value) {
  return write(value, 0);
}

/* The value that the bytes are. */
export function readCanonical(bytes, what) {
  const text = textOf(bytes, what);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Fault(`${what} is not JSON`);
  }
  let written;
  try {
    written = canonical(value);
  } catch (fault) {
    throw new Fault(`${what} is not canonical JSON: ${fault.message}`);
  }
  need(written === text && utf8(written).length === bytes.length, `${what} is not canonical JSON`);
  return value;
}
