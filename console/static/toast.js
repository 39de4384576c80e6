/* A short word at the edge of the page that goes by itself. */

import { byId, h, icon } from "./element.js";

const SHOWN_MS = 6_000;

export function toast(words, tone = "calm") {
  const one = h("div", { class: `toast ${tone}` }, icon(tone === "bad" ? "alarm" : "check"), h("span", {}, words));
  byId("toasts").append(one);
  setTimeout(() => one.remove(), SHOWN_MS);
}
