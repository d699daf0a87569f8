/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC_DRBG with SHA-256 (SP 800-90A Rev. 1 10.1.2), without reseeding and without additional input. */
import { concat } from "./bytes.js";
import { hmacSha256 } from "./hash.js";

export class HmacDrbg {
  static async of(entropy, nonce, personalisation) {
    const drbg = new HmacDrbg();
    drbg.key = new Uint8Array(32);
    drbg.v = new Uint8Array(32).fill(1);
    await drbg.update(concat(entropy, nonce, personalisation));
    return drbg;
  }

  async update(provided) {
    for (const step of provided.length > 0 ? [0, 1] : [0]) {
      this.key = await hmacSha256(this.key, concat(this.v, Uint8Array.of(step), provided));
      this.v = await hmacSha256(this.key, this.v);
    }
  }

  async generate(length) {
    let out = new Uint8Array(0);
    while (out.length < length) {
      this.v = await hmacSha256(this.key, this.v);
      out = concat(out, this.v);
    }
    await this.update(new Uint8Array(0));
    return out.subarray(0, length);
  }
}
