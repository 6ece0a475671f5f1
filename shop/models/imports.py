"""Product files that staff bring: the upload, what each row of it would do, and what became of it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from shop.models.products import Product


class ProductImport(models.Model):
    """One product file on its way into the catalogue, and perhaps out again."""

    class State(models.TextChoices):
        UPLOADED = "uploaded", "Uploaded"
        CHECKING = "checking", "Being checked"
        CHECKED = "checked", "Checked"
        APPLYING = "applying", "Being applied"
        APPLIED = "applied", "Applied"
        UNDOING = "undoing", "Being undone"
        UNDONE = "undone", "Undone"
        FAILED = "failed", "Failed"
        CLOSED = "closed", "Closed"

    class Blank(models.TextChoices):
        KEEP = "keep", "keeps the value"
        CLEAR = "clear", "empties the field"

    class Stock(models.TextChoices):
        DIFFERENCE = "difference", "apply the difference to the stock at export"
        SET = "set", "set the stock to it"
        ADD = "add", "add it to the stock"
        LEAVE = "leave", "leave the stock as it is"

    #: States in which somebody is at work, who may have been killed; see `heartbeat_at`.
    IN_PROGRESS: ClassVar[tuple[State, ...]] = (State.CHECKING, State.APPLYING, State.UNDOING)

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who"
    )
    name = models.CharField("file", max_length=200)
    state = models.CharField("state", max_length=10, choices=State, default=State.UPLOADED)
    #: Chosen by staff: encoding, delimiter, dialect, point, blank, stock, columns.
    options = models.JSONField("options", default=dict, blank=True)
    #: What reading found: encoding, delimiter, dialect, columns, unknown, suggestions, question.
    found = models.JSONField("found", default=dict, blank=True)
    headers = models.JSONField("headers", default=list, blank=True)
    #: Status -> how many rows.
    counts = models.JSONField("rows", default=dict, blank=True)
    #: What applying and undoing did, in numbers.
    result = models.JSONField("result", default=dict, blank=True)
    warnings = models.JSONField("warnings", default=list, blank=True)
    error = models.TextField("error", blank=True)
    done = models.PositiveIntegerField("rows checked", default=0)
    total = models.PositiveIntegerField("rows in all", default=0)
    created_at = models.DateTimeField("uploaded", default=timezone.now)
    checked_at = models.DateTimeField("checked", null=True, blank=True)
    applied_at = models.DateTimeField("applied", null=True, blank=True)
    undone_at = models.DateTimeField("undone", null=True, blank=True)
    heartbeat_at = models.DateTimeField("last sign of life", null=True, blank=True)
    #: The step that somebody wants done next, for whoever does it: step, actor, good_only, at. Else empty.
    asked = models.JSONField("asked for", default=dict, blank=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name


class ImportFile(models.Model):
    """The upload itself, kept here because the media folder is public and workers may share no disk."""

    product_import = models.OneToOneField(
        ProductImport, models.CASCADE, primary_key=True, related_name="file"
    )
    content = models.BinaryField("content")

    def __str__(self) -> str:
        return f"Upload {self.pk}"


class ImportRow(models.Model):
    """What one row of the file would do, in the words of the database: applying and undoing only read here.

    `before` and `after` hold each field's value as the database takes it, as JSON.
    """

    class Status(models.TextChoices):
        NEW = "new", "New"
        CHANGED = "changed", "Changed"
        SAME = "same", "Same"
        SKIPPED = "skipped", "Skipped"
        WRONG = "wrong", "Wrong"

    class Outcome(models.TextChoices):
        NONE = "", "Not applied"
        APPLIED = "applied", "Applied"
        LEFT = "left", "Left out"
        UNDONE = "undone", "Taken back"
        KEPT = "kept", "Not taken back"

    #: Rows are written by the thousand, together with their import: a constraint would look it up for each.
    product_import = models.ForeignKey(
        ProductImport, models.CASCADE, related_name="rows", db_constraint=False, db_index=False
    )
    number = models.PositiveIntegerField("line")
    status = models.CharField("status", max_length=8, choices=Status)
    sku = models.CharField("SKU", max_length=64, blank=True)
    name = models.CharField("name", max_length=200, blank=True)
    #: A note of the past, like the audit log's: it outlives the product, and costs its removal nothing.
    product = models.ForeignKey(
        Product, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    after = models.JSONField("after", default=dict)
    before = models.JSONField("before", default=dict)
    delta = models.IntegerField("change of stock", null=True)
    #: Each with `field`, `said` and `suggestion`.
    problems = models.JSONField("problems", default=list)
    #: As in the file; only of rows that are wrong or skipped.
    cells = models.JSONField("cells", default=list)
    outcome = models.CharField("outcome", max_length=7, choices=Outcome, blank=True)
    why = models.CharField("why", max_length=500, blank=True)

    class Meta:
        ordering = ("number",)
        indexes = (
            models.Index(
                fields=["product_import", "status", "number"], name="importrow_by_verdict"
            ),
        )

    def __str__(self) -> str:
        return f"Line {self.number}: {self.get_status_display()}"
