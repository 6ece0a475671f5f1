/* The rows of "Ship orders": the carrier for all, and pasted columns. The page also works without this
   file: the server uses the carrier for all where a row has none. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const find = (kind, root = document) => root.querySelector(`[data-ship=${kind}]`);
  const rows = [...document.querySelectorAll("tr[data-order]")].map((row) => ({
    order: row.dataset.order,
    carrier: find("carrier", row),
    tracking: find("tracking", row),
  }));
  const carrierForAll = document.getElementById("id_carrier");
  const status = document.querySelector("[data-ship-status]");
  const MAX_NAMED = 10;
  const SEPARATORS = /[^A-Z0-9]/g;
  const codeOf = (text) => text.toUpperCase().replace(SEPARATORS, "");
  const rowOf = (element) => rows.findIndex((row) => [row.carrier, row.tracking].includes(element));

  /* Rows without a carrier of their own show the one for all. */
  let filled = "";
  carrierForAll.addEventListener("input", () => {
    const value = carrierForAll.value;
    for (const { carrier } of rows) if (carrier.value === filled) carrier.value = value;
    filled = value;
  });

  /* A line is a tracking number, before which a carrier, an order number or both may stand. */
  const numbers = rows.map(({ order }) => codeOf(order));
  const namedBy = (cells) => cells.map((cell) => numbers.indexOf(codeOf(cell))).find((i) => i >= 0);
  const isOrderNumber = (cell) => /^#?[0-9A-Z]{4}-[0-9A-Z]{4}$/i.test(cell);
  const hasDigit = (cells) => cells.some((cell) => /[0-9]/.test(cell));

  /* Returns whether the line can be none of an order that is shown: where lines name their orders,
     one that names none of them; and the titles above tracking numbers. */
  function isForeign(cells, table, isCarrier) {
    if (namedBy(cells) !== undefined || !cells.some(Boolean)) return false;
    if (isOrderNumber(cells[0]) || table.some((line) => namedBy(line) !== undefined)) return true;
    const isFirst = cells === table[0] && table.length > 1;
    return isFirst && (cells.length > 1 || !isCarrier) && !hasDigit(cells.slice(-1));
  }

  function fillRow(cells, row, isCarrier) {
    const target = rows[namedBy(cells) ?? row];
    const values = cells.filter((cell) => !numbers.includes(codeOf(cell)));
    if (!target || !values.length) return Boolean(target);
    if (values.length > 1) [target.carrier.value, target.tracking.value] = values;
    else target[isCarrier ? "carrier" : "tracking"].value = values[0];
    return true;
  }

  function paste(event) {
    const lines = event.clipboardData.getData("text").replace(/[\r\n]+$/, "").split(/\r\n|\n|\r/);
    const table = lines.map((line) => line.split("\t").map((cell) => cell.trim()));
    if (table.length === 1 && table[0].length === 1) return; // as in any field
    event.preventDefault();
    const isCarrier = event.target.dataset.ship === "carrier";
    const left = table.filter((cells) => isForeign(cells, table, isCarrier));
    const first = rowOf(event.target);
    const filling = table.filter((cells) => !left.includes(cells));
    left.push(...filling.filter((cells, i) => !fillRow(cells, first + i, isCarrier)));
    const named = left.slice(0, MAX_NAMED).map((cells) => cells.find(Boolean) ?? "");
    if (left.length > MAX_NAMED) named.push("…");
    const text = left.length ? status.dataset.left : status.dataset.filled;
    status.textContent = text
      .replace("%(count)s", table.length - left.length)
      .replace("%(left)s", left.length)
      .replace("%(names)s", () => named.join(", "));
    status.hidden = false;
  }

  for (const { carrier, tracking } of rows) {
    for (const field of [carrier, tracking]) field.addEventListener("paste", paste);
  }
});
