"""Addresses for a catalogue model that declares its surface (`STAFF_ONLY`) and has none of its own.

Everybody who may read the catalogue reads it; staff with the model's permissions write it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from ninja import Path, Query, Router, Status
from pydantic import BaseModel

from shop import exposure
from shop.api.auth import ApiRequest, catalogue_reader, staff
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.responses import paginated_response, respond
from shop.api.schemas import Id, Page, Paging
from shop.schema_factory import Body, request_schema, response_schema
from shop.services import crud
from shop.services.errors import InUse, NotFound

RecordId = Annotated[Id, Path()]


def url_name(model: type[Model]) -> str:
    """Where a model's records live: `suppliers`."""
    return slugify(str(model._meta.verbose_name_plural))


@dataclass(frozen=True)
class Shapes:
    """What a model's records look like outside: answered, to create or replace, to change."""

    model: type[Model]
    shown: type[BaseModel]
    taken: type[BaseModel]
    partly: type[BaseModel]

    @classmethod
    def of(cls, model: type[Model]) -> "Shapes":
        """Read them from the model."""
        name = model._meta.object_name
        about = {"__doc__": model.__doc__, "__module__": __name__}
        writable = exposure.api_writable_fields(model)
        return cls(
            model,
            response_schema(model, exposure.api_readable_fields(model))(
                type(f"{name}Out", (BaseModel,), about)
            ),
            request_schema(model, writable)(type(f"{name}In", (Body,), about)),
            request_schema(model, writable, partial=True)(type(f"{name}Patch", (Body,), about)),
        )

    @property
    def rows(self) -> QuerySet[Any, dict[str, Any]]:
        """The records as `shown` takes them."""
        columns = [
            exposure.get_field(self.model, field).attname
            for field in exposure.api_readable_fields(self.model)
        ]
        return self.model._default_manager.order_by("pk").values(*columns)

    def one(self, request: HttpRequest, pk: int, *, status: int = 200) -> HttpResponse:
        """One record's answer; raises NotFound."""
        row = self.rows.filter(pk=pk).first()
        if row is None:
            raise NotFound
        return respond(
            self.shown, with_media_urls(site_root(request), self.model, [row])[0], status=status
        )


def router_for(model: type[Model]) -> Router:
    """List, read, create, replace, change and delete, with bodies and answers read from the model."""
    router, shapes = Router(), Shapes.of(model)
    _reading(router, shapes)
    _writing(router, shapes, right=str(model._meta.model_name))
    return router


def _named(verb: str, model: type[Model]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name an endpoint, since a generated client calls its method so: `list_supplier`."""

    def rename(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.__name__ = f"{verb}_{model._meta.model_name}"
        return endpoint

    return rename


def _reading(router: Router, shapes: Shapes) -> None:
    model, shown = shapes.model, shapes.shown

    @router.get("/", response=Page[shown], auth=catalogue_reader, summary=f"List {url_name(model)}")  # type: ignore[valid-type]
    @_named("list", model)
    def list_records(request: ApiRequest, paging: Query[Paging]) -> HttpResponse:
        return paginated_response(
            request,
            paging,
            Page[shown],  # type: ignore[valid-type]
            shapes.rows,
            count=shapes.rows.count(),
            finish=lambda rows: with_media_urls(site_root(request), model, rows),
        )

    @router.get("/{pk}/", response=shown, auth=catalogue_reader)
    @_named("get", model)
    def get(request: ApiRequest, pk: RecordId) -> HttpResponse:
        return shapes.one(request, pk)


def _writing(router: Router, shapes: Shapes, *, right: str) -> None:
    model, shown, taken, partly = shapes.model, shapes.shown, shapes.taken, shapes.partly

    @router.post("/", response={201: shown}, auth=staff(f"add_{right}"))
    @_named("create", model)
    def create(request: ApiRequest, body: taken) -> HttpResponse:  # type: ignore[valid-type]
        values = body.model_dump(exclude_unset=True)  # type: ignore[attr-defined]
        record = crud.create_record(model, actor=request.auth.user, values=values)
        return shapes.one(request, record.pk, status=201)

    @router.put("/{pk}/", response=shown, auth=staff(f"change_{right}"))
    @_named("replace", model)
    def replace(request: ApiRequest, pk: RecordId, body: taken) -> HttpResponse:  # type: ignore[valid-type]
        return _change(request, pk, body)

    @router.patch("/{pk}/", response=shown, auth=staff(f"change_{right}"))
    @_named("change", model)
    def change(request: ApiRequest, pk: RecordId, body: partly) -> HttpResponse:  # type: ignore[valid-type]
        return _change(request, pk, body)

    @router.delete("/{pk}/", response={204: None}, auth=staff(f"delete_{right}"))
    @_named("delete", model)
    @documents_errors(InUse)
    def delete(request: ApiRequest, pk: RecordId) -> Status[None]:
        crud.delete_record(model, pk=pk, actor=request.auth.user)
        return Status(204, None)

    def _change(request: ApiRequest, pk: int, body: Any) -> HttpResponse:
        changes = body.model_dump(exclude_unset=True)
        crud.update_record(model, pk=pk, actor=request.auth.user, changes=changes)
        return shapes.one(request, pk)
