/* SPDX-License-Identifier: Apache-2.0 */
/* A published folder on a web server: each file bounded, no redirect, no cookie, no query. What is read is hashed and held against a signed checkpoint. */
import { concat, equal, Fault, need } from "./bytes.js";
import { leafHash, Tree } from "./merkle.js";
import { openCheckpoint } from "./note.js";
import { readBundle, readHashes, tilesOf, WIDTH } from "./tiles.js";

const NOTE_MAX = 16384, MANIFEST_MAX = 16 * 1024 * 1024, BUNDLE_MAX = WIDTH * (2 + 65535);
const AT_ONCE = 6, PATIENCE_MS = 60000;

async function readBody(response, max, path) {
  const parts = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.length;
    if (length > max) {
      await reader.cancel();
      throw new Fault(`${path} is longer than ${max} bytes`);
    }
    parts.push(piece.value);
  }
  return concat(...parts);
}

export class Folder {
  constructor(address) {
    need(/^https?:\/\//i.test(address) && URL.canParse(address), "the folder's address is no http:// or https:// address");
    const url = new URL(address);
    need(url.search === "" && url.hash === "" && url.username === "", "the folder's address has more than a path");
    this.base = url.href.endsWith("/") ? url.href : `${url.href}/`;
  }

  /* The file's bytes; null when the server has none. */
  async find(path, max) {
    let response;
    try {
      response = await fetch(this.base + path, { cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      throw new Fault(`${path} cannot be had: no answer, a redirect, or the server does not let other pages read it (CORS)`);
    }
    if (response.status === 404 || response.status === 410) return null;
    need(response.status === 200, `${path} cannot be had: the server answers ${response.status}`);
    return readBody(response, max, path);
  }

  async get(path, max) {
    const bytes = await this.find(path, max);
    need(bytes !== null, `${path} is not there`);
    return bytes;
  }

  manifest() {
    return this.get("manifest.json", MANIFEST_MAX);
  }

  async checkpoint(log, key) {
    return openCheckpoint(await this.get(`${log}/checkpoint`, NOTE_MAX), key);
  }

  /* A partial tile may have given way to the full one since the checkpoint was read. */
  async tile(log, tile, max, read) {
    const own = await this.find(`${log}/${tile.path}`, max);
    if (own !== null || tile.path === tile.full) {
      need(own !== null, `${log}/${tile.path} is not there`);
      return read(own, tile.count, true, `${log}/${tile.path}`);
    }
    return read(await this.get(`${log}/${tile.full}`, max), tile.count, false, `${log}/${tile.full}`);
  }

  async all(log, kind, size, max, read) {
    const tiles = tilesOf(kind, size), parts = [];
    for (let i = 0; i < tiles.length; i += AT_ONCE) {
      parts.push(...(await Promise.all(tiles.slice(i, i + AT_ONCE).map((tile) => this.tile(log, tile, max, read)))));
    }
    return parts.flat();
  }

  /* {checkpoint, size, tree, leaves}: all records, which the checkpoint of this key covers. */
  async log(log, key, sizeMax) {
    return this.read(log, key, sizeMax, async (size) => {
      const leaves = await this.all(log, "entries", size, BUNDLE_MAX, readBundle);
      const hashes = [];
      for (let i = 0; i < leaves.length; i += 1024) hashes.push(...(await Promise.all(leaves.slice(i, i + 1024).map(leafHash))));
      return { leaves, hashes };
    });
  }

  /* The same without the records: their hashes alone. */
  async hashes(log, key, sizeMax) {
    return this.read(log, key, sizeMax, async (size) => ({ leaves: null, hashes: await this.all(log, "0", size, WIDTH * 32, readHashes) }));
  }

  /* The published hashes, from this level on, are the records' own. */
  async checkTiles(log, tree, level) {
    for (let l = level, size = Math.floor(tree.size / WIDTH ** level); size > 0; l++, size = Math.floor(size / WIDTH)) {
      const hashes = await this.all(log, String(l), size, WIDTH * 32, readHashes);
      const wrong = hashes.findIndex((hash, i) => !equal(hash, tree.levels[8 * l][i]));
      need(wrong < 0, `tile/${l} of ${log} has another hash at place ${wrong} than its records`);
    }
  }

  async read(log, key, sizeMax, fetchAll) {
    const checkpoint = await this.checkpoint(log, key);
    need(checkpoint.size <= BigInt(sizeMax), `${log} has ${checkpoint.size} records, more than this page reads (${sizeMax})`);
    const size = Number(checkpoint.size);
    const { leaves, hashes } = await fetchAll(size);
    const tree = await Tree.of(hashes);
    need(equal(await tree.root(size), checkpoint.root), `the records of ${log} are not those that its checkpoint was signed over`);
    await this.checkTiles(log, tree, leaves === null ? 1 : 0);
    return { checkpoint, size, leaves, tree };
  }
}
