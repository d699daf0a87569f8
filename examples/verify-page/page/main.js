/* SPDX-License-Identifier: Apache-2.0 */
/* The page's course: what was given is checked, step by step, and shown. */
import { checkAll } from "../core/check.js";
import { available } from "../core/hash.js";
import { Report } from "../core/report.js";
import { byId } from "./dom.js";
import { readInputs, takeDrops, takeLink } from "./inputs.js";
import { offerScan } from "./scan.js";
import { clear, showFound, showStep } from "./view.js";

async function run() {
  byId("form-fault").textContent = "";
  let given;
  try {
    given = await readInputs();
  } catch (fault) {
    byId("form-fault").textContent = fault.message;
    return;
  }
  clear();
  byId("result").hidden = false;
  byId("verdict").textContent = "Checking \u2026";
  const report = new Report(showStep);
  const found = await checkAll(report, given);
  showFound(report, found);
  byId("result").dataset.done = "yes";
  byId("result-title").focus();
}

async function submit(event) {
  event?.preventDefault();
  if (byId("check").disabled) return;
  delete byId("result").dataset.done;
  byId("check").disabled = true;
  try {
    await run();
  } catch (fault) {
    byId("verdict").className = "bad";
    byId("verdict").textContent = `The page itself failed, and nothing is proved: ${fault.message}`;
    byId("result").dataset.done = "yes";
  } finally {
    byId("check").disabled = false;
  }
}

if (available()) {
  byId("form").addEventListener("submit", submit);
  takeLink();
  takeDrops(() => byId("key").focus());
  await offerScan();
} else {
  byId("unable").textContent = "This browser gives its cryptography to pages from https:// or from your own machine only. Open the page so.";
  byId("unable").hidden = false;
  byId("check").disabled = true;
}
document.documentElement.dataset.ready = "yes";
