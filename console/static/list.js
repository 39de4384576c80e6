/* The list: who needs a human, most urgent first. */

import { Failure, get } from "./api.js";
import { brief, runDue, runSince } from "./clock.js";
import { coalesced } from "./coalesce.js";
import { arrange, byId, chip, face, h, icon } from "./element.js";

const PAGE = 60;
const LIMIT = 500;
const TABS = ["needs", "mine", "all"];
const EMPTY = {
  needs: ["check", "现在没有人在等", "有人需要您时，会出现在这里。"],
  mine: ["carer", "您手上没有对话", "接管对话或处理一件事后，会出现在这里。"],
  all: ["chats", "还没有对话", "会员写来的第一句话会出现在这里。"],
};

/**
 * @param seen what this colleague has seen
 * @param told called with every page of the server
 */
export function makeList({ seen, told }) {
  const cards = byId("cards"), more = byId("more"), state = byId("list-state");
  const nodes = new Map(); // id → [what it shows, element]
  let page = null, tab = "needs", limit = PAGE, current = null, sticky = null, failed = null;

  const shown = () => (page?.entries ?? []).filter((one) => tab === "all" || one[tab] || one.id === sticky);

  async function read() {
    try {
      page = await get(`list?limit=${limit}`);
      failed = null;
      seen.begin(page.entries);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      failed = failure;
    }
    draw();
    if (!failed) told(page);
  }

  function draw() {
    // What is open stays in its tab until another is opened, also once it no longer belongs there.
    if (page?.entries.some((one) => one.id === current && one[tab])) sticky = current;
    const entries = shown();
    for (const name of TABS) {
      const count = byId(`count-${name}`);
      count.textContent = page ? page.counts[name] : "";
      count.hidden = !page?.counts[name];
      byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
      byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    }
    byId("list-panel").setAttribute("aria-labelledby", `tab-${tab}`);
    arrange(cards, entries.map((entry) => node(entry)));
    const left = page ? page.counts.all - page.entries.length : 0;
    more.hidden = !(tab === "all" && left > 0 && limit < LIMIT);
    more.textContent = `载入更多（还有 ${left} 段）`;
    drawState(entries);
  }

  function drawState(entries) {
    cards.setAttribute("aria-busy", String(!page && !failed));
    state.hidden = page !== null && !failed && entries.length > 0;
    if (state.hidden) return;
    if (failed && page) { // what is known stays on the screen
      state.replaceChildren(h("p", { class: "stale", role: "status" }, "列表可能不是最新的。", retry()));
    } else if (failed) {
      state.replaceChildren(h("div", { class: "blank", role: "alert" }, icon("broken"), h("p", {}, "列表没有加载出来"),
        h("span", {}, failed.message), retry()));
    } else if (!page) {
      const bone = () => h("div", { class: "bone-card", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
      state.replaceChildren(...Array.from({ length: 5 }, bone));
    } else {
      const [sign, title, line] = EMPTY[tab];
      state.replaceChildren(h("div", { class: "blank" }, icon(sign), h("p", {}, title), h("span", {}, line),
        tab === "needs" && page.counts.all > 0 &&
          h("button", { class: "button", type: "button", on: { click: () => choose("all") } }, "看全部对话")));
    }
  }

  const retry = () => h("button", { class: "button", type: "button", on: { click: read } }, "再试一次");

  function node(entry) {
    const unread = seen.unread(entry) && entry.id !== current;
    const shows = JSON.stringify([entry, unread, entry.id === current]);
    const kept = nodes.get(entry.id);
    if (kept?.[0] === shows) return kept[1];
    const made = kept?.[1] ?? h("li");
    const focused = made.contains(document.activeElement);
    made.replaceChildren(card(entry, unread, entry.id === current));
    if (focused) made.firstChild.focus({ preventScroll: true });
    nodes.set(entry.id, [shows, made]);
    return made;
  }

  function choose(name) {
    tab = name;
    sticky = null;
    draw();
    byId("list-panel").scrollTop = 0;
  }

  for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => choose(name));
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    choose(TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]);
    byId(`tab-${tab}`).focus();
  });
  cards.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step) return;
    event.preventDefault();
    event.target.closest("li")?.[step]?.querySelector("a").focus();
  });
  more.addEventListener("click", async () => {
    more.disabled = true;
    limit = Math.min(LIMIT, limit + PAGE);
    await read();
    more.disabled = false;
  });
  draw();

  return {
    refresh: coalesced(read, 120),
    draw,
    find: (id) => page?.entries.find((one) => one.id === id) ?? null,
    /** Mark what is open. */
    mark(id) {
      current = id;
      sticky = null;
      draw();
    },
    /** The conversation `step` places further down the list. */
    beside(step) {
      const ids = shown().map((one) => one.id), at = ids.indexOf(current);
      return ids[at < 0 ? (step > 0 ? 0 : ids.length - 1) : at + step] ?? null;
    },
  };
}

function card(entry, unread, current) {
  const first = entry.cases[0];
  const due = entry.cases.filter((one) => one.waiting).sort((a, b) => a.due_at.localeCompare(b.due_at))[0];
  return h("a", {
    class: `card ${first ? first.tone : ""} ${unread ? "unread" : ""}`, href: `#/c/${entry.id}`, "aria-current": current ? "true" : null,
  },
  face(entry.name, entry.known ? "" : "unknown"),
  h("span", { class: "card-top" },
    h("b", {}, entry.name),
    unread && h("span", { class: "dot" }, h("span", { class: "unseen" }, "有未读消息")),
    due ? runDue(h("span", { class: "clock" }), due.opened_at, due.due_at)
      : entry.last && h("span", { class: "when" }, brief(entry.last.at))),
  (first || entry.crisis) && h("span", { class: "card-why" },
    first ? chip(first.title, first.tone) : chip("危机未解除", "alarm"),
    h("span", { class: "cut" }, first ? first.reason : "解除前小安不会说话"),
    entry.cases.length > 1 && h("span", { class: "count", title: "还有其他未解决的事" }, `+${entry.cases.length - 1}`)),
  h("span", { class: "card-last" }, entry.last
    ? [icon(entry.last.author), h("span", { class: "cut" }, entry.last.author === "member" ? "" : `${entry.last.who}：`, entry.last.text)]
    : h("span", { class: "cut" }, "还没有消息")),
  h("span", { class: "card-end" },
    owner(entry, first),
    entry.waiting_since && runSince(h("span", { class: "since" }), entry.waiting_since, "等了")));
}

function owner(entry, first) {
  const who = entry.owner?.kind === "bot" && first?.owner ? { ...first.owner, hint: "处理中" } : entry.owner;
  const words = { me: "我", bot: "小安接待", colleague: who?.name }[who?.kind] ?? "";
  return h("span", { class: `owner ${who?.kind ?? ""}` }, icon(who?.kind === "bot" ? "bot" : "carer"),
    words, who?.hint && ` ${who.hint}`, who?.kind !== "bot" && !who?.hint && " 在对话");
}
