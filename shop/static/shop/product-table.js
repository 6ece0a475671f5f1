/* "Edit in a table": keys as in a spreadsheet, pasting, marks on changed cells, chosen columns.
   Only changed cells are sent, as JSON in the form's field `cells`: {product: {field: [old, new]}}. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const COLUMNS_KEY = "shop-product-table-columns";
  const table = document.querySelector(".shop-edit-table");
  const YES = ["1", "true", "yes", "x", "✓", table.dataset.yes];
  const NO = ["", "0", "false", "no", table.dataset.no];
  const form = table.closest("form");
  const button = form.querySelector(".shop-table-buttons [type=submit]");
  const boxes = [...form.querySelectorAll(".shop-table-columns [type=checkbox]")];
  const rows = [...table.tBodies[0].rows];
  let isSaving = false;

  /* A cell knows its old text as the server sent it, and what the browser made of that. */
  const cells = new Map();
  const read = (control) => (control.type === "checkbox" ? (control.checked ? "1" : "") : control.value);
  const write = (control, text) => {
    if (control.type === "checkbox") control.checked = text === "1";
    else control.value = text;
  };
  const oldText = (control) => {
    if (control.type === "checkbox") return control.defaultChecked ? "1" : "";
    return control.dataset.value ?? (control.matches("textarea") ? control.defaultValue : control.getAttribute("value"));
  };
  for (const control of table.querySelectorAll("[data-cell]")) {
    const td = control.closest("td");
    cells.set(control, { td, column: td.dataset.column, old: oldText(control), shown: read(control) });
  }
  const isChanged = (control) => read(control) !== cells.get(control).shown;
  const changed = () => [...cells.keys()].filter(isChanged);

  /* A select has its one option until it is needed: two hundred rows of all brands are slow. */
  function fillChoices(control) {
    if (!control.matches("select") || control.dataset.filled) return;
    const template = form.querySelector(`template[data-choices="${cells.get(control).column}"]`);
    const value = control.value;
    control.replaceChildren(template.content.cloneNode(true));
    if (![...control.options].some((option) => option.value === value)) control.add(new Option(value, value));
    control.value = value;
    control.dataset.filled = "1";
  }

  const textOf = (control, value) => {
    if (control.type === "checkbox") return table.dataset[value ? "yes" : "no"];
    if (control.matches("select")) {
      return [...control.options].find((option) => option.value === value)?.textContent ?? value;
    }
    return value;
  };

  /* A changed cell says what it was, so that not only its colour tells. */
  function mark(control) {
    const { td, shown } = cells.get(control);
    let note = td.querySelector(".shop-table-was");
    td.classList.toggle("shop-table-changed", isChanged(control));
    if (!isChanged(control)) note?.remove();
    if (!isChanged(control) || note) return;
    note = document.createElement("small");
    note.className = "shop-table-was";
    note.textContent = table.dataset.was.replace("%(value)s", () => textOf(control, shown) || table.dataset.empty);
    control.after(note);
  }

  const message = button.textContent;
  function refresh() {
    const controls = changed();
    const count = controls.length;
    const text = count ? button.dataset[count === 1 ? "one" : "other"].replace("%(count)s", count) : message;
    if (button.textContent !== text) button.textContent = text;
    button.disabled = !count;
    const columns = new Set(controls.map((control) => cells.get(control).column));
    for (const box of boxes) box.disabled = columns.has(box.value); // what is saved is seen
  }

  function set(control, text) {
    fillChoices(control);
    write(control, text);
    mark(control);
  }

  /* Moving */
  const controlsOf = (row) => [...row.querySelectorAll("td:not([hidden]) [data-cell]")];
  function neighbour(control, down, right) {
    const row = rows.indexOf(control.closest("tr"));
    const column = controlsOf(rows[row]).indexOf(control);
    return rows[row + down] && controlsOf(rows[row + down])[column + right];
  }
  function focus(control) {
    control?.focus();
    if (control?.matches("input:not([type=checkbox]), textarea")) control.select?.();
  }

  const ARROWS = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  /* Whether an arrow leaves the cell: left and right at the end of its text. Selects, dates and
     several lines use their arrows themselves. */
  function leaves(control, [down, right]) {
    if (control.type === "checkbox") return true;
    if (control.type !== "text" && !control.matches("textarea")) return false;
    if (down) return !control.value.includes("\n");
    if (control.selectionStart !== control.selectionEnd) return false;
    return control.selectionStart === (right > 0 ? control.value.length : 0);
  }

  function onKey(event) {
    const control = event.target;
    if (!cells.has(control) || event.isComposing || event.ctrlKey || event.metaKey) return;
    const arrow = ARROWS[event.key];
    if (event.key === "Enter") {
      if (event.altKey && control.matches("textarea")) return control.setRangeText("\n", control.selectionStart, control.selectionEnd, "end");
      event.preventDefault();
      const next = neighbour(control, event.shiftKey ? -1 : 1, 0);
      if (next) focus(next);
      else if (!event.shiftKey) button.focus();
    } else if (event.key === "Escape") {
      set(control, cells.get(control).shown);
      refresh();
    } else if (arrow && !event.shiftKey && !event.altKey && leaves(control, arrow)) {
      event.preventDefault();
      focus(neighbour(control, ...arrow));
    }
  }

  /* Pasting: rows by line ends, columns by tabs; a cell in quotes may hold both. */
  function parseTable(text) {
    const lines = [[]];
    const pattern = /(?:"((?:[^"]|"")*)"|([^\t\r\n]*))(\t|\r\n|\n|\r|$)/gy;
    for (const [, quoted, plain, end] of text.replace(/(\r\n|\n|\r)$/, "").matchAll(pattern)) {
      lines.at(-1).push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'));
      if (!end) break;
      if (end !== "\t") lines.push([]);
    }
    return lines;
  }

  /* Returns whether the control could take the text. */
  function fill(control, text) {
    const key = text.toLowerCase();
    if (control.type === "checkbox") {
      if (![...YES, ...NO].includes(key)) return false;
      set(control, YES.includes(key) ? "1" : "");
    } else if (control.matches("select")) {
      fillChoices(control);
      const option = [...control.options].find((o) => [o.value, o.textContent].some((t) => t.trim().toLowerCase() === key));
      if (!option) return false;
      set(control, option.value);
    } else {
      const before = control.value;
      set(control, text);
      if (text && !control.value) {
        set(control, before); // no date
        return false;
      }
    }
    return true;
  }

  function onPaste(event) {
    const text = event.clipboardData.getData("text/plain");
    if (!cells.has(event.target) || !/[\t\r\n]/.test(text.trim())) return; // as in any field
    event.preventDefault();
    const results = parseTable(text).flatMap((line, down) =>
      line.map((value, right) => {
        const control = neighbour(event.target, down, right);
        return Boolean(control) && fill(control, value);
      }),
    );
    const left = results.filter((isFilled) => !isFilled).length;
    announce(form.querySelector("[data-table-status]").dataset[left ? "left" : "filled"], results.length - left, left);
    refresh();
  }

  function announce(text, count, left) {
    const sentence = text.replace("%(count)s", count).replace("%(left)s", left);
    form.querySelector("[data-table-status]").textContent = sentence;
    form.querySelector("[data-table-message]").textContent = sentence;
  }

  /* Columns */
  function showColumns() {
    for (const box of boxes) {
      for (const cell of table.querySelectorAll(`[data-column="${box.value}"]`)) cell.hidden = !box.checked;
    }
    table.classList.toggle("shop-table-without-name", !boxes.some((box) => box.value === "name" && box.checked));
  }

  function restoreColumns() {
    const chosen = JSON.parse(localStorage.getItem(COLUMNS_KEY) ?? "null");
    const needed = new Set([...table.querySelectorAll("td[data-typed]")].map((td) => td.dataset.column));
    for (const box of boxes) {
      box.checked = needed.has(box.value) || (chosen ? chosen.includes(box.value) : box.defaultChecked);
    }
    showColumns();
  }

  for (const box of boxes) {
    box.addEventListener("change", () => {
      const chosen = boxes.filter((other) => other.checked).map((other) => other.value);
      localStorage.setItem(COLUMNS_KEY, JSON.stringify(chosen));
      showColumns();
    });
  }
  table.addEventListener("keydown", onKey);
  table.addEventListener("paste", onPaste);
  table.addEventListener("focusin", (event) => cells.has(event.target) && fillChoices(event.target));
  table.addEventListener("input", (event) => {
    mark(event.target);
    refresh();
  });
  table.addEventListener("click", (event) => {
    if (!event.target.matches("[data-restore]")) return;
    const control = event.target.closest("td").querySelector("[data-cell]");
    set(control, cells.get(control).shown);
    event.target.remove();
    focus(control);
    refresh();
  });
  form.addEventListener("submit", () => {
    const sent = {};
    for (const control of changed()) {
      const { column, old } = cells.get(control);
      (sent[control.closest("tr").dataset.pk] ??= {})[column] = [old, read(control)];
    }
    form.elements.cells.value = JSON.stringify(sent);
    isSaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isSaving && changed().length) event.preventDefault();
  });
  window.addEventListener("pageshow", () => {
    isSaving = false;
    refresh();
  });

  restoreColumns();
  for (const td of table.querySelectorAll("td[data-typed]")) set(td.querySelector("[data-cell]"), td.dataset.typed);
  refresh();
  focus(table.querySelector("[aria-invalid]") ?? controlsOf(rows[0])[0]);
});
