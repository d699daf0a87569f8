/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 verification (RFC 8032 5.1.7) in whole numbers, for browsers whose WebCrypto has none. It handles no secret, so its time may show what it does. */
import { sha512 } from "./hash.js";
import { concat } from "./bytes.js";

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

function mod(a) {
  const r = a % P;
  return r >= 0n ? r : r + P;
}

function power(base, exponent) {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * b);
    b = mod(b * b);
  }
  return result;
}

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

function littleEndian(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

/* RFC 8032 5.1.3; null for bytes that encode no point. */
function decode(bytes) {
  const all = littleEndian(bytes);
  const sign = all >> 255n;
  const y = all & (2n ** 255n - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  let x = mod(u * power(v, 3n) * power(mod(u * power(v, 7n)), (P - 5n) / 8n));
  if (mod(v * x * x) === mod(-u)) x = mod(x * ROOT_OF_MINUS_1);
  if (mod(v * x * x) !== u || (x === 0n && sign === 1n)) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return { x, y, z: 1n, t: mod(x * y) };
}

/* RFC 8032 5.1.4, extended coordinates. */
function add(p, q) {
  const a = mod((p.y - p.x) * (q.y - q.x));
  const b = mod((p.y + p.x) * (q.y + q.x));
  const c = mod(2n * D * p.t * q.t);
  const d = mod(2n * p.z * q.z);
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return { x: mod(e * f), y: mod(g * h), z: mod(f * g), t: mod(e * h) };
}

function times(scalar, point) {
  let sum = { x: 0n, y: 1n, z: 1n, t: 0n };
  for (let p = point, s = scalar; s > 0n; s >>= 1n) {
    if (s & 1n) sum = add(sum, p);
    p = add(p, p);
  }
  return sum;
}

function same(p, q) {
  return mod(p.x * q.z - q.x * p.z) === 0n && mod(p.y * q.z - q.y * p.z) === 0n;
}

function negative(p) {
  return { x: mod(-p.x), y: p.y, z: p.z, t: mod(-p.t) };
}

const BASE = decode(Uint8Array.from([0x58, ...new Array(31).fill(0x66)]));

/* Keys and commitments in the small subgroup would let one signature fit several messages: refused, as libsodium does. */
function small(point) {
  return same(times(8n, point), { x: 0n, y: 1n, z: 1n, t: 0n });
}

export async function verifyBigint(key, message, signature) {
  if (key.length !== 32 || signature.length !== 64) return false;
  const a = decode(key);
  const r = decode(signature.subarray(0, 32));
  const s = littleEndian(signature.subarray(32));
  if (a === null || r === null || s >= L || small(a) || small(r)) return false;
  const k = littleEndian(await sha512(concat(signature.subarray(0, 32), key, message))) % L;
  return same(add(times(s, BASE), times(k, negative(a))), r);
}
