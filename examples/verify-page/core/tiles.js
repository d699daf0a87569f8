/* SPDX-License-Identifier: Apache-2.0 */
/* Names and contents of C2SP tlog-tiles (docs/spec/publishing.md). */
import { need } from "./bytes.js";

export const WIDTH = 256;

/* 5 is "005", 1234067 is "x001/x234/067". */
export function tileNumber(n) {
  const groups = [];
  for (let rest = n; rest > 0 || groups.length === 0; rest = Math.floor(rest / 1000)) groups.unshift(String(rest % 1000).padStart(3, "0"));
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join("/");
}

/* The tiles that hold the first `size` entries: {path, full, count}; `full` is the path that the tile has when it is full. */
export function tilesOf(kind, size) {
  return Array.from({ length: Math.ceil(size / WIDTH) }, (_, n) => {
    const count = Math.min(WIDTH, size - n * WIDTH), full = `tile/${kind}/${tileNumber(n)}`;
    return { full, count, path: count < WIDTH ? `${full}.p/${count}` : full };
  });
}

/* The first `count` leaves of an entry bundle; nothing may follow, unless it is a fuller tile than was asked for. */
export function readBundle(bytes, count, exact, what) {
  const leaves = [];
  let at = 0;
  while (at < bytes.length && (exact || leaves.length < count)) {
    need(at + 2 <= bytes.length, `${what} is cut off`);
    const length = bytes[at] * 256 + bytes[at + 1];
    need(at + 2 + length <= bytes.length, `${what} is cut off`);
    leaves.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  need(leaves.length === count, `${what} holds ${leaves.length} records, not ${count}`);
  return leaves;
}

export function readHashes(bytes, count, exact, what) {
  need(exact ? bytes.length === 32 * count : bytes.length >= 32 * count, `${what} has ${bytes.length} bytes`);
  return Array.from({ length: count }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
}
