"""The undocumented parts of Django that shop/db uses: after an upgrade, these tests fail first.

`INTERNALS` has a row for each private or undocumented name: where shop/db uses it, and a check
that it still is what the code expects. `test_private_names.py` finds names that are used elsewhere.
"""

import inspect
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.postgresql.schema import DatabaseSchemaEditor
from django.db.backends.sqlite3.base import DatabaseWrapper as SqliteWrapper
from django.db.models import Field, GeneratedField, Value
from django.db.models.fields.files import FieldFile
from django.db.models.lookups import Contains, StartsWith
from django.db.models.query import BaseIterable, ModelIterable, ValuesIterable, ValuesListIterable
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.where import WhereNode
from django.http import HttpResponse, QueryDict
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.test import RequestFactory
from django.views.decorators.csp import csp_override

import shop
from shop.models import CartItem, ChangeSet, OrderItem, Product, User

ROOT = Path(shop.__file__).parent
PRODUCTS = Product.objects.order_by("name", "-id")


def parameters(function):
    return list(inspect.signature(function).parameters)


def compiled(queryset):
    compiler = queryset.query.clone().get_compiler(queryset.db)
    compiler.as_sql()
    return compiler


def iterable_classes():
    rows = (PRODUCTS, PRODUCTS.values("sku"), PRODUCTS.values_list("sku"))
    return [queryset._iterable_class for queryset in rows]


def class_info():
    info = compiled(CartItem.objects.select_related("product")).klass_info
    (related,) = info["related_klass_infos"]
    return info["model"], related["model"], callable(related["local_setter"])


def selected_attributes():
    compiler = compiled(Product.objects.only("sku"))
    columns = compiler.klass_info["select_fields"]
    return [compiler.select[column][0].target.attname for column in columns]


def annotated_column():
    compiler = compiled(PRODUCTS.annotate(n=Value(1)))
    ((name, column),) = compiler.annotation_col_map.items()
    return name, compiler.select[column][0]


def converted_value():
    """What the converters of a JSON column make of the database's text."""
    compiler = compiled(ChangeSet.objects.values("counts"))
    ((functions, expression),) = compiler.get_converters([compiler.select[0][0]]).values()
    value = '{"new": 1}'
    for function in functions:
        value = function(value, expression, connection)
    return value


def open_blocks():
    with transaction.atomic():
        return type(connection.atomic_blocks[-1])


def parsed_request():
    request = RequestFactory().post("/", "a=1&a=2", "application/x-www-form-urlencoded")
    before = {"_post", "_body"} & vars(request).keys()
    assert request.POST["a"] == "2"
    return before, type(vars(request)["_post"]), vars(request)["_body"]


def overridden_csp():
    response = csp_override({"default-src": ["'none'"]})(lambda request: HttpResponse())(None)
    return vars(response)["_csp_config"]


def enforced_csp():
    response, request = HttpResponse(), RequestFactory().get("/")
    response._csp_config = {"img-src": ["'self'"]}
    ContentSecurityPolicyMiddleware(lambda _: response)(request)
    return response["Content-Security-Policy"]


GROUPS = User._meta.get_field("groups")

#: Module of shop/db, name, expression and its expected value.
INTERNALS = [
    (
        "compiled_queries",
        "QuerySet._iterable_class",
        iterable_classes,
        [ModelIterable, ValuesIterable, ValuesListIterable],
    ),
    (
        "compiled_queries",
        "ValuesListIterable",
        lambda: issubclass(ValuesListIterable, BaseIterable),
        True,
    ),
    ("compiled_queries", "Query.order_by", lambda: PRODUCTS.query.order_by, ("name", "-id")),
    (
        "compiled_queries",
        "Query.selected",
        lambda: list(PRODUCTS.values("stock", "sku").query.selected),
        ["stock", "sku"],
    ),
    (
        "compiled_queries",
        "Query.selected of instances",
        lambda: bool(compiled(PRODUCTS).query.selected),
        False,
    ),
    (
        "compiled_queries",
        "Query.sql_with_params",
        lambda: PRODUCTS.filter(sku="A").query.sql_with_params()[1],
        ("A",),
    ),
    ("compiled_queries", "Query.clone", lambda: parameters(Query.clone), ["self"]),
    (
        "compiled_queries",
        "Query.get_compiler",
        lambda: isinstance(PRODUCTS.query.get_compiler("default"), SQLCompiler),
        True,
    ),
    (
        "compiled_queries",
        "SQLCompiler.as_sql",
        lambda: compiled(PRODUCTS.filter(sku="A")).as_sql()[1],
        ("A",),
    ),
    (
        "compiled_queries",
        "SQLCompiler.select",
        lambda: [len(item) for item in compiled(PRODUCTS.values("sku")).select],
        [3],
    ),
    ("compiled_queries", "SQLCompiler.klass_info", class_info, (CartItem, Product, True)),
    (
        "compiled_queries",
        "SQLCompiler.klass_info select_fields",
        selected_attributes,
        ["id", "sku"],
    ),
    (
        "compiled_queries",
        "SQLCompiler.annotation_col_map",
        annotated_column,
        ("n", Value(1)),
    ),
    ("compiled_queries", "SQLCompiler.get_converters", converted_value, {"new": 1}),
    (
        "bulk_rows",
        "Field.generated",
        lambda: [field.name for field in OrderItem._meta.concrete_fields if field.generated],
        ["subtotal"],
    ),
    ("bulk_rows", "Field.get_col", lambda: parameters(Field.get_col)[:2], ["self", "alias"]),
    (
        "bulk_rows",
        "Options.local_concrete_fields",
        lambda: OrderItem._meta.local_concrete_fields == OrderItem._meta.concrete_fields,
        True,
    ),
    (
        "bulk_rows",
        "Options.db_returning_fields",
        lambda: [field.name for field in OrderItem._meta.db_returning_fields],
        ["id", "subtotal"],
    ),
    (
        "key_lists",
        "ManyToManyField.m2m_field_name and m2m_reverse_field_name",
        lambda: [GROUPS.m2m_field_name(), GROUPS.m2m_reverse_field_name()],
        ["user", "group"],
    ),
    ("deferred_join", "Query.where", lambda: type(PRODUCTS.query.where), WhereNode),
    ("deferred_join", "WhereNode()", lambda: bool(WhereNode()), False),
    (
        "transactions",
        "transaction.Atomic()",
        lambda: parameters(transaction.Atomic),
        ["using", "savepoint", "durable"],
    ),
    ("transactions", "DatabaseWrapper.atomic_blocks", open_blocks, transaction.Atomic),
    (
        "postgresql.base",
        "DatabaseWrapper.is_usable",
        lambda: parameters(DatabaseWrapper.is_usable),
        ["self"],
    ),
    (
        "postgresql.base",
        "DatabaseWrapper.SchemaEditorClass",
        lambda: DatabaseWrapper.SchemaEditorClass,
        DatabaseSchemaEditor,
    ),
    (
        "postgresql.schema",
        "DatabaseSchemaEditor.alter_field",
        lambda: parameters(DatabaseSchemaEditor.alter_field),
        ["self", "model", "old_field", "new_field", "strict"],
    ),
    (
        "postgresql.schema",
        "Field.db_parameters",
        lambda: Product._meta.get_field("stock").db_parameters(connection)["type"].split()[0],
        "integer",
    ),
    (
        "postgresql.schema",
        "GeneratedField.referenced_fields",
        lambda: {field.name for field in Product._meta.get_field("in_stock").referenced_fields},
        {"stock"},
    ),
    (
        "sqlite3.base",
        "DatabaseWrapper.get_new_connection",
        lambda: parameters(SqliteWrapper.get_new_connection),
        ["self", "conn_params"],
    ),
    (
        "search_text",
        "Field.concrete",
        lambda: [field.name for field in User._meta.fields if not field.concrete],
        ["search_text"],
    ),
    (
        "search_text",
        "Field.db_returning",
        lambda: GeneratedField.db_returning,
        True,
    ),
    (
        "search_text",
        "Field.deconstruct",
        lambda: len(Product._meta.get_field("in_stock").deconstruct()),
        4,
    ),
    (
        "search_text",
        "Lookup.get_prep_lookup",
        lambda: [parameters(lookup.get_prep_lookup) for lookup in (Contains, StartsWith)],
        [["self"], ["self"]],
    ),
    (
        "private_attributes",
        "FieldFile._committed",
        lambda: FieldFile(None, Product._meta.get_field("image"), "mug.webp")._committed,
        True,
    ),
    (
        "private_attributes",
        "HttpRequest._post and _body",
        parsed_request,
        (set(), QueryDict, b"a=1&a=2"),
    ),
    (
        "private_attributes",
        "_csp_config of csp_override",
        overridden_csp,
        {"default-src": ["'none'"]},
    ),
    (
        "private_attributes",
        "_csp_config of the middleware",
        enforced_csp,
        "img-src 'self'",
    ),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("check", "expected"),
    [(check, expected) for _, _, check, expected in INTERNALS],
    ids=[f"{module}: {name}" for module, name, _, _ in INTERNALS],
)
def test_an_undocumented_name_is_what_shop_db_expects(check, expected):
    assert check() == expected
