"""The shop's errors: a message for people and a stable code for programs."""

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from shop.models.order_status import Text


class ShopError(Exception):
    """A rule of the shop refused the call; nothing was changed. `details` are data for programs."""

    code: ClassVar[str]
    message: ClassVar[Text]

    def __init__(self, message: str = "", **details: Any) -> None:
        self.details = details
        super().__init__(message or str(self.message))


class NotFound(ShopError):
    code, message = "not-found", _("Not found.")


class EmailTaken(ShopError):
    code, message = "email-taken", _("An account with this email already exists.")


class InvalidCredentials(ShopError):
    code, message = "invalid-credentials", _("That email and password don't match.")


class WrongCode(ShopError):
    code = "otp-required"
    message = _(
        "The code is missing, wrong or already used, or came too soon after a wrong one."
        " Wait for the next code."
    )


class InvalidToken(ShopError):
    code, message = "token-invalid", _("This token is invalid. Sign in again.")


class TokenExpired(ShopError):
    code, message = "token-expired", _("This token has expired.")


class TokenReused(ShopError):
    code, message = (
        "token-reused",
        _("This refresh token was already used. The session has ended."),
    )


class InvalidResetToken(ShopError):
    code, message = (
        "reset-token-invalid",
        _("This link or code is no longer valid. Request a new one."),
    )


class WrongPassword(ShopError):
    code, message = "wrong-password", _("The current password is wrong.")


class CartEmpty(ShopError):
    code, message = "cart-empty", _("The cart is empty.")


class CartFull(ShopError):
    code, message = "cart-full", _("The cart is full.")


class InsufficientStock(ShopError):
    code, message = "insufficient-stock", _("There isn't enough stock.")


class ProductUnavailable(ShopError):
    code, message = "product-unavailable", _("A product in the cart is no longer for sale.")


class TotalChanged(ShopError):
    code, message = "total-changed", _("The total is not the expected one.")


class PaymentDeclined(ShopError):
    code, message = "payment-declined", _("The payment was declined.")


class NothingToRefund(ShopError):
    code, message = "nothing-to-refund", _("More can't be paid back than was paid.")


class InvalidTransition(ShopError):
    code, message = "invalid-transition", _("The order can't move to this status.")


class StockChanged(ShopError):
    code, message = "stock-changed", _("The stock has changed in the meantime.")


class RecordChanged(ShopError):
    code, message = "precondition-failed", _("This has changed since you read it.")


class InUse(ShopError):
    code, message = "in-use", _("Other records still refer to this, so it can't be deleted.")


class StockLimitReached(ShopError):
    code, message = "stock-limit", _("The stock of a product would be too large.")


class IdempotencyKeyReused(ShopError):
    code, message = (
        "idempotency-key-reused",
        _("This Idempotency-Key was used for a different request."),
    )


class BackOfficeError(ShopError):
    """An error that only the admin or the payment gateway sees, never an app."""


class AlreadyAccepted(BackOfficeError):
    code, message = "already-accepted", _("This colleague has set a password already.")


class WebhookRefused(BackOfficeError):
    code, message = "webhook-refused", _("The signature of this webhook is not valid.")


class OrderChanged(BackOfficeError):
    code, message = (
        "order-changed",
        _("Someone else changed this order in the meantime. Check it and try again."),
    )


class ConcurrentUpdate(BackOfficeError):
    code, message = "overtaken", _("Someone else changed this in the meantime.")


class DeliveryReceived(BackOfficeError):
    code, message = "delivery-received", _("This delivery note was received before.")


class ImportNotReady(BackOfficeError):
    code, message = "import-not-ready", _("This can't be done now.")


class ProductsChanged(BackOfficeError):
    code, message = (
        "products-changed",
        _(
            "These products have changed since the preview, perhaps by this same change."
            " Check the preview again."
        ),
    )


class CellsRefused(BackOfficeError):
    """Some cells of a table can't be saved; `details["problems"]` says which and why."""

    code, message = "cells-refused", _("Nothing was saved. Check the marked cells.")


class MessagePending(BackOfficeError):
    code, message = (
        "message-pending",
        _("This is waiting to be sent already, or can't be sent again."),
    )


class NotErasable(BackOfficeError):
    code, message = "not-erasable", _("This person's data is still needed.")


class FileRefused(BackOfficeError):
    code, message = "file-refused", _("This file can't be read as a product list.")
