"""The audit log: changes made by staff, and sign-ins."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

#: The actions of entries that no change of a record has made.
SIGN_IN_ACTIONS = ("signed_in", "sign_in_failed", "wrong_code", "locked_out", "password_reset")


class AuditEntry(models.Model):
    """One change by a member of staff, with old and new values, or one attempt to sign in.

    Entries are never changed. Attempts name client and device instead of changes, and an `actor`
    only if a member of staff succeeded.

    An entry refers to its record by model name and id, so that it outlives the record.
    """

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        REMOVED = "removed", _("Removed")
        SIGNED_IN = "signed_in", _("Signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("Wrong password")
        WRONG_CODE = "wrong_code", _("Wrong two-factor code")
        LOCKED_OUT = "locked_out", _("Too many attempts")
        PASSWORD_RESET = "password_reset", _("Set a new password by email")

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("by"),
    )
    action = models.CharField(_("action"), max_length=20, choices=Action, default=Action.CHANGED)
    model_name = models.CharField(_("record type"), max_length=50)
    record_id = models.CharField(_("record ID"), max_length=36)
    record_label = models.CharField(_("record"), max_length=200)
    changes = models.TextField(_("change"), blank=True)
    client_ip = models.CharField(_("client IP"), max_length=45, blank=True)
    #: Set on the entries of its products, for which the entry of the change set itself stands.
    change_set = models.ForeignKey(
        "shop.ChangeSet",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        verbose_name=_("bulk change"),
    )
    device = models.CharField(_("device"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("date"), auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("audit log entry")
        verbose_name_plural = _("audit log")
        indexes = (
            models.Index(fields=["model_name", "record_id", "-id"], name="audit_of_record"),
            models.Index(
                fields=["created_at"],
                condition=Q(action__in=SIGN_IN_ACTIONS),
                name="audit_sign_ins",
            ),
        )

    def __str__(self) -> str:
        return f"{self.record_label} {self.get_action_display().lower()}"
