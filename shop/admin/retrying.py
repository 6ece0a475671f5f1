"""Forms that are handled a second time if saving failed, so that their validation says why."""

from typing import Any
from weakref import WeakKeyDictionary

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from shop.images import StorageFull

#: Why the files of a request could not be stored. An entry lives as long as its request.
_storage_errors: WeakKeyDictionary[HttpRequest, str] = WeakKeyDictionary()


class RetryingAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows a lost race for a unique value, and a full disk, as errors of their fields."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Handle the form; if its record can't be saved, validate it again."""
        _rewind_files(request)
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError:
            pass
        except StorageFull as error:
            _storage_errors[request] = error.strerror or ""
        _rewind_files(request)
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the form class. On a full disk it refuses every file that was sent."""
        form_class = super().get_form(request, *args, **kwargs)
        message = _storage_errors.get(request)

        class RefusingForm(form_class):  # type: ignore[misc, valid-type]
            def clean(self) -> Any:
                cleaned = super().clean()
                for name in self.files.keys() & self.fields.keys():
                    self.add_error(name, ValidationError(message or "", code="storage_full"))
                return cleaned

        return RefusingForm if message else form_class


def _rewind_files(request: HttpRequest) -> None:
    """Let a form read the request's files, also those that a form has read before."""
    files: Any = request.FILES
    for upload in files.values():
        upload.seek(0)
