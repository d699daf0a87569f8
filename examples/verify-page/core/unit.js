/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's log: its sales by number, its voids, and what a seal says of a prefix of it. */
import { bigEndian, equal, hex, need, unhex } from "./bytes.js";
import { leafHash, Tree } from "./merkle.js";
import { readRecord } from "./record.js";

export class Unit {
  /* `log`: {size, leaves, tree}; `rules` has the tiers. */
  constructor(number, log, rules) {
    this.number = number;
    this.log = log;
    this.sales = []; /* {serial, n, count, price, tier}, n ascending */
    this.voids = []; /* {index, serial} */
    this.closed = 0; /* records up to its close */
    this.tiers = rules.tiers.map((tier) => tier.name);
    const tiers = new Map(rules.tiers.map((tier) => [tier.name, tier]));
    let next = 1;
    log.leaves.forEach((leaf, index) => (next = this.take(leaf, index, next, tiers)));
  }

  take(leaf, index, next, tiers) {
    const what = `record ${index} of unit ${this.number}`;
    const record = readRecord(leaf, what);
    need((index === 0) === (record.t === "unit.start"), `${what} stands in the wrong place`);
    need(record.n === next, `${what} does not go on with the draw number ${next}`);
    need(this.closed === 0, `${what} follows the unit's close`);
    if (record.t === "unit.close") this.closed = index + 1;
    if (record.t === "void") {
      need(record.unit === this.number && this.at(record.serial) !== null, `${what} voids no ticket`);
      this.voids.push({ index, serial: record.serial });
    }
    if (record.t !== "sale") return next;
    const tier = tiers.get(record.tier);
    need(tier !== undefined && tier.count === record.count && tier.price === record.price, `${what} is of no tier of the rules`);
    this.sales.push({ serial: index, n: record.n, count: record.count, price: record.price, tier: record.tier });
    return next + record.count;
  }

  /* The last sale for which `before` holds, which holds for the first ones alone. */
  last(before) {
    let low = 0, high = this.sales.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (before(this.sales[middle])) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.sales[low - 1];
  }

  at(serial) {
    const sale = this.last((s) => s.serial <= serial);
    return sale !== null && sale.serial === serial ? sale : null;
  }

  withNumber(number) {
    const sale = this.last((s) => s.n <= number);
    return sale !== null && number < sale.n + sale.count ? sale : null;
  }

  /* The serials that were void when the seal with this first record was made, ascending. */
  voidAt(size, first, controlVoids) {
    const own = this.voids.filter((v) => v.index < size).map((v) => v.serial);
    const later = controlVoids.filter((v) => v.unit === this.number && v.index < first && v.serial < size).map((v) => v.serial);
    return [...own, ...later].sort((a, b) => a - b);
  }
}

function add(sales, pick) {
  return sales.reduce((sum, sale) => sum + pick(sale), 0);
}

/* Throws unless the seal.unit is what the unit's records add up to; returns its void serials. */
export async function checkSealed(unit, sealed, first, controlVoids) {
  const what = `the seal of unit ${unit.number}`;
  need(sealed.size <= unit.log.size, `${what} covers more than is published`);
  need(hex(await unit.log.tree.root(sealed.size)) === sealed.root, `${what} has another root than its records`);
  const voids = unit.voidAt(sealed.size, first, controlVoids);
  const sales = unit.sales.filter((sale) => sale.serial < sealed.size), dead = voids.map((serial) => unit.at(serial));
  need(new Set(voids).size === voids.length && !dead.includes(null), `${what}: a ticket is void twice, or none`);
  const sums = {
    tickets: sales.length, numbers: add(sales, (s) => s.count), gross: add(sales, (s) => s.price),
    voids: voids.length, void_numbers: add(dead, (s) => s.count), void_gross: add(dead, (s) => s.price),
  };
  for (const [i, tier] of (sealed.tiers === undefined ? [] : unit.tiers).entries()) {
    const own = sealed.tiers[i], of = (list) => list.filter((sale) => sale.tier === tier).length;
    need(own?.tickets === of(sales) && own?.voids === of(dead), `${what} counts other tickets of the tier ${tier} than its records`);
  }
  for (const [name, sum] of Object.entries(sums)) need(sealed[name] === sum, `${what} says ${name} ${sealed[name]}, and its records ${sum}`);
  const tree = await Tree.of(await Promise.all(voids.map((serial) => leafHash(bigEndian(serial, 5)))));
  need(equal(await tree.root(voids.length), unhex(sealed.void_root)), `${what} has another void_root than its voids`);
  return new Set(voids);
}
