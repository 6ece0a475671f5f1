"""Values that often cause server errors, as JSON and in URLs."""

import functools
import json
from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator

from support.api_operations import SCHEMAS

#: Values that no field accepts.
ALWAYS_INVALID = [
    "NaN",
    "-Infinity",
    "1e400",
    r'"\ud800"',
    r'"a\udfffb"',
    "{",
    "1" + "0" * 400,
    "0.0000000005",
]
#: Values that no field accepts but passwords and tokens, which are only hashed or compared.
INVALID_TEXTS = [
    r'"a\u0000b"',
    r'"\u001b[31m"',
    r'"a\u0085b"',
    r'"a\u202eb"',
    r'"a\u2066b"',
]
#: Values that some schemas accept.
SOMETIMES_VALID = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "1.5",
    "1000",
    str(2**31),
    str(2**63),
    "1e20",
    "[]",
    '{"id": 1}',
    '""',
    '"   "',
    '"5"',
    '"-1"',
    '"1e400"',
    '"0.005"',
    '"admin"',
    '"a\u200bb \U0001f600"',
    '"\'; DROP TABLE shop_order; --"',
    '"%s%n{0}{{7*7}}"',
    r'"a\nb"',
    json.dumps("x" * 101),
    json.dumps("x" * 1001),
    json.dumps("x" * 20_001),
    json.dumps("\u0958" * 1000),
    json.dumps("\u06f5"),
]
#: Bodies that every operation refuses.
INVALID_BODIES = [
    b"{",
    b"[]",
    b"[{}]",
    b"5",
    b'"x"',
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": "\xff"}',
    b'\xef\xbb\xbf{"a": 1}',
    '{"a": 1}'.encode("utf-16"),
    b"\0",
    b"[" * 100_000,
    b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"a": ' + b"9" * 10_000 + b"}",
]
IDS = [
    "0",
    "-1",
    "abc",
    "999",
    "1.5",
    "1%00",
    "%ff",
    "%ed%a0%80",
    "%D9%A1",
    "%20",
    "..%2f1",
    "1'--",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "99999999999999999999",
    "9" * 5000,
]
QUERY_VALUES = [
    "",
    "0",
    "-1",
    "1.5",
    "1e400",
    "NaN",
    "null",
    "[]",
    "%00",
    "%ff",
    "%ed%a0%80",
    "%E2%80%AE",
    "%25",
    "'%3B--",
    str(2**63),
    "1" + "0" * 400,
    "x" * 5000,
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
    "0001-01-01T00:00:00%2B14:00",
    "253402300800",
    "-62135596801",
    "1&page=2&page=3",
]
QUERY_STRINGS = [
    "?",
    "?&&&",
    "?=",
    "?%",
    "?page",
    "?page[]=1",
    "?%00=1",
    "?" + "a=1&" * 900,
    "?page=1;page=2",
]


@functools.cache
def schema_validators(schema: str) -> dict[str, Draft202012Validator]:
    """A validator for each field of a request schema."""
    components = {"components": {"schemas": SCHEMAS}}
    properties = SCHEMAS[schema]["properties"].items()
    return {
        field: Draft202012Validator(definition | components) for field, definition in properties
    }


def allows(validator: Draft202012Validator, text: str) -> bool:
    """Whether the schema allows this value, given as JSON."""
    return validator.is_valid(json.loads(text))


def with_value(body: dict[str, Any], names: Iterable[str], text: str) -> str:
    """Return the body as JSON, with the named fields set to this JSON text."""
    encoded = {name: json.dumps(value) for name, value in body.items()} | dict.fromkeys(names, text)
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in encoded.items()) + "}"
