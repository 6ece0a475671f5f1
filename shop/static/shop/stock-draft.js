/* The draft of a stock room page, in this browser: it outlives a reload and a dead battery.

   `stockDraft(name)` returns `{read, write, forget}`. A draft has `at`, `once` (the form's key, so
   that what was sent is not sent again), `fields` by name, `lines` and `rows`. */
"use strict";

window.stockDraft = (name) => {
  const key = `stock room: ${name}`;
  return {
    read() {
      try {
        return JSON.parse(localStorage.getItem(key));
      } catch {
        return null; // storage is switched off, or holds what another version wrote
      }
    },
    write(draft) {
      try {
        localStorage.setItem(key, JSON.stringify({ at: Date.now(), ...draft }));
      } catch {
        // Storage is full or switched off: the page works without drafts.
      }
    },
    forget() {
      try {
        localStorage.removeItem(key);
      } catch {
        // as above
      }
    },
  };
};
