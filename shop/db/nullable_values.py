"""Which columns may hold null: also generated ones, whose field doesn't say so.

Undocumented in Django: `GeneratedField.referenced_fields`, and the classes of a resolved condition.
"""

from typing import Any

from django.db.models import Lookup, Value
from django.db.models.expressions import Col, CombinedExpression
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode

#: Expressions that are null only if an operand is, but for a division. `Case`, say, is not.
NULL_ONLY_IF_OPERAND = (WhereNode, Lookup, CombinedExpression, Value, Col)


def may_be_null(field: Any) -> bool:
    """Return whether a stored value of the field may be null: if generated, unless it can't be."""
    if field.null or not field.generated:
        return bool(field.null)
    sources = (field.output_field, *field.referenced_fields)
    unread = [field.expression.resolve_expression(Query(field.model, alias_cols=False))]
    while unread:
        part = unread.pop()
        if not isinstance(part, NULL_ONLY_IF_OPERAND) or getattr(part, "connector", "") == "/":
            return True
        unread += [operand for operand in part.get_source_expressions() if operand is not None]
    return any(source.null for source in sources)
