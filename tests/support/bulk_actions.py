"""List actions on many orders, as staff send them: select, look at the page, confirm."""

LIST = "/admin/shop/order/"


def ask(client, action, orders, *, select_across="0", once=None, **filters):
    """Run the action on the selected orders; return the page that asks, or a redirect."""
    selected = {"_selected_action": [str(order.pk) for order in orders]}
    values = {"action": action, "select_across": select_across, **selected}
    if once:
        values["once"] = once
    return client.post(LIST, values, query_params=filters)


def confirm(client, page, *, follow=True, **values):
    """Send the form of the page that asked, with these values."""
    body = {}
    for name, value in page.context["hidden"]:
        body.setdefault(name, []).append(value)
    url = page.context["back"]
    return client.post(url, body | values, follow=follow)
