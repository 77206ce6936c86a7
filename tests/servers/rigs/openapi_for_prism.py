"""Prints an OpenAPI document that Prism can serve, from the JSON file given.

An OpenAPI document passes through with two mends, both for mastodon-openapi: a header
parameter typed as an object becomes a string (Prism 5 crashes on it when the header is
absent), and a request body that is oneOf several becomes anyOf (a status with text and
media fits two of them).

Telegram's Bot API as data (api.json of PaulSonOfLars/telegram-bot-api-spec) becomes an
OpenAPI 3.0 document. Only what a caller sends is described closely: each method's
parameters with type, required and the limits that its description states in words
("1-4096 characters"); the answers are small examples.
"""

import json
import re
import sys
from pathlib import Path

SIMPLE = {
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "String": {"type": "string"},
    "InputFile": {"type": "string"},
}


def schema(types, known, as_form):
    def one(name):
        if name.startswith("Array of "):
            return {"type": "array", "items": one(name[9:])}
        if name in SIMPLE:
            return dict(SIMPLE[name])
        return {"$ref": f"#/components/schemas/{name}"} if name in known else {}

    options = [one(t) for t in types]
    arrays = [o["items"] for o in options if o.get("type") == "array"]
    if len(arrays) > 1:  # an album may mix photos and videos
        mixed = {"type": "array", "items": {"anyOf": arrays}}
        options = [*(o for o in options if o.get("type") != "array"), mixed]
    if as_form:  # structures travel JSON-encoded in one form field
        options = [
            o if o.get("type") in ("integer", "number", "boolean", "string") else {"type": "string"}
            for o in options
        ]
    unique = [o for i, o in enumerate(options) if o not in options[:i]]
    return unique[0] if len(unique) == 1 else {"anyOf": unique}


def limited(field, known, as_form=False):
    out = schema(field["types"], known, as_form)
    m = re.search(r"\b(\d+)-(\d+) characters", field.get("description", ""))
    if m and out.get("type") == "string" and field["types"] == ["String"]:
        out = {**out, "minLength": int(m[1]), "maxLength": int(m[2])}
    m = re.search(r"must include (\d+)-(\d+) items", field.get("description", ""))
    if m and out.get("type") == "array":
        out = {**out, "minItems": int(m[1]), "maxItems": int(m[2])}
    return out


def obj(fields, known, as_form=False):
    out = {"type": "object", "properties": {f["name"]: limited(f, known, as_form) for f in fields}}
    required = [f["name"] for f in fields if f["required"]]
    return {**out, "required": required} if required else out


def answer(types):
    """A small example of what a method returns (the full types are recursive)."""
    t = types[0]
    if t.startswith("Array of "):
        return [answer([t[9:]])]
    return EXAMPLES.get(t, {})


def mend(node):
    if isinstance(node, dict):
        if node.get("in") == "header" and node.get("schema", {}).get("type") == "object":
            node["schema"] = {"type": "string"}
        for media in node.get("requestBody", {}).get("content", {}).values():
            if "oneOf" in media.get("schema", {}):
                media["schema"]["anyOf"] = media["schema"].pop("oneOf")
        for v in node.values():
            mend(v)
    elif isinstance(node, list):
        for v in node:
            mend(v)


def main(path):
    doc = json.loads(Path(path).read_text("utf-8"))
    if "methods" in doc and "types" in doc:
        doc = telegram(doc)
    else:
        mend(doc)
    json.dump(doc, sys.stdout)


def telegram(api):
    known = set(api["types"])
    schemas = {}
    for name, t in api["types"].items():
        if t.get("subtypes"):
            refs = [f"#/components/schemas/{s}" for s in t["subtypes"] if s in known]
            schemas[name] = {"anyOf": [{"$ref": ref} for ref in refs]}
        else:
            schemas[name] = obj(t.get("fields", []), known)
    paths = {}
    for name, m in api["methods"].items():
        fields = m.get("fields", [])
        needed = any(f["required"] for f in fields)
        form = obj(fields, known, as_form=True)
        body = {
            "required": needed,
            "content": {
                "application/json": {"schema": obj(fields, known)},
                "application/x-www-form-urlencoded": {"schema": form},
                "multipart/form-data": {"schema": form},
            },
        }
        bad = {
            "type": "object",
            "required": ["ok", "error_code", "description"],
            "properties": {
                "ok": {"type": "boolean", "enum": [False]},
                "error_code": {"type": "integer"},
                "description": {"type": "string"},
                "parameters": {"$ref": "#/components/schemas/ResponseParameters"},
            },
        }
        paths["/bot{token}/" + name] = {
            "post": {
                "operationId": name,
                "requestBody": body,
                "parameters": [
                    {
                        "name": "token",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "pattern": "^[0-9]+:[A-Za-z0-9_-]+$"},
                    }
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object"},
                                "example": {"ok": True, "result": answer(m["returns"])},
                            }
                        },
                    },
                    **{
                        str(c): {
                            "description": "refused",
                            "content": {"application/json": {"schema": bad, "example": e}},
                        }
                        for c, e in ERRORS.items()
                    },
                },
            }
        }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Telegram " + api["version"], "version": api["release_date"]},
        "paths": paths,
        "components": {"schemas": schemas},
    }


EXAMPLES = {
    "Boolean": True,
    "Integer": 1,
    "String": "text",
    "MessageId": {"message_id": 1},
    "User": {"id": 123456, "is_bot": True, "first_name": "Rig", "username": "rig_bot"},
    "ChatFullInfo": {"id": -1001234567890, "type": "channel", "title": "Rig", "username": "rig"},
    "ChatMember": {"status": "administrator", "user": {"id": 123456}, "can_post_messages": True},
    "Message": {
        "message_id": 1,
        "date": 1767225600,
        "text": "text",
        "chat": {"id": -1001234567890, "type": "channel", "title": "Rig", "username": "rig"},
    },
}
ERRORS = {
    400: {
        "ok": False,
        "error_code": 400,
        "description": "Bad Request: it does not fit the Bot API document (see the log)",
    },
    401: {"ok": False, "error_code": 401, "description": "Unauthorized"},
    403: {
        "ok": False,
        "error_code": 403,
        "description": "Forbidden: bot was kicked from the channel chat",
    },
    429: {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7},
    },
    500: {"ok": False, "error_code": 500, "description": "Internal Server Error"},
}

if __name__ == "__main__":
    main(sys.argv[1])
