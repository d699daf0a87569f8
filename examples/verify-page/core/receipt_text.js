/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a receipt (docs/spec/receipts.md), taken apart; every line has one spelling. Verifies nothing. */
import { decimal, need, textOf, unbase64, utf8 } from "./bytes.js";

const RECEIPT_MAX = 131072, LEAF_MAX = 4096, RECORD_MAX = 65535, HASHES_MAX = 63, UNIT_MAX = 65535n, RECORDS_MAX = 2n ** 40n;

class Lines {
  constructor(text) {
    need(text.endsWith("\n"), "the receipt's last line is not ended by a newline");
    this.lines = text.slice(0, -1).split("\n");
    this.at = 0;
  }

  get more() {
    return this.at < this.lines.length;
  }

  get next() {
    return this.lines[this.at];
  }

  /* Throws the sentence about the line that was taken last. */
  need(condition, sentence) {
    need(condition, `line ${this.at} of the receipt ${sentence}`);
  }

  take() {
    const line = this.lines[this.at++];
    this.need(line !== undefined, "is missing");
    return line;
  }

  expect(text) {
    this.need(this.take() === text, `is not "${text}"`);
  }

  /* What follows the stem. */
  after(stem, sentence) {
    const line = this.take();
    this.need(line.startsWith(stem), sentence);
    return line.slice(stem.length);
  }

  hashes() {
    const hashes = [];
    for (let line = this.take(); line !== ""; line = this.take()) {
      this.need(hashes.length < HASHES_MAX, "is one hash more than a proof can have");
      const hash = unbase64(line, `line ${this.at} of the receipt`);
      this.need(hash.length === 32, "is no hash");
      hashes.push(hash);
    }
    return hashes;
  }

  /* All up to the next part: no line of a checkpoint begins so. */
  note() {
    const first = this.at;
    while (this.more && !this.lines[this.at].startsWith("part ")) this.at++;
    return utf8(this.lines.slice(first, this.at).map((line) => `${line}\n`).join(""));
  }

  part(name) {
    this.expect(`part ${name}`);
    this.expect("c2sp.org/tlog-proof@v1");
    const leaf = unbase64(this.after("extra ", 'is not "extra" and a record'), `line ${this.at} of the receipt`);
    this.need(leaf.length <= (name === "raffle.open" ? RECORD_MAX : LEAF_MAX), "is a record that is too long");
    const index = decimal(this.after("index ", 'is not "index" and a number'), RECORDS_MAX, `line ${this.at} of the receipt`);
    const hashes = this.hashes();
    return { leaf, index, hashes, note: this.note() };
  }

  voids() {
    const voids = [];
    this.expect("part voids");
    while (this.more) {
      const words = this.after("void ", 'is not "void", a serial and its place').split(" ");
      this.need(words.length === 2 && voids.length < 2, "is no void, or one too many");
      const [serial, index] = words.map((word) => decimal(word, RECORDS_MAX, `line ${this.at} of the receipt`));
      voids.push({ serial, index, hashes: this.hashes() });
    }
    return voids;
  }
}

function readTitle(lines) {
  const title = /^(promise|drum|void) ([a-z0-9.-]+(?:\/[a-z0-9._-]+)*) ([0-9]+)\/([0-9]+)$/.exec(lines.take());
  lines.need(title !== null && title[2].length <= 200, "is not what it proves, a raffle's origin and a ticket");
  const unit = decimal(title[3], UNIT_MAX, "the ticket's unit"), serial = decimal(title[4], RECORDS_MAX, "the ticket's serial");
  lines.need(unit > 0n, "has no ticket");
  return { proves: title[1], origin: title[2], unit: Number(unit), serial: Number(serial) };
}

export function readReceipt(bytes) {
  need(bytes.length <= RECEIPT_MAX, `the receipt is longer than ${RECEIPT_MAX} bytes`);
  const lines = new Lines(textOf(bytes, "the receipt"));
  const first = lines.take();
  need(first === "libraffle/receipt/v1", first.startsWith("libraffle/receipt/v") ? "the receipt is of a newer version" : "this is no receipt: it does not begin like one");
  const receipt = readTitle(lines);
  if (lines.next === "part raffle.open") receipt.open = lines.part("raffle.open");
  receipt.enrol = lines.part("unit.enrol");
  receipt.sale = lines.part("sale");
  if (receipt.proves !== "promise") {
    receipt.sealUnit = lines.part("seal.unit");
    receipt.seal = lines.part("seal");
    receipt.voids = lines.voids();
  }
  need(!lines.more, `line ${lines.at + 1} of the receipt is one too many`);
  return receipt;
}
