"""The input of a picture: its small version, “Replace” and “Remove”."""

from typing import Any, ClassVar

from django.forms.renderers import TemplatesSetting
from unfold.widgets import UnfoldAdminImageFieldWidget


class PictureInput(UnfoldAdminImageFieldWidget):  # type: ignore[misc]
    """Shows the stored picture instead of its path. Its value is a `PictureFile`."""

    template_name = "admin/shop/picture_input.html"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        """Render with the project's templates; Django's own renderer knows those of apps only."""
        return super().render(name, value, attrs, TemplatesSetting())

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": ["shop/record-form.css"]}
