/* SPDX-License-Identifier: Apache-2.0 */
/* Money, times and draw numbers as the ticket has them. */

export function money(minor, rules) {
  const digits = rules?.digits ?? 0, text = String(minor).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ",");
  if (rules === undefined) return `${whole} minor units`;
  return `${whole}${digits > 0 ? `.${text.slice(-digits)}` : ""} ${rules.currency}`;
}

/* The event's local time: the last entry of the rules' zone that has begun. */
export function localTime(at, rules) {
  const time = Date.parse(at);
  const zone = rules?.zone.findLast((entry) => Date.parse(entry.from) <= time);
  if (zone === undefined || zone.offset === 0) return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  const local = new Date(time + 60000 * zone.offset).toISOString(), minutes = Math.abs(zone.offset);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return `${local.slice(0, 10)} ${local.slice(11, 19)}${zone.offset < 0 ? "-" : "+"}${clock}`;
}

export function drawNumber(unit, number) {
  return `${unit}-${String(number).padStart(7, "0")}`;
}

export function drawNumbers(unit, sale) {
  const first = drawNumber(unit, sale.n);
  return sale.count === 1 ? first : `${first} to ${drawNumber(unit, sale.n + sale.count - 1)} (${sale.count} numbers)`;
}
