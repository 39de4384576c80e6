/* Dialogs: one question each, with the words kept when the server refuses. */

import { Failure, logIn, post } from "./api.js";
import { byId, h, icon } from "./element.js";

const OUTCOME_LIMIT = 500;

/**
 * Ask one thing.
 * @param what.body nodes between title and buttons
 * @param what.work called on submit; a Failure it throws is shown and the dialog stays; false keeps it open too
 * @returns whether it was done
 */
export function ask({ title, lead = "", body = [], act, work, tone = "", closable = true }) {
  return new Promise((settle) => {
    const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
    const go = h("button", { class: `button primary ${tone}`.trim(), type: "submit" }, act);
    const no = closable && h("button", { class: "button", type: "button", on: { click: () => close(false) } }, "取消");
    const form = h("form", { method: "dialog", class: "dialog-form", novalidate: true },
      h("header", {},
        h("h2", { id: "dialog-title" }, title),
        closable && h("button", { class: "ghost", type: "button", "aria-label": "关闭", on: { click: () => close(false) } }, icon("close"))),
      lead && h("p", { class: "lead" }, lead),
      body, wrong,
      h("footer", {}, no, go));
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, form);

    function close(done) {
      tell(null);
      dialog.close();
      dialog.remove();
      settle(done);
    }

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (go.disabled) return;
      go.disabled = true;
      wrong.hidden = true;
      try {
        if ((await work()) !== false) { close(true); return; }
      } catch (failure) {
        if (!(failure instanceof Failure)) throw failure;
        wrong.textContent = failure.message;
        wrong.hidden = false;
      } finally {
        go.disabled = false;
      }
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) form.requestSubmit();
    });
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); if (closable) close(false); });
    document.body.append(dialog);
    dialog.showModal();
    tell(dialog);
    form.querySelector("textarea, select, input")?.focus();
  });
}

/** Tell who has to be seen above everything which dialog is open now, or that none is. */
const tell = (dialog) => dispatchEvent(new CustomEvent("dialog", { detail: dialog }));

/** A labelled line of several rows whose emptiness is refused with words beside it. */
function lines(label, placeholder, { id = "outcome", empty = "请用一句话写明结果和下一步", required = true } = {}) {
  const wrong = h("span", { class: "field-wrong", id: `${id}-wrong`, hidden: true }, empty);
  const area = h("textarea", {
    rows: required ? 2 : 1, maxlength: OUTCOME_LIMIT, placeholder, "aria-describedby": `${id}-wrong`, id, required,
    on: { input: () => { wrong.hidden = true; area.removeAttribute("aria-invalid"); } },
  });
  const filled = () => {
    const missing = !area.value.trim();
    wrong.hidden = !missing;
    if (missing) { area.setAttribute("aria-invalid", "true"); area.focus(); }
    return !missing;
  };
  return { node: h("div", { class: "field" }, h("label", { for: id }, label), area, wrong), area, filled };
}

export function handBack(conversation, openCases) {
  const outcome = lines("结果", "例如：出血已止住，人也安心了", { empty: "请用一句话写明结果" });
  const next = lines("下一步：谁、什么时候、做什么", "例如：明早 9 点小安再问一次，10 点复查", { id: "next-step", empty: "请用一句话写明下一步" });
  const because = conversation.may_override
    ? lines("不满 24 小时也要交还的理由（组长）", "急症、紧急、严重低落、重大投诉之后才要写", { id: "because", required: false })
    : null;
  const mention = h("input", { type: "checkbox", checked: true });
  const left = openCases.length
    ? h("p", { class: "hint warn" }, icon("alarm"),
      `还有 ${openCases.length} 件事没有解决：${openCases.map((one) => one.title).join("、")}`)
    : null;
  return ask({
    title: "交还给小安",
    lead: "会员会收到一句说明，之后由小安继续照看。这句话只留在内部备注里。",
    body: [left, outcome.node, next.node, because?.node, h("label", { class: "check" }, mention, "小安以后可以提起这件事")],
    act: "交还",
    work: async () => {
      if (!outcome.filled() || !next.filled()) return false;
      await post(`conversations/${conversation.id}/hand-back`, {
        outcome: outcome.area.value, next_step: next.area.value, may_mention: mention.checked, because: because?.area.value ?? "",
      });
      return true;
    },
  });
}

export function resolveCase(one) {
  const outcome = lines("做了什么，结果怎样", "例如：已电话指导压迫止血，血止住了；约明天 10 点复查");
  return ask({
    title: "解决这件事",
    lead: `${one.title} · ${one.reason}`,
    body: [outcome.node],
    act: "解决",
    work: async () => {
      if (!outcome.filled()) return false;
      await post(`cases/${one.id}/resolve`, { outcome: outcome.area.value });
      return true;
    },
  });
}

export function releaseCrisis(conversation) {
  const outcome = lines("确认安全的依据", "例如：已与本人和家人通话，家人陪在身边，明天上午再联系");
  return ask({
    title: "解除危机状态",
    lead: "解除后小安可以重新和会员说话。由组长签字，理由会留在内部备注里。",
    body: [outcome.node],
    act: "签字解除",
    tone: "danger",
    work: async () => {
      if (!outcome.filled()) return false;
      await post(`conversations/${conversation.id}/release`, { outcome: outcome.area.value });
      return true;
    },
  });
}

/** Log in again over the page, so that nothing that was typed is lost. */
export function logInAgain(me) {
  const password = h("input", { type: "password", id: "again", autocomplete: "current-password", required: true });
  return ask({
    title: "登录已失效",
    lead: `${me.name}（${me.login}），请重新输入密码。没发出去的文字都还在。`,
    body: [h("div", { class: "field" }, h("label", { for: "again" }, "密码"), password)],
    act: "继续工作",
    closable: false,
    work: async () => {
      if (await logIn(me.login, password.value)) return true;
      password.value = "";
      password.focus();
      throw new Failure(401, "wrong", "密码不对");
    },
  });
}

const KEYS = [
  ["Alt + J / K", "下一段 / 上一段对话"], ["↑ ↓", "在列表里移动"], ["Alt + L", "写回复"], ["Alt + P", "写内部备注"],
  ["Alt + T", "接管 / 交还"], ["Alt + O", "打开或收起会员资料"], ["Enter", "发送（中文选字时不会发出）"],
  ["Shift + Enter", "换行"], ["Esc", "关闭弹窗"], ["?", "这张表"],
];

export function showKeys() {
  if (byId("keys")) return;
  const close = () => { tell(null); dialog.close(); dialog.remove(); };
  const dialog = h("dialog", { class: "dialog", id: "keys", "aria-labelledby": "keys-title", on: { cancel: close } },
    h("div", { class: "dialog-form" },
      h("header", {}, h("h2", { id: "keys-title" }, "快捷键"),
        h("button", { class: "ghost", type: "button", "aria-label": "关闭", on: { click: close } }, icon("close"))),
      h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does))))));
  document.body.append(dialog);
  dialog.showModal();
  tell(dialog);
}
