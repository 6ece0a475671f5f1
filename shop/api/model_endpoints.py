"""Endpoints for the models of the catalogue that have no endpoints of their own.

A model with a `STAFF_ONLY` attribute gets `/api/<plural name>/`. Whoever may read the catalogue may
read its records; staff with the model's permissions may write them.
"""

from typing import Any

from django.http import HttpResponse
from ninja import Query, Router, Status

from shop import exposure
from shop.api import etags, pictures
from shop.api.auth import ApiRequest, catalogue_reader, staff_with
from shop.api.etags import IfMatch, IfNoneMatch
from shop.api.idempotency import idempotent
from shop.api.model_filters import expand_schema, filter_schema, key_parameter
from shop.api.model_resource import ModelResource
from shop.api.openapi import documents_errors
from shop.api.paging import Page, Paging
from shop.api.pictures import named
from shop.api.record_data import errors_by_api_name
from shop.api.schemas import RESPONSES
from shop.api.strict_requests import Body
from shop.schema_factory import request_schema
from shop.services import crud
from shop.services.errors import InUse, RecordChanged


def build_router(model: exposure.Model) -> Router:
    """Build a router with endpoints to list, get, create, replace, change and delete records."""
    router, resource = Router(), ModelResource(model, RESPONSES[model])
    full_body = request_schema(model, exposure.api_writable_fields(model))(
        _generated(model, "In", Body)
    )
    record_id = key_parameter(model, "pk")
    _add_read_endpoints(router, resource, record_id)
    _add_create_and_delete(router, resource, record_id, full_body)
    _add_change_endpoints(router, resource, record_id, full_body)

    def save_picture(request: ApiRequest, pk: Any, picture: Any, name: str) -> HttpResponse:
        crud.update_record(model, pk=pk, actor=request.auth.user, changes={name: picture})
        return resource.saved_response(request, pk)

    pictures.add_endpoints(router, resource, save_picture)
    return router


def _generated(model: exposure.Model, suffix: str, base: type[Any]) -> type[Any]:
    """Return a class for a decorator of `schema_factory`: `SupplierIn`."""
    attributes = {"__doc__": model.__doc__, "__module__": __name__}
    return type(f"{model.__name__}{suffix}", (base,), attributes)


def _add_read_endpoints(router: Router, resource: ModelResource, record_id: Any) -> None:
    model, response = resource.model, resource.response
    name, plural = model._meta.verbose_name, model._meta.verbose_name_plural
    list_filters: Any = filter_schema(model)(_generated(model, "Filters", Paging))
    expand_parameters: Any = expand_schema(model)
    nothing_expanded = expand_parameters()
    options: dict[str, Any] = {
        "auth": catalogue_reader,
        "openapi_extra": etags.NOT_MODIFIED_DOCS,
        "description": "Send its `ETag` as `If-None-Match` to get 304 if nothing has changed.",
    }

    @router.get("/", response=Page[response], summary=f"List {plural}", **options)  # type: ignore[valid-type]
    @named(f"list_{model._meta.model_name}")
    def list_records(
        request: ApiRequest, filters: Query[list_filters], if_none_match: IfNoneMatch = ""
    ) -> HttpResponse:
        return resource.list_response(request, filters, if_none_match)

    @router.get("/{pk}/", response=response, summary=f"Get {name}", **options)
    @named(f"get_{model._meta.model_name}")
    def get(
        request: ApiRequest,
        pk: record_id,
        expand: Query[expand_parameters] = nothing_expanded,
        if_none_match: IfNoneMatch = "",
    ) -> HttpResponse:
        return resource.get_response(request, pk, expand, if_none_match)


def _add_create_and_delete(
    router: Router, resource: ModelResource, record_id: Any, full_body: Any
) -> None:
    model, response, codename = resource.model, resource.response, resource.model._meta.model_name
    name = model._meta.verbose_name

    @router.post(
        "/",
        response={201: response},
        auth=staff_with(f"add_{codename}"),
        summary=f"Create {name}",
        description="For staff with the permission to add these records.",
    )
    @idempotent
    @errors_by_api_name(model)
    @named(f"create_{codename}")
    def create(request: ApiRequest, body: full_body) -> HttpResponse:
        values = exposure.rename_api_names(model, body.model_dump(exclude_unset=True))
        record = crud.create_record(model, actor=request.auth.user, values=values)
        return resource.saved_response(request, record.pk, status=201)

    @router.delete(
        "/{pk}/",
        response={204: None},
        auth=staff_with(f"delete_{codename}"),
        summary=f"Delete {name}",
        description="Refused while other records refer to it.",
    )
    @named(f"delete_{codename}")
    @documents_errors(InUse, RecordChanged)
    def delete(request: ApiRequest, pk: record_id, if_match: IfMatch = "") -> Status[None]:
        check = resource.precondition(request, if_match)
        crud.delete_record(model, pk=pk, actor=request.auth.user, check=check)
        return Status(204, None)


def _add_change_endpoints(
    router: Router, resource: ModelResource, record_id: Any, full_body: Any
) -> None:
    model, codename = resource.model, resource.model._meta.model_name
    name, writable = model._meta.verbose_name, exposure.api_writable_fields(model)
    patch_body: Any = request_schema(model, writable, partial=True)(
        _generated(model, "Patch", Body)
    )

    @errors_by_api_name(model)
    def update(request: ApiRequest, pk: Any, body: Any, if_match: str) -> HttpResponse:
        changes = exposure.rename_api_names(model, body.model_dump(exclude_unset=True))
        crud.update_record(
            model,
            pk=pk,
            actor=request.auth.user,
            changes=changes,
            check=resource.precondition(request, if_match),
        )
        return resource.saved_response(request, pk)

    def add(method: str, verb: str, description: str, body_schema: Any) -> None:
        @router.api_operation(
            [method],
            "/{pk}/",
            response=resource.response,
            auth=staff_with(f"change_{codename}"),
            summary=f"{verb} {name}",
            description=description,
        )
        @documents_errors(RecordChanged)
        @named(f"{verb.lower()}_{codename}")
        def save(
            request: ApiRequest, pk: record_id, body: body_schema, if_match: IfMatch = ""
        ) -> HttpResponse:
            return update(request, pk, body, if_match)

    add("PUT", "Replace", "Fields that are left out keep their values.", full_body)
    add("PATCH", "Change", "Only the fields that are sent are changed.", patch_body)
