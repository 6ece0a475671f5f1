"""What can go wrong, in words for people and with a code for programs."""

from typing import Any, ClassVar


class ShopError(Exception):
    """A rule of the shop said no, and nothing was changed. `details` are facts for programs."""

    code: ClassVar[str]
    message: ClassVar[str]

    def __init__(self, message: str = "", **details: Any) -> None:
        self.details = details
        super().__init__(message or self.message)


class NotFound(ShopError):
    code, message = "not-found", "There is no such thing here."


class EmailTaken(ShopError):
    code, message = "email-taken", "An account with this email exists already."


class InvalidCredentials(ShopError):
    code, message = "invalid-credentials", "Email or password is wrong."


class WrongCode(ShopError):
    code = "otp-required"
    message = "The code is missing, wrong or used, or came too soon after a wrong one. Wait for the next one."


class InvalidToken(ShopError):
    code, message = "token-invalid", "This token is not valid. Sign in again."


class TokenExpired(ShopError):
    code, message = "token-expired", "This token has expired."


class TokenReused(ShopError):
    code, message = (
        "token-reused",
        "This refresh token was used before. The session has been ended.",
    )


class InvalidResetToken(ShopError):
    code, message = (
        "reset-token-invalid",
        "This link or code is not valid any more. Ask for a new one.",
    )


class WrongPassword(ShopError):
    code, message = "wrong-password", "The current password is wrong."


class CartEmpty(ShopError):
    code, message = "cart-empty", "The cart is empty."


class CartFull(ShopError):
    code, message = "cart-full", "The cart holds as many lines as it can."


class InsufficientStock(ShopError):
    code, message = "insufficient-stock", "There is not enough in stock."


class ProductUnavailable(ShopError):
    code, message = "product-unavailable", "A product in the cart is no longer for sale."


class TotalChanged(ShopError):
    code, message = "total-changed", "The total is no longer what was expected."


class PaymentDeclined(ShopError):
    code, message = "payment-declined", "The payment was declined."


class InvalidTransition(ShopError):
    code, message = "invalid-transition", "The order cannot take this step."


class StockChanged(ShopError):
    code, message = "stock-changed", "The stock changed since it was looked at."


class ProductChanged(ShopError):
    code, message = "precondition-failed", "The product changed since it was read."


class InUse(ShopError):
    code, message = "in-use", "Something else still needs this, so it cannot be deleted."


class IdempotencyKeyReused(ShopError):
    code, message = "idempotency-key-reused", "This Idempotency-Key was used for another request."


class BackOfficeError(ShopError):
    """A rule that only the pages of staff can meet; no API call is answered with it."""


class PricesChanged(BackOfficeError):
    code, message = (
        "prices-changed",
        "A price changed since it was looked at. Look at the new ones.",
    )


class ConcurrentUpdate(BackOfficeError):
    code, message = "overtaken", "Somebody else changed the same meanwhile."


class ImportNotReady(BackOfficeError):
    code, message = "import-not-ready", "This import cannot do that now."


class ImportChanged(BackOfficeError):
    code, message = "import-changed", "Products of this import changed since it was checked."


class NotErasable(BackOfficeError):
    code, message = "not-erasable", "What the shop knows of this person is still needed."


class FileRefused(BackOfficeError):
    code, message = "file-refused", "This file cannot be read as a list of products."
