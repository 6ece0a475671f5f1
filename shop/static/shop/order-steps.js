/* Where all units of an order come back: one number typed makes the other the rest. */
"use strict";

document.addEventListener("input", (event) => {
  const row = event.target.closest("tr[data-units]");
  if (!row) return;
  const units = Number(row.dataset.units);
  const typed = Number(event.target.value);
  const other = [...row.querySelectorAll("input")].find((input) => input !== event.target);
  if (Number.isInteger(typed) && typed >= 0 && typed <= units) other.value = units - typed;
});
