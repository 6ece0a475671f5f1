"""Create, update and delete records of models without rules of their own.

Values are given by field name: of a foreign key, its record or, by the column's name, its key; of a
many-to-many field, a list of records or keys.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError
from django.utils.translation import gettext as _

from shop import exposure
from shop.db.transactions import atomically
from shop.models import User
from shop.models.products import PictureField
from shop.services import audit
from shop.services.errors import InUse, NotFound


def create_record[M: Model](model: type[M], *, actor: User, values: Mapping[str, Any]) -> M:
    """Create a record. Raises ValidationError."""
    return _create(model, actor, normalize_images(model, values))


@atomically
def _create[M: Model](model: type[M], actor: User, values: Mapping[str, Any]) -> M:
    record = model()
    changes_made = audit.diff_record(record, values)
    assign_values(record, values)
    save_record(record, force_insert=True)
    set_relations(record, values)
    audit.log(actor, record, changes_made, action=audit.Action.ADDED)
    return record


def update_record[M: Model](
    model: type[M],
    *,
    pk: int,
    actor: User,
    changes: Mapping[str, Any],
    check: Callable[[M], None] = lambda _: None,
) -> M:
    """Write the named fields and no others, so that concurrent edits of other fields survive.

    `check` gets the locked record and may raise to refuse. Raises NotFound, ValidationError.
    """
    return _update(model, pk, actor, normalize_images(model, changes), check)


@atomically
def _update[M: Model](
    model: type[M],
    pk: int,
    actor: User,
    changes: Mapping[str, Any],
    check: Callable[[M], None],
) -> M:
    record = lock_record(model, pk)
    check(record)
    changes_made = audit.diff_record(record, changes)
    assign_values(record, changes)
    save_record(record, update_fields=saved_columns(model, changes))
    set_relations(record, changes)
    if changes_made:
        audit.log(actor, record, changes_made)
    return record


@atomically
def delete_record[M: Model](
    model: type[M], *, pk: int, actor: User, check: Callable[[M], None] = lambda _: None
) -> None:
    """Delete a record, unless `check` refuses. Raises NotFound; InUse if another needs it."""
    record = lock_record(model, pk)
    check(record)
    audit.log(actor, record, action=audit.Action.REMOVED)
    try:
        record.delete()
    except ProtectedError as error:
        raise InUse from error


def normalize_images(model: type[Model], values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace uploaded pictures by what is stored. Takes seconds: call it before a transaction.

    Raises ValidationError at the field.
    """
    normalized = dict(values)
    for name, value in values.items():
        if isinstance(value, UploadedFile) and isinstance(
            exposure.get_field(model, name), PictureField
        ):
            try:
                normalized[name] = PictureField.normalize(value)
            except ValidationError as error:
                raise ValidationError({name: error}) from error
    return normalized


def validate_fields(record: Model, names: Iterable[str], *, is_unique: bool = False) -> None:
    """Validate these fields, by name or column, and the model's `clean()`.

    Other fields are not checked: an old row may break a rule that is newer. `is_unique` says that
    the caller knows the values to be unique, so that no query asks. Raises ValidationError.
    """
    others = {
        field.name
        for field in exposure.concrete_fields(type(record))
        if field.name not in names and field.attname not in names
    }
    record.full_clean(exclude=others, validate_unique=not is_unique, validate_constraints=False)


def assign_values(record: Model, values: Mapping[str, Any]) -> None:
    """Set the record's attributes, but for many-to-many fields, which `set_relations` writes."""
    relations = exposure.names_of(exposure.many_to_many_fields(type(record)))
    for name, value in values.items():
        if name not in relations:
            setattr(record, name, value)


def save_record(record: Model, **options: Any) -> None:
    """Validate and save. Raises ValidationError, also for a unique value that another just took."""
    record.full_clean()
    try:
        with transaction.atomic():
            record.save(**options)
    except IntegrityError:
        # These see the other row by now, and raise its message.
        record.validate_unique()
        record.validate_constraints()
        raise


def saved_columns(model: type[Model], changes: Iterable[str]) -> set[str]:
    """Return the columns to save with these changes, also those that Django sets by itself."""
    relations = exposure.names_of(exposure.many_to_many_fields(model))
    automatic = {f.name for f in exposure.concrete_fields(model) if getattr(f, "auto_now", False)}
    return {name for name in changes if name not in relations} | automatic


def set_relations(record: Model, values: Mapping[str, Any]) -> None:
    """Write the many-to-many fields among these values.

    Raises ValidationError at the field if a record doesn't exist, or if it needs one.
    """
    for field in exposure.many_to_many_fields(type(record)):
        if field.name not in values:
            continue
        keys = {getattr(value, "pk", value) for value in values[field.name]}
        related: Any = field.related_model
        known = set(related._default_manager.filter(pk__in=keys).values_list("pk", flat=True))
        if missing := keys - known:
            message = _("%(key)s does not exist.") % {"key": ", ".join(map(str, sorted(missing)))}
            raise ValidationError({field.name: ValidationError(message, code="unknown")})
        if not keys and not field.blank:
            required = ValidationError(field.error_messages["blank"], code="blank")
            raise ValidationError({field.name: required})
        getattr(record, field.name).set(known)


def lock_record[M: Model](model: type[M], pk: int) -> M:
    """Return the record, locked. Raises NotFound."""
    record = model._default_manager.filter(pk=pk).select_for_update(no_key=True).first()
    if record is None:
        raise NotFound
    return record
