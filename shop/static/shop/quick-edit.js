/* In the list of products, a pencil, a double click or the key "e" turns a name or price into a
   field. Enter saves it without leaving the list, Escape cancels. */
"use strict";

const quickEdit = document.currentScript.dataset;

document.addEventListener("DOMContentLoaded", () => {
  const status = document.createElement("p");
  status.className = "sr-only";
  status.setAttribute("role", "status");
  document.querySelector("#result_list")?.after(status);

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  /* A cell that can be edited: what it shows, and the value behind that. */
  class Cell {
    constructor(row, cell, field) {
      this.row = row;
      this.cell = cell;
      this.field = field;
      this.text = cell.querySelector("a, [data-value]");
      this.value = this.text.dataset.value ?? this.text.textContent.trim();
      const icon = element("span", { className: "material-symbols-outlined", textContent: "edit" });
      icon.setAttribute("aria-hidden", "true");
      this.pencil = element("button", { type: "button", className: "shop-quick-pencil" }, icon);
      this.pencil.addEventListener("click", () => this.open());
      if (field === "name") this.text.after(this.pencil);
      else cell.prepend(this.pencil); // so that prices stay below each other
      cell.classList.add("shop-quick");
      cell.addEventListener("dblclick", () => this.open());
      this.label();
    }

    label() {
      const name = this.row.querySelector(".field-name a")?.textContent.trim();
      this.pencil.setAttribute("aria-label", quickEdit[this.field].replace("%(product)s", () => name));
    }

    open() {
      if (this.form) return;
      this.old = this.value;
      this.input = element("input", { type: "text", value: this.value, autocomplete: "off" });
      if (this.field === "price") this.input.inputMode = "decimal";
      this.input.enterKeyHint = "done";
      this.input.setAttribute("aria-label", this.pencil.getAttribute("aria-label"));
      const save = element("button", { type: "button", className: "shop-button", textContent: quickEdit.save });
      this.error = element("p", { className: "shop-error", id: `quick-error-${this.field}-${this.row.dataset.pk}` });
      this.error.setAttribute("role", "alert");
      this.form = element("div", { className: "shop-quick-form" }, this.input, save, this.error);
      this.cell.append(this.form);
      this.cell.classList.add("shop-quick-open");
      this.input.addEventListener("keydown", (event) => this.onKey(event));
      this.input.addEventListener("blur", (event) => {
        if (this.input?.value === this.value && event.relatedTarget !== save) this.close();
      });
      save.addEventListener("click", () => this.save());
      this.input.select();
    }

    close() {
      const form = this.form;
      this.form = this.input = null; // before removing it, which is a blur
      form?.remove();
      this.cell.classList.remove("shop-quick-open");
    }

    onKey(event) {
      if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Enter") this.save();
      else {
        this.close();
        this.pencil.focus();
      }
    }

    async save() {
      if (this.isSaving) return;
      this.isSaving = true;
      const body = new FormData();
      const token = document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value;
      const values = { field: this.field, value: this.input.value, old: this.old, csrfmiddlewaretoken: token };
      for (const [name, value] of Object.entries(values)) body.append(name, value);
      const response = await fetch(quickEdit.url.replace("/0/", `/${this.row.dataset.pk}/`), { method: "POST", body }).catch(() => null);
      const answer = (await response?.json().catch(() => null)) ?? { message: quickEdit.failed };
      this.isSaving = false;
      if (response?.ok && "value" in answer) this.show(answer);
      else this.refuse(answer);
    }

    show({ value, text }) {
      this.value = value;
      this.text.textContent = text;
      if (this.text.dataset.value) this.text.dataset.value = value;
      status.textContent = quickEdit.saved.replace("%(value)s", () => text);
      for (const cell of cells.filter((other) => other.row === this.row)) cell.label();
      this.close();
      this.pencil.focus();
    }

    refuse({ message, old }) {
      if (old !== undefined) this.old = old; // saving again means it
      this.error.textContent = message;
      this.input.setAttribute("aria-invalid", "true");
      this.input.setAttribute("aria-describedby", this.error.id);
      this.input.focus();
    }
  }

  const COLUMNS = { ".field-name": "name", ".field-money": "price" };
  const cells = [...document.querySelectorAll("#result_list tr.data-row")].flatMap((row) => {
    row.dataset.pk = row.querySelector("[name=_selected_action]")?.value ?? "";
    if (!row.dataset.pk) return [];
    return Object.entries(COLUMNS).map(([selector, field]) => new Cell(row, row.querySelector(selector), field));
  });

  document.addEventListener("keydown", (event) => {
    const focused = document.activeElement;
    if (event.key !== "e" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (focused.matches("textarea, select, input:not([type=checkbox])")) return;
    const row = focused.closest("#result_list tr.data-row");
    const inRow = cells.filter((cell) => cell.row === row);
    if (!inRow.length) return;
    event.preventDefault();
    (inRow.find((cell) => cell.cell.contains(focused)) ?? inRow[0]).open();
  });
});
