"""Every address and every action of the back office, by whom and in a way that must change nothing.

A new one is covered by itself once FILLED_IN says what its page needs beyond what it shows, or READS that it
changes nothing; until then the last test names it.
"""

import re
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session as Cookie
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from support import admin_urls, factories, totp, world

from shop.admin.base import ONCE
from shop.models import IdempotencyKey, Product, User
from shop.services.bulk_pricing import PriceChange, preview_prices

SECRET = "a-long-enough-one"


class File(SimpleUploadedFile):
    """An upload that can be sent again."""

    def read(self, *_):
        return world.FILE.encode()


NEW = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}


def by_phone():
    mug = Product.objects.get(sku="MUG-1")
    line = {
        "lines-0-product": mug.pk,
        "lines-0-quantity": 1,
        "lines-TOTAL_FORMS": 5,
        "lines-INITIAL_FORMS": 0,
    }
    carl = User.objects.get(email="carl@example.com").pk
    line["payment_method"] = "cash_on_delivery"
    return {
        **line,
        "customer": carl,
        "step": "place",
        "expected_total": mug.price,
        "key": uuid.uuid4(),
    }


def raised():
    """What the preview of higher prices sends along, for all products."""
    change, pks = PriceChange(percent=Decimal(5)), Product.objects.values_list("pk", flat=True)
    return {
        "by": "percent",
        "value": "5",
        "seal": preview_prices(product_ids=pks, change=change).seal,
    }


def telephone():
    return {"key": totp.KEY, "code": totp.code_at(time.time())}


#: What a page or an action sends beyond what it shows, or how that is found.
FILLED_IN = {
    "password_change": {
        "old_password": factories.PASSWORD,
        "new_password1": SECRET,
        "new_password2": SECRET,
    },
    "shop_user_second_factor": telephone,
    "shop_product_adjust_stock": {"delta": "1", "kind": "received"},
    "shop_product_count_stock": {"counted": "3"},
    "shop_product_add": {"name": "Vase", "price": "24.00", "first_stock": "1"},
    "shop_product_change": {"name": "Vase"},
    "shop_order_add_note": {"note": "Called"},
    "shop_productimport_add": {"file": File("autumn.csv", b"")},
    "shop_productimport_check_again": {"blank": "clear"},
    "shop_productimport_apply": {"seen": world.SEEN.isoformat(), "good_only": "1"},
    "shop_order_add": by_phone,
    "auth_user_password_change": NEW,
    "shop_user_add": {
        "email": "eve@example.com",
        "first_name": "Eve",
        "last_name": "New",
        "role": "admin",
        **NEW,
    },
    "shop_user_change": {"first_name": "Eve"},
    "auth_group_add": {"name": "Night shift"},
    "auth_group_change": {"name": "Night shift"},
    "auth_group_delete": {"post": "yes"},
    "shop_savedview_add": {"name": "Late", "screen": "order", "query": "days=7"},
    "shop_savedview_change": {"name": "Early"},
    "shop_savedview_delete": {"post": "yes"},
    # actions
    "delete_selected": {"post": "yes"},
    "move_to_cancelled": {"note": "Storm"},
    "change_prices": raised,
    "receive": lambda: {"reason": "Delivery", str(Product.objects.get(sku="MUG-1").pk): 12},
}
#: What has nothing to change; a list's actions are clicks of their own.
READS = (
    *("_changelist", "_history", "_pick", "index", "search"),
    *("autocomplete", "jsi18n", "app_list", "change_done", "_export", "export_selected"),
)
EVERYBODYS = {"password_change", "shop_user_second_factor", "shop_savedview_add"}  # one's own
SESSIONS = {"login", "logout"}  # would sign out whoever is to click the rest
WRITES = re.compile(
    r'(INSERT|UPDATE|DELETE)(?! FROM "django_session| "django_session| INTO "django_session)'
)
NOT_THERE = "/admin/"  # where Django sends whoever asks for what is a colleague's own
CLOSED = {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}


@dataclass
class Click:
    """What a browser sends when somebody presses the button of a page."""

    name: str
    path: str
    body: dict


def shown(answer):
    """What the page's form shows, as a browser would send it back."""
    context = answer.context or {}
    form = context["adminform"].form if "adminform" in context else context.get("form")
    values = {name: form[name].value() for name in form.fields} if form else {}
    return {name: value for name, value in values.items() if value is not None and name != "image"}


def filled_in(name):
    found = FILLED_IN.get(name, {})
    return found() if callable(found) else found


def clicks(browser):
    for found in admin_urls.admin_urls():
        if found.name in SESSIONS:
            continue
        answer = browser.get(found.path)
        yield Click(found.name, found.path, {**shown(answer), **filled_in(found.name)})
        if answer.context and (form := answer.context.get("action_form")):
            chosen = {"_selected_action": [row.pk for row in answer.context["cl"].result_list]}
            for action in filter(None, dict(form.fields["action"].choices)):
                body = {"action": action, **chosen, **filled_in(action)}
                yield Click(f"{found.name}: {action}", found.path, body)


def everything():
    """Every row of every table but the browsers' sessions."""
    models = [model for model in apps.get_models(include_auto_created=True) if model is not Cookie]
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models
    }


@pytest.fixture
def every_click(ada, carl, dora):
    world.create_world(ada, carl, dora)
    return list(clicks(factories.staff_client(ada)))


def ask(browser, method, every_click):
    """Click it all; gives the answers by name, and the names of what wrote anything."""
    answers, wrote = defaultdict(set), set()
    for click in every_click:
        with CaptureQueriesContext(connection) as captured:
            answer = getattr(browser, method)(click.path, click.body)
        if answer.headers.get("Location") != NOT_THERE:
            answers[click.name].add(answer.status_code)
        if any(WRITES.match(query["sql"]) for query in captured):
            wrote.add(click.name)
    return answers, wrote


@pytest.mark.slow
def test_nothing_changes_without_post_token_and_right(every_click, ada, clerk_with):
    every_right = Permission.objects.values_list("codename", flat=True)
    nobodys = [click for click in every_click if click.name not in EVERYBODYS]
    adas, strict = (
        factories.staff_client(ada),
        factories.staff_client(ada, enforce_csrf_checks=True),
    )
    before = everything()
    assert ask(adas, "get", every_click)[1] == set()
    answers, wrote = ask(strict, "post", every_click)
    assert (wrote, set().union(*answers.values()) - CLOSED) == (set(), set())
    for rights in ([], [name for name in every_right if name.startswith("view_")]):
        clerk = clerk_with(*rights)
        assert ask(clerk, "get", nobodys)[1] == set()
        answers, wrote = ask(clerk, "post", nobodys)
        let_in = {name for name, statuses in answers.items() if statuses - CLOSED}
        assert (wrote, {name for name in let_in if not name.split(":")[0].endswith(READS)}) == (
            set(),
            set(),
        )
        User.objects.get(email="cleo@example.com").delete()
    for method in ("get", "post"):
        assert ask(Client(), method, every_click)[1] == set()
    assert everything() == before


@pytest.mark.slow
def test_with_token_and_right_each_does_what_it_says(every_click, ada):
    """Or the refusals above would prove nothing."""
    browser, before, idle = factories.staff_client(ada), everything(), set()
    signed_in = browser.cookies[settings.SESSION_COOKIE_NAME].value
    for click in every_click:
        browser.cookies[settings.SESSION_COOKIE_NAME] = signed_in  # a new password changes it
        with transaction.atomic():
            answer = browser.post(click.path, click.body)
            if answer.status_code not in CLOSED and everything() == before:
                idle.add(click.name)
            transaction.set_rollback(True)
    assert {name for name in idle if not name.endswith(READS)} == set()


@pytest.mark.slow
def test_an_answer_that_is_kept_names_nobody(every_click, ada):
    """It lies under the clerk's key for three days, where erasing a customer does not look."""
    browser, kept = factories.staff_client(ada), set()
    signed_in = browser.cookies[settings.SESSION_COOKIE_NAME].value
    names = {
        name
        for user in User.objects.all()
        for name in (user.first_name, user.last_name, user.email)
    }
    for click in every_click:
        browser.cookies[settings.SESSION_COOKIE_NAME] = signed_in
        with transaction.atomic():
            browser.post(click.path, {**click.body, ONCE: "pressed"})
            kept |= set(IdempotencyKey.objects.filter(user=ada).values_list("answer", flat=True))
            transaction.set_rollback(True)
    assert len(kept) > 10
    assert {answer for answer in kept if any(name in answer for name in names)} == set()
