/* The live line: what moved, told by the server; and an honest word on whether the line stands. */

import { Failure, get } from "./api.js";

const DEAD_MS = 30_000; // three beats of the server
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000];

/**
 * Keep a line open for as long as the page lives.
 * @param told.change called with what moved
 * @param told.back called after every (re)connection: whatever happened meanwhile has to be read
 * @param told.state called with open, lost or over
 */
export function startLive(told) {
  let source = null;
  let heard = Date.now();
  let tries = 0;
  let waiting = 0;

  function connect() {
    clearTimeout(waiting);
    source?.close();
    heard = Date.now();
    source = new EventSource("/console/events");
    source.addEventListener("hello", () => { heard = Date.now(); tries = 0; told.state("open"); told.back(); });
    source.addEventListener("beat", () => { heard = Date.now(); });
    source.addEventListener("change", (event) => { heard = Date.now(); told.change(JSON.parse(event.data)); });
    source.addEventListener("over", () => { source.close(); told.state("over"); });
    source.addEventListener("error", lost);
  }

  async function lost() {
    source.close();
    told.state("lost");
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      try {
        await get("status"); // tells a broken line from an ended session
        connect();
      } catch (failure) {
        if (!(failure instanceof Failure) || failure.status !== 401) lost();
      }
    }, AGAIN_MS[Math.min(tries++, AGAIN_MS.length - 1)]);
  }

  setInterval(() => { if (source.readyState === EventSource.OPEN && Date.now() - heard > DEAD_MS) lost(); }, 5_000);
  addEventListener("online", () => { if (source.readyState === EventSource.CLOSED) { tries = 0; lost(); } });
  addEventListener("offline", lost);
  connect();
  return { again: connect };
}
