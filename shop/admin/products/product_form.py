"""The form of a product."""

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from shop.admin.concurrent_form import ConcurrentForm
from shop.models import Product
from shop.models.products import MAX_STOCK


class ProductForm(ConcurrentForm):
    """A product's form. A new product also has the number of units that are there."""

    first_stock = forms.IntegerField(
        label=_("Initial stock"),
        required=False,
        min_value=0,
        max_value=MAX_STOCK,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Units you have now. Change it later with “Adjust stock”."),
    )

    class Meta:
        model = Product
        fields = "__all__"
        help_texts = {  # noqa: RUF012 - Django's
            "image": _("JPEG, PNG or WebP, up to 5 MB. Square pictures look best.")
        }
