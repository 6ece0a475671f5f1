"""Endpoints that set and remove the pictures of a record: one pair for each public PictureField."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from django.http import HttpResponse
from ninja import File, Router, UploadedFile

from shop import exposure
from shop.api.auth import ApiRequest, staff_with
from shop.api.model_filters import key_parameter
from shop.api.model_resource import ModelResource
from shop.api.record_data import errors_by_api_name
from shop.models.products import PictureField

#: Called with the request, the record's key, the picture or "", and the name of the field.
type SavePicture = Callable[[ApiRequest, Any, Any, str], HttpResponse]


def add_endpoints(
    router: Router,
    resource: ModelResource,
    save: SavePicture,
    *,
    key: str = "pk",
    besides: Collection[str] = (),
) -> None:
    """Add the endpoints of all public pictures `besides` those that have endpoints already.

    `key` is the name of the record's key in the path.
    """
    record_id = key_parameter(resource.model, key)
    editable = exposure.editable_fields(resource.model)
    for name in exposure.media_fields(resource.model):
        field = exposure.get_field(resource.model, name)
        if isinstance(field, PictureField) and name in editable and name not in besides:
            _add_pair(
                router, resource, field, errors_by_api_name(resource.model)(save), key, record_id
            )


def _add_pair(
    router: Router,
    resource: ModelResource,
    field: exposure.Field,
    save: SavePicture,
    key: str,
    record_id: Any,
) -> None:
    model, name = resource.model, field.name
    codename = str(model._meta.model_name)
    about = {"field": str(field.verbose_name), "model": str(model._meta.verbose_name)}
    options: dict[str, Any] = {
        "response": resource.response,
        "auth": staff_with(f"change_{codename}"),
    }

    @router.put(
        f"/{{{key}}}/{name}/",
        summary="Set the {field} of one {model}".format(**about),
        description="A JPEG, PNG or WebP file of up to 5 MB and 12 megapixels.",
        **options,
    )
    @named(f"set_{codename}_{name}")
    def set_picture(
        request: ApiRequest,
        pk: record_id,
        picture: Annotated[UploadedFile, File(alias=name)],
    ) -> HttpResponse:
        return save(request, pk, picture, name)

    @router.delete(
        f"/{{{key}}}/{name}/",
        summary="Remove the {field} of one {model}".format(**about),
        description="The record keeps its other values.",
        **options,
    )
    @named(f"remove_{codename}_{name}")
    def remove_picture(request: ApiRequest, pk: record_id) -> HttpResponse:
        return save(request, pk, "", name)


def named(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that names an endpoint, and with it its operation in the document."""

    def rename(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.__name__ = name
        return endpoint

    return rename
