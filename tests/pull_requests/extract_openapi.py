"""Takes from GitHub's published OpenAPI what our client uses, into `openapi.json` beside this file.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-*.tgz
    python extract_openapi.py package/generated/api.github.com.json

Prose and examples are left out; what decides whether a request or a response is right stays as it was published.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

USED = {
    "/repos/{owner}/{repo}": ("get",),
    "/repos/{owner}/{repo}/pulls": ("get", "post"),
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/merge": ("put",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}/check-runs": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}/status": ("get",),
}
PROSE = {"description", "summary", "externalDocs", "x-github", "tags", "operationId", "x-octokit", "deprecationDate"}
SOURCE = {
    "package": "@octokit/openapi 23.0.2 (npm), generated/api.github.com.json",
    "repository": "https://github.com/octokit/openapi",
    "licence": "MIT, Copyright (c) 2020 Octokit contributors",
    "note": "An extract: the endpoints Solo Unicorn uses, without prose and examples (extract_openapi.py).",
}


def lean(node: Any, *, names: bool = False) -> Any:
    """The node without prose; `names`: its keys are names of properties, which are all kept."""
    match node:
        case dict():
            kept = {
                key: lean(value, names=key in ("properties", "schemas", "parameters"))
                for key, value in node.items()
                if names or (key not in PROSE and key not in ("example", "examples"))
            }
            return kept
        case list():
            return [lean(entry) for entry in node]
        case _:
            return node


def references(node: Any) -> set[str]:
    """Every `$ref` below the node."""
    match node:
        case dict():
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        case list():
            return set().union(*(references(entry) for entry in node))
        case _:
            return set()


def extract(published: dict[str, Any]) -> dict[str, Any]:
    """The used operations and all they refer to."""
    paths = {
        path: {
            key: lean(value) for key, value in published["paths"][path].items() if key in methods or key == "parameters"
        }
        for path, methods in USED.items()
    }
    components: dict[str, dict[str, Any]] = {}
    open_refs = references(paths)
    while open_refs:
        ref = open_refs.pop()
        _, _, kind, name = ref.split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = lean(published["components"][kind][name])
            open_refs |= references(components[kind][name])
    components = {kind: dict(sorted(found.items())) for kind, found in sorted(components.items())}
    return {"x-source": SOURCE, "openapi": published["openapi"], "paths": paths, "components": components}


if __name__ == "__main__":
    found = extract(json.loads(Path(sys.argv[1]).read_text()))
    target = Path(__file__).with_name("openapi.json")
    target.write_text(json.dumps(found, separators=(",", ":"), ensure_ascii=False).replace('},"', '},\n"') + "\n")
    print(target, target.stat().st_size)
