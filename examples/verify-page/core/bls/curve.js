/* SPDX-License-Identifier: Apache-2.0 */
/* The curves of BLS12-381, y^2 = x^3 + 4 over Fp and y^2 = x^3 + 4 XI over Fp2, and the bytes of their points (draft-irtf-cfrg-pairing-friendly-curves-11,
 * 4.2.1 and appendix C). A point is {x, y}; the one at infinity is null. */
import { need } from "../bytes.js";
import { Fp, Fp2, P, R, XI } from "./fields.js";

export const G2 = {
  x: new Fp2(
    0x024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8n,
    0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7en,
  ),
  y: new Fp2(
    0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801n,
    0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79ben,
  ),
};

export function negate(p) {
  return p && { x: p.x, y: p.y.neg() };
}

/* Of the line through two points, or of the tangent if they are one; null if it is vertical. */
export function slope(p, q) {
  if (!p.x.equals(q.x)) return q.y.sub(p.y).mul(q.x.sub(p.x).inverse());
  if (!p.y.equals(q.y) || p.y.isZero()) return null;
  return p.x.mul(p.x).times(3n).mul(p.y.times(2n).inverse());
}

export function add(p, q) {
  if (p === null || q === null) return p ?? q;
  const m = slope(p, q);
  if (m === null) return null;
  const x = m.mul(m).sub(p.x).sub(q.x);
  return { x, y: m.mul(p.x.sub(x)).sub(p.y) };
}

/* By doubling, from the highest bit of n >= 0 on. */
export function multiply(n, p) {
  let result = null;
  for (const bit of n.toString(2)) {
    result = add(result, result);
    if (bit === "1") result = add(result, p);
  }
  return result;
}

/* --- points as bytes, in the compressed form --- */

const COMPRESSED = 0x80, INFINITY = 0x40, LARGER = 0x20, FIELD_SIZE = 48;

function numberOf(bytes) {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/* The flags, and so many numbers below P. */
function numbers(bytes, count) {
  need(bytes.length === count * FIELD_SIZE, `a compressed point has ${count * FIELD_SIZE} bytes`);
  const flags = bytes[0] & (COMPRESSED | INFINITY | LARGER), plain = Uint8Array.from(bytes);
  need((flags & COMPRESSED) !== 0, "the point is not marked as compressed");
  plain[0] ^= flags;
  const found = Array.from({ length: count }, (_, i) => numberOf(plain.subarray(i * FIELD_SIZE, (i + 1) * FIELD_SIZE)));
  need(found.every((n) => n < P), "a coordinate is not below the field's size");
  return [flags, found];
}

/* The point of y^2 = x^3 + b that the flags choose, in the subgroup. The point at infinity is no key's and no signature's, and refused. */
function point(flags, x, b) {
  need((flags & INFINITY) === 0, "it is the point at infinity");
  const y = x.mul(x).mul(x).add(b).sqrt();
  need(y !== null, "no point of the curve has this x");
  const p = { x, y: y.isLarger() === ((flags & LARGER) !== 0) ? y : y.neg() };
  need(multiply(R, p) === null, "the point is not in the subgroup");
  return p;
}

export function decodeG1(bytes) {
  const [flags, [x]] = numbers(bytes, 1);
  return point(flags, new Fp(x), new Fp(4n));
}

/* The number with u stands first. */
export function decodeG2(bytes) {
  const [flags, [b, a]] = numbers(bytes, 2);
  return point(flags, new Fp2(a, b), XI.times(4n));
}
