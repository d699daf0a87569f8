/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 verification, by WebCrypto where the browser has it. */
import { verifyBigint } from "./ed25519_bigint.js";

const subtle = globalThis.crypto?.subtle;
let native; /* a promise of whether WebCrypto knows Ed25519 */

function asksWebCrypto() {
  native ??= subtle
    .importKey("raw", new Uint8Array([0x58, ...new Array(31).fill(0x66)]), "Ed25519", false, ["verify"])
    .then(() => true, () => false);
  return native;
}

export async function verifyEd25519(key, message, signature) {
  if (!(await asksWebCrypto())) return verifyBigint(key, message, signature);
  if (key.length !== 32 || signature.length !== 64) return false;
  try {
    const handle = await subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await subtle.verify("Ed25519", handle, signature, message);
  } catch {
    return false;
  }
}
