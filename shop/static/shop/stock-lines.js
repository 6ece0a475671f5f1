/* Lines of a spreadsheet or a file for the stock room: a code, and a number after the last tab,
   semicolon or comma. */
"use strict";

/* Returns a whole number, null for an empty text, NaN for any other. */
window.readQuantity = (text) => {
  const trimmed = text.trim();
  if (!trimmed) return null;
  return /^\d{1,9}$/.test(trimmed) ? Number(trimmed) : NaN;
};

/* Returns `sums`, the products with the sum of their numbers, and `left`, the lines that name no
   product, can't be read, or find no room. `findProducts("code", codes)` returns a product or null
   for each code. */
window.readStockLines = async (text, { hasRoom, quantityOfNone, findProducts }) => {
  const MAX_LENGTH = 2500; // characters of the codes of one look-up; an address has a limit
  const unquote = (cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim();

  function parse(line) {
    const cells = line.split(["\t", ";"].find((mark) => line.includes(mark)) ?? ",");
    const last = cells.length > 1 ? cells.pop() : "";
    const quantity = window.readQuantity(unquote(last)) ?? quantityOfNone;
    return { line, code: unquote(cells.join(",")), quantity, isReadable: !Number.isNaN(quantity) };
  }

  let parsed = text.split(/\r\n|\n|\r/).filter((line) => line.trim()).map(parse);
  if (parsed.length > 1 && !parsed[0].isReadable) parsed = parsed.slice(1); // the titles
  const codes = [...new Set(parsed.filter((one) => one.isReadable).map(({ code }) => code))];
  const found = new Map();
  while (codes.length) {
    let length = 0;
    const isOver = (code) => (length += encodeURIComponent(code).length + 6) > MAX_LENGTH;
    const end = codes.findIndex(isOver);
    const chunk = codes.splice(0, end < 0 ? codes.length : Math.max(end, 1));
    const products = await findProducts("code", chunk);
    chunk.forEach((code, n) => found.set(code, products[n]));
  }

  const sums = new Map();
  const left = [];
  for (const { line, code, quantity, isReadable } of parsed) {
    const product = isReadable ? found.get(code) : null;
    const others = [...sums.values()].map((sum) => sum.product);
    if (!product || !hasRoom([...others, product])) {
      left.push(line);
      continue;
    }
    const before = sums.get(product.id)?.quantity ?? null;
    const total = before === null && quantity === null ? null : (before ?? 0) + (quantity ?? 0);
    sums.set(product.id, { product, quantity: total });
  }
  return { sums: [...sums.values()], left };
};
