/* The keys, copying, and no second click. Everything works without this file, only less quickly. */
"use strict";

(() => {
  const AGAIN_AFTER = 8000; // an answer that is a file leaves the page, and its button, where they are

  const isTyping = (element) =>
    element.isContentEditable ||
    element.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");

  /* j and k go from row to row; Enter then follows the link, as everywhere. */
  function move(step) {
    const rows = [...document.querySelectorAll("#result_list tr.data-row")];
    const links = rows.map((row) => row.querySelector("th a[href], td a[href]")).filter(Boolean);
    const row = document.activeElement.closest("#result_list tr.data-row");
    const here = row ? links.findIndex((link) => row.contains(link)) : -1;
    const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : here + step;
    links[Math.max(0, Math.min(next, links.length - 1))]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!isTyping(document.activeElement)) move(step);
  });

  /* A pressed button rests. It is disabled after the form was read, so its own name and value are sent. */
  const buttonsOf = (form) => [...form.elements].filter((element) => element.type === "submit");
  const wake = (buttons) => buttons.forEach((button) => (button.disabled = false));

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const buttons = buttonsOf(event.target).filter((button) => !button.disabled);
    setTimeout(() => buttons.forEach((button) => (button.disabled = true)));
    setTimeout(() => wake(buttons), AGAIN_AFTER);
  });

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) [...document.forms].forEach((form) => wake(buttonsOf(form)));
  });

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy"); // without HTTPS there is nothing else
    area.remove();
    if (!done) throw new Error("not copied");
  }

  function addCopyButton(element) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "shop-button shop-copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const said = await copy(element.textContent.trim()).then(() => "Copied", () => "Select it by hand");
      button.textContent = said;
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    element.after(button);
  }

  function fillIn(button) {
    document.getElementById("id_username").value = button.dataset.email;
    document.getElementById("id_password").value = button.dataset.password;
    document.getElementById("login-form").requestSubmit();
  }

  /* The signs of Django's two-box chooser, which it adds when the page is loaded, have names: only pictures may. */
  window.addEventListener("load", () => setTimeout(() => {
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((sign) => sign.setAttribute("role", "img"));
  }));

  /* Unfold's own controls that only a mouse would reach: the menu, the account, the filters, the theme. */
  const MOUSE_ONLY = "[x-on\\:click]:not(button, input, a[href], #changelist-filter-close)";
  const SIGNS = {
    "sidebarToggle()": "Menu",
    "handleClear()": "Clear",
    "openTheme = !openTheme": "Theme",
    "openRelatedWidgetWrapper = !openRelatedWidgetWrapper": "More",
  };

  function letKeysReach(element) {
    const name = SIGNS[element.getAttribute("x-on:click")];
    if (name) element.setAttribute("aria-label", name);
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.querySelectorAll(".material-symbols-outlined").forEach((icon) => icon.setAttribute("aria-hidden", "true"));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      element.click();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(MOUSE_ONLY).forEach(letKeysReach);
    document.querySelectorAll("[data-copy]").forEach(addCopyButton);
    document.querySelectorAll("[data-email]").forEach((button) => {
      button.addEventListener("click", () => fillIn(button));
    });
  });
})();
