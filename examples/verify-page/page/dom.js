/* SPDX-License-Identifier: Apache-2.0 */
/* Making elements. Texts go in as text, never as HTML. */

export function byId(id) {
  return document.getElementById(id);
}

/* An element with a class, and children that are elements or texts. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return element;
}

/* A name from outside: one that is written from right to left does not turn its neighbours around. */
export function foreign(text) {
  return make("bdi", "", text);
}

/* Words for those who hear the page. */
export function spoken(text) {
  return make("span", "hidden-text", text);
}
