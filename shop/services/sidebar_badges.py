"""The numbers beside the admin's menu entries."""

from collections.abc import Collection
from datetime import timedelta

from django.utils import timezone

from shop.db.capped_count import CappedCount
from shop.models import CartItem, Order, OutboxMessage, Product, User

#: Where counting stops.
MAX_COUNTED = 1_000
#: Older failures are known, or nobody can mend them.
FAILURES_COUNTED = timedelta(days=7)
#: What is counted, by model name: pending orders, failed emails, products low on stock, and
#: customers with an open cart.
BADGE_MODELS = ("order", "outboxmessage", "product", "cartitem")


def get_badge_counts(user: User, models: Collection[str]) -> dict[str, int]:
    """Return the counts of these BADGE_MODELS, each at most MAX_COUNTED + 1, by one query.

    They are not cached, so that they agree with the page that shows them: in whichever process an
    order was confirmed. Indexes and the limit bound their cost in a shop of a million orders.
    """
    since = timezone.now() - FAILURES_COUNTED
    failed = OutboxMessage.objects.filter(status=OutboxMessage.Status.FAILED)
    counts = {
        "order": CappedCount(Order.objects.filter(status=Order.Status.PENDING), MAX_COUNTED),
        "outboxmessage": CappedCount(failed.filter(created_at__gt=since), MAX_COUNTED),
        "product": CappedCount(Product.objects.filter(is_low=True, is_active=True), MAX_COUNTED),
        "cartitem": CappedCount(CartItem.objects.all(), MAX_COUNTED, distinct="user"),
    }
    asked = {model: counts[model] for model in models}
    if not asked:
        return {}
    # A statement needs a table: the user is the one row that is there.
    row = User.objects.filter(pk=user.pk).values_list(*asked.values()).get()
    return dict(zip(asked, row, strict=True))
