"""Paths, lists and forms of the admin."""

from django.urls import reverse
from support.html_forms import form_fields

PRODUCTS, BRANDS, TAGS = (f"/admin/shop/{name}/" for name in ("product", "brand", "tag"))


def listed(browser, url, query=""):
    """Return the texts of the list's rows, as its model shows them."""
    response = browser.get(f"{url}?{query}")
    assert response.status_code == 200, response
    return sorted(map(str, response.context["cl"].result_list))


def page(record, view="change"):
    return reverse(f"admin:shop_{record._meta.model_name}_{view}", args=[record.pk])


def open_form(browser, record):
    name = record._meta.model_name
    return form_fields(browser.get(page(record)), f"{name}_form")


def errors(response):
    form = response.context["adminform"].form
    return {name: [e.code for e in data] for name, data in form.errors.as_data().items()}
