"""Products and their stock ledger."""

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
from django.utils.translation import gettext_lazy as _

from shop import images
from shop.barcodes import BarcodeField
from shop.db.private_attributes import is_committed, mark_committed
from shop.db.search_text import SearchTextField
from shop.db.text_folding import NAME_COLLATION
from shop.models.base import CleanTextModel, generate_code
from shop.money import MAX_PRICE, MoneyField, TaxRateField

MAX_STOCK = 1_000_000_000
SKU_TAKEN_CODE = "sku_taken"


class SkuField(models.CharField):  # type: ignore[type-arg]
    """A stock keeping unit (SKU), generated on first save when left empty.

    Printable ASCII only, so that case-insensitive comparison is the same in every database.
    """

    default_validators: ClassVar[list[Any]] = [  # type: ignore[misc]
        RegexValidator(
            r"^[!-~]+( [!-~]+)*\Z",
            _("Use letters A to Z, digits and punctuation, without accents."),
        )
    ]

    @staticmethod
    def generate() -> str:
        """Return a random SKU such as `P-7KX29M4`."""
        return f"P-{generate_code(7)}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 - Django's
        if not getattr(model_instance, self.attname):
            setattr(model_instance, self.attname, self.generate())
        return super().pre_save(model_instance, add)


class PictureFile(ImageFieldFile):
    """A stored image with a small version beside it."""

    @property
    def small_url(self) -> str:
        """The URL of the small version, at most 400 pixels wide and high."""
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
        """Clear the field. Files are shared; `services.pictures` deletes unreferenced ones."""
        setattr(self.instance, self.field.attname, "")
        if save:
            self.instance.save()


class PictureField(models.ImageField):
    """An image that `clean` validates and re-encodes, whether it comes from a form, file or API."""

    attr_class = PictureFile

    @staticmethod
    def normalize(upload: IO[bytes]) -> images.Picture:
        """Return the image to store; ValidationError if it is refused.

        Takes up to seconds, so call it before a transaction, not inside one.
        """
        try:
            return images.normalize_image(upload)
        except images.ImageRefused as error:
            raise ValidationError(str(error), code="invalid_image") from error

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if value and not is_committed(value) and not isinstance(value.file, images.Picture):
            value.file = self.normalize(value.file)
            value.name = value.file.name
        return super().clean(value, model_instance)


class Product(CleanTextModel):
    """A product for sale.

    A field added here appears in the admin, product files, the API and its documentation.
    """

    #: Fields that the admin and product files show, but never the API.
    STAFF_ONLY: ClassVar[frozenset[str]] = frozenset({"low_stock_threshold", "is_low", "tax_rate"})
    #: A sale changes both, and no index may slow it down.
    SLOW_FILTERS: ClassVar[frozenset[str]] = frozenset({"stock", "updated_at"})

    name = models.CharField(
        _("name"),
        max_length=200,
        db_collation=NAME_COLLATION,
        help_text=_("Shown to customers. Add what sets it apart, such as colour or size."),
    )
    sku = SkuField(
        _("SKU"),
        max_length=64,
        blank=True,
        db_collation=NAME_COLLATION,
        help_text=_("Unique regardless of case. Leave empty to generate one."),
    )
    barcode = BarcodeField(
        _("barcode"),
        help_text=_("The digits under the bars: EAN, UPC, ISBN or another GTIN. Scanners find it."),
    )
    description = models.TextField(
        _("description"),
        blank=True,
        max_length=20_000,
        help_text=_("Shown to customers beside the picture."),
    )
    price = MoneyField(
        _("price"),
        max_digits=10,
        validators=[MinValueValidator(Decimal("0.00")), MaxValueValidator(MAX_PRICE)],
        help_text=_("In the shop's currency."),
    )
    stock = models.PositiveIntegerField(
        _("stock"),
        default=0,
        editable=False,
        help_text=_("Units available for sale. Changes only through sales and stock movements."),
    )
    in_stock = models.GeneratedField(
        verbose_name=_("in stock"),
        expression=Q(stock__gt=0),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        help_text=_("Whether at least one unit is available."),
    )
    image = PictureField(_("picture"), upload_to="products", blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive products are hidden from customers.")
    )
    low_stock_threshold = models.PositiveIntegerField(
        _("reorder level"),
        default=5,
        validators=[MaxValueValidator(MAX_STOCK)],
        help_text=_("Staff are warned when the stock falls to this number."),
    )
    tax_rate = TaxRateField(
        _("tax rate"),
        help_text=_("Percent of tax in the price. Leave empty for the shop's usual rate."),
    )
    is_low = models.GeneratedField(
        verbose_name=_("low"),
        expression=Q(stock__lte=F("low_stock_threshold")),  # type: ignore[arg-type]
        output_field=models.BooleanField(),
        db_persist=True,
        help_text=_("At or below the reorder level."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    search_text = SearchTextField(fields=("name", "sku", "description", "barcode"))

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                Lower("sku"),
                name="product_sku_is_unique",
                violation_error_code=SKU_TAKEN_CODE,
                violation_error_message=_("Another product has this SKU."),
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
            # Pages of active products: OFFSET runs over this index alone. SQLite still reads the
            # flag, so it is in the index.
            models.Index(
                fields=["created_at", "id", "is_active"],
                condition=Q(is_active=True),
                name="product_pages",
            ),
            models.Index(fields=["name", "id"], name="product_name"),
            models.Index(fields=["price", "id"], name="product_price"),
            # On the flag, not the stock: a sale then changes no index (heap-only update).
            models.Index(fields=["id"], condition=Q(is_low=True), name="product_low_stock"),
        )

    def __str__(self) -> str:
        return self.name

    def unique_error_message(self, model_class: Any, unique_check: Any) -> ValidationError:
        """Name the product that has the barcode."""
        error: ValidationError = super().unique_error_message(model_class, unique_check)
        if tuple(unique_check) != ("barcode",):
            return error
        other = Product._base_manager.filter(barcode=self.barcode).exclude(pk=self.pk).first()
        if other is None:
            return error
        params = {"name": other.name, "sku": other.sku}
        return ValidationError(_("%(name)s (%(sku)s) has this barcode."), error.code, params)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        try:
            super().validate_constraints(exclude=exclude)
        except ValidationError as error:
            # A constraint on an expression belongs to no field; show this one at `sku`.
            errors = [item for items in error.error_dict.values() for item in items]
            raise ValidationError(
                {"sku" if e.code == SKU_TAKEN_CODE else NON_FIELD_ERRORS: e for e in errors}
            ) from error

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save every field except `stock`, which only `shop.services.stock` writes.

        Raises ValueError for a new product with stock.
        """
        if self._state.adding and self.stock:
            raise ValueError(
                "A product starts with no stock; shop.services.stock records the first."
            )
        if not self._state.adding:
            writable = {
                f.name for f in self._meta.concrete_fields if not f.primary_key and not f.generated
            }
            update_fields = (writable if update_fields is None else set(update_fields)) - {"stock"}
        super().save(update_fields=update_fields, **kwargs)


class StockMovement(models.Model):
    """A line of the stock ledger: how many units moved, when, why and by whom. Append-only."""

    class Kind(models.TextChoices):
        INITIAL = "initial", _("First stock")
        SALE = "sale", _("Sale")
        CANCELLATION = "cancellation", _("Cancellation")
        RECEIVED = "received", _("Received")
        RETURNED = "returned", _("Returned")
        DAMAGED = "damaged", _("Damaged or lost")
        ORDER_EDIT = "order_edit", _("Order edited")
        COUNTED = "counted", _("Counted")
        CORRECTION = "correction", _("Correction")
        IMPORT = "import", _("Import")
        UNDONE = "undone", _("Bulk change undone")

    #: Kinds that staff can choose; the shop itself writes the others.
    MANUAL_KINDS: ClassVar[tuple[Kind, ...]] = (
        Kind.RECEIVED,
        Kind.RETURNED,
        Kind.DAMAGED,
        Kind.CORRECTION,
    )

    # No index of its own: other indexes start with product and with order.
    product = models.ForeignKey(Product, models.PROTECT, related_name="movements", db_index=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    delta = models.IntegerField(_("change"))
    balance_after = models.PositiveIntegerField(_("stock after"))
    order = models.ForeignKey(
        "shop.Order",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        db_index=False,
    )
    change_set = models.ForeignKey(
        "shop.ChangeSet",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="movements",
        # An import writes 100,000 movements in one transaction, and nothing queries by this.
        db_index=False,
        db_constraint=False,
        verbose_name=_("bulk change"),
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(delta=0), name="movement_changes_something"),
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="movement_balance_not_negative"
            ),
            models.UniqueConstraint(
                fields=["order", "product", "kind"],
                # An order is edited, and units of it are sent back, any number of times.
                condition=Q(order__isnull=False, kind__in=["sale", "cancellation"]),
                name="movement_of_a_kind_once_per_order_and_product",
            ),
        )
        indexes = (
            models.Index(fields=["product", "-id"], name="movement_of_product"),
            models.Index(fields=["kind", "-id"], name="movement_of_kind"),
            # The recent sales of a product, for the "days left" estimate.
            models.Index(
                fields=["product", "created_at"], condition=Q(kind="sale"), name="movement_pace"
            ),
        )

    def __str__(self) -> str:
        return f"{self.delta:+d} {self.get_kind_display()}"
