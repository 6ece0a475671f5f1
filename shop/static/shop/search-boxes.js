// Select2's boxes have no accessible name: use the label of their field, open or closed.
django.jQuery(($) => {
  $(":is(.shop-phone-order, .shop-step) select.admin-autocomplete").each((_, select) => {
    const label = select.labels[0];
    const box = $(select).next().find(".select2-selection");
    const shown = box.find(".select2-selection__rendered").removeAttr("role aria-readonly");
    label.id = `${select.id}_label`;
    box.attr("aria-labelledby", `${label.id} ${shown.attr("id")}`);
    $(select).on("select2:open", () => {
      box.attr("aria-controls", box.attr("aria-owns"));
      $(".select2-container--open .select2-search__field").attr("aria-label", label.textContent);
    });
  });
});
