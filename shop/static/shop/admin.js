/* Key bindings, copy buttons, and no double submission. The pages also work without this file. */
"use strict";

(() => {
  const gettext = (text) => window.gettext?.(text) ?? text; // Django's, where its catalog is loaded
  const ENABLE_AFTER = 8000; // milliseconds; a response that is a download leaves the page as it is

  const isTyping = (element) =>
    element.isContentEditable ||
    element.matches("textarea, select, input:not([type=checkbox]):not([type=radio])");

  /* j and k focus the link of the next and the previous row; Enter follows it. */
  function focusRow(step) {
    const rows = [...document.querySelectorAll("#result_list tr.data-row")].filter((row) => row.checkVisibility());
    const links = rows.map((row) => row.querySelector("th a[href], td a[href]")).filter(Boolean);
    const row = document.activeElement.closest("#result_list tr.data-row");
    const current = row ? links.findIndex((link) => row.contains(link)) : -1;
    const next = current < 0 ? (step > 0 ? 0 : links.length - 1) : current + step;
    links[Math.max(0, Math.min(next, links.length - 1))]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    const step = { j: 1, k: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (!isTyping(document.activeElement)) focusRow(step);
  });

  /* Enter, which scanners send after each number, goes on in forms that have a `data-enter`: the
     selector of the fields to go to. After the last of them comes the button. */
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    const selector = field.form?.querySelector("[data-enter]")?.dataset.enter;
    if (!selector || event.key !== "Enter" || event.isComposing || !field.matches("input")) return;
    event.preventDefault();
    const isNext = (other) =>
      field.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING &&
      other.checkVisibility(); // none of a closed <details>
    const next = [...field.form.querySelectorAll(selector)].find(isNext);
    next?.select();
    (next ?? field.form.querySelector(".shop-buttons button")).focus();
  });

  /* Disable the buttons of a sent form. After the event, so that the button's value is sent too. */
  const submitButtons = (form) => [...form.elements].filter((element) => element.type === "submit" && !element.hidden);
  const enable = (buttons) => buttons.forEach((button) => (button.disabled = false));

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    const buttons = submitButtons(event.target).filter((button) => !button.disabled);
    setTimeout(() => buttons.forEach((button) => (button.disabled = true)));
    setTimeout(() => enable(buttons), ENABLE_AFTER);
  });

  /* A download leaves the page as it is: say when it has come, which a cookie tells. */
  const CHECK_EVERY = 300; // milliseconds
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const cookie = form.dataset.download;
    if (!cookie || event.defaultPrevented) return;
    const status = form.querySelector("[role=status]");
    const expire = () => { document.cookie = `${cookie}=; path=${form.dataset.path}; max-age=0`; };
    expire();
    const timer = setInterval(() => {
      const name = document.cookie.match(new RegExp(`(?:^|; )${cookie}=([^;]*)`))?.[1];
      if (!name) return;
      clearInterval(timer);
      expire();
      status.textContent = status.dataset.text.replace("FILE", decodeURIComponent(name));
      enable(submitButtons(form));
    }, CHECK_EVERY);
  });

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) [...document.forms].forEach((form) => enable(submitButtons(form)));
  });

  async function copy(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = document.body.appendChild(document.createElement("textarea"));
    area.value = text;
    area.select();
    const done = document.execCommand("copy"); // navigator.clipboard needs HTTPS
    area.remove();
    if (!done) throw new Error("not copied");
  }

  function addCopyButton(element) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "shop-button shop-copy";
    button.textContent = gettext("Copy");
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      button.textContent = await copy(element.textContent.trim()).then(
        () => gettext("Copied"),
        () => gettext("Select the text and copy it"),
      );
      setTimeout(() => (button.textContent = gettext("Copy")), 2000);
    });
    element.after(button);
  }

  function logIn(button) {
    document.getElementById("id_username").value = button.dataset.email;
    document.getElementById("id_password").value = button.dataset.password;
    document.getElementById("login-form").requestSubmit();
  }

  /* The icons of Django's two-box chooser, added on load, have an aria-label, which needs a role. */
  window.addEventListener("load", () => setTimeout(() => {
    document.querySelectorAll(".help-tooltip[aria-label]").forEach((icon) => {
      icon.setAttribute("role", "img");
    });
  }));

  /* Unfold's controls without keyboard access: menu, account, filters, theme. */
  const MOUSE_ONLY = "[x-on\\:click]:not(button, input, a[href], #changelist-filter-close)";
  const LABELS = {
    "sidebarToggle()": gettext("Menu"),
    "handleClear()": gettext("Clear"),
    "openTheme = !openTheme": gettext("Theme"),
    "openRelatedWidgetWrapper = !openRelatedWidgetWrapper": gettext("More"),
  };

  function addKeyboardAccess(element) {
    const name = LABELS[element.getAttribute("x-on:click")];
    if (name) element.setAttribute("aria-label", name);
    element.setAttribute("role", "button");
    element.tabIndex = 0;
    element.querySelectorAll(".material-symbols-outlined").forEach((icon) => {
      icon.setAttribute("aria-hidden", "true");
    });
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      element.click();
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(MOUSE_ONLY).forEach(addKeyboardAccess);
    document.querySelectorAll("[data-copy]").forEach(addCopyButton);
    document.querySelectorAll("[data-email]").forEach((button) => {
      button.addEventListener("click", () => logIn(button));
    });
  });
})();

/* In the Ctrl+K search, Enter opens the first result of what is typed, or the one chosen with the
   arrow keys; if the results are not there yet, as soon as they are. */
document.addEventListener("alpine:init", () => {
  const searchCommand = window.searchCommand; // Unfold's
  window.searchCommand = () => {
    const unfold = searchCommand();
    return {
      ...unfold,
      resultsTerm: "",
      pendingEnter: null,
      handleContentLoaded(event) {
        unfold.handleContentLoaded.call(this, event);
        this.resultsTerm = new URL(event.detail.xhr.responseURL).searchParams.get("s") ?? "";
        if (this.hasResponse && this.items?.[0]?.querySelector("a")) this.currentIndex ||= 1;
        const enter = this.pendingEnter;
        this.pendingEnter = null;
        if (enter) this.selectItem(...enter);
      },
      selectItem(...options) {
        const typed = this.$refs.searchInputCommand.value;
        if (typed && typed !== this.resultsTerm) this.pendingEnter = options;
        else if (this.items?.[this.currentIndex - 1]?.querySelector("a")) {
          unfold.selectItem.apply(this, options);
        }
      },
    };
  };
});

/* The columns' titles, which the cards of a phone show before the values. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("#result_list, .shop-ledger table").forEach((table) => {
    const titles = [...table.querySelectorAll("thead th")].map((th) => {
      const copy = th.cloneNode(true);
      copy.querySelectorAll(".sortoptions, .material-symbols-outlined").forEach((x) => x.remove());
      return copy.textContent.trim();
    });
    table.querySelectorAll("tbody tr").forEach((row) => {
      [...row.children].forEach((cell, i) => { cell.dataset.label = titles[i] ?? ""; });
    });
  });
});

/* Rows of one change of many records are folded behind the first of them. */
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("#result_list [data-following]").forEach((button) => {
    const rows = [];
    let row = button.closest("tbody");
    for (let n = Number(button.dataset.following); n && (row = row.nextElementSibling); n--) rows.push(row);
    const fold = (isFolded) => {
      rows.forEach((one) => { one.hidden = isFolded; });
      button.setAttribute("aria-expanded", String(!isFolded));
    };
    button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") === "true"));
    button.hidden = false;
    fold(true);
  });
});

/* The first field of a form is ready to type in. */
const FORMS = ".shop-form, .shop-phone-order, #login-form, form:has(#id_old_password)";
const FIELDS = "input:not([type=hidden], [type=checkbox], [type=radio], [type=submit]), select, textarea";
const focusFirstField = () => {
  const form = document.querySelector(FORMS);
  if (!form || document.activeElement !== document.body) return;
  const field = [...form.querySelectorAll(FIELDS)].find((one) => one.checkVisibility() && !one.disabled);
  const searchBox = field?.nextElementSibling?.querySelector?.(".select2-selection");
  (searchBox ?? field)?.focus({ preventScroll: true });
};
window.addEventListener("load", focusFirstField);

// Select2's boxes have no accessible name: use the label of their field, open or closed.
const nameSearchBox = ($, select) => {
  const label = select.labels[0];
  if (!label) return;
  const search = select.multiple ? $(select).next().find(".select2-search__field") : $();
  search.attr("aria-label", label.textContent);
  const box = $(select).next().find(".select2-selection");
  const shown = box.find(".select2-selection__rendered").removeAttr("role aria-readonly");
  label.id = `${select.id}_label`;
  box.attr("aria-labelledby", `${label.id} ${shown.attr("id") || ""}`.trim());
  $(select).on("select2:open", () => {
    box.attr("aria-controls", box.attr("aria-owns"));
    $(".select2-container--open .select2-search__field").attr("aria-label", label.textContent);
  });
};
document.addEventListener("DOMContentLoaded", () => {
  const $ = window.django && window.django.jQuery;
  // As a ready handler, it runs after the one that makes the boxes.
  if ($) $(() => $("select.admin-autocomplete").each((_, select) => nameSearchBox($, select)));
});
