/* The member beside the thread: who they are, what to watch, what is owed, how they recover, what comes next. */

import { Failure, get, post } from "./api.js";
import { date, day, dayAndTime, now, runDue, runSince, time } from "./clock.js";
import { coalesced } from "./coalesce.js";
import { byId, chip, drawing, face, h, icon } from "./element.js";
import { toast } from "./toast.js";
import { recordTreatment } from "./treatment.js";

const PHONE_SHOWN_MS = 60_000;
const ANSWERS_SHOWN = 6; // days
const LATE_MS = 15 * 60_000; // a contact that should have left so long ago is not simply coming

/** @param told.take and told.resolve are called with a case, told.read with every page */
export function makeContext({ setup, told }) {
  const body = byId("context-body");
  const closed = new Set(["gone", "resolved", "earlier", "consents"]); // sections folded, for as long as the page lives
  let member = null, page = null, phone = null, timer = 0;

  async function read() {
    const wanted = member;
    if (wanted === null) return;
    try {
      const found = await get(`members/${wanted}/context`);
      if (wanted !== member) return;
      page = found;
      draw();
      told.read(page);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (wanted === member && !page) {
        body.replaceChildren(h("div", { class: "blank", role: "alert" },
          icon("broken"), h("p", {}, "资料没有加载出来"), h("span", {}, failure.message),
          h("button", { class: "button", type: "button", on: { click: read } }, "再试一次")));
      }
    }
  }

  function draw() {
    const top = body.scrollTop;
    body.replaceChildren(...[
      identity(), risks(), cases(), recovery(), coming(),
      section("gone", "联系记录", gone()), section("resolved", "已解决的事", resolved()),
      section("earlier", "以前的治疗", earlier()), section("consents", "同意与偏好", consents()),
    ].filter(Boolean));
    body.scrollTop = top;
  }

  function section(key, title, content) {
    if (!content) return null;
    const keep = (event) => closed[event.target.open ? "delete" : "add"](key);
    return h("details", { class: "part", open: !closed.has(key), on: { toggle: keep } },
      h("summary", {}, h("h3", {}, title)), content);
  }

  function identity() {
    const { member: one } = page;
    const channels = page.channels.map((each) => (each.reachable ? each.name : `${each.name}（联系不上）`));
    return h("div", { class: "identity" },
      face(one.name, `big ${one.known ? "" : "unknown"}`),
      h("div", {},
        h("h2", {}, one.name, one.salutation && one.salutation !== one.name && h("small", {}, one.salutation)),
        h("p", { class: "dim" }, [...new Set(channels)].join("、") || "没有渠道", ` · ${date(one.since)}起`)),
      h("div", { class: "phone" }, icon("phone"),
        phone ? h("a", { href: `tel:${phone}` }, phone) : h("span", {}, one.phone ?? "没有留电话"),
        one.phone && h("button", {
          class: "link", type: "button", title: "查看会记入访问日志", on: { click: phone ? hidePhone : showPhone },
        }, phone ? "隐藏" : "显示")));
  }

  async function showPhone(event) {
    event.target.disabled = true;
    const wanted = member;
    try {
      const found = await post(`members/${wanted}/phone`);
      if (wanted !== member) return;
      phone = found.phone;
      timer = setTimeout(hidePhone, PHONE_SHOWN_MS);
      draw();
      body.querySelector(".phone button")?.focus();
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      toast(failure.message, "bad");
      event.target.disabled = false;
    }
  }

  function hidePhone() {
    clearTimeout(timer);
    phone = null;
    if (page) draw();
  }

  function risks() {
    const known = [...page.member.risks, ...(page.treatment?.facts ?? [])];
    return known.length > 0 && h("ul", { class: "risks", "aria-label": "需要留意" }, known.map((one) => h("li", {}, icon("alarm"), one)));
  }

  function cases() {
    if (!page.cases.length) return null;
    return h("section", { class: "part" }, h("h3", {}, "待解决", h("span", { class: "count" }, page.cases.length)),
      h("ul", { class: "cases" }, page.cases.map((one) => h("li", { class: `case ${one.tone}` },
        h("div", { class: "case-top" }, chip(one.title, one.tone),
          one.waiting ? runDue(h("span", { class: "clock" }), one.opened_at, one.due_at)
            : h("span", { class: "dim" }, `${one.owner?.kind === "me" ? "我" : one.owner?.name ?? "同事"}处理中`)),
        h("p", { class: "case-why" }, one.reason),
        one.summary && h("blockquote", {}, one.summary),
        h("p", { class: "case-task" }, h("span", {}, "要做"), one.task),
        h("p", { class: "dim" }, `${dayAndTime(one.opened_at)} 提出 · ${dayAndTime(one.due_at)} 前`,
          !one.waiting && one.taken_at && [" · ", runSince(h("span"), one.taken_at, "已处理")]),
        h("div", { class: "acts" },
          one.owner?.kind !== "me" &&
            h("button", { class: "button", type: "button", on: { click: () => told.take(one) } }, one.waiting ? "我来处理" : "接过来"),
          h("button", { class: "button", type: "button", on: { click: () => told.resolve(one) } }, "解决"))))));
  }

  function recovery() {
    const one = page.treatment;
    const add = h("button", { class: "button small", type: "button", on: { click: record } }, icon("plus"), "记录治疗");
    if (!one) return h("section", { class: "part" }, h("h3", {}, "治疗"), h("p", { class: "dim" }, "没有正在照看的治疗"), add);
    return h("section", { class: "part" },
      h("h3", {}, "恢复"),
      h("p", { class: "stage" }, icon("leaf"), one.title),
      h("p", { class: "dim" }, [one.practitioner, one.clinic, `${dayAndTime(one.ended_at)} 结束`].filter(Boolean).join(" · ")),
      one.sutures && h("p", { class: "dim" }, `拆线 ${day(`${one.sutures}T12:00:00+08:00`)}`),
      one.curve && h("figure", { class: "curve-box" }, drawing(one.curve),
        h("figcaption", {}, h("span", { class: "key-line" }, "疼痛"), h("span", { class: "key-band" }, "通常过程"),
          h("span", { class: "key-high" }, "7 分以上"))),
      answers(one.answers),
      add);
  }

  async function record() {
    if (!(await recordTreatment(page.member, setup))) return;
    toast("治疗已记录，回访已排好");
    read();
  }

  function answers(table) {
    if (!table.rows.length) return h("p", { class: "dim" }, "还没有回答过回访");
    const cell = (found) => h("td", {}, found.length ? found.map((one) => h("span", {
      class: `answer ${one.verdict}`, title: [time(one.at), one.reason].filter(Boolean).join(" "),
    }, one.text)) : h("span", { class: "none" }, "–"));
    return h("div", { class: "answers", tabindex: "0", role: "region", "aria-label": "回访回答" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "天"), table.columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, table.rows.slice(0, ANSWERS_SHOWN).map((row) =>
        h("tr", {}, h("th", { scope: "row" }, row.day), row.cells.map(cell))))));
  }

  function coming() {
    const visits = page.appointments.map((one) => ({
      at: one.at, sign: "reminder", name: one.service,
      more: [one.practitioner, one.clinic, one.for_whom && `${one.for_whom}就诊`],
    }));
    const contacts = page.coming.map((one) => ({
      at: one.due_at, sign: one.safety ? "safety" : "check_in", name: one.name,
      more: [
        one.asks.length > 0 && `问${one.asks.join("、")}`,
        one.reason && `${one.state}：${one.reason}`,
        now() - new Date(one.due_at) > LATE_MS && "时间已过，还没发出",
      ],
    }));
    const all = [...visits, ...contacts].sort((a, b) => new Date(a.at) - new Date(b.at));
    return section("coming", "接下来",
      all.length ? h("ul", { class: "steps" }, all.map(step)) : h("p", { class: "dim" }, "没有预约，也没有安排联系"));
  }

  /** One line of a list: a sign, a name, a moment, and what else there is to say. */
  function step({ sign, name, at, more = [], words = "" }) {
    const rest = more.filter(Boolean).join(" · ");
    return h("li", {}, icon(sign), h("div", {}, h("b", {}, name), h("span", { class: "dim" }, dayAndTime(at)),
      rest && h("p", { class: "dim" }, rest), words && h("p", {}, words)));
  }

  const steps = (all) => all.length > 0 && h("ul", { class: "steps" }, all.map(step));
  const gone = () => steps(page.gone.map((one) => ({
    at: one.due_at, sign: one.kind === "handed_over" ? "check" : "close", name: one.name, more: [one.state, one.reason],
  })));
  const resolved = () => steps(page.resolved.map((one) => ({
    at: one.resolved_at, sign: "check", name: one.title, words: one.outcome ?? "",
    more: [one.reason, one.owner?.kind === "me" ? "我" : one.owner?.name],
  })));
  const earlier = () => steps(page.earlier.map((one) => ({
    at: one.ended_at, sign: "leaf", name: one.name, more: [one.practitioner, one.clinic],
  })));

  const consents = () => h("ul", { class: "consents" }, page.consents.map((one) =>
    h("li", { class: one.given ? "given" : "" }, icon(one.given ? "check" : "close"), `${one.name}：${one.given ? "同意" : "不同意"}`)));

  return {
    show(wanted) {
      if (wanted === member) return;
      clearTimeout(timer);
      [member, page, phone] = [wanted, null, null];
      body.replaceChildren(h("div", { class: "bones", "aria-hidden": "true" }, h("i"), h("i"), h("i")));
      body.scrollTop = 0;
      read();
    },
    refresh: coalesced(read, 400),
    again: read,
    get page() { return page; },
  };
}
