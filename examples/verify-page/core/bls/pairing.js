/* SPDX-License-Identifier: Apache-2.0 */
/* The optimal ate pairing of BLS12-381 (draft-irtf-cfrg-pairing-friendly-curves-11, appendix A), and BLS signatures in G1 with keys in G2
 * (draft-irtf-cfrg-bls-signature-05, 2.7). */
import { need } from "../bytes.js";
import { add, decodeG1, decodeG2, G2, negate, slope } from "./curve.js";
import { Fp12, Fp2, ONE, P, power, R, X } from "./fields.js";
import { hashToG1 } from "./hash_to_curve.js";

/* At p, of G1, the line with slope m through t on the curve over Fp2, times w^3, which the last power makes 1. */
function line(m, t, p) {
  const zero = new Fp2(0n, 0n);
  return new Fp12([m.mul(t.x).sub(t.y), zero, m.times(-p.x.n), new Fp2(p.y.n, 0n), zero, zero]);
}

/* The pairing before its last power. As the points have the order R, which is above |X|, no line here is vertical. */
function miller(p, q) {
  let f = ONE, t = q;
  for (const bit of (-X).toString(2).slice(1)) {
    f = f.mul(f).mul(line(slope(t, t), t, p));
    t = add(t, t);
    if (bit === "1") {
      f = f.mul(line(slope(t, q), t, p));
      t = add(t, q);
    }
  }
  return f.conjugate(); /* an inverse, as X is negative */
}

/* To (P^12 - 1) / R = (P^6 - 1) (P^2 + 1) ((P^4 - P^2 + 1) / R). */
function finalPower(f) {
  const first = f.conjugate().mul(f.inverse());
  const second = first.mul(first.frobenius().frobenius());
  return power(second, (P ** 4n - P ** 2n + 1n) / R, ONE);
}

/* Throws unless the signature is the key's over the message. */
export async function checkBls(publicKey, message, signature, dst) {
  const key = decodeG2(publicKey), s = decodeG1(signature);
  const h = await hashToG1(message, dst);
  /* e(s, G2) = e(h, key), with one last power for both sides. */
  need(h !== null && finalPower(miller(s, negate(G2)).mul(miller(h, key))).equals(ONE), "the beacon's signature is not the key's over this round");
}
