"""What members of a group may do, in words; and the groups' permissions on further models.

The migrations grant those on the shop's own models, `grant_new_permissions` those on further
models of the catalogue, such as brands.
"""

from collections.abc import Collection
from typing import Any

from django.apps import apps as installed_apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop import exposure
from shop.models import Product

#: Group -> what its members may do with the records of a catalogue model.
CATALOGUE_RIGHTS = {
    "Owner": ("view", "add", "change", "delete"),
    "Catalogue": ("view", "add", "change", "delete"),
    "Fulfilment": ("view",),
    "Viewer": ("view",),
}
#: Predefined group -> what its members may do.
GROUP_DESCRIPTIONS = {
    "Owner": gettext_lazy(
        "Runs the shop: orders and refunds, products and prices, customers and revenue. Can't"
        " invite colleagues or say what these may do."
    ),
    "Catalogue": gettext_lazy(
        "Looks after products: names, pictures, prices, stock and imports. Doesn't see orders or"
        " customers."
    ),
    "Fulfilment": gettext_lazy(
        "Takes, packs and ships orders, books goods in and counts stock. Can't change prices, pay"
        " back money or see revenue."
    ),
    "Viewer": gettext_lazy("Sees orders, products, customers and revenue, and changes nothing."),
}
VIEW, WRITE = "view", ("add", "change", "delete")


def describe_group(group: Group) -> str:
    """Return in a sentence or two what members of the group may do.

    Reads its permissions and their content types: prefetch them for many groups.
    """
    if description := GROUP_DESCRIPTIONS.get(group.name):
        return str(description)
    viewed, changed, others = set[str](), set[str](), list[str]()
    for permission in group.permissions.all():
        model = permission.content_type.model_class()
        action, _separator, name = permission.codename.partition("_")
        if model is None:
            continue
        if name != model._meta.model_name or action not in {VIEW, *WRITE}:
            others.append(f"{permission.name}.")
        else:
            (viewed if action == VIEW else changed).add(str(model._meta.verbose_name_plural))
    sentences = []
    if changed:
        sentences.append(_("Can change %(records)s.") % {"records": ", ".join(sorted(changed))})
    if only_viewed := sorted(viewed - changed):
        sentences.append(_("Can view %(records)s.") % {"records": ", ".join(only_viewed)})
    return " ".join(sentences + sorted(others)) or _("May do nothing yet.")


def further_models() -> list[exposure.Model]:
    """Return the catalogue models that the shop itself does not have."""
    return [model for model in exposure.catalogue_models() if model is not Product]


def grant_new_permissions(
    *, using: str = DEFAULT_DB_ALIAS, apps: Any = installed_apps, **_options: Any
) -> None:
    """Create the missing permissions of the shop, and grant those on further models to the groups.

    Permissions that exist are left alone: an owner may have taken them away from a group. A group
    that was deleted or renamed gets nothing. Both in one transaction, so that no permission is left
    without its grant. Takes the arguments of Django's signal `post_migrate`.
    """
    try:
        permissions = apps.get_model("auth", "Permission").objects.using(using)
    except LookupError:  # the database is migrated to a state without it
        return
    of_shop = permissions.filter(content_type__app_label="shop")
    with transaction.atomic(using=using):
        known = set(of_shop.values_list("codename", flat=True))
        create_permissions(
            installed_apps.get_app_config("shop"), verbosity=0, using=using, apps=apps
        )
        _grant(using, apps, [code for code in _catalogue_codenames() if code not in known])


def grant_catalogue_permissions() -> None:
    """Grant the permissions on further models to the groups, also those that exist already."""
    _grant(DEFAULT_DB_ALIAS, installed_apps, _catalogue_codenames())


def _catalogue_codenames() -> list[str]:
    return [
        f"{action}_{model._meta.model_name}"
        for model in further_models()
        for action in model._meta.default_permissions
    ]


def _grant(using: str, apps: Any, codenames: Collection[str]) -> None:
    if not codenames:
        return
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    granted = list(permissions.filter(content_type__app_label="shop", codename__in=codenames))
    groups = apps.get_model("auth", "Group").objects.using(using)
    for group in groups.filter(name__in=CATALOGUE_RIGHTS):
        actions = CATALOGUE_RIGHTS[group.name]
        group.permissions.add(*[p for p in granted if p.codename.partition("_")[0] in actions])
