/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes by camera, where the browser reads them. A ticket has two: its own, which is a secret and is not kept; and the address of its receipt. */
import { byId } from "./dom.js";

const EVERY_MS = 250;
let stream = null;

function stop() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  byId("scan-view").hidden = true;
  byId("scan-start").hidden = false;
}

/* What to tell; never the code of a ticket itself, which holds its validation number. */
export function describeCode(text) {
  if (/^RFL1:/.test(text)) return "This is the ticket's own code: keep it to yourself. The receipt is behind its other code.";
  if (/^https?:\/\/[^\s]+$/i.test(text)) return `The receipt is at ${text} \u2014 open it in your browser, and choose the file here.`;
  return "This code is none of a ticket.";
}

function take(text) {
  stop();
  if (text.startsWith("libraffle/receipt/")) {
    byId("text").value = text;
    byId("scan-found").textContent = "A receipt was read.";
  } else {
    byId("scan-found").textContent = describeCode(text);
  }
  byId("scan-start").focus();
}

async function look(detector) {
  if (stream === null) return;
  const codes = await detector.detect(byId("scan-video")).catch(() => []);
  if (codes.length > 0) take(codes[0].rawValue);
  else setTimeout(look, EVERY_MS, detector);
}

async function start() {
  byId("scan-found").textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    byId("scan-found").textContent = "The camera cannot be used. Choose the receipt's file instead.";
    return;
  }
  byId("scan-start").hidden = true;
  byId("scan-view").hidden = false;
  byId("scan-video").srcObject = stream;
  byId("scan-video").play().catch(stop);
  byId("scan-stop").focus();
  look(new BarcodeDetector({ formats: ["qr_code"] }));
}

/* Shows the button where it can work. */
export async function offerScan() {
  if (!("BarcodeDetector" in globalThis) || !navigator.mediaDevices) return;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes("qr_code")) return;
  byId("scan").hidden = false;
  byId("scan-start").addEventListener("click", start);
  byId("scan-stop").addEventListener("click", stop);
}
