"""Change sets: changes of many products, from a file or a page, that can be undone."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shop.db.text_folding import NAME_COLLATION
from shop.models.products import Product


class ChangeSet(models.Model):
    """A change of many products: planned as rows, applied in one transaction, undone as a whole.

    A file has a preview of its own before it is applied. The other kinds are previewed by the page
    that makes them, and stored when they are applied.
    """

    class Kind(models.TextChoices):
        FILE = "file", _("Product file")
        PRICES = "prices", _("Price change")
        RECEIPT = "receipt", _("Goods received")
        COUNT = "count", _("Stock count")
        EDIT = "edit", _("Edited in a table")
        VISIBILITY = "visibility", _("Published or archived")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Checked")
        APPLYING = "applying", _("Applying")
        APPLIED = "applied", _("Applied")
        UNDOING = "undoing", _("Undoing")
        UNDONE = "undone", _("Undone")
        FAILED = "failed", _("Failed")
        CLOSED = "closed", _("Closed")

    class BlankCells(models.TextChoices):
        KEEP = "keep", _("Keep the current value")
        CLEAR = "clear", _("Clear the field")

    class StockMode(models.TextChoices):
        DIFFERENCE = "difference", _("Apply the difference to the stock at export")
        SET = "set", _("Replace the current stock")
        ADD = "add", _("Add to the current stock")
        LEAVE = "leave", _("Ignore the stock in the file")

    #: States in which a worker is busy. If it is killed, `heartbeat_at` grows old.
    IN_PROGRESS: ClassVar[tuple[State, ...]] = (State.CHECKING, State.APPLYING, State.UNDOING)
    #: Those that change no more than the stock.
    STOCK_KINDS: ClassVar[tuple[Kind, ...]] = (Kind.RECEIPT, Kind.COUNT)

    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.FILE)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    #: A file's name, or what was done, such as "+5 %".
    name = models.CharField(_("name"), max_length=200, db_collation=NAME_COLLATION)
    supplier = models.CharField(_("supplier"), max_length=100, blank=True)
    delivery_note = models.CharField(_("delivery note"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    #: Chosen by staff: encoding, delimiter, file_format, decimal_mark, blank_cells, stock_mode,
    #: columns (field -> column index), column_headers (column index -> header), create_missing
    #: (labels of models).
    options = models.JSONField(_("options"), default=dict, blank=True)
    #: Read from the file: file_type, encoding, delimiter, file_format, columns, unknown_headers,
    #: suggestions, decimal_mark, stock_mode, questions, remote_pictures, pictures, changed_fields,
    #: missing (records that rows name: model, name, nearest). Then created (model, key, hash) by
    #: applying, and kept (names of those that undoing left).
    detected = models.JSONField(_("detected"), default=dict, blank=True)
    headers = models.JSONField(_("headers"), default=list, blank=True)
    #: Row status -> number of rows.
    counts = models.JSONField(_("rows"), default=dict, blank=True)
    #: Numbers of products and rows that applying and undoing changed.
    result = models.JSONField(_("result"), default=dict, blank=True)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    error = models.TextField(_("error"), blank=True)
    rows_checked = models.PositiveIntegerField(_("rows checked"), default=0)
    rows_total = models.PositiveIntegerField(_("rows in total"), default=0)
    created_at = models.DateTimeField(_("date"), default=timezone.now)
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, blank=True)
    #: The requested step: step, actor, good_only, at. Empty if none is waiting or running.
    pending_step = models.JSONField(_("pending step"), default=dict, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")

    def __str__(self) -> str:
        return self.name


class ImportFile(models.Model):
    """The upload's content. Media files would be public, and workers may share no disk."""

    change_set = models.OneToOneField(
        ChangeSet, models.CASCADE, primary_key=True, related_name="file"
    )
    content = models.BinaryField(_("content"))

    def __str__(self) -> str:
        return f"Upload {self.pk}"


class ChangeRow(models.Model):
    """The changes of one product. Applying and undoing read only these rows.

    `before` and `after` map field names to values in the database's format, as JSON.
    """

    class Status(models.TextChoices):
        NEW = "new", _("New")
        CHANGED = "changed", _("Changed")
        UNCHANGED = "unchanged", _("Unchanged")
        SKIPPED = "skipped", _("Skipped")
        ERROR = "error", _("Errors")

    class Outcome(models.TextChoices):
        NONE = "", _("Not applied")
        APPLIED = "applied", _("Applied")
        LEFT_OUT = "left_out", _("Left out")
        UNDONE = "undone", _("Undone")
        NOT_UNDONE = "not_undone", _("Not undone")

    #: No constraint: it would look up the change set for each of many thousand rows.
    change_set = models.ForeignKey(
        ChangeSet, models.CASCADE, related_name="rows", db_constraint=False, db_index=False
    )
    number = models.PositiveIntegerField(_("line"))
    status = models.CharField(_("status"), max_length=9, choices=Status)
    sku = models.CharField(_("SKU"), max_length=64, blank=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    #: No constraint: the row outlives the product, and does not slow down deleting it.
    product = models.ForeignKey(
        Product, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    after = models.JSONField(_("after"), default=dict)
    before = models.JSONField(_("before"), default=dict)
    delta = models.IntegerField(_("stock change"), null=True)
    #: A list of objects with `field`, `message` and `suggestion`.
    problems = models.JSONField(_("problems"), default=list)
    #: The row's cells as in the file; only of rows that have errors or are skipped.
    cells = models.JSONField(_("cells"), default=list)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        ordering = ("number",)
        indexes = (
            models.Index(fields=["change_set", "status", "number"], name="changerow_by_status"),
        )

    def __str__(self) -> str:
        return gettext("Line %(number)s: %(status)s") % {
            "number": self.number,
            "status": self.get_status_display(),
        }
