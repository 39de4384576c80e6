/* Time: the house's clock, not this machine's, shown in the clinic's zone; and everything on the page that runs. */

let offset = 0; // ms to add to this machine's clock
let zone = "Asia/Shanghai";
let formats = {};

export function startClock(zoneName) {
  zone = zoneName;
  const make = (options) => new Intl.DateTimeFormat("zh-CN", { timeZone: zone, hourCycle: "h23", ...options });
  formats = {
    time: make({ hour: "2-digit", minute: "2-digit" }),
    day: make({ month: "long", day: "numeric", weekday: "short" }),
    year: make({ year: "numeric", month: "long", day: "numeric" }),
    parts: make({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }),
  };
  setInterval(tick, 1000);
}

/** Set the clock by a moment the server just named. */
export function setClock(iso) { offset = new Date(iso).getTime() - Date.now(); }

export const now = () => Date.now() + offset;
export const time = (iso) => formats.time.format(new Date(iso));

/** `2026-03-04T18:30`, wall time of the clinic, as date fields want it. */
export function wall(moment = now()) {
  const part = Object.fromEntries(formats.parts.formatToParts(new Date(moment)).map((one) => [one.type, one.value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

const dayNumber = (iso) => Math.round(Date.parse(`${wall(new Date(iso).getTime()).slice(0, 10)}T00:00Z`) / 86_400_000);

/** 今天, 昨天, 明天, 3月2日周一, or with the year when it is another one. */
export function day(iso) {
  const apart = dayNumber(iso) - dayNumber(now());
  if (apart === 0) return "今天";
  if (apart === -1) return "昨天";
  if (apart === 1) return "明天";
  const date = new Date(iso);
  return wall(date.getTime()).slice(0, 4) === wall().slice(0, 4) ? formats.day.format(date) : formats.year.format(date);
}

export const sameDay = (one, other) => dayNumber(one) === dayNumber(other);
export const dayAndTime = (iso) => `${day(iso)} ${time(iso)}`;
export const date = (iso) => formats.year.format(new Date(iso));

/** The time of today, the day of anything older: for the corner of a card. */
export const brief = (iso) => (sameDay(iso, now()) ? time(iso) : day(iso));

/** A span in words: 12 分, 1 小时 5 分, 2 天 3 小时. */
export function span(ms) {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return "不到 1 分";
  if (minutes < 60) return `${minutes} 分`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} 小时 ${minutes % 60} 分` : `${hours} 小时`;
  return hours % 24 ? `${Math.floor(hours / 24)} 天 ${hours % 24} 小时` : `${Math.floor(hours / 24)} 天`;
}

/** The words and the tone of a promise: counting down, amber in its last quarter, red when it is broken. */
export function promise(from, due, at = now()) {
  const left = due - at;
  if (left <= 0) return { words: -left < 60_000 ? "刚刚超时" : `超时 ${span(-left)}`, tone: "late" };
  const tone = left <= (due - from) / 4 ? "soon" : "calm";
  if (left < 3_600_000) {
    const seconds = Math.floor(left / 1000);
    return { words: `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`, tone };
  }
  return { words: `剩 ${span(left)}`, tone };
}

/** Let an element show how much time is left for a promise. */
export function runDue(element, openedAt, dueAt) {
  element.dataset.from = new Date(openedAt).getTime();
  element.dataset.due = new Date(dueAt).getTime();
  element.title = `${dayAndTime(dueAt)} 前`;
  showDue(element);
  return element;
}

/** Let an element show how long ago something began, as `等了 12 分` with `words` = 等了. */
export function runSince(element, since, words) {
  element.dataset.since = new Date(since).getTime();
  element.dataset.words = words;
  showSince(element);
  return element;
}

function showDue(element) {
  const { words, tone } = promise(Number(element.dataset.from), Number(element.dataset.due));
  if (element.textContent !== words) element.textContent = words;
  if (element.dataset.tone !== tone) element.dataset.tone = tone;
}

function showSince(element) {
  const words = `${element.dataset.words} ${span(now() - Number(element.dataset.since))}`;
  if (element.textContent !== words) element.textContent = words;
}

function tick() {
  for (const element of document.querySelectorAll("[data-due]")) showDue(element);
  for (const element of document.querySelectorAll("[data-since]")) showSince(element);
}
