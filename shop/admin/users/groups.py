"""Groups: their pages, and the form fields by which staff choose groups and rights."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from shop.admin.base import AuditedAdmin
from shop.models import Payment
from shop.services.groups import describe_group
from shop.text_validation import clean_line

#: What one may do with the records of any model, each a column of the table of rights.
ACTIONS = {
    "view": gettext_lazy("View"),
    "add": gettext_lazy("Add"),
    "change": gettext_lazy("Change"),
    "delete": gettext_lazy("Delete"),
}


class RecordsWidget(forms.SelectMultiple):
    """Renders the records of a `ModelMultipleChoiceField` by a template of the admin."""

    template: str

    class Media:
        css = {"all": ("shop/staff.css",)}  # noqa: RUF012 - Django's options are class attributes

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        context = {"name": name, "id": (attrs or {}).get("id", f"id_{name}")}
        records = self.choices.queryset  # type: ignore[attr-defined]
        chosen = {str(key) for key in value or ()}
        return SafeString(render_to_string(self.template, context | self.details(records, chosen)))

    def id_for_label(self, id_: str, index: Any = None) -> str:
        """Return no id: the label names the group of boxes, not one of them."""
        return ""

    def details(self, records: Iterable[Any], chosen: set[str]) -> dict[str, Any]:
        """Return what the template shows of the records, of which `chosen` are ticked."""
        raise NotImplementedError


class GroupCards(RecordsWidget):
    """A card for each group, with a box and a sentence that says what its members may do."""

    template = "admin/shop/user/group_cards.html"

    def details(self, records: Iterable[Any], chosen: set[str]) -> dict[str, Any]:
        cards = [(group, describe_group(group), str(group.pk) in chosen) for group in records]
        return {"cards": cards}


def group_field() -> forms.ModelMultipleChoiceField[Group]:
    """Return the field of a form in which staff choose groups."""
    return forms.ModelMultipleChoiceField(
        Group.objects.order_by("name").prefetch_related("permissions__content_type"),
        required=False,
        label=_("Groups"),
        widget=GroupCards,
    )


class RightsTable(RecordsWidget):
    """A row for each kind of record, with a box for each action, and below it its other rights."""

    template = "admin/shop/user/rights_table.html"

    def details(self, records: Iterable[Any], chosen: set[str]) -> dict[str, Any]:
        rows: dict[Any, dict[str, Any]] = {}
        for permission in records:
            model = permission.content_type.model_class()
            row = rows.setdefault(model, {"actions": dict.fromkeys(ACTIONS), "others": []})
            box = (permission, str(permission.pk) in chosen)
            action, _separator, name = permission.codename.partition("_")
            if action in ACTIONS and name == model._meta.model_name:
                row["actions"][action] = box
            else:
                row["others"].append(box)
        table = [
            {
                "label": capfirst(model._meta.verbose_name_plural),
                "boxes": [(ACTIONS[action], box) for action, box in row["actions"].items()],
                "others": row["others"],
            }
            for model, row in rows.items()
        ]
        return {"actions": ACTIONS.values(), "table": sorted(table, key=lambda row: row["label"])}


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """A group, whose name is cleaned like every text of the shop, and its rights."""

    permissions = forms.ModelMultipleChoiceField(
        Permission.objects.none(), required=False, label=gettext_lazy("Rights"), widget=RightsTable
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        models_of_shop = apps.get_app_config("shop").get_models()
        # Payments have no list; the order's page shows them.
        shown = [
            model._meta.model_name
            for model in models_of_shop
            if admin.site.is_registered(model) or model is Payment
        ]
        rights = Permission.objects.filter(
            content_type__app_label="shop", content_type__model__in=shown
        )
        field: Any = self.fields["permissions"]
        field.queryset = rights.select_related("content_type").order_by("pk")
        granted = self.initial.get("permissions", [])
        self.initial["permissions"] = [right for right in granted if right in field.queryset]

    def clean_name(self) -> str:
        """Return the name normalised. Raises ValidationError if nothing of it is visible."""
        try:
            name = clean_line(self.cleaned_data["name"])
        except ValueError as error:
            raise ValidationError(str(error), code="characters") from error
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"], code="required")
        return name

    def clean_permissions(self) -> list[Permission]:
        """Return the chosen rights, and those that the table doesn't show, which stay."""
        chosen = list(self.cleaned_data["permissions"])
        if self.instance.pk:
            field: Any = self.fields["permissions"]
            chosen += self.instance.permissions.exclude(pk__in=field.queryset.values("pk"))
        return chosen


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, AuditedAdmin):  # type: ignore[misc]
    """Groups of permissions."""

    form = GroupForm
    list_display = ("name", "description")
    empty_text = gettext_lazy(
        "A group is a named set of permissions, such as Packing. Add one, then add staff to it."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Group]:
        groups: models.QuerySet[Group] = super().get_queryset(request)
        return groups.prefetch_related("permissions__content_type")

    @display(description=gettext_lazy("What its members may do"))
    def description(self, group: Group) -> str:
        """Return a sentence about the group's rights."""
        return describe_group(group)
