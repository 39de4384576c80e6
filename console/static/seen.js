/* What this colleague has seen, kept in this browser: numbers beside random ids, nothing of any member. */

const KEPT = 500;

export function makeSeen(staffId) {
  const name = `anxin.seen.${staffId}`;
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(name)); } catch { /* private window: kept in memory alone */ }

  function store() {
    const ids = Object.keys(kept.by);
    for (const old of ids.slice(0, Math.max(0, ids.length - KEPT))) delete kept.by[old];
    try { localStorage.setItem(name, JSON.stringify(kept)); } catch { /* as above */ }
  }

  return {
    /** On the first visit everything before counts as seen, or the whole list would be marked. */
    begin(entries) {
      if (kept) return;
      kept = { floor: Math.max(0, ...entries.map((one) => one.member_seq)), by: {} };
      for (const one of entries) if (one.needs) kept.by[one.id] = 0;
      store();
    },
    until: (id) => kept?.by[id] ?? kept?.floor ?? 0,
    unread: (entry) => entry.member_seq > (kept?.by[entry.id] ?? kept?.floor ?? Infinity),
    /** Remember that the conversation was seen up to a message; true when that is news. */
    see(id, seq) {
      if (!kept || seq <= (kept.by[id] ?? kept.floor)) return false;
      delete kept.by[id]; // moves it to the end, the young side
      kept.by[id] = seq;
      store();
      return true;
    },
  };
}
