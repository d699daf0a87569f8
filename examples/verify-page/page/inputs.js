/* SPDX-License-Identifier: Apache-2.0 */
/* What was given: the receipt by file, by dropping or by pasting; the address; the key. */
import { utf8 } from "../core/bytes.js";
import { byId } from "./dom.js";

const FILE_MAX = 131072;

/* A pasted text may have the line ends of another system, and have lost those at its end: a blank line after the last void's proof, else one. */
function pasted(text) {
  const plain = text.replace(/\r\n?/g, "\n").trim();
  return utf8(plain + (/\npart voids\n/.test(plain) ? "\n\n" : "\n"));
}

async function receipt() {
  const file = byId("file").files[0], text = byId("text").value;
  if (text.trim() !== "") return pasted(text);
  if (file === undefined) return null;
  if (file.size > FILE_MAX) throw new Error(`${file.name} has more than ${FILE_MAX} bytes: it is no receipt.`);
  return new Uint8Array(await file.arrayBuffer());
}

/* {key, receipt, address}; throws a sentence when something is missing. */
export async function readInputs() {
  const given = { key: byId("key").value.trim(), receipt: await receipt(), address: byId("address").value.trim() || null };
  if (given.receipt === null && given.address === null) throw new Error("Give a receipt, the address of the published folder, or both.");
  if (given.key === "") throw new Error("Give the control key.");
  return given;
}

/* A link may bring the folder's address, #folder=https://…; never the key, which must come from elsewhere. */
export function takeLink() {
  const address = new URLSearchParams(location.hash.slice(1)).get("folder");
  if (address !== null && byId("address").value === "") byId("address").value = address;
}

/* A file that is dropped anywhere takes the place of what was given before. */
export function takeDrops(onDrop) {
  const main = document.querySelector("main");
  const over = (on) => (event) => {
    event.preventDefault();
    main.classList.toggle("dropping", on);
  };
  document.addEventListener("dragover", over(true));
  document.addEventListener("dragleave", over(false));
  document.addEventListener("drop", (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length === 0) return;
    byId("file").files = event.dataTransfer.files;
    byId("text").value = "";
    onDrop();
  });
}
