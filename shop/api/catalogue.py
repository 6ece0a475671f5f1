"""Addresses for a catalogue model that declares its surface (`STAFF_ONLY`) and has none of its own.

Everybody who may read the catalogue reads it; staff with the model's permissions write it.
"""

from collections.abc import Callable
from typing import Annotated, Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.text import slugify
from ninja import Path, Query, Router, Status
from pydantic import BaseModel

from shop import surface
from shop.api.answers import answer, page
from shop.api.auth import ApiRequest, reader, staff
from shop.api.documentation import raises
from shop.api.files import addressed
from shop.api.reflect import Body, answers, takes
from shop.api.schemas import Id, Page, Paging
from shop.services import records
from shop.services.errors import InUse, NotFound

RecordId = Annotated[Id, Path()]


def address(model: type[Model]) -> str:
    """Where a model's records live: `suppliers`."""
    return slugify(str(model._meta.verbose_name_plural))


def router_for(model: type[Model]) -> Router:  # noqa: C901 - six endpoints, side by side
    """List, create, read, change and delete, with bodies and answers read from the model."""
    router = Router()
    name, right = model._meta.object_name or "", model._meta.model_name
    shown = answers(model, surface.readable(model))(_shape(f"{name}Out", BaseModel, model))
    taken = takes(model, surface.writable(model))(_shape(f"{name}In", Body, model))
    partly = takes(model, surface.writable(model), partial=True)(_shape(f"{name}Patch", Body, model))
    columns = [surface.field(model, field).attname for field in surface.readable(model)]

    def one(request: HttpRequest, pk: int, *, status: int = 200) -> HttpResponse:
        row = model._default_manager.filter(pk=pk).values(*columns).first()
        if row is None:
            raise NotFound
        return answer(shown, addressed(request, model, [row])[0], status=status)

    def named(verb: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def rename(endpoint: Callable[..., Any]) -> Callable[..., Any]:
            endpoint.__name__ = f"{verb}_{right}"
            return endpoint

        return rename

    @router.get("/", response=Page[shown], auth=reader, summary=f"List {address(model)}")  # type: ignore[valid-type]
    @named("list")
    def list_records(request: ApiRequest, paging: Query[Paging]) -> HttpResponse:
        found = model._default_manager.order_by("pk").values(*columns)
        return page(
            request,
            paging,
            Page[shown],  # type: ignore[valid-type]
            found,
            count=found.count(),
            finish=lambda rows: addressed(request, model, rows),
        )

    @router.post("/", response={201: shown}, auth=staff(f"add_{right}"), summary=f"Create {name}")
    @named("create")
    def create(request: ApiRequest, body: taken) -> HttpResponse:  # type: ignore[valid-type]
        record = records.create_record(model, values=body.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
        return one(request, record.pk, status=201)

    @router.get("/{pk}/", response=shown, auth=reader, summary=f"Get {name}")
    @named("get")
    def get(request: ApiRequest, pk: RecordId) -> HttpResponse:
        return one(request, pk)

    @router.put("/{pk}/", response=shown, auth=staff(f"change_{right}"), summary=f"Replace {name}")
    @named("replace")
    def replace(request: ApiRequest, pk: RecordId, body: taken) -> HttpResponse:  # type: ignore[valid-type]
        records.update_record(model, pk=pk, changes=body.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
        return one(request, pk)

    @router.patch("/{pk}/", response=shown, auth=staff(f"change_{right}"), summary=f"Change {name}")
    @named("change")
    def change(request: ApiRequest, pk: RecordId, body: partly) -> HttpResponse:  # type: ignore[valid-type]
        records.update_record(model, pk=pk, changes=body.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
        return one(request, pk)

    @router.delete("/{pk}/", response={204: None}, auth=staff(f"delete_{right}"), summary=f"Delete {name}")
    @named("delete")
    @raises(InUse)
    def delete(request: ApiRequest, pk: RecordId) -> Status[None]:
        records.delete_record(model, pk=pk)
        return Status(204, None)

    return router


def _shape[B: BaseModel](name: str, base: type[B], model: type[Model]) -> type[B]:
    return type(name, (base,), {"__doc__": model.__doc__, "__module__": __name__})
