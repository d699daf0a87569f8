/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing to G1: RFC 9380, the suite BLS12381G1_XMD:SHA-256_SSWU_RO_ of 8.8.1. */
import { bigEndian, concat, hex } from "../bytes.js";
import { sha256 } from "../hash.js";
import { add, multiply } from "./curve.js";
import { Fp, X } from "./fields.js";
import { X_DENOMINATOR, X_NUMERATOR, Y_DENOMINATOR, Y_NUMERATOR } from "./isogeny.js";

/* 8.8.1: the curve y^2 = x^3 + A x + B that is mapped to, which is isogenous to that of G1. */
const A = new Fp(0x00144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1dn);
const B = new Fp(0x12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0n);
const Z = new Fp(11n);
const H_EFF = 1n - X; /* the effective cofactor */

/* expand_message_xmd, 5.3.1, with SHA-256. */
async function expandMessage(message, dst, size) {
  const tag = concat(dst, Uint8Array.of(dst.length));
  const first = await sha256(concat(new Uint8Array(64), message, bigEndian(size, 2), Uint8Array.of(0), tag));
  let block = new Uint8Array(32), blocks = new Uint8Array(0);
  for (let i = 1; blocks.length < size; i++) {
    block = await sha256(concat(first.map((byte, k) => byte ^ block[k]), Uint8Array.of(i), tag));
    blocks = concat(blocks, block);
  }
  return blocks.subarray(0, size);
}

/* 5.2: two elements, from 64 bytes each. */
async function hashToField(message, dst) {
  const data = await expandMessage(message, dst, 128);
  return [0, 64].map((i) => new Fp(BigInt(`0x${hex(data.subarray(i, i + 64))}`)));
}

function curveSide(x) {
  return x.mul(x).mul(x).add(A.mul(x)).add(B);
}

/* The simplified SWU map, 6.6.2. */
function mapToIsogenous(u) {
  const zu2 = Z.mul(u).mul(u), divisor = zu2.mul(zu2).add(zu2);
  let x = divisor.isZero() ? B.mul(Z.mul(A).inverse()) : B.neg().mul(A.inverse()).mul(new Fp(1n).add(divisor.inverse()));
  let y = curveSide(x).sqrt();
  if (y === null) {
    x = zu2.mul(x);
    y = curveSide(x).sqrt();
  }
  return { x, y: y.isOdd() === u.isOdd() ? y : y.neg() };
}

function evaluate(coefficients, x) {
  return coefficients.reduceRight((sum, k) => sum.mul(x).add(new Fp(k)), new Fp(0n));
}

/* To the curve of G1: 6.6.3 and appendix E.2. Where a denominator is 0, to the point at infinity. */
function isogeny(p) {
  const xBelow = evaluate(X_DENOMINATOR, p.x), yBelow = evaluate(Y_DENOMINATOR, p.x);
  if (xBelow.isZero() || yBelow.isZero()) return null;
  return { x: evaluate(X_NUMERATOR, p.x).mul(xBelow.inverse()), y: p.y.mul(evaluate(Y_NUMERATOR, p.x)).mul(yBelow.inverse()) };
}

/* hash_to_curve, section 3. */
export async function hashToG1(message, dst) {
  const [u0, u1] = await hashToField(message, dst);
  return multiply(H_EFF, add(isogeny(mapToIsogenous(u0)), isogeny(mapToIsogenous(u1))));
}
