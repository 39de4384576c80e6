/* Work that is asked for more often than it needs doing. */

/**
 * Return a function that does `work` once, shortly after it was first asked for; asked again while the work runs,
 * it does it once more afterwards, so the last state is never missed and nothing runs twice at a time.
 */
export function coalesced(work, pauseMs) {
  let timer = 0;
  let running = false;
  let again = false;

  async function run() {
    timer = 0;
    if (running) { again = true; return; }
    running = true;
    try { await work(); } finally {
      running = false;
      if (again) { again = false; ask(); }
    }
  }

  function ask() { if (!timer) timer = setTimeout(run, pauseMs); }
  return ask;
}
