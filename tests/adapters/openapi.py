"""A platform's own OpenAPI document as a judge of requests, and of the answers of our stand-in.

It must not know any platform: a document (3.1, its schemas inside), and one request or answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from crosspost.testing.loopback import Reply, Seen


class Judge:
    """Says what is wrong with a request or an answer; "" when nothing is."""

    def __init__(self, path: Path) -> None:
        self.document = json.loads(path.read_text())
        self._validators: dict[str, Draft202012Validator] = {}

    def of_request(self, seen: Seen, body: Any) -> str:
        """`seen` without the server's path; `body` is its JSON, wherever it stood."""
        template, names = self._template(seen.path)
        if not template or seen.method.lower() not in template:
            return f"there is no {seen.method} {seen.path}"
        operation = template[seen.method.lower()]
        wanted = {
            (p["in"], p["name"]): p["schema"]
            for p in [*template.get("parameters", []), *operation["parameters"]]
        }
        given = {("path", name): value for name, value in names.items()}
        given |= {("query", name): value for name, value in seen.query.items()}
        for (where, name), value in given.items():
            if (where, name) not in wanted:
                return f"no such parameter: {name}"
            if fault := self._fault(wanted[where, name], _typed(value, wanted[where, name])):
                return f"{name}: {fault}"
        return self._of_body(operation, body)

    def of_answer(self, seen: Seen, reply: Reply) -> str:
        """The answer to a request; only good ones are described."""
        template, _ = self._template(seen.path)
        described = template[seen.method.lower()]["responses"].get(str(reply.status), {})
        content = described.get("content")
        if not content:
            return "" if reply.status == 204 or reply.status >= 300 else "no such answer"
        return self._fault(content["application/json"]["schema"], reply.json)

    def _template(self, path: str) -> tuple[dict[str, Any], dict[str, str]]:
        for template, found in self.document["paths"].items():
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
            if match := re.fullmatch(pattern, path):
                return found, match.groupdict()
        return {}, {}

    def _of_body(self, operation: dict[str, Any], body: Any) -> str:
        if "requestBody" not in operation:
            return "" if body is None else "a body that nobody asked for"
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        return next(self._unknown(schema, body), "") or self._fault(schema, body)

    def _unknown(self, schema: dict[str, Any], body: Any) -> Iterator[str]:
        """Fields that the document has not: a server ignores them, and we would believe in them."""
        if "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for choice in _choices(schema, body):
            yield from self._unknown(choice, body)
        if isinstance(body, dict) and "properties" in schema:
            for name, value in body.items():
                if name not in schema["properties"]:
                    yield f"no such field: {name}"
                else:
                    yield from self._unknown(schema["properties"][name], value)
        if isinstance(body, list) and "items" in schema:
            for value in body:
                yield from self._unknown(schema["items"], value)

    def _fault(self, schema: dict[str, Any], value: Any) -> str:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self.document["components"]}
            self._validators[key] = Draft202012Validator(whole)
        fault = next(iter(self._validators[key].iter_errors(value)), None)
        return f"{'/'.join(map(str, fault.path))} {fault.message}"[:300] if fault else ""


def _choices(schema: dict[str, Any], body: Any) -> list[dict[str, Any]]:
    """The schemas that a body may be of: the one that it names itself, where it does."""
    if "discriminator" in schema and isinstance(body, dict):
        how = schema["discriminator"]
        named = how["mapping"].get(body.get(how["propertyName"]))
        return [{"$ref": named}] if named else []
    return [choice for choice in schema.get("oneOf", []) if choice.get("type") != "null"]


def _typed(value: str, schema: dict[str, Any]) -> Any:
    """A value of an address as its schema sees it."""
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return int(value) if schema.get("type") == "integer" and value.isdecimal() else value
