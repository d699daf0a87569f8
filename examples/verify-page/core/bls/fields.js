/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of BLS12-381 (draft-irtf-cfrg-pairing-friendly-curves-11, 4.2.1): Fp, Fp2, Fp12. Plain and not in constant time: all that a verifier sees is public.
 * The same steps as examples/beacon/bls12_381.py. */

/* The curve follows from this number, which is negative and has few bits set. */
export const X = -0xd201000000010000n;
export const R = X ** 4n - X ** 2n + 1n; /* the order of the subgroups */
export const P = ((X - 1n) ** 2n * R) / 3n + X; /* the size of the field */

function mod(n) {
  const r = n % P;
  return r < 0n ? r + P : r;
}

/* By the extended algorithm of Euclid. */
function inverse(n) {
  let [a, b, x, y] = [mod(n), P, 1n, 0n];
  while (a > 1n) {
    const q = b / a;
    [a, b, x, y] = [b - q * a, a, y - q * x, x];
  }
  return mod(x);
}

/* By squaring, from the exponent's highest bit on. */
export function power(base, exponent, one) {
  let result = one;
  for (const bit of exponent.toString(2)) {
    result = result.mul(result);
    if (bit === "1") result = result.mul(base);
  }
  return result;
}

export class Fp {
  constructor(n) {
    this.n = mod(n);
  }

  equals(o) { return this.n === o.n; }
  add(o) { return new Fp(this.n + o.n); }
  sub(o) { return new Fp(this.n - o.n); }
  neg() { return new Fp(-this.n); }
  mul(o) { return new Fp(this.n * o.n); }
  times(n) { return new Fp(this.n * n); }
  isZero() { return this.n === 0n; }
  inverse() { return new Fp(inverse(this.n)); }

  /* A root, or null: RFC 9380 appendix I.1, as P = 3 modulo 4. */
  sqrt() {
    const root = power(this, (P + 1n) / 4n, new Fp(1n));
    return root.mul(root).equals(this) ? root : null;
  }

  /* sgn0 of RFC 9380 4.1. */
  isOdd() { return this.n % 2n === 1n; }

  /* Than its negative. */
  isLarger() { return this.n > P / 2n; }
}

/* a + b u, where u^2 = -1. */
export class Fp2 {
  constructor(a, b) {
    this.a = mod(a);
    this.b = mod(b);
  }

  equals(o) { return this.a === o.a && this.b === o.b; }
  add(o) { return new Fp2(this.a + o.a, this.b + o.b); }
  sub(o) { return new Fp2(this.a - o.a, this.b - o.b); }
  neg() { return new Fp2(-this.a, -this.b); }
  mul(o) { return new Fp2(this.a * o.a - this.b * o.b, this.a * o.b + this.b * o.a); }
  times(n) { return new Fp2(this.a * n, this.b * n); }
  isZero() { return this.a === 0n && this.b === 0n; }

  /* Also the P-th power, as u^P = -u. */
  conjugate() { return new Fp2(this.a, -this.b); }
  inverse() { return this.conjugate().times(inverse(this.a * this.a + this.b * this.b)); }

  /* A root, or null: Adj and Rodríguez-Henríquez, eprint 2012/685, algorithm 9, as P = 3 modulo 4. */
  sqrt() {
    const one = new Fp2(1n, 0n), start = power(this, (P - 3n) / 4n, one);
    const half = start.mul(this), alpha = start.mul(start).mul(this);
    const root = alpha.equals(one.neg()) ? half.mul(new Fp2(0n, 1n)) : half.mul(power(alpha.add(one), (P - 1n) / 2n, one));
    return root.mul(root).equals(this) ? root : null;
  }

  /* Than its negative: b decides before a. */
  isLarger() { return (this.b !== 0n ? this.b : this.a) > P / 2n; }
}

export const XI = new Fp2(1n, 1n);
const ROOTS = [0n, 1n, 2n, 3n, 4n, 5n].map((i) => power(XI, (i * (P - 1n)) / 6n, new Fp2(1n, 0n))); /* w^(i (P - 1)) */

/* The sum of c[i] w^i, where w^6 = XI and the six c[i] are of Fp2. */
export class Fp12 {
  constructor(c) {
    this.c = c;
  }

  equals(o) {
    return this.c.every((each, i) => each.equals(o.c[i]));
  }

  mul(o) {
    const sums = Array.from({ length: 12 }, () => new Fp2(0n, 0n));
    this.c.forEach((left, i) => o.c.forEach((right, j) => (sums[i + j] = sums[i + j].add(left.mul(right)))));
    return new Fp12(sums.slice(0, 6).map((low, i) => low.add(sums[i + 6].mul(XI))));
  }

  /* The P-th power: (c w^i)^P is the conjugate of c, times w^(i (P - 1)), times w^i. */
  frobenius() {
    return new Fp12(this.c.map((c, i) => c.conjugate().mul(ROOTS[i])));
  }

  /* The P^6-th power, as w^(P^6) = -w. */
  conjugate() {
    return new Fp12(this.c.map((c, i) => (i % 2 === 1 ? c.neg() : c)));
  }

  /* By the norm to Fp2: the product of this and of its P^2-th, P^4-th … P^10-th powers. */
  inverse() {
    let others = ONE, image = this;
    for (let i = 0; i < 5; i++) {
      image = image.frobenius().frobenius();
      others = others.mul(image);
    }
    const norm = this.mul(others).c[0].inverse();
    return new Fp12(others.c.map((c) => c.mul(norm)));
  }
}

export const ONE = new Fp12([new Fp2(1n, 0n), ...Array.from({ length: 5 }, () => new Fp2(0n, 0n))]);
