/* SPDX-License-Identifier: Apache-2.0 */
/* From a seed to a permutation: commitment, words, below(n), the sparse Fisher-Yates shuffle (docs/spec/draw.md, steps 3 to 7). */
import { bigEndian, concat, need, utf8 } from "./bytes.js";
import { sha256, sha384 } from "./hash.js";
import { HmacDrbg } from "./drbg.js";

const WORD = 2n ** 64n, REJECTED_MAX = 256;
const ZERO = Uint8Array.of(0);

export function commitment(origin, intent, root) {
  return sha256(concat(utf8("libraffle/draw/v1"), ZERO, utf8(origin), ZERO, bigEndian(intent, 8), root));
}

/* What a committed draw's intent holds of its seed. */
export function seedCommitment(seed) {
  return sha256(concat(utf8("libraffle/seed/v1"), ZERO, seed));
}

/* What stands in for a seed that was lost. */
export function fallbackSeed(c, beacon) {
  return sha384(concat(utf8("libraffle/fallback/v1"), ZERO, c, beacon));
}

/* Words in order; below(n) as step 6 says. */
export class Words {
  static async of(seed, c, beacon) {
    need(seed.length === 48, "the seed has not 48 bytes");
    const words = new Words();
    words.personalisation = await sha256(concat(c, beacon));
    words.drbg = await HmacDrbg.of(seed.subarray(0, 32), seed.subarray(32), words.personalisation);
    words.buffer = [];
    words.used = 0;
    words.rejected = 0;
    words.first = null; /* the first 64 bytes, to show */
    return words;
  }

  async fill() {
    if (this.buffer.length > 0) return;
    const bytes = await this.drbg.generate(64);
    this.first ??= bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
    this.buffer = Array.from({ length: 8 }, (_, i) => view.getBigUint64(8 * i));
  }

  async next() {
    await this.fill();
    this.used++;
    return this.buffer.shift();
  }

  /* n and the value are BigInt. */
  async below(n) {
    const limit = WORD - (WORD % n);
    for (let tries = 0; tries <= REJECTED_MAX; tries++) {
      const word = await this.next();
      if (word < limit) return word % n;
      this.rejected++;
    }
    need(false, `${REJECTED_MAX} words in a row were rejected`);
  }
}

/* Elements 0 … n-1 in their drawn order, one a call; null when all were drawn. Only displaced elements are kept. */
export class Shuffle {
  constructor(words, n) {
    this.words = words;
    this.n = BigInt(n);
    this.step = 0n;
    this.moved = new Map();
  }

  async next() {
    if (this.step === this.n) return null;
    const i = this.step++;
    const j = i + (await this.words.below(this.n - i));
    const drawn = this.moved.get(j) ?? j;
    this.moved.set(j, this.moved.get(i) ?? i);
    this.moved.delete(i);
    return drawn;
  }
}
