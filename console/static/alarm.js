/* The alarm: an emergency or a crisis nobody has acknowledged. Always visible; heard once the page may sound. */

import { runDue } from "./clock.js";
import { byId, chip, h, icon } from "./element.js";

const EVERY_MS = 4_000;
const TUNE = [[880, 0], [660, 0.22], [880, 0.44]]; // Hz, seconds
const KEPT = "anxin.sound";

/** @param told.open is called with a conversation, told.acknowledge with a case */
export function makeAlarm(told) {
  const bar = byId("alarm"), button = byId("sound"), sign = document.querySelector("link[rel=icon]");
  const home = bar.parentNode, brand = document.title;
  let alarms = [], audio = null, on = true, timer = 0, needs = 0, open = null;
  try { on = localStorage.getItem(KEPT) !== "off"; } catch { /* private window */ }

  function draw() {
    const one = alarms[0];
    bar.hidden = !one;
    if (!one) { bar.dataset.shows = ""; bar.replaceChildren(); return; }
    const shows = JSON.stringify([one.id, one.level, one.reason, alarms.length, one.conversation === open]);
    if (bar.dataset.shows === shows) return;
    bar.dataset.shows = shows;
    bar.replaceChildren(
      icon("alarm"),
      h("div", { class: "siren-words" }, chip(one.title, "solid"), h("b", {}, one.name), h("span", { class: "why" }, one.reason),
        runDue(h("span", { class: "clock" }), one.opened_at, one.due_at),
        alarms.length > 1 && h("span", { class: "siren-more" }, `还有 ${alarms.length - 1} 条`)),
      h("div", { class: "acts" },
        one.conversation !== open &&
          h("button", { class: "button open", type: "button", on: { click: () => told.open(one.conversation) } }, "打开对话"),
        h("button", { class: "button strong", type: "button", on: { click: (event) => acknowledge(event.target, one) } }, "我看到了")));
  }

  async function acknowledge(pressed, one) {
    pressed.disabled = true;
    await told.acknowledge(one);
    pressed.disabled = false;
  }

  function ring() {
    clearInterval(timer);
    timer = 0;
    if (!alarms.length || !on) return;
    play();
    timer = setInterval(play, EVERY_MS);
  }

  function play() {
    if (audio?.state !== "running") return;
    for (const [pitch, after] of TUNE) {
      const voice = audio.createOscillator(), loudness = audio.createGain(), at = audio.currentTime + after;
      voice.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.0001, at);
      loudness.gain.exponentialRampToValueAtTime(0.22, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
      voice.connect(loudness).connect(audio.destination);
      voice.start(at);
      voice.stop(at + 0.22);
    }
  }

  /** Browsers let a page sound only after somebody touched it. */
  async function unlock() {
    if (!audio) { try { audio = new AudioContext(); } catch { return; } }
    if (audio.state === "suspended") await audio.resume();
    if (audio.state !== "running") return;
    for (const event of ["pointerdown", "keydown"]) removeEventListener(event, unlock, true);
    drawSound();
    if (alarms.length) ring();
  }

  function drawSound() {
    const ready = on && audio?.state === "running";
    button.replaceChildren(icon(on ? "bell" : "bell-off"));
    button.setAttribute("aria-pressed", String(on));
    button.title = !on ? "警报声已关，点按打开" : ready ? "警报声已开，点按关闭" : "点一下页面，警报才能出声";
    button.classList.toggle("waiting", on && !ready);
  }

  button.addEventListener("click", () => {
    on = !on;
    try { localStorage.setItem(KEPT, on ? "on" : "off"); } catch { /* private window */ }
    drawSound();
    ring();
  });
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, unlock, true);
  // A modal dialog makes the rest of the page dumb: the bar moves into it, and back.
  addEventListener("dialog", (event) => (event.detail ?? home).prepend(bar));
  drawSound();

  return {
    /** Remember which conversation is on the screen: it need not be offered. */
    here(id) {
      open = id;
      draw();
    },
    /** Show what rings, and how many need a human, also where only the tab is seen. */
    show(page) {
      const before = new Set(alarms.map((one) => one.id));
      alarms = page.alarms;
      needs = page.counts.needs;
      draw();
      if (alarms.some((one) => !before.has(one.id)) || !alarms.length) ring();
      document.title = `${alarms.length ? "【急】" : ""}${needs ? `(${needs}) ` : ""}${brand}`;
      const wanted = `/console/static/${alarms.length ? "mark-alarm" : "mark"}.svg`;
      if (sign.getAttribute("href") !== wanted) sign.setAttribute("href", wanted);
    },
  };
}
