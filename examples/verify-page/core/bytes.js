/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: texts, hexadecimal, canonical base64, big-endian numbers. What has two spellings is refused. */

export class Fault extends Error {}

/* Throws the sentence when the condition does not hold. */
export function need(condition, sentence) {
  if (!condition) throw new Fault(sentence);
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

/* The text of bytes that are UTF-8; a byte order mark is a character like others. */
export function textOf(bytes, what) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Fault(`${what} is not UTF-8`);
  }
}

/* A name from outside within a sentence: one that is written from right to left does not turn its neighbours around. */
export function isolated(text) {
  return `\u2068${String(text).replace(/[\u202a-\u202e\u2066-\u2069]/g, "")}\u2069`;
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text, what = "it") {
  need(/^(?:[0-9a-f]{2})*$/.test(text), `${what} is not lower-case hexadecimal`);
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/* Standard alphabet, padded, and the one spelling of its bytes. */
export function unbase64(text, what = "it") {
  need(text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text), `${what} is not base64`);
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  need(base64(bytes) === text, `${what} is not canonical base64`);
  return bytes;
}

/* `value` as `width` bytes, big-endian. */
export function bigEndian(value, width) {
  const out = new Uint8Array(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0; i--) {
    out[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  need(rest === 0n, `${value} does not fit into ${width} bytes`);
  return out;
}

/* A decimal without a leading zero, at most `max`, as a BigInt. */
export function decimal(text, max, what) {
  need(/^(?:0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) <= max, `${what} is no number, or too large`);
  return BigInt(text);
}
