/* Recording a treatment, which opens its recovery. */

import { newKey, post } from "./api.js";
import { wall } from "./clock.js";
import { ask } from "./dialogs.js";
import { h } from "./element.js";

const WRONG = "kind practitioner clinic ended".split(" ");

export function recordTreatment(member, setup) {
  const key = newKey();
  const choice = (id, options) => h("select", { id, required: true },
    options.length > 1 && h("option", { value: "" }, "请选择"), options.map((one) => h("option", { value: one.code }, one.name)));
  const kind = choice("kind", setup.kinds), practitioner = choice("practitioner", setup.practitioners), clinic = choice("clinic", setup.clinics);
  const ended = h("input", { id: "ended", type: "datetime-local", required: true, value: wall(), max: wall() });
  const sutures = h("input", { id: "sutures", type: "date", min: wall().slice(0, 10) });
  const facts = setup.facts.map((one) => h("label", { class: "check" }, h("input", { type: "checkbox", value: one.code }), one.name));
  const field = (id, words, input, more = null) => h("div", { class: "field" }, h("label", { for: id }, words), input, more);
  const missing = h("span", { class: "field-wrong", role: "alert", hidden: true });
  ended.addEventListener("change", () => { sutures.min = ended.value.slice(0, 10); });

  return ask({
    title: "记录治疗",
    lead: `记录后，${member.name}的术后回访按方案自动排好。`,
    body: [
      field("kind", "治疗项目", kind),
      h("div", { class: "pair" }, field("practitioner", "医生", practitioner), field("clinic", "门店", clinic)),
      h("div", { class: "pair" }, field("ended", "结束时间", ended), field("sutures", "拆线日期（可不填）", sutures)),
      h("fieldset", { class: "field" }, h("legend", {}, "手术情况"), h("div", { class: "checks" }, facts)),
      missing,
    ],
    act: "记录并开始照看",
    work: async () => {
      const inputs = [kind, practitioner, clinic, ended];
      const empty = inputs.find((one) => !one.value);
      missing.hidden = !empty;
      for (const one of inputs) one.toggleAttribute("aria-invalid", !one.value);
      if (empty) {
        missing.textContent = `请填写${["治疗项目", "医生", "门店", "结束时间"][WRONG.indexOf(empty.id)]}`;
        empty.focus();
        return false;
      }
      await post(`members/${member.id}/treatments`, {
        key, kind: kind.value, practitioner: practitioner.value, clinic: clinic.value, ended_at: ended.value,
        sutures_out_on: sutures.value || null,
        facts: facts.map((one) => one.querySelector("input")).filter((one) => one.checked).map((one) => one.value),
      });
      return true;
    },
  });
}
