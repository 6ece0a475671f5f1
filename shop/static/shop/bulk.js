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
  function fillRow(cells, row, isCarrier) {
    const numbers = rows.map(({ order }) => codeOf(order));
    const named = cells.map(codeOf).map((code) => numbers.indexOf(code)).find((i) => i >= 0);
    const values = cells.filter((cell) => !numbers.includes(codeOf(cell)));
    const target = rows[named ?? row];
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
    const first = rowOf(event.target);
    const isCarrier = event.target.dataset.ship === "carrier";
    const used = table.filter((cells, i) => fillRow(cells, first + i, isCarrier)).length;
    const left = table.length - used;
    const text = left ? status.dataset.left : status.dataset.filled;
    status.textContent = text.replace("%(count)s", used).replace("%(left)s", left);
    status.hidden = false;
  }

  for (const { carrier, tracking } of rows) {
    for (const field of [carrier, tracking]) field.addEventListener("paste", paste);
  }
});
