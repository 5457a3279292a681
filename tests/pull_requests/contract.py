"""GitHub's published contract (openapi.json): is this request, or this response, one of it?"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jsonschema import Draft202012Validator

DOCUMENT: dict[str, Any] = json.loads(Path(__file__).with_name("openapi.json").read_text())
ANSWERED_ANYWHERE = {"401", "403", "404", "429", "500", "502", "503"}
"""What GitHub answers to any request, as its documentation says, and the schema file does not repeat."""


class NotInContract(AssertionError):
    """Something that GitHub's own description does not know."""


def operation(method: str, path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The described operation, and the values in the path."""
    for template, methods in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        found = re.fullmatch(pattern, path)
        if found and method.lower() in methods:
            return methods[method.lower()], {name: unquote(value) for name, value in found.groupdict().items()}
    raise NotInContract(f"{method} {path}")


def check_request(method: str, path: str, query: dict[str, str], content: Any) -> dict[str, str]:
    """The values in the path, when the request is right."""
    described, values = operation(method, path)
    known = {parameter["name"]: parameter for parameter in map(_resolved, described.get("parameters", []))}
    for name, value in {**query, **values}.items():
        if name not in known:
            raise NotInContract(f"{method} {path} takes no {name}")
        schema = known[name]["schema"]
        typed: Any = int(value) if schema.get("type") == "integer" else value
        _check(schema, typed, f"{name} of {method} {path}")
    body = described.get("requestBody")
    if body is None and content is not None:
        raise NotInContract(f"{method} {path} takes no body")
    if body is not None:
        schema = body["content"]["application/json"]["schema"]
        _check(schema, content, f"the body of {method} {path}")
        unknown = set(content or {}) - set(schema["properties"])
        if unknown:
            raise NotInContract(f"the body of {method} {path} has {unknown}")
    return values


def check_response(method: str, path: str, status: int, content: Any) -> None:
    """Fails when GitHub would not answer so."""
    described, _ = operation(method, path)
    answers = described["responses"]
    if str(status) not in answers:
        if str(status) in ANSWERED_ANYWHERE:
            return
        raise NotInContract(f"{method} {path} never answers {status}")
    schema = _resolved(answers[str(status)]).get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        _check(schema, content, f"{status} of {method} {path}")


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        _, _, kind, name = node["$ref"].split("/")
        node = DOCUMENT["components"][kind][name]
    return node


def _check(schema: dict[str, Any], value: Any, what: str) -> None:
    error = next(iter(_validator(json.dumps(schema)).iter_errors(value)), None)
    if error is not None:
        raise NotInContract(f"{what}: {error.json_path}: {error.message[:300]}")


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(_as_json_schema({**json.loads(schema), "components": DOCUMENT["components"]}))


def _as_json_schema(node: Any) -> Any:
    """OpenAPI 3.0 says `nullable` where JSON Schema says a type of null."""
    match node:
        case {"nullable": True, **rest}:
            return {"anyOf": [{"type": "null"}, _as_json_schema(rest)]}
        case dict():
            return {key: _as_json_schema(value) for key, value in node.items()}
        case list():
            return [_as_json_schema(entry) for entry in node]
        case _:
            return node


def example(schema: dict[str, Any]) -> Any:
    """The least value the schema takes: required properties only."""
    schema = _resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("nullable"):
        return None
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            return example(schema[word][0])
    match schema.get("type"):
        case "object":
            properties = schema.get("properties", {})
            return {name: example(properties[name]) for name in schema.get("required", []) if name in properties}
        case "array":
            return []
        case "integer" | "number":
            return max(1, schema.get("minimum", 1))
        case "boolean":
            return False
        case "string":
            if schema.get("format") == "date-time":
                return "2026-03-01T12:00:00Z"
            return "https://github.example/x" if schema.get("format") == "uri" else "x"
        case _:
            return {}


def component(name: str) -> dict[str, Any]:
    """One published schema."""
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found
