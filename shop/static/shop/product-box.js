/* A field that takes a scanner or typing: barcode, SKU or name, with suggestions (ARIA combobox).

   `productBox({input, list, url, onProduct, say, texts})` calls `onProduct(product, how)` for each
   product: Enter takes the highlighted suggestion, else the product with exactly this code. A text
   that is no product's stays selected, so that the next scan replaces it. Codes are handled one
   after the other, however fast they come. Returns `{enter, fetchProducts}`. */
"use strict";

window.productBox = ({ input, list, url, onProduct, say, texts }) => {
  const WAIT = 150; // milliseconds after the last key before suggestions are asked for
  const MIN_LENGTH = 2;
  const idsByCode = new Map();
  let options = [];
  let active = -1;
  let timer = 0;
  let asked = null; // AbortController of the request for suggestions
  let queue = Promise.resolve();

  class Unreachable extends Error {
    isUnreachable = true;
  }

  async function ask(parameters, signal) {
    const request = fetch(`${url}?${new URLSearchParams(parameters)}`, { signal });
    const response = await request.catch((error) => { throw new Unreachable(error); });
    if (!response.ok || response.redirected) throw new Unreachable(); // redirected to the login
    return response.json();
  }
  const fetchProducts = async (name, values) =>
    (await ask(values.map((value) => [name, value]))).products;

  function close() {
    clearTimeout(timer);
    asked?.abort();
    options = [];
    active = -1;
    list.hidden = true;
    list.replaceChildren();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function highlight(index) {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", i === index));
    const item = list.children[index];
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
    item?.scrollIntoView({ block: "nearest" });
  }

  function show(products) {
    close();
    options = products;
    list.append(...products.map((product, i) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${i}`;
      item.role = "option";
      item.setAttribute("aria-selected", "false");
      const picture = document.createElement("img");
      Object.assign(picture, { src: product.picture, alt: "", className: "shop-thumb" });
      const name = document.createElement("strong");
      name.textContent = product.name;
      const sku = document.createElement("span");
      sku.textContent = product.sku;
      const text = document.createElement("span");
      text.append(name, " ", sku);
      item.append(picture, text);
      item.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus
      item.addEventListener("click", () => choose(product));
      return item;
    }));
    list.hidden = !products.length;
    input.setAttribute("aria-expanded", String(products.length > 0));
  }

  async function suggest() {
    const text = input.value.trim();
    if (text.length < MIN_LENGTH) return close();
    asked?.abort();
    asked = new AbortController();
    const answer = await ask({ text }, asked.signal).catch(() => null);
    if (answer && input.value.trim() === text && document.activeElement === input) {
      show(answer.suggestions);
    }
  }

  const inOrder = (work) => (queue = queue.then(work).catch((error) => {
    if (!error.isUnreachable) return reportError(error);
    say(texts.unreachable, {}, true);
  }));

  function take(product, text, how) {
    if (input.value.trim() === text) input.value = "";
    onProduct(product, how);
  }

  function choose(product) {
    const text = input.value.trim();
    close();
    return inOrder(async () => {
      const [fresh] = await fetchProducts("id", [product.id]);
      if (fresh) take(fresh, text, "chosen");
      else say(texts.unknown, { code: product.sku }, true);
    });
  }

  /* `how` is "typed" or "camera". */
  function enter(code, how = "typed") {
    const text = code.trim();
    if (!text) return queue;
    close();
    if (how === "typed") input.select(); // the next scan replaces it
    return inOrder(async () => {
      const known = idsByCode.get(text);
      const { products: [product], suggestions } =
        await ask(known ? { id: known } : { code: text });
      const named = suggestions.filter(({ name }) => name.toLowerCase() === text.toLowerCase());
      const found = product ?? (named.length === 1 ? named[0] : null);
      if (found && !product) return take((await fetchProducts("id", [found.id]))[0], text, how);
      if (found) {
        idsByCode.set(text, found.id);
        return take(found, text, how);
      }
      say(suggestions.length ? texts.chooseOne : texts.unknown, { code: text }, true);
      if (how === "typed" && input.value.trim() === text && document.activeElement === input) {
        show(suggestions);
      }
    });
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, WAIT);
    if (active >= 0) highlight(-1);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !options.length) suggest();
    if (step && options.length) highlight((active + step + options.length) % options.length);
    if (event.key === "Escape" && !options.length) return;
    if (event.key === "Escape") close();
    if (event.key === "Enter") {
      if (active >= 0) choose(options[active]);
      else enter(input.value);
    }
    if (step || ["Enter", "Escape"].includes(event.key)) event.preventDefault();
  });

  return { enter, fetchProducts };
};
