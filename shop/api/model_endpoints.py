"""Endpoints for the exposed models that have no endpoints of their own.

A model with a `STAFF_ONLY` attribute gets `/api/<plural name>/`. Whoever may read the catalogue may
read its records; staff with the model's permissions may write them.
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
from shop.api.auth import ApiRequest, catalogue_reader, staff_with
from shop.api.idempotency import idempotent
from shop.api.media_urls import site_root, with_media_urls
from shop.api.openapi import documents_errors
from shop.api.paging import Page, Paging, paginated_response
from shop.api.request_values import Id
from shop.api.responses import respond
from shop.api.strict_requests import Body
from shop.schema_factory import request_schema, response_schema
from shop.services import crud
from shop.services.errors import InUse, NotFound

RecordId = Annotated[Id, Path()]


def url_segment(model: type[Model]) -> str:
    """Return the path segment of a model's records, from its plural name: `suppliers`."""
    return slugify(str(model._meta.verbose_name_plural))


@dataclass(frozen=True)
class ModelSchemas:
    """A model's schemas: of a response, of a body that creates or replaces, and of a PATCH body."""

    model: type[Model]
    response: type[BaseModel]
    body: type[BaseModel]
    patch: type[BaseModel]

    @classmethod
    def generate(cls, model: type[Model]) -> "ModelSchemas":
        """Generate `SupplierOut`, `SupplierIn` and `SupplierPatch` from the model's fields."""
        name = model._meta.object_name
        attributes = {"__doc__": model.__doc__, "__module__": __name__}
        writable = exposure.api_writable_fields(model)
        return cls(
            model,
            response_schema(model, exposure.api_readable_fields(model))(
                type(f"{name}Out", (BaseModel,), attributes)
            ),
            request_schema(model, writable)(type(f"{name}In", (Body,), attributes)),
            request_schema(model, writable, partial=True)(
                type(f"{name}Patch", (Body,), attributes)
            ),
        )

    @property
    def records(self) -> QuerySet[Any, dict[str, Any]]:
        """The model's rows as values for the response schema."""
        columns = [
            exposure.get_field(self.model, field).attname
            for field in exposure.api_readable_fields(self.model)
        ]
        return self.model._default_manager.order_by("pk").values(*columns)

    def record_response(self, request: HttpRequest, pk: int, *, status: int = 200) -> HttpResponse:
        """Respond with one record. Raises NotFound."""
        row = self.records.filter(pk=pk).first()
        if row is None:
            raise NotFound
        with_media_urls(site_root(request), self.model, [row])
        return respond(self.response, row, status=status)


def build_router(model: type[Model]) -> Router:
    """Build a router with endpoints to list, get, create, replace, change and delete records."""
    router, schemas = Router(), ModelSchemas.generate(model)
    _add_read_endpoints(router, schemas)
    _add_write_endpoints(router, schemas, codename=str(model._meta.model_name))
    return router


def _set_operation_name(
    verb: str, model: type[Model]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Name an endpoint after its model (`list_supplier`), so that operation ids are unique."""

    def rename(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.__name__ = f"{verb}_{model._meta.model_name}"
        return endpoint

    return rename


def _add_read_endpoints(router: Router, schemas: ModelSchemas) -> None:
    model, response = schemas.model, schemas.response
    summary = f"List {url_segment(model)}"

    @router.get("/", response=Page[response], auth=catalogue_reader, summary=summary)  # type: ignore[valid-type]
    @_set_operation_name("list", model)
    def list_records(request: ApiRequest, paging: Query[Paging]) -> HttpResponse:
        return paginated_response(
            request,
            paging,
            Page[response],  # type: ignore[valid-type]
            schemas.records,
            count=schemas.records.count(),
            to_items=lambda rows: with_media_urls(site_root(request), model, rows),
        )

    @router.get("/{pk}/", response=response, auth=catalogue_reader)
    @_set_operation_name("get", model)
    def get(request: ApiRequest, pk: RecordId) -> HttpResponse:
        return schemas.record_response(request, pk)


def _add_write_endpoints(router: Router, schemas: ModelSchemas, *, codename: str) -> None:
    model, response = schemas.model, schemas.response
    full_body, patch_body = schemas.body, schemas.patch

    @router.post("/", response={201: response}, auth=staff_with(f"add_{codename}"))
    @idempotent
    @_set_operation_name("create", model)
    def create(request: ApiRequest, body: full_body) -> HttpResponse:  # type: ignore[valid-type]
        values = body.model_dump(exclude_unset=True)  # type: ignore[attr-defined]
        record = crud.create_record(model, actor=request.auth.user, values=values)
        return schemas.record_response(request, record.pk, status=201)

    @router.put("/{pk}/", response=response, auth=staff_with(f"change_{codename}"))
    @_set_operation_name("replace", model)
    def replace(request: ApiRequest, pk: RecordId, body: full_body) -> HttpResponse:  # type: ignore[valid-type]
        return update(request, pk, body)

    @router.patch("/{pk}/", response=response, auth=staff_with(f"change_{codename}"))
    @_set_operation_name("change", model)
    def change(request: ApiRequest, pk: RecordId, body: patch_body) -> HttpResponse:  # type: ignore[valid-type]
        return update(request, pk, body)

    @router.delete("/{pk}/", response={204: None}, auth=staff_with(f"delete_{codename}"))
    @_set_operation_name("delete", model)
    @documents_errors(InUse)
    def delete(request: ApiRequest, pk: RecordId) -> Status[None]:
        crud.delete_record(model, pk=pk, actor=request.auth.user)
        return Status(204, None)

    def update(request: ApiRequest, pk: int, body: Any) -> HttpResponse:
        changes = body.model_dump(exclude_unset=True)
        crud.update_record(model, pk=pk, actor=request.auth.user, changes=changes)
        return schemas.record_response(request, pk)
