/* The thread: one conversation from its newest message back, live, holding its place while it grows. */

import { Failure, get } from "./api.js";
import { day, sameDay } from "./clock.js";
import { coalesced } from "./coalesce.js";
import { announce, arrange, byId, h, icon } from "./element.js";
import { bubble, continues, divider } from "./message.js";

const NEAR_PX = 96; // this close to the end counts as reading along

/**
 * @param seen what this colleague has seen
 * @param told called with the conversation each time it was read
 * @param saw called when something new was seen
 */
export function makeThread({ seen, told, saw }) {
  const scroll = byId("scroll"), lines = byId("lines"), state = byId("thread-state"), older = byId("older"), jump = byId("jump");
  const nodes = new Map(); // message id → [what it shows, element]
  let id = null, conversation = null, messages = [], more = false, seenBefore = 0, reading = false;
  let pinned = true, place = 0, height = 0; // whether the end is read along, and where the eye was, at which height

  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX;
  const last = () => messages.at(-1)?.seq ?? 0;

  async function read() {
    const wanted = id;
    if (wanted === null) return;
    try {
      const page = await get(`conversations/${wanted}/thread`);
      if (wanted === id) take(page);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (wanted !== id || conversation) return;
      blank("broken", failure.status === 404 ? "没有这段对话" : "对话没有加载出来", failure.message, true);
    }
  }

  /** Merge the newest page into what is on the screen; after a long gap begin anew. */
  function take(page) {
    const first = !conversation, follow = first || pinned, before = last();
    const from = page.messages[0]?.seq ?? Infinity;
    const kept = messages.filter((one) => one.seq < from);
    const gap = !first && page.older && before < from;
    if (first || gap || kept.length === 0) more = page.older;
    messages = gap ? page.messages : [...kept, ...page.messages];
    conversation = page.conversation;
    draw();
    const fresh = messages.filter((one) => one.seq > before);
    if (follow) toEnd(first);
    else if (fresh.some((one) => one.kind !== "note" && !one.mine)) jump.hidden = false;
    const said = first ? null : fresh.findLast((one) => one.kind === "member");
    if (said) announce(`${conversation.name}：${said.parts.map(([text]) => text).join("")}`);
    look();
    told(conversation, page);
  }

  function draw() {
    state.hidden = messages.length > 0;
    if (!messages.length) blank("chats", "还没有说过话", "会员写来的话会出现在这里。");
    older.hidden = !more;
    const wanted = [];
    let before = null, marked = false;
    for (const one of messages) {
      const newDay = before === null || !sameDay(before.at, one.at);
      if (newDay) wanted.push(keep(`day:${day(one.at)}`, "", () => divider(day(one.at), "day")));
      const isNew = !marked && before !== null && before.seq <= seenBefore && one.seq > seenBefore && one.kind === "member";
      if (isNew) { marked = true; wanted.push(keep("new", "", () => divider("新消息", "new"))); }
      const joined = !newDay && !isNew && continues(before, one);
      wanted.push(keep(one.id, JSON.stringify([one, joined]), () => bubble(one, joined, conversation.name)));
      before = one;
    }
    arrange(lines, wanted);
  }

  function keep(key, shows, make) {
    const kept = nodes.get(key);
    if (kept?.[0] === shows) return kept[1];
    const made = make();
    nodes.set(key, [shows, made]);
    return made;
  }

  function blank(sign, title, line, again = false) {
    state.hidden = false;
    state.replaceChildren(h("div", { class: "blank", role: again ? "alert" : null }, icon(sign), h("p", {}, title), h("span", {}, line),
      again && h("button", { class: "button", type: "button", on: { click: read } }, "再试一次")));
  }

  function toEnd(first) {
    const mark = first && nodes.get("new")?.[1];
    if (mark?.isConnected) mark.scrollIntoView({ block: "center" });
    else scroll.scrollTop = scroll.scrollHeight;
    pinned = atEnd();
    jump.hidden = true;
  }

  /** What is on the screen of somebody who is there has been seen. */
  function look() {
    if (id === null || document.visibilityState !== "visible" || !document.body.classList.contains("reading") || !atEnd()) return;
    if (seen.see(id, last())) saw();
  }

  async function readOlder() {
    const wanted = id, from = messages[0]?.seq;
    if (reading || !more || from === undefined) return;
    reading = true;
    older.textContent = "正在读取更早的消息…";
    try {
      const page = await get(`conversations/${wanted}/thread?before=${from}`);
      if (wanted !== id) return;
      const height = scroll.scrollHeight, top = scroll.scrollTop;
      messages = [...page.messages, ...messages];
      more = page.older;
      draw();
      scroll.scrollTop = top + scroll.scrollHeight - height;
      older.textContent = "更早的消息";
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      older.textContent = "更早的消息没有读到，点这里再试";
    } finally {
      reading = false;
    }
  }

  new IntersectionObserver(([entry]) => { if (entry.isIntersecting) readOlder(); }, { root: scroll, rootMargin: "160px 0px 0px" }).observe(older);
  older.addEventListener("click", readOlder);
  scroll.addEventListener("scroll", () => {
    if (scroll.clientHeight !== height) return; // the frame moved, not the reader
    pinned = atEnd();
    place = scroll.scrollTop;
    if (pinned) { jump.hidden = true; look(); }
  }, { passive: true });
  // The composer grows, the phone's keyboard comes and goes, another pane covers this one: the reader stays in place.
  const hold = new ResizeObserver(() => {
    if (pinned) scroll.scrollTop = scroll.scrollHeight;
    else if (height === 0) scroll.scrollTop = place;
    height = scroll.clientHeight;
  });
  hold.observe(scroll);
  hold.observe(lines);
  jump.addEventListener("click", () => { toEnd(false); look(); });
  document.addEventListener("visibilitychange", look);

  return {
    /** Open a conversation, or none. */
    show(wanted) {
      if (wanted === id) { look(); return; }
      [id, conversation, messages, more, pinned] = [wanted, null, [], false, true];
      nodes.clear();
      lines.replaceChildren();
      older.hidden = jump.hidden = true;
      older.textContent = "更早的消息";
      seenBefore = wanted === null ? 0 : seen.until(wanted);
      state.hidden = wanted === null;
      state.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, h("i"), h("i"), h("i")));
      read();
    },
    refresh: coalesced(read, 60),
    again: read,
    look,
    get conversation() { return conversation; },
  };
}
