"""The OpenAPI description as a page that needs no script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

Schema = Mapping[str, Any]
_METHODS = ("get", "post")


class Operation(NamedTuple):
    """A path and a method: what it takes and gives, and its errors by status."""

    path: str
    method: str
    about: str
    takes: str | None
    gives: str
    errors: dict[str, str]


class Field(NamedTuple):
    """A field of a body; the default as JSON, None where the field is needed."""

    name: str
    type: str
    about: str
    default: str | None


def reference_page(openapi: Schema) -> str:
    """HTML with every path, what it takes and what it gives."""
    environment = Environment(loader=PackageLoader("elmokit.web"), undefined=StrictUndefined, autoescape=True)
    operations = [
        _operation(path, method, described)
        for path, methods in openapi["paths"].items()
        for method, described in methods.items()
        if method in _METHODS
    ]
    schemas = [
        {"name": name, "about": schema.get("description", ""), "fields": _fields(schema)}
        for name, schema in openapi["components"]["schemas"].items()
        if name not in ("HTTPValidationError", "ValidationError")
    ]
    page = environment.get_template("reference.html")
    return page.render(info=openapi["info"], operations=operations, schemas=schemas)


def _operation(path: str, method: str, described: Schema) -> Operation:
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = described["responses"]
    return Operation(
        path,
        method.upper(),
        about=described.get("description", ""),
        takes=_type(body) if body else None,
        gives=_type(answers["200"].get("content", {}).get("application/json", {}).get("schema", {})),
        errors={code: answer["description"] for code, answer in answers.items() if code != "200"},
    )


def _fields(schema: Schema) -> list[Field]:
    needed = schema.get("required", [])
    return [
        Field(
            name,
            _type(field),
            about=field.get("description", ""),
            default=None if name in needed else json.dumps(field.get("default")),
        )
        for name, field in schema.get("properties", {}).items()
    ]


def _type(schema: Schema) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(_type(option) for option in schema[key])
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}{_range(schema, 'minItems', 'maxItems')}"
    if kind == "string":
        return f"string{_range(schema, 'minLength', 'maxLength')}"
    if kind == "integer":
        return f"integer{_range(schema, 'minimum', 'maximum')}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return kind


def _range(schema: Schema, low: str, high: str) -> str:
    return f" ({schema.get(low, '')}–{schema[high]})" if high in schema else ""
