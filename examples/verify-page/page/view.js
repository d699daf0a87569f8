/* SPDX-License-Identifier: Apache-2.0 */
/* What was found, as elements: the steps as they end, the ticket, the winners, the verdict. */
import { placesOf } from "../core/check.js";
import { byId, foreign, make, spoken } from "./dom.js";
import { drawNumber, drawNumbers, localTime, money } from "./format.js";

const MARKS = { good: ["\u2713", "checked: "], bad: ["\u2717", "failed: "], open: ["\u25cb", "not checked here: "] };
const ROWS_FIRST = 10, ROWS_MAX = 5000;

export function clear() {
  for (const id of ["ticket", "winners", "steps", "verdict"]) byId(id).replaceChildren();
  byId("verdict").className = "";
}

/* --- steps --- */

function listOf(section) {
  const lists = [...byId("steps").querySelectorAll("section")];
  const found = lists.find((s) => s.dataset.section === section);
  if (found) return found.querySelector("ul");
  const list = make("ul", "steps"), title = make("h3", "", foreign(section));
  list.setAttribute("role", "list");
  const made = make("section", "", title, list);
  made.dataset.section = section;
  byId("steps").append(made);
  return list;
}

export function showStep(step) {
  const [sign, words] = MARKS[step.state], mark = make("span", "mark", sign);
  mark.setAttribute("aria-hidden", "true");
  const item = make("li", step.state, mark, make("span", "what", spoken(words), step.what));
  if (step.detail !== "") item.append(make("span", "detail", step.detail));
  listOf(step.section).append(item);
}

/* --- the ticket --- */

function pairs(list) {
  const dl = make("dl", "");
  for (const [name, value] of list) dl.append(make("dt", "", name), make("dd", "", foreign(value)));
  return dl;
}

const PROVES = { promise: "sold; no seal covers it so far", drum: "in the drum", void: "void" };

function showTicket(ticket, rules, outcome) {
  const { receipt, sale } = ticket;
  const fields = [["Ticket", `${receipt.unit}/${receipt.serial}`], ["Draw numbers", drawNumbers(receipt.unit, sale)], ["Issued", localTime(sale.at, rules)],
    ["Sold by", `unit ${receipt.unit}, ${ticket.unitName}`], ["Price", `${money(sale.price, rules)} (${sale.tier})`], ["Raffle", receipt.origin], ["The receipt proves", PROVES[receipt.proves]]];
  if (rules !== undefined) fields.unshift(["Event", rules.name], ["Organisation", rules.organisation], ["Place", rules.place ?? "none"], ["Licence", rules.licence ?? "none"]);
  byId("ticket").append(make("h3", "", "Your ticket"));
  if (outcome !== "") byId("ticket").append(make("p", "outcome", outcome));
  byId("ticket").append(pairs(fields));
}

/* --- the winners --- */

function isMine(place, ticket) {
  return ticket !== null && place.unit === ticket.receipt.unit && place.serial === ticket.receipt.serial;
}

function row(place, ticket) {
  const mine = isMine(place, ticket);
  const state = place.promoted && !place.lost ? "winner, promoted" : place.state;
  const sign = MARKS[place.check];
  const mark = make("span", "mark", sign[0]);
  mark.setAttribute("aria-hidden", "true");
  const cells = [place.place, drawNumber(place.unit, place.number), `${place.unit}/${place.serial}`, mine ? `${state}: your ticket` : state];
  return make("tr", mine ? "mine" : "", make("td", place.check, mark, spoken(sign[1])), ...cells.map((cell) => make("td", "", cell)));
}

function table(prize, places, ticket) {
  const heads = ["", "Place", "Number", "Ticket", "State"].map((name) => {
    const th = make("th", "", name === "" ? spoken("Outcome of the check") : name);
    th.scope = "col";
    return th;
  });
  const body = make("tbody", "", ...places.map((place) => row(place, ticket)));
  const scroller = make("div", "table", make("table", "", make("caption", "", foreign(prize)), make("thead", "", make("tr", "", ...heads)), body));
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", `Places of ${prize}`);
  return scroller;
}

/* The ticket's own places are always among those that are shown at once. */
function showPrize(title, places, ticket) {
  const first = places.filter((place, i) => i < ROWS_FIRST || isMine(place, ticket));
  byId("winners").append(table(title, first, ticket));
  if (first.length === places.length) return;
  const rest = make("details", "", make("summary", "", `All ${places.length} places`));
  rest.addEventListener("toggle", () => rest.childElementCount === 1 && rest.append(table(title, places.slice(0, ROWS_MAX), ticket)));
  byId("winners").append(rest);
}

function showWinners(control, ticket) {
  const all = placesOf(control);
  byId("winners").append(make("h3", "", "Winners"));
  if (control.results.length === 0) byId("winners").append(make("p", "", "Nothing is drawn so far."));
  for (const result of control.results) showPrize(result.open.rule.title, all.filter((place) => place.result === result.index), ticket);
}

/* --- all of it --- */

function sentence(report, found) {
  if (report.bad > 0) return `${report.bad} ${report.bad === 1 ? "check" : "checks"} failed, ${report.good} passed: ${report.steps.find((step) => step.state === "bad").detail}`;
  const parts = [];
  if (found.ticket !== null) parts.push(found.outcome || `The receipt is good: ${PROVES[found.ticket.receipt.proves]}.`);
  if (found.published?.control) parts.push(`The draws follow from the published records: ${found.published.control.results.length} prizes drawn.`);
  const left = report.steps.length - report.good;
  return `All ${report.good} checks passed; ${left === 1 ? "one thing is" : `${left} things are`} not checked here. ${parts.join(" ")}`;
}

export function showFound(report, found) {
  const control = found.published?.control;
  if (control?.rules.rehearsal) byId("ticket").append(make("p", "notice", "REHEARSAL: tickets of this raffle win nothing."));
  if (found.ticket !== null) showTicket(found.ticket, control?.rules, found.outcome);
  if (control !== undefined) showWinners(control, found.ticket);
  byId("verdict").className = report.bad > 0 ? "bad" : "good";
  byId("verdict").textContent = sentence(report, found);
}
