"""The emails in the outbox: what was sent, what is waiting and what failed."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from shop.admin.base import ActionFormAdmin, ReadOnlyAdmin, TabbedAdmin, staff_user
from shop.admin.forms import ConfirmForm
from shop.admin.rendering import message_label, render_email
from shop.documents import emails
from shop.documents.emails import Undeliverable
from shop.models import OutboxMessage
from shop.models.outbox import EMAILS
from shop.services import outbox
from shop.services.errors import MessagePending

SEND_AGAIN = _("Send again")
#: Shown only of a message that is waiting.
PENDING_FIELDS = ("due_at", "expires_at")


@admin.register(OutboxMessage)
class OutboxMessageAdmin(TabbedAdmin, ActionFormAdmin, ReadOnlyAdmin):
    """The emails to customers, which only the shop writes; staff can send one again."""

    empty_text = _("Emails to customers appear here, with those that could not be sent.")
    tab_field = "status"
    tab_labels = OutboxMessage.Status.choices
    list_class = "shop-card-list"  # on a phone, see `admin.css`
    list_display = ("message", "recipient", "order", "status_column", "created_at", "sent_at")
    list_select_related = ("order",)
    search_fields = ("user__search_text", "order__order_number")
    search_help_text = _("Name, email or order number")
    readonly_fields = (
        "message",
        "leaves",
        "recipient",
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
        """Add whether the banner shows the button "Send again"."""
        context["can_send_again"] = self.can_send_again(request, kwargs["obj"])
        return super().render_change_form(request, context, **kwargs)

    def can_send_again(self, request: HttpRequest, message: OutboxMessage) -> bool:
        """Return whether the user may send the message again now."""
        return outbox.can_send_again(message) and self.has_action_permission(request)

    def record_url(self, record: Any) -> str:
        """Return the URL of the order's page, which shows its emails, or else of the email's."""
        if record.order_id:
            return reverse("admin:shop_order_change", args=[record.order_id])
        return super().record_url(record)

    def send_again(self, request: HttpRequest, message: OutboxMessage) -> HttpResponse:
        """Ask, then send the email again."""

        def perform(_form: ConfirmForm) -> str:
            outbox.send_again(message_ids=[message.pk], actor=staff_user(request))
            return gettext("The email is on its way again.")

        return self.action_form_view(
            request,
            message,
            form_class=ConfirmForm,
            title=gettext("Send the email “%(email)s” again?") % {"email": message.label},
            hint=gettext("To %(recipient)s.") % {"recipient": message.recipient},
            button=SEND_AGAIN,
            perform=perform,
        )

    @action(description=SEND_AGAIN, permissions=["action"])
    def send_selected_again(self, request: HttpRequest, selected: QuerySet[OutboxMessage]) -> None:
        """Send the selected emails again; those that are waiting anyway are left alone."""
        pks = list(selected.values_list("pk", flat=True))
        try:
            count = outbox.send_again(message_ids=pks, actor=staff_user(request))
        except MessagePending as error:
            messages.info(request, str(error))
            return
        message = ngettext(
            "%(count)d email is on its way again.",
            "%(count)d emails are on their way again.",
            count,
        )
        messages.success(request, message % {"count": count})
