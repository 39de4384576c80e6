/* Requests: one way to ask the server, one kind of failure, and who is logged in. */

const WAIT_MS = 15_000;
const ACTING_MS = 60_000; // a colleague who touched the page within a minute is at work; a page that refreshes itself is not

export class Failure extends Error {
  constructor(status, code, title) {
    super(title);
    this.status = status; // 0: no answer
    this.code = code;
  }
}

let csrf = "";
let over = () => {};
let touched = 0;

/** @param setup from the page; `whenOver` is called once the session has ended. */
export function startApi(setup, whenOver) {
  csrf = setup.csrf;
  over = whenOver;
  for (const event of ["pointerdown", "keydown"]) {
    addEventListener(event, () => { touched = Date.now(); }, { capture: true, passive: true });
  }
}

export const renew = (setup) => { csrf = setup.csrf; };
export const get = (path) => ask(path, { headers: Date.now() - touched < ACTING_MS ? { "x-acting": "1" } : {} });
export const post = (path, body = {}) =>
  ask(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf": csrf },
    body: JSON.stringify(body),
  });

/** Log in again without leaving the page; true when the pair is right. */
export async function logIn(login, password) {
  const answer = await reach("login", {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ login, password }).toString(),
  });
  if (answer.type === "opaqueredirect") return true;
  if (answer.status === 429) throw new Failure(429, "too_many", "连续输错太多次，请过几分钟再试");
  return false;
}

/** A key under which the same words are sent at most once, however often the button is pressed. */
export const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4))).join("-");

async function ask(path, options) {
  const answer = await reach(path, options);
  if (answer.ok) return answer.json();
  let told = {};
  try { told = await answer.json(); } catch { /* a proxy answered in HTML */ }
  if (answer.status === 401) over();
  throw new Failure(answer.status, told.code ?? "unknown", told.title ?? "没能完成，请再试一次");
}

async function reach(path, options) {
  try {
    return await fetch(`/console/${path}`, { credentials: "same-origin", signal: AbortSignal.timeout(WAIT_MS), ...options });
  } catch {
    throw new Failure(0, "network", "连不上服务器，请检查网络后再试");
  }
}
