"""What staff changed."""

from django.conf import settings
from django.db import models


class AuditEntry(models.Model):
    """One change by a member of staff: who, what, from what to what. Never changed again.

    It names its record by the model's name, not by a content type, and outlives it.
    """

    class Action(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        REMOVED = "removed", "Removed"

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="who"
    )
    action = models.CharField("did", max_length=10, choices=Action, default=Action.CHANGED)
    kind = models.CharField("kind", max_length=50)
    record_id = models.CharField(max_length=36)
    record = models.CharField("what", max_length=200)
    changes = models.TextField("from what to what", blank=True)
    created_at = models.DateTimeField("when", auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "audit log entries"
        indexes = (models.Index(fields=["kind", "record_id", "-id"], name="audit_of_record"),)

    def __str__(self) -> str:
        return f"{self.record} {self.get_action_display().lower()}"
