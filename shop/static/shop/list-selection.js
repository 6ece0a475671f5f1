/* The selection of a list outlives its pages, searches and filters, in this tab, until an action
   has run. What is selected elsewhere is sent along by hidden checkboxes. */
"use strict";

window.forgetSelection = (path) => {
  for (const name of ["selection", "sent selection"]) sessionStorage.removeItem(`${name}: ${path}`);
};

document.addEventListener("DOMContentLoaded", () => {
  const MAX_SELECTED = 900; // a form has at most 1,000 fields
  const form = document.getElementById("changelist-form");
  const status = document.querySelector("[data-selection]");
  const boxes = [...document.querySelectorAll("tr input.action-select")];
  if (!form || !status) return;
  const path = location.pathname;
  const [key, sentKey] = [`selection: ${path}`, `sent selection: ${path}`];
  if (sessionStorage.getItem(sentKey) && status.dataset.done) window.forgetSelection(path);
  sessionStorage.removeItem(sentKey);

  const selected = new Set(JSON.parse(sessionStorage.getItem(key) ?? "[]"));
  const shown = new Set(boxes.map((box) => box.value));
  const isAcross = () => form.querySelector(".select-across")?.value === "1";
  const holder = status.querySelector("[data-others]");
  const note = status.querySelector("p");

  function show() {
    const others = isAcross() ? [] : [...selected].filter((id) => !shown.has(id));
    holder.replaceChildren(...others.map((value) => {
      const box = document.createElement("input");
      Object.assign(box, { type: "checkbox", name: "_selected_action", value, checked: true });
      box.className = "action-select"; // the bar with the actions appears for it
      return box;
    }));
    note.hidden = !others.length;
    const text = selected.size >= MAX_SELECTED ? status.dataset.full : status.dataset.text;
    note.querySelector("span").textContent = text
      .replace("%(count)s", selected.size.toLocaleString())
      .replace("%(others)s", others.length.toLocaleString());
  }

  function remember() {
    for (const box of boxes) {
      if (box.checked && (selected.has(box.value) || selected.size < MAX_SELECTED)) {
        selected.add(box.value);
      } else selected.delete(box.value);
    }
    sessionStorage.setItem(key, JSON.stringify([...selected]));
    show();
  }

  status.querySelector("button").addEventListener("click", () => {
    selected.clear();
    window.forgetSelection(path);
    for (const box of boxes.filter(({ checked }) => checked)) box.click();
    show();
  });
  // After Django's own listeners, which check and uncheck boxes.
  for (const type of ["change", "click"]) form.addEventListener(type, () => setTimeout(remember));

  form.addEventListener("submit", () => {
    sessionStorage.setItem(sentKey, "1");
    // The list's filters would drop what is selected elsewhere.
    if (holder.childElementCount && !isAcross()) form.action = path;
  });
  for (const box of boxes) {
    if (selected.has(box.value) && !box.checked) box.click();
  }
  show();
});
