"""What is for sale, and why there is as much of it as there is."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import IO, Any, ClassVar

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.files import ImageFieldFile
from django.db.models.functions import Lower

from shop import images
from shop.db.private_attributes import is_committed, mark_committed
from shop.models.base import CleanTextModel, generate_code
from shop.money import MAX_PRICE, MoneyField

MAX_STOCK = 1_000_000_000
SKU_TAKEN_CODE = "sku_taken"


class SkuField(models.CharField):  # type: ignore[type-arg]
    """A stock keeping unit: printable ASCII, so that "regardless of case" means the same in every database.

    One that is left empty is made when the row is first written.
    """

    default_validators: ClassVar[list[Any]] = [  # type: ignore[misc]
        RegexValidator(
            r"^[!-~]+( [!-~]+)*\Z", "Use letters A to Z, digits and signs, without accents."
        )
    ]

    @staticmethod
    def made() -> str:
        """One for a product that came without."""
        return f"P-{generate_code(7)}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's
        if not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, self.made())
        return super().pre_save(model_instance, add)


class PictureFile(ImageFieldFile):
    """A stored picture, with a small one beside it."""

    @property
    def small_url(self) -> str:
        """Its address; at most 400 pixels wide and high."""
        return self.storage.url(images.small_name(str(self.name)))

    def save(self, name: str, content: Any, save: bool = True) -> None:  # noqa: FBT001, FBT002 - Django's
        if not isinstance(content, images.Picture):
            return super().save(name, content, save)
        self.name = self.field.generate_filename(self.instance, name)
        images.store_picture(self.storage, self.name, content)
        setattr(self.instance, self.field.attname, self.name)
        mark_committed(self)
        return self.instance.save() if save else None

    def delete(self, save: bool = True) -> None:  # noqa: FBT001, FBT002 - Django's
        """Show it no more. Others may: its file goes by `services.pictures`, when nobody names it."""
        setattr(self.instance, self.field.attname, "")
        if save:
            self.instance.save()


class PictureField(models.ImageField):
    """A picture that is checked and drawn anew while it is cleaned, whichever door it came through."""

    attr_class = PictureFile

    @staticmethod
    def drawn(upload: IO[bytes]) -> images.Picture:
        """What is stored of an upload. It may take seconds: before a transaction, not in it."""
        try:
            return images.normalize_image(upload)
        except images.ImageRefused as error:
            raise ValidationError(str(error), code="invalid_image") from error

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if value and not is_committed(value) and not isinstance(value.file, images.Picture):
            value.file = self.drawn(value.file)
            value.name = value.file.name
        return super().clean(value, model_instance)


class Product(CleanTextModel):
    """Something for sale. One line added here reaches admin, product file, API and documentation."""

    #: Seen and edited by staff; never leaves through the API.
    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset({"low_stock_threshold", "is_low"})

    name = models.CharField(
        "name",
        max_length=200,
        help_text="As customers read it, with what tells it from its neighbours.",
    )
    sku = SkuField(
        "SKU",
        max_length=64,
        blank=True,
        help_text="Your own article number, unique regardless of case. Made when left empty.",
    )
    description = models.TextField(
        "description",
        blank=True,
        max_length=20_000,
        help_text="What customers read beside the picture.",
    )
    price = MoneyField(
        "price",
        max_digits=10,
        validators=[MinValueValidator(Decimal("0.00")), MaxValueValidator(MAX_PRICE)],
        help_text="In the shop's currency, with two decimals.",
    )
    stock = models.PositiveIntegerField(
        "stock",
        default=0,
        editable=False,
        help_text="Units ready to sell. Changed by sales and by adjusting, never typed over.",
    )
    in_stock = models.GeneratedField(
        verbose_name="in stock",
        expression=Q(stock__gt=0),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="Whether there is at least one unit to sell.",
    )
    image = PictureField("picture", upload_to="products", blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Whether customers see it. An archived product is not."
    )
    low_stock_threshold = models.PositiveIntegerField(
        "low stock at",
        default=5,
        validators=[MaxValueValidator(MAX_STOCK)],
        help_text="Staff are warned at this number of units or fewer.",
    )
    is_low = models.GeneratedField(
        verbose_name="low",
        expression=Q(stock__lte=F("low_stock_threshold")),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        help_text="Whether staff should think of more.",
    )
    created_at = models.DateTimeField("created at", auto_now_add=True)
    updated_at = models.DateTimeField("updated at", auto_now=True)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                Lower("sku"),
                name="product_sku_is_unique",
                violation_error_code=SKU_TAKEN_CODE,
                violation_error_message="Another product has this SKU.",
            ),
            models.CheckConstraint(
                condition=Q(stock__gte=0, stock__lte=MAX_STOCK), name="product_stock_in_bounds"
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0, price__lte=MAX_PRICE), name="product_price_in_bounds"
            ),
        )
        indexes = (
            models.Index(fields=["created_at", "id"], name="product_newest"),
            # Of those that customers see: the pages before a late one are passed over in the index alone, in
            # which SQLite looks for the flag even so.
            models.Index(
                fields=["created_at", "id", "is_active"],
                condition=Q(is_active=True),
                name="product_pages",
            ),
            models.Index(fields=["name", "id"], name="product_name"),
            models.Index(fields=["price", "id"], name="product_price"),
            # Of the flag, not of the stock: a sale then touches no index (PostgreSQL's heap-only update).
            models.Index(fields=["id"], condition=Q(is_low=True), name="product_low_stock"),
        )

    def __str__(self) -> str:
        return self.name

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        try:
            super().validate_constraints(exclude=exclude)
        except ValidationError as error:
            # A constraint on an expression belongs to no field; this one is read beside its own.
            found = [one for errors in error.error_dict.values() for one in errors]
            raise ValidationError(
                {"sku" if one.code == SKU_TAKEN_CODE else NON_FIELD_ERRORS: one for one in found}
            ) from error

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Write everything but the stock, which belongs to `shop.services.stock` and its ledger."""
        if self._state.adding and self.stock:
            raise ValueError(
                "A product starts with no stock; shop.services.stock records the first."
            )
        if not self._state.adding:
            mine = {
                f.name for f in self._meta.concrete_fields if not f.primary_key and not f.generated
            }
            update_fields = (mine if update_fields is None else set(update_fields)) - {"stock"}
        super().save(update_fields=update_fields, **kwargs)


class StockMovement(models.Model):
    """One line of the ledger: how many units came or went, when, why and by whom. Never changed again."""

    class Kind(models.TextChoices):
        INITIAL = "initial", "First stock"
        SALE = "sale", "Sale"
        CANCELLATION = "cancellation", "Cancellation"
        RECEIVED = "received", "Received"
        RETURNED = "returned", "Returned"
        DAMAGED = "damaged", "Damaged or lost"
        COUNTED = "counted", "Counted"
        CORRECTION = "correction", "Correction"
        IMPORT = "import", "Import"

    #: What staff may enter by hand; the others come from the shop's own doings.
    BY_HAND: ClassVar[tuple[Kind, ...]] = (
        Kind.RECEIVED,
        Kind.RETURNED,
        Kind.DAMAGED,
        Kind.CORRECTION,
    )

    # Other indexes begin with the product, and with the order.
    product = models.ForeignKey(Product, models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField("kind", max_length=20, choices=Kind)
    delta = models.IntegerField("change")
    balance_after = models.PositiveIntegerField("stock after")
    order = models.ForeignKey(
        "shop.Order",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        db_index=False,
    )
    product_import = models.ForeignKey(
        "shop.ProductImport",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        # Written by the hundred thousand in one transaction, and nobody asks the ledger by it.
        db_index=False,
        db_constraint=False,
        verbose_name="import",
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField("reason", max_length=200, blank=True)
    created_at = models.DateTimeField("at", auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(delta=0), name="movement_changes_something"),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="movement_balance_not_negative"
            ),
            models.UniqueConstraint(
                fields=["order", "product", "kind"],
                condition=Q(order__isnull=False),
                name="movement_of_a_kind_once_per_order_and_product",
            ),
        )
        indexes = (
            models.Index(fields=["product", "-id"], name="movement_of_product"),
            models.Index(fields=["kind", "-id"], name="movement_of_kind"),
            # How fast a product sells now, however long its story is.
            models.Index(
                fields=["product", "created_at"], condition=Q(kind="sale"), name="movement_pace"
            ),
        )

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.get_kind_display()}"
