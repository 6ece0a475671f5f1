"""The emails in the outbox: what was sent, what is waiting and what failed."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from shop.admin.action_form import add_service_error, render_action_form
from shop.admin.base import (
    FORM_KEY_FIELD,
    ActionFormAdmin,
    ReadOnlyAdmin,
    TabbedAdmin,
    action_fields,
    form_key,
    run_form_once,
    staff_user,
)
from shop.admin.forms import ConfirmForm
from shop.admin.rendering import message_label, render_email, send_again_label
from shop.documents import emails
from shop.documents.emails import Undeliverable
from shop.models import OutboxMessage
from shop.models.outbox import EMAILS
from shop.money import format_money
from shop.services import outbox
from shop.services.errors import MessagePending, ShopError

#: Shown only of a message that is waiting.
PENDING_FIELDS = ("due_at", "expires_at")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(TabbedAdmin, ActionFormAdmin, ReadOnlyAdmin):
    """The emails to customers, which only the shop writes; staff can send one again."""

    empty_text = _("Emails to customers appear here, with those that could not be sent.")
    tab_field = "status"
    tab_labels = OutboxMessage.Status.choices
    list_display = ("message", "sent_to", "order", "status_column", "created_at", "sent_at")
    card_corner = "status_column"
    list_select_related = ("order",)
    search_fields = ("user__search_text", "order__order_number")
    search_help_text = _("Name, email or order number")
    readonly_fields = (
        "message",
        "leaves",
        "sent_to",
        "order",
        "status_column",
        "attempts",
        "error",
        "created_at",
        "sent_at",
        *PENDING_FIELDS,
        "preview",
    )
    actions = ("send_selected_again",)
    action_views = {"send": "send_again"}  # noqa: RUF012
    action_permission = "change_outboxmessage"
    view_permissions = {"send_again": "view_outboxmessage"}  # noqa: RUF012 - and the message's own
    change_form_outer_before_template = "admin/shop/outboxmessage/banner.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        is_pending = obj is not None and obj.status == OutboxMessage.Status.PENDING
        hidden = set() if is_pending else set(PENDING_FIELDS)
        if obj is not None and obj.kind not in EMAILS:
            hidden.add("leaves")
        if obj is not None and not emails.can_be_shown(obj):
            hidden.add("preview")
        return [name for name in self.readonly_fields if name not in hidden]

    @display(description=_("Message"), ordering="kind")
    def message(self, message: OutboxMessage) -> str:
        """Return what staff call this kind of message."""
        return message.label

    @display(description=_("To"), ordering="recipient")
    def sent_to(self, message: OutboxMessage) -> str:
        """Return the email address, or else that the payment gateway is asked."""
        return message.recipient or message.get_channel_display()

    @display(description=_("Status"), ordering="status")
    def status_column(self, message: OutboxMessage) -> str:
        """Return the label of the status."""
        return message_label(message)

    @display(description=_("Leaves"))
    def leaves(self, message: OutboxMessage) -> str:
        """Return the step at which this kind of email leaves."""
        return str(EMAILS[message.kind].leaves)

    @display(description=_("As it would be sent now"))
    def preview(self, message: OutboxMessage) -> str:
        """Return subject and text of the email, or why it can't be sent."""
        try:
            email = emails.render_email(message)
        except Undeliverable as error:
            return str(error)
        return render_email(email)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> Any:
        """Add whether the banner shows the button that sends the message again, and its text."""
        context["can_send_again"] = self.can_send_again(request, kwargs["obj"])
        context["send_again_label"] = send_again_label(kwargs["obj"])
        return super().render_change_form(request, context, **kwargs)

    def can_send_again(self, request: HttpRequest, message: OutboxMessage) -> bool:
        """Return whether the user may send the message again now."""
        permission = outbox.send_again_permission(message)
        return outbox.can_send_again(message) and staff_user(request).has_perm(permission)

    def record_url(self, record: Any) -> str:
        """Return the URL of the order's page, which shows its emails, or else of the email's."""
        if record.order_id:
            return reverse("admin:shop_order_change", args=[record.order_id])
        return super().record_url(record)

    def send_again(self, request: HttpRequest, message: OutboxMessage) -> HttpResponse:
        """Ask, then send the email again, or ask the payment gateway again."""
        if not staff_user(request).has_perm(outbox.send_again_permission(message)):
            raise PermissionDenied
        is_email = message.channel == OutboxMessage.Channel.EMAIL
        if is_email:
            title = gettext("Send the email “%(email)s” again?") % {"email": message.label}
            hint = gettext("To %(recipient)s.") % {"recipient": message.recipient}
            result = gettext("The email is on its way again.")
        else:
            amount = Decimal(message.payload["amount"])
            names = {
                "message": message.label,
                "amount": format_money(amount, message.payload["currency"]),
            }
            title = gettext("Ask the payment gateway again?")
            hint = gettext("%(message)s: %(amount)s") % names
            result = gettext("The payment gateway is asked again.")

        def perform(_form: ConfirmForm) -> str:
            outbox.send_again(message_ids=[message.pk], actor=staff_user(request))
            return result

        return self.action_form_view(
            request,
            message,
            form_class=ConfirmForm,
            title=title,
            hint=hint,
            button=send_again_label(message),
            button_kind="primary" if is_email else "danger",
            perform=perform,
        )

    @action(description=_("Send again"), permissions=["action"])
    def send_selected_again(
        self, request: HttpRequest, selected: QuerySet[OutboxMessage]
    ) -> HttpResponse | None:
        """Ask, then send the selected emails again; those that are waiting are left alone.

        What the payment gateway refused is tried again one by one.
        """
        chosen = selected.filter(channel=OutboxMessage.Channel.EMAIL)
        pks = [message.pk for message in chosen if outbox.can_send_again(message)]
        if not pks:
            messages.info(request, str(MessagePending()))
            return None
        form = ConfirmForm(request.POST if FORM_KEY_FIELD in request.POST else None)
        if form.is_valid():
            try:
                run_form_once(request, partial(_send_again, request, pks))
            except ShopError as error:
                add_service_error(form, error)
            else:
                return None
        title = ngettext("Send %(count)d email again?", "Send %(count)d emails again?", len(pks))
        button = ngettext("Send %(count)d email again", "Send %(count)d emails again", len(pks))
        return render_action_form(
            request,
            self,
            form=form,
            title=title % {"count": len(pks)},
            hint=gettext("Each customer gets it at the present email address."),
            button=button % {"count": len(pks)},
            back_url=request.get_full_path(),
            hidden=[*action_fields(request), form_key()],
        )


def _send_again(request: HttpRequest, pks: list[int]) -> str:
    """Send the emails again; return the success message. Raises MessagePending."""
    count = outbox.send_again(message_ids=pks, actor=staff_user(request))
    message = ngettext(
        "%(count)d email is on its way again.", "%(count)d emails are on their way again.", count
    )
    return message % {"count": count}
