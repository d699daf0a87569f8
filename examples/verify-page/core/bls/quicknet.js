/* SPDX-License-Identifier: Apache-2.0 */
/* drand's group quicknet (docs/spec/draw.md, Committed draws): its key, and whether a value is its round's. */
import { bigEndian, unhex, utf8 } from "../bytes.js";
import { sha256 } from "../hash.js";
import { checkBls } from "./pairing.js";

/* Of the chain 52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971, whose hash binds it. */
const PUBLIC_KEY = unhex(
  "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
  "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
);
const DST = utf8("BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"); /* of its scheme, bls-unchained-g1-rfc9380 */

/* Throws unless the value is the round's. An unchained scheme signs the round's number alone. */
export async function checkRound(round, value) {
  await checkBls(PUBLIC_KEY, await sha256(bigEndian(round, 8)), value, DST);
}
