/* The composer: a reply to the member or a note among colleagues, never confused, never lost, never half a word. */

import { Failure, newKey, post } from "./api.js";
import { byId, h, icon } from "./element.js";

const LIMIT = 2_000; // characters, as the house takes them
const COUNT_FROM = 1_600;
const TALLEST_PX = 200;

/** @param told.sent after something was stored, told.takeOver when the lock is opened */
export function makeComposer(told) {
  const box = byId("composer"), text = byId("text"), send = byId("send"), lock = byId("lock"), write = byId("write");
  const wrong = byId("composer-wrong"), count = byId("text-count"), hint = byId("text-hint");
  const tabs = { reply: byId("tab-reply"), note: byId("tab-note") };
  const drafts = new Map(); // conversation id → { mode, reply, note, keys }
  let conversation = null, busy = false, composing = false;

  const draft = () => {
    const id = conversation.id;
    if (!drafts.has(id)) drafts.set(id, { mode: "reply", reply: "", note: "", keys: {} });
    return drafts.get(id);
  };

  function draw() {
    box.hidden = conversation === null;
    if (!conversation) return;
    const { mode } = draft(), reason = mode === "reply" ? locked() : null;
    box.dataset.mode = mode;
    for (const [name, tab] of Object.entries(tabs)) {
      tab.setAttribute("aria-selected", String(name === mode));
      tab.tabIndex = name === mode ? 0 : -1;
    }
    byId("write-panel").setAttribute("aria-labelledby", `tab-${mode}`);
    write.hidden = reason !== null;
    lock.hidden = reason === null;
    if (reason) drawLock(reason);
    if (text.value !== draft()[mode] && !composing) text.value = draft()[mode];
    text.placeholder = mode === "reply" ? `写给${conversation.name}` : "写给同事，会员看不到";
    text.setAttribute("aria-label", mode === "reply" ? "回复会员" : "内部备注");
    hint.textContent = mode === "reply" ? "Enter 发送 · Shift+Enter 换行" : "只有同事看得到";
    byId("send-words").textContent = mode === "reply" ? "发送" : "保存备注";
    settle();
  }

  /** Why nobody may write here now, or null. */
  function locked() {
    const owner = conversation.owner;
    if (!conversation.reachable) return { sign: "phone", words: "这位会员还没有可以收消息的渠道，请打电话。" };
    if (owner.kind === "me") return null;
    if (owner.kind === "colleague") {
      return { sign: "carer", words: `${owner.name}正在和会员对话。先和${owner.name}说一声再接手。`, act: "接手对话" };
    }
    if (conversation.crisis) {
      return { sign: "alarm", words: "会员在危机中，小安只说陪伴的话。请现在接管。", act: "接管对话" };
    }
    return { sign: "bot", words: "小安正在接待。接管后小安立刻不再说话，由您回复。", act: "接管对话" };
  }

  function drawLock({ sign, words, act }) {
    const shows = `${conversation.id}|${words}|${draft().reply !== ""}`;
    if (lock.dataset.shows === shows) return;
    lock.dataset.shows = shows;
    lock.replaceChildren(...[
      icon(sign),
      h("p", {}, words, draft().reply && h("small", {}, "您写的草稿还在。")),
      act && h("button", { class: "button primary", type: "button", on: { click: told.takeOver } }, act),
    ].filter(Boolean));
  }

  function settle() {
    const words = text.value.trim();
    send.disabled = busy || !words || text.value.length > LIMIT;
    count.hidden = text.value.length < COUNT_FROM;
    count.textContent = `${text.value.length} / ${LIMIT}`;
    count.classList.toggle("full", text.value.length > LIMIT);
    text.style.height = "auto";
    text.style.height = `${Math.min(text.scrollHeight, TALLEST_PX)}px`;
  }

  function complain(words) {
    wrong.textContent = words;
    wrong.hidden = !words;
  }

  async function submit() {
    if (send.disabled || !conversation) return;
    const { id } = conversation, mine = draft(), { mode } = mine, words = mine[mode];
    mine.keys[mode] ??= newKey(); // pressed again after a failure, the same words go out once
    busy = true;
    complain("");
    box.classList.add("busy");
    text.readOnly = true;
    settle();
    try {
      await post(`conversations/${id}/${mode === "reply" ? "messages" : "notes"}`, { key: mine.keys[mode], text: words });
      mine[mode] = "";
      delete mine.keys[mode];
      told.sent();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      const what = mode === "reply" ? "发出去" : "存下来";
      if (conversation?.id === id) complain(`没有${what}：${failure.message}。文字还在，可以再试。`);
      if (failure.status === 409) told.sent(); // somebody else was quicker: show how things stand
    } finally {
      busy = false;
      box.classList.remove("busy");
      text.readOnly = false;
      draw();
    }
    if (conversation?.id === id && !matchMedia("(pointer: coarse)").matches) text.focus();
  }

  text.addEventListener("compositionstart", () => { composing = true; });
  text.addEventListener("compositionend", () => { composing = false; });
  text.addEventListener("input", () => {
    const mine = draft();
    mine[mine.mode] = text.value;
    delete mine.keys[mine.mode]; // other words are another message
    settle();
  });
  text.addEventListener("keydown", (event) => {
    // Half a word is never sent: Enter that chooses a character comes with isComposing, or as 229 where it comes late.
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || composing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  byId("write").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  for (const name of Object.keys(tabs)) tabs[name].addEventListener("click", () => choose(name));
  byId("composer-tabs").addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") choose(draft().mode === "reply" ? "note" : "reply", true);
  });
  addEventListener("resize", () => { if (conversation) settle(); });

  function choose(name, stay = false) {
    if (!conversation) return;
    draft().mode = name;
    complain("");
    draw();
    if (stay) tabs[name].focus();
    else if (!write.hidden) text.focus();
    else lock.querySelector("button")?.focus();
  }

  return {
    show(one) {
      if (one?.id !== conversation?.id) complain("");
      conversation = one;
      draw();
    },
    choose,
    focus() { if (conversation && !write.hidden) text.focus(); },
    /** Whether words lie here that were not sent. */
    get unsent() { return [...drafts.values()].some((one) => one.reply.trim() || one.note.trim()); },
  };
}
