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
    operations, schemas = [], []
    described = [
        (path, method, methods[method])
        for path, methods in openapi["paths"].items()
        for method in methods
        if method in _METHODS
    ]
    for path, method, operation in described:
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        answers = operation["responses"]
        gives = _type(answers["200"].get("content", {}).get("application/json", {}).get("schema", {}))
        errors = {code: answer["description"] for code, answer in answers.items() if code != "200"}
        about = operation.get("description", "")
        operations.append(Operation(path, method.upper(), about, _type(body) if body else None, gives, errors))
    for name, schema in openapi["components"]["schemas"].items():
        fields = []
        for key, field in schema.get("properties", {}).items():
            default = None if key in schema.get("required", []) else json.dumps(field.get("default"))
            fields.append(Field(key, _type(field), field.get("description", ""), default))
        if name not in ("HTTPValidationError", "ValidationError"):
            schemas.append({"name": name, "about": schema.get("description", ""), "fields": fields})
    page = environment.get_template("reference.html")
    return page.render(info=openapi["info"], operations=operations, schemas=schemas)


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
