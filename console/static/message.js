/* One message as a bubble: who speaks, what they said, which words raised the alarm, and whether it arrived. */

import { dayAndTime, time } from "./clock.js";
import { chip, h, icon } from "./element.js";

const TOGETHER_MS = 5 * 60_000; // one voice within five minutes is one block

/** Whether `one` continues what `before` began: same voice, soon after. */
export const continues = (before, one) =>
  before !== null && before.kind === one.kind && before.label === one.label && !one.alert &&
  new Date(one.at) - new Date(before.at) < TOGETHER_MS;

export function bubble(one, joined, name) {
  const label = one.kind === "member" ? name : one.label;
  return h("li", { class: `line ${one.kind} ${joined ? "joined" : ""}`, "data-id": one.id },
    h("div", { class: joined ? "who unseen" : "who" },
      icon(one.kind), h("b", {}, label),
      h("time", { datetime: one.at, title: dayAndTime(one.at) }, time(one.at)),
      one.kind === "member" && one.channel && h("span", {}, one.channel),
      one.alert && chip([one.alert.title, ...one.alert.flags].join(" · "), one.alert.tone),
      one.alert && one.alert.why.length > 0 && reasons(one.alert.why)),
    h("div", { class: "bubble", title: joined ? dayAndTime(one.at) : null },
      one.parts.map(([text, hit]) => (hit ? h("mark", {}, text) : text))),
    one.buttons.length > 0 && h("ul", { class: "offers", "aria-label": "给会员的选项" }, one.buttons.map((title) => h("li", {}, title))),
    after(one));
}

const reasons = (why) =>
  h("details", { class: "why" },
    h("summary", {}, "依据"),
    h("ul", {}, why.map(({ words, by }) => h("li", {}, words && h("q", {}, words), h("span", {}, by)))));

function after(one) {
  if (one.tapped) return h("div", { class: "after" }, "点选的选项");
  if (!one.delivery) return null;
  const { state, words, reason } = one.delivery;
  const bad = ["dead", "unknown", "failed", "withdrawn", "held", "refused"].includes(state);
  return h("div", { class: `after ${state} ${bad ? "bad" : ""}` },
    ["sent", "delivered", "read"].includes(state) ? icon("check") : bad ? icon("alarm") : icon("check_in"),
    [words, reason].filter(Boolean).join(" · "));
}

export const divider = (words, kind) => h("li", { class: `divider ${kind}` }, h("span", {}, words));
