/* SPDX-License-Identifier: Apache-2.0 */
/* Merkle trees of RFC 6962 2.1; proofs are checked by the algorithm of RFC 9162 2.1.3.2, with exactly the hashes that they must have. */
import { concat, equal } from "./bytes.js";
import { sha256 } from "./hash.js";

const LEAF = Uint8Array.of(0), NODE = Uint8Array.of(1);

export function leafHash(leaf) {
  return sha256(concat(LEAF, leaf));
}

export function nodeHash(left, right) {
  return sha256(concat(NODE, left, right));
}

/* Places and sizes are BigInt. */
export async function included(index, size, leaf, proof, root) {
  if (index < 0n || index >= size) return false;
  let place = index, last = size - 1n, hash = leaf;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if ((place & 1n) === 1n || place === last) {
      hash = await nodeHash(sibling, hash);
      while ((place & 1n) === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = await nodeHash(hash, sibling);
    }
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n && equal(hash, root);
}

/* The complete subtrees over a list of leaf hashes, which give the root of every prefix. */
export class Tree {
  constructor(levels) {
    this.levels = levels;
    this.size = levels[0].length;
  }

  static async of(leafHashes) {
    const levels = [leafHashes];
    for (let below = leafHashes; below.length > 1; below = levels[levels.length - 1]) {
      const pairs = new Array(below.length >> 1);
      for (let i = 0; i < pairs.length; i += 1024) {
        const some = Math.min(1024, pairs.length - i);
        const made = Array.from({ length: some }, (_, k) => nodeHash(below[2 * (i + k)], below[2 * (i + k) + 1]));
        (await Promise.all(made)).forEach((hash, k) => (pairs[i + k] = hash));
      }
      levels.push(pairs);
    }
    return new Tree(levels);
  }

  /* Of the first `size` leaves: the complete subtrees of the prefix, joined from the smallest to the largest. */
  async root(size) {
    let hash = null;
    if (size === 0) return sha256(new Uint8Array(0));
    for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / 2)) {
      if (rest % 2 === 0) continue;
      const whole = this.levels[level][rest - 1];
      hash = hash === null ? whole : await nodeHash(whole, hash);
    }
    return hash;
  }
}
