"""The steps that record what was paid, paid back and sent back of one order."""

from functools import partial

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from shop import money
from shop.admin.base import staff_user
from shop.admin.orders.forms import MarkPaidForm, RefundForm
from shop.admin.orders.move_views import format_refund_due
from shop.admin.orders.steps import OrderSteps
from shop.admin.orders.unit_forms import ReturnForm
from shop.models import Order
from shop.models.order_status import OrderStatus, PaymentStatus, Text
from shop.services import order_payments, returns
from shop.services.errors import NothingToRefund

MARK_PAID = PaymentStatus.PAID.facts.action
REFUND = PaymentStatus.REFUND_DUE.facts.action
TAKE_RETURN = _("Take return")


def refund_label(order: Order) -> Text:
    """Return the label of the refund's button, with the amount if one is due."""
    if not order.refund_due:
        return REFUND
    amount = money.format_money(order.refund_due, order.currency)
    return gettext("Refund %(amount)s") % {"amount": amount}


def can_be_refunded(order: Order) -> bool:
    """Return whether anything received was not paid back yet."""
    return order.received_amount > 0


def can_be_returned(order: Order) -> bool:
    """Return whether the customer has units that may be sent back."""
    if order.status != OrderStatus.DELIVERED:
        return False
    return any(item.kept_quantity for item in order.items.all())


class OrderMoney(OrderSteps):
    """The views of payments, refunds and returns."""

    def mark_paid(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask, then record that what is due was paid."""

        def perform(form: MarkPaidForm) -> str:
            form.check_unchanged()
            order_payments.mark_paid(
                order_id=order.pk, actor=staff_user(request), expected_due=order.amount_due
            )
            return gettext("Order %(order)s was marked as paid.") % {"order": order}

        return self.step_view(
            request,
            order,
            form_class=partial(MarkPaidForm, order=order),
            title=gettext("Mark order %(order)s as paid?") % {"order": order},
            hint=gettext("%(amount)s, %(payment_method)s.")
            % {
                "amount": money.format_money(order.amount_due, order.currency),
                "payment_method": order.get_payment_method_display().lower(),
            },
            refusal="" if order.awaits_payment else gettext("Nothing is due of this order."),
            button=MARK_PAID,
            perform=perform,
        )

    def refund(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask for an amount, and record that it was paid back."""
        held = order_payments.held_by_gateway(order)
        hint = gettext("Pay it back first, then record it here.")
        if held:
            hint = gettext(
                "The payment gateway pays up to %(amount)s back to the card. Pay back yourself"
                " what goes beyond."
            ) % {"amount": money.format_money(held, order.currency)}
        return self.step_view(
            request,
            order,
            form_class=partial(RefundForm, order=order),
            title=gettext("Refund order %(order)s") % {"order": order},
            hint=hint,
            refusal="" if can_be_refunded(order) else gettext("Nothing is left to pay back."),
            button=gettext("Refund to the card") if held else gettext("Record refund"),
            button_kind="danger",
            perform=partial(self._refund, request, order),
        )

    def _refund(self, request: HttpRequest, order: Order, form: RefundForm) -> str:
        form.check_unchanged()
        values = form.cleaned_data
        try:
            refunded = order_payments.refund_order(
                order_id=order.pk,
                actor=staff_user(request),
                amount=values["amount"],
                reason=values["reason"],
                notify=values["notify"],
                expected_refunded=order.refunded_amount,
            )
        except NothingToRefund as error:
            raise ValidationError(
                {"amount": ValidationError(str(error), code=error.code)}
            ) from error
        amount = money.format_money(values["amount"], order.currency)
        message = gettext("%(amount)s of order %(order)s was refunded.")
        message %= {"amount": amount, "order": order}
        return " ".join(filter(None, [message, format_refund_due(refunded)]))

    def return_items(self, request: HttpRequest, order: Order) -> HttpResponse:
        """Ask what came back of a delivered order, and take it back."""
        items = list(order.items.all())
        refusal = gettext("Only delivered orders with units left can be returned.")
        return self.step_view(
            request,
            order,
            items=items,
            template="units",
            form_class=partial(ReturnForm, items=items),
            title=gettext("Return of order %(order)s") % {"order": order},
            hint=gettext("Enter what came back. What was paid for it will be due as a refund."),
            refusal="" if can_be_returned(order) else refusal,
            button=TAKE_RETURN,
            button_kind="danger",
            perform=partial(self._return_items, request, order),
        )

    def _return_items(self, request: HttpRequest, order: Order, form: ReturnForm) -> str:
        form.check_unchanged()
        form.check_units()
        units = form.units()
        returned = returns.return_items(
            order_id=order.pk,
            returned=units,
            actor=staff_user(request),
            note=form.cleaned_data["note"],
            notify=form.cleaned_data["notify"],
            expected_returned=form.returned,
        )
        put_back = sum(unit.put_back for unit in units.values())
        message = ngettext(
            "The return of order %(order)s was taken."
            " %(put_back)d unit back in stock, %(written_off)d written off.",
            "The return of order %(order)s was taken."
            " %(put_back)d units back in stock, %(written_off)d written off.",
            put_back,
        ) % {
            "order": order,
            "put_back": put_back,
            "written_off": sum(unit.write_off for unit in units.values()),
        }
        return " ".join(filter(None, [message, format_refund_due(returned)]))
