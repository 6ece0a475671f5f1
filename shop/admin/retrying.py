"""Forms that are handled a second time if saving failed, so that their validation says why."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from shop.images import StorageFull


class RetryingAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows a lost race for a unique value, and a full disk, as errors of their fields."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Handle the form; if its record can't be saved, validate it again."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError:
            pass
        except StorageFull as error:
            request.storage_error = error.strerror  # type: ignore[attr-defined]
        files: Any = request.FILES
        for upload in files.values():
            upload.seek(0)  # the form has read it
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the form class. On a full disk it refuses every file that was sent."""
        form_class = super().get_form(request, *args, **kwargs)
        message = getattr(request, "storage_error", "")
        if not message:
            return form_class

        class RefusingForm(form_class):  # type: ignore[misc, valid-type]
            def clean(self) -> Any:
                cleaned = super().clean()
                for name in self.files.keys() & self.fields.keys():
                    self.add_error(name, ValidationError(message, code="storage_full"))
                return cleaned

        return RefusingForm
