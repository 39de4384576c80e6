/* The desk: brings list, thread, composer and context together, follows the address bar and listens to the house. */

import { makeAlarm } from "./alarm.js";
import { Failure, get, post, renew, startApi } from "./api.js";
import { runDue, setClock, startClock } from "./clock.js";
import { makeComposer } from "./composer.js";
import { makeContext } from "./context.js";
import { handBack, logInAgain, releaseCrisis, resolveCase, showKeys } from "./dialogs.js";
import { byId, chip, face, h, icon } from "./element.js";
import { makeList } from "./list.js";
import { startLive } from "./live.js";
import { makeSeen } from "./seen.js";
import { makeThread } from "./thread.js";
import { toast } from "./toast.js";

const STATUS_MS = 20_000;
const BACK_SHOWN_MS = 3_000;

const setup = JSON.parse(byId("setup").textContent);
const wide = matchMedia("(min-width: 1200px)");
let open = null; // id of the conversation on the screen
let over = false;
let live = null;

startApi(setup, sessionOver);
startClock(setup.zone);

const seen = makeSeen(setup.me.id);
const alarm = makeAlarm({ open: go, acknowledge: (one) => act(() => post(`cases/${one.id}/acknowledge`), "已记下您看到了") });
const list = makeList({ seen, told: listRead });
const context = makeContext({ setup, told: { take: takeCase, resolve, read: contextRead } });
const composer = makeComposer({ sent: readAll, takeOver });
const thread = makeThread({ seen, told: threadRead, saw: list.draw });

/* what was read */

function listRead(page) {
  setClock(page.now);
  alarm.show(page);
  const card = open && list.find(open), shown = thread.conversation;
  // Owner and crisis change without a word being said when the member has no channel.
  if (card && shown && (card.crisis !== shown.crisis || JSON.stringify(card.owner) !== JSON.stringify(shown.owner))) thread.refresh();
}

function threadRead(conversation, page) {
  setClock(page.now);
  composer.show(conversation);
  context.show(conversation.member);
  drawHead(conversation);
}

function contextRead() {
  if (thread.conversation) drawHead(thread.conversation);
}

function readAll() {
  thread.again();
  list.refresh();
  context.refresh();
}

/* the head of the thread */

function drawHead(one) {
  const owner = { me: "我在对话", bot: "小安在接待", colleague: `${one.owner.name}在对话` }[one.owner.kind];
  const page = context.page?.member.id === one.member ? context.page : null;
  const shows = JSON.stringify([one, page?.treatment?.title, page?.cases]);
  const head = byId("head-words");
  if (head.dataset.shows === shows) return;
  head.dataset.shows = shows;
  const focused = document.activeElement?.id;
  head.replaceChildren(face(one.name), h("div", {},
    h("h1", {}, one.name),
    h("p", {}, h("span", { class: `owner ${one.owner.kind}` }, icon(one.owner.kind === "bot" ? "bot" : "carer"), owner),
      page?.treatment && h("span", { class: "dim" }, page.treatment.title))));
  byId("head-acts").replaceChildren(one.owner.kind === "me"
    ? h("button", { class: "button", type: "button", id: "hand-back", on: { click: giveBack } }, "交还小安")
    : h("button", { class: "button primary", type: "button", id: "take-over", on: { click: takeOver } },
      one.owner.kind === "bot" ? "接管" : "接手"));
  byId("crisis").hidden = !one.crisis;
  byId("release").hidden = !one.may_release;
  byId("crisis-words").textContent = one.may_release
    ? "危机未解除：小安只说陪伴的话，会员安全后由您签字解除。" : "危机未解除：小安只说陪伴的话，解除要组长签字。";
  byId("brief").replaceChildren(...(page?.cases ?? []).slice(0, 1).map((each) => h("div", { class: "brief-line" },
    chip(each.title, each.tone), h("span", { class: "cut" }, each.reason),
    each.waiting && runDue(h("span", { class: "clock" }), each.opened_at, each.due_at),
    h("button", { class: "link", type: "button", on: { click: () => goTo(open, true) } }, "详情"))));
  if (focused === "take-over" || focused === "hand-back") byId("head-acts").querySelector("button").focus();
}

/* what a carer does */

/** Do something; show how things stand afterwards, also when it was refused. */
async function act(work, done = "") {
  try {
    await work();
    if (done) toast(done);
    return true;
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.status !== 401) toast(failure.message, "bad");
    return false;
  } finally {
    list.refresh();
    thread.refresh();
    context.refresh();
  }
}

async function takeOver() {
  const id = open;
  if (!(await act(() => post(`conversations/${id}/take-over`)))) return;
  await thread.again();
  if (id === open) composer.choose("reply");
}

async function giveBack() {
  const one = thread.conversation;
  if (one.crisis) { toast("危机状态未解除，需要组长先解除", "bad"); return; }
  if (await handBack(one, context.page?.cases ?? [])) { toast("已交还给小安"); readAll(); }
}

function takeCase(one) { return act(() => post(`cases/${one.id}/take`), "由您处理了"); }

async function resolve(one) {
  if (await resolveCase(one)) { toast("已解决"); readAll(); }
}

async function release() {
  if (await releaseCrisis(thread.conversation)) { toast("危机状态已解除"); readAll(); }
}

/* where we are: #/c/<id> and #/c/<id>/info, so that back goes back on a phone */

function go(id) { goTo(id, false); }
function goTo(id, info) { location.hash = id ? `#/c/${id}${info ? "/info" : ""}` : "#/"; }

function follow() {
  const [, id = null, info] = /^#\/c\/([\w-]+)(\/info)?$/.exec(location.hash) ?? [];
  open = id;
  document.body.dataset.view = id === null ? "list" : info ? "info" : "thread";
  document.body.classList.toggle("reading", id !== null && (wide.matches || !info));
  byId("nothing").hidden = id !== null;
  byId("talk").hidden = id === null;
  byId("panel").setAttribute("aria-expanded", String(wide.matches ? !document.body.classList.contains("folded") : Boolean(info)));
  if (id !== thread.conversation?.id) clearHead();
  alarm.here(id);
  list.mark(id);
  thread.show(id);
}

function clearHead() {
  composer.show(null);
  byId("head-words").dataset.shows = "";
  for (const part of ["head-words", "head-acts", "brief"]) byId(part).replaceChildren();
  byId("crisis").hidden = true;
}

function panel() {
  if (wide.matches) {
    document.body.classList.toggle("folded");
    follow();
  } else if (document.body.dataset.view === "info") goTo(open, false);
  else goTo(open, true);
}

/* the line to the house, the dialogue behind it, the session */

let backTimer = 0;
function lineState(state) {
  const band = byId("line");
  clearTimeout(backTimer);
  if (state === "over") { sessionOver(); return; }
  document.body.dataset.line = state;
  byId("line-state").title = state === "open" ? "实时更新正常" : "连接断开";
  byId("line-state-words").textContent = state === "open" ? "实时" : "断线";
  if (state === "lost") {
    band.className = "band bad";
    byId("line-words").textContent = "连接断开，正在重连。页面上的内容可能不是最新的。";
    band.hidden = false;
  } else if (!band.hidden) {
    band.className = "band good";
    byId("line-words").textContent = "连接已恢复，内容已更新。";
    backTimer = setTimeout(() => { band.hidden = true; }, BACK_SHOWN_MS);
  }
}

async function status() {
  if (over) return;
  try {
    const { now, dialogue, paused } = await get("status");
    setClock(now);
    byId("health").hidden = dialogue;
    byId("paused").hidden = paused.length === 0;
    byId("paused").querySelector("span").textContent = paused.join("");
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
  }
}

async function sessionOver() {
  if (over) return;
  over = true;
  await logInAgain(setup.me);
  try {
    const fresh = await get("me");
    if (fresh.me.id !== setup.me.id) { location.reload(); return; }
    renew(fresh);
    over = false;
    live.again();
  } catch { location.reload(); }
}

async function logOut() {
  if (composer.unsent && !confirm("还有没发出去的文字，退出后就没有了。要退出吗？")) return;
  try { await post("logout"); } finally { location.assign("/console/login"); }
}

/* wiring */

byId("panel").addEventListener("click", panel);
byId("panel-close").addEventListener("click", panel);
byId("scrim").addEventListener("click", panel);
byId("release").addEventListener("click", release);
byId("help").addEventListener("click", showKeys);
byId("log-out").addEventListener("click", logOut);
byId("account").addEventListener("click", () => {
  const shut = byId("menu").toggleAttribute("hidden");
  byId("account").setAttribute("aria-expanded", String(!shut));
});
addEventListener("click", (event) => { if (!event.target.closest(".account")) shutMenu(); });
function shutMenu() { byId("menu").hidden = true; byId("account").setAttribute("aria-expanded", "false"); }

addEventListener("keydown", (event) => {
  if (event.isComposing || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape") {
    shutMenu();
    if (!wide.matches && document.body.dataset.view === "info") panel();
    else if (typing) typing.blur();
  } else if (event.key === "?" && !typing) showKeys();
  else if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const key = {
      KeyJ: () => step(1),
      KeyK: () => step(-1),
      KeyL: () => composer.choose("reply"),
      KeyP: () => composer.choose("note"),
      KeyO: () => open && panel(),
      KeyT: () => byId("head-acts").querySelector("button")?.click(),
    }[event.code];
    if (!key) return;
    event.preventDefault();
    key();
  }
});
function step(by) {
  const id = list.beside(by);
  if (id) go(id);
}

addEventListener("hashchange", follow);
wide.addEventListener("change", follow);
addEventListener("beforeunload", (event) => { if (composer.unsent) event.preventDefault(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") { status(); if (open) context.refresh(); } });

follow();
list.refresh();
live = startLive({
  back() { list.refresh(); if (thread.conversation) { thread.refresh(); context.refresh(); } status(); },
  change(moved) {
    if (moved.list) list.refresh();
    const here = thread.conversation;
    if (!here) return;
    if (moved.conversations.includes(here.id)) thread.refresh();
    if (moved.conversations.includes(here.id) || moved.members.includes(here.member)) context.refresh();
  },
  state: lineState,
});
setInterval(status, STATUS_MS);
status();
