/* "Receive goods" and "Count stock": the table, and what goes into it. Enter never sends the
   form. */
"use strict";

(() => {
  const page = JSON.parse(document.getElementById("stock-room-state").textContent);
  const { texts, isCount } = page;
  const form = document.getElementById("stock-room");
  const find = (name) => form.querySelector(`[data-stock=${name}]`);
  const [table, submit, draftNotice, linesBox] =
    ["table", "submit", "draft", "lines"].map(find);
  const input = document.getElementById("stock-code");
  const lines = document.getElementById("stock-lines");
  const status = document.getElementById("stock-status");
  const fields = [...form.querySelectorAll(".shop-pairs [name]")];
  const once = form.elements.once;
  const draft = window.stockDraft(page.draft);
  const FIRST_KEY = once.value;
  const EXPECTED_FOR = 15 * 60_000; // milliseconds after which the expected stock is read again
  const SCANNER_GAP = 40; // milliseconds between two keys of a person, at least
  const MIN_CODE = 4; // characters
  /** Newest last. `quantity` is null where no number was typed, NaN for what is no number. */
  const rows = [];

  const language = document.documentElement.lang;
  const plurals = new Intl.PluralRules(language);
  const count = (number) => number.toLocaleString(language);
  const fill = (text, values) =>
    text.replace(/%\((\w+)\)s/g, (whole, name) => String(values[name] ?? whole));
  /* The text's plural form for this number: see `PLURAL_EXAMPLES`. */
  function fillPlural(forms, number, values) {
    const category = plurals.select(number);
    const example = Object.keys(forms).find((n) => plurals.select(Number(n)) === category);
    return fill(forms[example ?? 100], values);
  }
  function showStatus(text, isError = false) {
    status.textContent = text;
    status.classList.toggle("shop-error", isError);
  }
  const say = (text, values = {}, isError = false) => showStatus(fill(text, values), isError);

  // The table

  const titles = [...table.querySelectorAll("thead th")].map((title) => title.textContent.trim());
  const isValid = (quantity) => quantity >= 0 && quantity <= page.maxStock;
  const signed = (n) => (n > 0 ? `+${count(n)}` : n < 0 ? `−${count(-n)}` : "0");

  function showRow(row) {
    const { cells, field } = row;
    cells.stock.textContent = count(row.stock);
    const isKnown = row.quantity !== null && isValid(row.quantity);
    const sum = row.stock + (row.quantity ?? 0);
    const after = isCount ? signed(row.quantity - row.stock) : count(sum);
    cells.after.textContent = isKnown || (!isCount && row.quantity === null) ? after : "";
    cells.after.classList.toggle("shop-stock-differs", isCount && isKnown && after !== "0");
    field.setAttribute("aria-invalid", String(row.quantity !== null && !isValid(row.quantity)));
    const isTyped = document.activeElement === field || Number.isNaN(row.quantity);
    if (!isTyped) field.value = row.quantity ?? "";
  }

  function showSums() {
    const sent = rowsToSend();
    const units = sent.reduce((sum, row) => sum + row.quantity, 0);
    const values = { count: count(sent.length), units: count(units) };
    submit.disabled = !sent.length;
    table.hidden = !rows.length;
    find("empty").hidden = rows.length > 0;
    if (!sent.length) submit.textContent = texts.nothing;
    else if (sent.length === 1 && texts.buttonOfOne) {
      submit.textContent = fillPlural(texts.buttonOfOne, units, values);
    } else submit.textContent = fillPlural(texts.button, sent.length, values);
  }

  const rowsToSend = () =>
    rows.filter((row) => (isCount ? row.quantity !== null : row.quantity > 0));

  function save() {
    showSums();
    const values = Object.fromEntries(fields.map((field) => [field.name, field.value]));
    const kept = rows.map(({ cells, field, element, ...row }) => row);
    const isEmpty = !kept.length && !lines.value && !Object.values(values).some(Boolean);
    if (isEmpty) draft.forget();
    else draft.write({ once: once.value, fields: values, lines: lines.value, rows: kept });
  }

  function removeRow(row) {
    rows.splice(rows.indexOf(row), 1);
    row.element.remove();
    say(texts.removed, row);
    save();
    input.focus();
  }

  /* Adds a row: on top, where it is seen, or below the others. */
  function addRow(product, isOnTop = true) {
    const element = document.getElementById("stock-row").content.firstElementChild.cloneNode(true);
    const cells = Object.fromEntries(
      [...element.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, cell]));
    const row = { at: Date.now(), quantity: null, ...product, element, cells };
    row.field = element.querySelector("input");
    row.field.setAttribute("aria-label", fill(texts.quantity, row));
    cells.name.textContent = row.name;
    cells.sku.textContent = row.sku;
    element.querySelector("img").src = row.picture;
    [...element.children].forEach((cell, i) => (cell.dataset.label = titles[i])); // on a phone
    const remove = element.querySelector("button");
    remove.setAttribute("aria-label", fill(texts.remove, row));
    remove.addEventListener("click", () => removeRow(row));
    listenToQuantity(row);
    rows.push(row);
    table.querySelector("tbody")[isOnTop ? "prepend" : "append"](element);
    showRow(row);
    return row;
  }

  function flash(row) {
    row.element.classList.remove("shop-stock-flash");
    void row.element.offsetWidth; // starts the animation again
    row.element.classList.add("shop-stock-flash");
    row.element.scrollIntoView({ block: "nearest" });
  }

  /* One more unit of a product, or the next product to count. */
  function onProduct(product, how) {
    let row = rows.find(({ id }) => id === product.id);
    if (!row && rows.length >= page.maxRows) return say(texts.full, {}, true);
    row ??= addRow(product);
    if (!isCount) {
      row.stock = product.stock;
      row.quantity = (isValid(row.quantity) ? row.quantity : 0) + 1;
      row.field.value = row.quantity;
    }
    showRow(row);
    save();
    flash(row);
    say(texts.added, {
      name: row.name, quantity: count(row.quantity ?? 0), stock: count(row.stock),
      after: count(row.stock + (row.quantity ?? 0)),
    });
    if (how === "camera" && !isCount) return; // a phone's keyboard would hide the camera
    row.field.focus();
    row.field.select();
  }

  const box = window.productBox({
    input, list: document.getElementById("stock-options"), url: page.lookup, onProduct, say, texts,
  });

  // Quantities

  async function setQuantity(row, quantity) {
    const isChanged = quantity !== row.quantity;
    row.quantity = quantity;
    showRow(row);
    save();
    if (!isChanged || !isCount || Date.now() - row.at < EXPECTED_FOR) return;
    const [fresh] = await box.fetchProducts("id", [row.id]).catch(() => []);
    if (!fresh) return;
    Object.assign(row, { stock: fresh.stock, seen: fresh.seen, at: Date.now() });
    showRow(row);
    save();
  }

  /* After a number comes the next row of a list that was brought along and has none, else the
     scanner. */
  function goOn(row) {
    const below = [...table.querySelectorAll("tbody tr")].slice(row.element.sectionRowIndex + 1);
    const next = below.map((element) => rows.find((other) => other.element === element))
      .find((other) => other.isListed && other.quantity === null);
    (next?.field ?? input).focus();
    (next?.field ?? input).select();
  }

  function listenToQuantity(row) {
    const { field } = row;
    let before = row.quantity; // the number when the field got the focus
    let lastKey = 0;
    let start = 0; // where the last keys that came as fast as a scanner's begin

    field.addEventListener("focus", () => {
      before = row.quantity;
      start = lastKey = 0;
    });
    field.addEventListener("input", () => setQuantity(row, window.readQuantity(field.value)));
    field.addEventListener("keydown", async (event) => {
      if (event.key.length === 1) {
        if (event.timeStamp - lastKey > SCANNER_GAP) start = field.selectionStart;
        lastKey = event.timeStamp;
      }
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      await takeScan(row, field.value.trim(), start, before);
    });
  }

  /* Enter in a quantity. A scanner may have typed a code into it: one that is no number of units,
     or keys faster than a person's that are the code of a product. */
  async function takeScan(row, text, start, before) {
    const typed = text.slice(0, start);
    const fast = text.slice(start);
    const isNumber = isValid(window.readQuantity(text) ?? NaN);
    const isCode = async () =>
      fast.length >= MIN_CODE && (await box.fetchProducts("code", [fast]).catch(() => []))[0];
    if (isNumber && !(await isCode())) {
      if (isCount) say(texts.counted, { name: row.name, quantity: text });
      return goOn(row);
    }
    if (!text) return goOn(row);
    const isTyped = typed && isValid(window.readQuantity(typed)) && (isNumber || (await isCode()));
    input.focus();
    row.field.value = "";
    setQuantity(row, isTyped ? window.readQuantity(typed) : before);
    input.value = isTyped || isNumber ? fast : text;
    await box.enter(input.value);
  }

  // Lines of a spreadsheet

  const hasRoom = (products) =>
    new Set([...rows, ...products].map(({ id }) => id)).size <= page.maxRows;

  function addSum({ product, quantity }) {
    const row = rows.find(({ id }) => id === product.id) ?? addRow(product, false);
    row.isListed = true;
    row.quantity = isCount ? quantity ?? row.quantity : (row.quantity || 0) + quantity;
    showRow(row);
  }

  async function addLines(text) {
    const { sums, left } = await window.readStockLines(text, {
      hasRoom, quantityOfNone: isCount ? null : 1, findProducts: box.fetchProducts,
    });
    sums.forEach(addSum);
    lines.value = left.join("\n");
    linesBox.open = left.length > 0;
    save();
    const added = fillPlural(texts.linesAdded, sums.length, { count: count(sums.length) });
    const rest = fillPlural(texts.linesLeft, left.length, { count: count(left.length) });
    showStatus(left.length ? `${added} ${rest}` : added, left.length > 0);
    (left.length ? lines : input).focus();
  }

  const addOrKeep = (text) =>
    addLines(text).catch((error) => {
      if (!error.isUnreachable) return reportError(error);
      lines.value = text;
      linesBox.open = true;
      save();
      say(texts.unreachable, {}, true);
    });

  // Draft

  function restore() {
    const kept = draft.read();
    const isSent = page.done && kept?.once === page.done;
    if (page.done) history.replaceState(null, "", page.url);
    if (page.isPosted) page.rows.forEach((row) => addRow(row, false));
    else if (kept && !isSent) showDraft(kept);
    // What was not counted was not sent, and is still to do.
    const isLeft = page.isPosted || (isSent && isCount);
    if (isLeft) addRows(kept?.rows.filter((row) => row.quantity === null));
    addRows(page.selected.map((product) => ({ ...product, isListed: true })));
    if (page.selected.length) {
      history.replaceState(null, "", page.url);
      window.forgetSelection(page.list);
    }
    save();
    (page.selected.length ? table.querySelector("tbody input") : input).focus();
  }

  function addRows(products = []) {
    for (const product of products) {
      const isKnown = rows.some(({ id }) => id === product.id);
      if (!isKnown && rows.length < page.maxRows) addRow(product, false);
    }
  }

  function showDraft(kept) {
    once.value = kept.once;
    fields.forEach((field) => (field.value = kept.fields[field.name] ?? ""));
    lines.value = kept.lines;
    linesBox.open = Boolean(kept.lines);
    kept.rows.forEach((row) => addRow(row, false));
    const at = new Date(kept.at);
    const style = { timeStyle: "short", hourCycle: "h23" };
    if (at.toDateString() !== new Date().toDateString()) style.dateStyle = "medium";
    const text = fill(texts.restored, { time: at.toLocaleString(language, style) });
    draftNotice.querySelector("span").textContent = text;
    draftNotice.hidden = false;
  }

  draftNotice.querySelector("button").addEventListener("click", () => {
    rows.splice(0).forEach(({ element }) => element.remove());
    [...fields, lines].forEach((field) => (field.value = ""));
    once.value = FIRST_KEY;
    draftNotice.hidden = true;
    linesBox.open = false;
    status.textContent = "";
    save();
    input.focus();
  });

  // The form

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.defaultPrevented || event.isComposing) return;
    if (!event.target.matches("input:not([type=file])")) return;
    event.preventDefault();
    [...fields, input][fields.indexOf(event.target) + 1].focus();
  });
  fields.forEach((field) => field.addEventListener("input", save));
  lines.addEventListener("input", save);
  linesBox.querySelector("button").addEventListener("click", () => addOrKeep(lines.value));
  document.getElementById("stock-file").addEventListener("change", async ({ target }) => {
    if (target.files[0]) await addOrKeep(await target.files[0].text());
    target.value = "";
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\t\n\r]/.test(text.trim())) return;
    event.preventDefault();
    addOrKeep(text);
  });
  form.addEventListener("submit", (event) => {
    const wrong = rows.find((row) => row.quantity !== null && !isValid(row.quantity));
    if (wrong) {
      event.preventDefault();
      say(texts.invalid, { max: count(page.maxStock) }, true);
      return wrong.field.focus();
    }
    form.elements.rows.value = JSON.stringify(rowsToSend().map((row) =>
      isCount ? [row.id, row.quantity, row.stock, row.seen] : [row.id, row.quantity]));
  });
  window.barcodeCamera({
    button: find("camera"), video: find("video"), say, texts,
    onCode: (code) => box.enter(code, "camera"),
    isPaused: () => isCount && document.activeElement.closest(".shop-stock-quantity") !== null,
  });
  restore();
})();
