"""The HTTP API described for programs: OpenAPI 3.1, made of the table of its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_server.web.api import Operation

_REF: Final = "#/components/schemas/{name}"
_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong, one sentence."}},
}


def document(operations: Iterable[Operation], version: str) -> dict[str, Any]:
    """Describe the API.

    Args:
        operations: What can be asked.
        version: Of this program.

    Returns:
        An OpenAPI document, ready to be written as JSON.
    """
    operations = tuple(operations)
    kinds = [operation.answer for operation in operations]
    kinds += [operation.body for operation in operations if operation.body is not None]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "channel_server",
            "version": version,
            "description": "See who is connected to a channel server, and tell it what to do.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Error": _ERROR},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "ADMIN_API_KEY"}
            },
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    errors = {
        "401": "The key is missing or wrong.",
        "403": "A page of another site has asked.",
        "429": "Too many wrong keys: wait a minute.",
    }
    if operation.parameters or operation.body is not None:
        errors["400"] = "Something that was sent is wrong."
    if operation.body is not None:
        errors["408"] = "The body did not come in time."
        errors["413"] = "The body is too long."
        errors["415"] = "The body is not application/json."
    if operation.method != "GET":
        errors["503"] = "Redis cannot be reached, or refuses."
    described: dict[str, Any] = {
        "operationId": operation.handle.__name__.strip("_"),
        "summary": operation.text,
        "responses": {
            str(operation.status): {
                "description": "Done.",
                "content": _content(operation.answer.__name__),
            },
            **{
                status: {"description": text, "content": _content("Error")}
                for status, text in sorted(errors.items())
            },
        },
    }
    if operation.parameters:
        described["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.place == "path",
                "schema": parameter.schema,
                "description": parameter.text,
            }
            for parameter in operation.parameters
        ]
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body.__name__)}
    return described


def _content(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=name)}}}
