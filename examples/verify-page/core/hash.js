/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 and HMAC, by WebCrypto. */

const subtle = globalThis.crypto?.subtle;

/* Browsers give WebCrypto to pages from https: and from the machine itself alone. */
export function available() {
  return subtle !== undefined;
}

export async function sha256(bytes) {
  return new Uint8Array(await subtle.digest("SHA-256", bytes));
}

export async function sha384(bytes) {
  return new Uint8Array(await subtle.digest("SHA-384", bytes));
}

export async function sha512(bytes) {
  return new Uint8Array(await subtle.digest("SHA-512", bytes));
}

/* WebCrypto refuses a key of no bytes; one zero byte is padded to the same block (RFC 2104). */
export async function hmacSha256(key, message) {
  const raw = key.length > 0 ? key : new Uint8Array(1);
  const handle = await subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", handle, message));
}
