/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the vectors of tests/vectors through the verify-page's core: in a browser, by tests/integration/verify_page.py, or in Node.js. */

/* For each algorithm: what its cases claim, true or false; null for a case of a kind that the page has no use for. A throw is false. */
function claims(core) {
  const { unhex, hex, utf8, equal } = core.bytes;
  const bytesOf = (c, name) => (c[`${name}_hex`] !== undefined ? unhex(c[`${name}_hex`]) : utf8(c[name]));

  return {
    async sha256(c) {
      return hex(await core.hash.sha256(unhex(c.message))) === c.digest;
    },
    async hmac_sha256(c) {
      return hex(await core.hash.hmacSha256(unhex(c.key), unhex(c.message))) === c.mac;
    },
    async hmac_drbg(c) {
      if (Object.keys(c).some((name) => !["name", "valid", "entropy", "nonce", "personalisation", "output"].includes(name))) return null;
      const drbg = await core.drbg.HmacDrbg.of(unhex(c.entropy), unhex(c.nonce), unhex(c.personalisation ?? ""));
      await drbg.generate(c.output.length / 2);
      return hex(await drbg.generate(c.output.length / 2)) === c.output;
    },
    async merkle(c) {
      if (c.kind === "root") {
        const tree = await core.merkle.Tree.of(await Promise.all(c.leaves.map((leaf) => core.merkle.leafHash(unhex(leaf)))));
        return hex(await tree.root(c.leaves.length)) === c.root;
      }
      if (c.kind !== "inclusion" || ![c.index, c.size].every(Number.isSafeInteger)) return null;
      return core.merkle.included(BigInt(c.index), BigInt(c.size), unhex(c.leaf_hash), c.proof.map((h) => unhex(h)), unhex(c.root));
    },
    async note(c) {
      if (c.kind === "sign") return null;
      const key = await core.note.readVkey(c.vkey);
      if (c.kind === "cosignature") return String(await core.note.cosignedAt(core.note.readNote(bytesOf(c, "note")), key)) === String(c.seconds);
      if (c.kind === "note") await core.note.checkSigned(core.note.readNote(bytesOf(c, "note")), key);
      else return key.name === c.key_name && key.type === c.key_type && hex(key.id) === c.key_id && hex(key.key) === c.key;
      return true;
    },
    async checkpoint(c) {
      const checkpoint = core.note.readCheckpoint(core.bytes.textOf(bytesOf(c, "text"), "it"));
      return checkpoint.origin === c.origin && String(checkpoint.size) === c.size && hex(checkpoint.root) === c.root;
    },
    async json(c) {
      if (c.kind !== "canonical") return null;
      core.json.readCanonical(c.hex !== undefined ? unhex(c.hex) : utf8(c.text), "it");
      return true;
    },
    async draw(c) {
      if (c.error !== undefined && c.beacon.length !== 0 && c.beacon.length !== 96) return null;
      const commitment = await core.draw.commitment(c.origin, BigInt(c.intent), unhex(c.root));
      const words = await core.draw.Words.of(unhex(c.seed), commitment, unhex(c.beacon));
      const shuffle = new core.draw.Shuffle(words, BigInt(c.n));
      const picks = [];
      for (let i = 0; i < c.picks.length; i++) picks.push(String(await shuffle.next()));
      return hex(commitment) === c.commitment && hex(await core.draw.seedCommitment(unhex(c.seed))) === c.seed_commitment &&
        hex(words.first) === c.first && words.rejected === c.rejected && equal(utf8(picks.join()), utf8(c.picks.join()));
    },
  };
}

/* {ran, failed: [names]}. `base` is the address of the core's folder, `extra` more of its modules' names. */
export async function runVectors(base, algorithm, cases) {
  const core = {};
  for (const name of ["bytes", "hash", "drbg", "merkle", "note", "json", "draw"]) core[name] = await import(`${base}/${name}.js`);
  const claim = claims(core)[algorithm];
  const result = { ran: 0, failed: [] };
  for (const c of cases) {
    const holds = await claim(c).catch(() => false);
    if (holds === null) continue;
    result.ran++;
    if (holds !== c.valid) result.failed.push(c.name);
  }
  return result;
}

/* RFC 9380 J.9.1. */
export async function runHashToG1(base, { dst, cases }) {
  const { utf8 } = await import(`${base}/bytes.js`);
  const { hashToG1 } = await import(`${base}/bls/hash_to_curve.js`);
  const result = { ran: 0, failed: [] };
  for (const c of cases) {
    const { x, y } = await hashToG1(utf8(c.message), utf8(dst));
    result.ran++;
    if (x.n !== BigInt(`0x${c.p[0]}`) || y.n !== BigInt(`0x${c.p[1]}`)) result.failed.push(c.message);
  }
  return result;
}

/* The same signatures by the two implementations of Ed25519: {ran, differ: [names]}. */
export async function compareEd25519(base, cases) {
  const { verifyEd25519 } = await import(`${base}/ed25519.js`);
  const { verifyBigint } = await import(`${base}/ed25519_bigint.js`);
  const { utf8 } = await import(`${base}/bytes.js`);
  const note = await import(`${base}/note.js`);
  const result = { ran: 0, differ: [], good: 0 };
  for (const c of cases.filter((one) => one.kind === "note" && one.note !== undefined)) {
    let key, parsed;
    try {
      key = await note.readVkey(c.vkey);
      parsed = note.readNote(utf8(c.note));
    } catch {
      continue;
    }
    for (const signature of parsed.signatures) {
      const [one, other] = [await verifyEd25519(key.key, utf8(parsed.text), signature.body), await verifyBigint(key.key, utf8(parsed.text), signature.body)];
      result.ran++;
      result.good += one ? 1 : 0;
      if (one !== other) result.differ.push(c.name);
    }
  }
  return result;
}
