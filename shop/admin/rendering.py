"""HTML fragments that several admin pages show: labels, ages and thumbnails."""

from datetime import datetime
from typing import cast

from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from shop.documents.emails import RenderedEmail
from shop.models import AuditEntry, OutboxMessage, Product
from shop.models.order_status import OrderStatus, PaymentStatus, Role, Text
from shop.models.products import PictureFile
from shop.services.sign_ins import SUCCESSES


def render_label(role: Role, text: Text) -> str:
    """Return a label in the colour of its role."""
    return format_html('<span class="shop-label shop-{}">{}</span>', role, text)


def status_label(status: OrderStatus | PaymentStatus) -> str:
    """Return the label of an order status or a payment status."""
    return render_label(status.facts.role, status.label)


def render_email(email: RenderedEmail) -> str:
    """Return subject and text of an email."""
    html = '<div class="shop-email"><strong>{}</strong><div>{}</div></div>'
    return format_html(html, email.subject, email.text)


def message_label(message: OutboxMessage) -> str:
    """Return the label of a message's status."""
    status = OutboxMessage.Status(message.status)
    return render_label(OutboxMessage.ROLES[status], status.label)


def render_sign_in(entry: AuditEntry) -> str:
    """Return the label of how an attempt to sign in ended."""
    role: Role = "success" if entry.action in SUCCESSES else "danger"
    return render_label(role, entry.get_action_display())


def send_again_label(message: OutboxMessage) -> str:
    """Return the text of the button that sends a message again."""
    is_email = message.channel == OutboxMessage.Channel.EMAIL
    return _("Send again") if is_email else _("Try again")


#: Part of a User-Agent -> name; the first match counts, since most browsers name others too.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "Chrome/": "Chrome",
    "CriOS/": "Chrome",
    "Safari/": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def render_device(user_agent: str) -> str:
    """Return the browser and system that a User-Agent names, or itself if it is of an app."""
    browser, system = (
        next((name for part, name in names.items() if part in user_agent), "")
        for names in (BROWSERS, SYSTEMS)
    )
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return user_agent or _("Unknown device")


def render_age(moment: datetime) -> str:
    """Return how long ago a moment was, with its date and time as a tooltip."""
    local = timezone.localtime(moment)
    age = _("%(duration)s ago") % {"duration": timesince(moment, timezone.now(), depth=1)}
    return format_html('<span title="{}">{}</span>', local.isoformat(" ", "minutes"), age)


def render_thumbnail(product: Product, *, alt: str = "") -> str:
    """Return a product's small picture. Pass `alt` where no text beside it names the product."""
    return render_picture(cast("PictureFile", product.image), alt=alt)


def render_picture(picture: PictureFile, *, alt: str) -> str:
    """Return the small version of a picture, or a placeholder."""
    source = picture.small_url if picture else static("shop/no-picture.svg")
    return format_html('<img class="shop-thumb" src="{}" alt="{}" loading="lazy">', source, alt)
