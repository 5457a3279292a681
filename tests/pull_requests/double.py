"""A GitHub of its own on loopback: answers the endpoints we use in GitHub's shapes, with a real bare repository behind.

Every request and every answer is checked against GitHub's published contract; what the contract does not have is
refused with 501 and remembered in `violations`, which the fixture asserts to be empty.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from . import contract

TOKEN = "ghs_" + "Sekret0123456789abcdefSEKRET"
QUERY_NAME = "query SoloUnicornComments("


@dataclass
class Answer:
    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakePull:
    number: int
    head: str
    base: str
    title: str
    body: str
    state: str = "open"
    draft: bool = False
    merged: str | None = None
    mergeable: bool | None = True
    reviews: list[tuple[str, str]] = field(default_factory=list)
    threads: list[dict[str, Any]] = field(default_factory=list)


class GitHubDouble:
    """Its state is public: a test is the rest of the world."""

    def __init__(self, root: Path, owner: str = "acme", name: str = "shop") -> None:
        self.bare = root / "srv" / owner / f"{name}.git"
        self.bare.parent.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.bare)], check=True)
        self.root = root / "srv"
        self.owner, self.name, self.id = owner, name, 987654321
        self.pulls: dict[int, FakePull] = {}
        self.runs: dict[str, tuple[str, str | None]] = {}
        self.statuses: dict[str, str] = {}
        self.requests: list[tuple[str, str, int]] = []
        self.violations: list[str] = []
        self.interrupt: Callable[[str, str], Answer | None] = lambda method, path: None
        self.after: Callable[[str, str], Answer | None] = lambda method, path: None
        """Answers in place of the real answer, once that was worked out: an answer that got lost."""
        self.git_password: str | None = None
        self.renamed_from: str | None = None
        self.prefix = ""
        self.lock = threading.RLock()
        double = self

        class Handler(_Handler):
            github = double

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # ---- for tests

    @property
    def git_url(self) -> str:
        """Where `git http-backend` serves the repository."""
        return f"{self.url}/git/{self.owner}/{self.name}.git"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.bare), "-c", "user.name=GitHub", "-c", "user.email=hub@github.example", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def branches(self) -> list[str]:
        return self.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def counted(self, method: str, ending: str = "") -> list[int]:
        """The statuses answered to such requests."""
        return [status for m, path, status in self.requests if m == method and path.endswith(ending)]

    def merge(self, number: int, method: str = "merge", title: str = "") -> str:
        """Merge on the remote, as the green button does."""
        pull = self.pulls[number]
        tree = self.git("merge-tree", "--write-tree", pull.base, pull.head)
        base, head = self.git("rev-parse", pull.base), self.git("rev-parse", pull.head)
        parents = ["-p", base] + (["-p", head] if method == "merge" else [])
        pull.merged = self.git("commit-tree", *parents, "-m", title or f"Merge #{number}", tree)
        self.git("update-ref", f"refs/heads/{pull.base}", pull.merged)
        pull.state = "closed"
        self.heads[number] = head
        return pull.merged

    heads: dict[int, str] = {}  # noqa: RUF012

    # ---- the API

    def answer(self, method: str, path: str, query: dict[str, str], content: Any, authorized: bool) -> Answer:
        with self.lock:
            if self.prefix and path.startswith(self.prefix):
                path = path.removeprefix(self.prefix)
            if path == "/graphql" or path == "/api/graphql":
                return self._graphql(content) if authorized else Answer(401, {"message": "Bad credentials"})
            try:
                values = contract.check_request(method, path, query, content)
            except contract.NotInContract as error:
                self.violations.append(str(error))
                return Answer(501, {"message": str(error)})
            if not authorized:
                return Answer(401, {"message": "Bad credentials"})
            found = self.interrupt(method, path)
            if found is None:
                found = self._known(method, path, values, query, content)
                found = self.after(method, path) or found
            try:
                contract.check_response(method, path, found.status, found.content)
            except contract.NotInContract as error:
                self.violations.append(str(error))
            return found

    def _known(self, method: str, path: str, values: dict[str, str], query: dict[str, str], content: Any) -> Answer:
        full = f"{values['owner']}/{values['repo']}"
        if full == self.renamed_from:
            where = f"{self.url}{self.prefix}{path.replace(full, f'{self.owner}/{self.name}')}"
            return Answer(301, {"message": "Moved Permanently", "url": where}, {"Location": where})
        if full != f"{self.owner}/{self.name}":
            return Answer(404, {"message": "Not Found"})
        what = path.split("/")[4:]
        match method, what:
            case "GET", []:
                return Answer(200, self._repository())
            case "GET", ["pulls"]:
                head = query.get("head", "").partition(":")[2]
                found = [p for p in self.pulls.values() if (p.head, p.base) == (head, query.get("base"))]
                return Answer(200, [self._pull(p, "pull-request-simple") for p in found if p.state == "open"])
            case "POST", ["pulls"]:
                return self._create(content)
            case "GET", ["pulls", number] if int(number) in self.pulls:
                return Answer(200, self._pull(self.pulls[int(number)]))
            case "PUT", ["pulls", number, "merge"]:
                return self._merge(self.pulls[int(number)], content)
            case "GET", ["pulls", number, "reviews"]:
                return Answer(200, [self._review(n, *r) for n, r in enumerate(self.pulls[int(number)].reviews, 1)])
            case "GET", ["commits", commit, "check-runs"]:
                runs = [self._run(name, commit, *state) for name, state in self.runs.items()]
                return Answer(200, {"total_count": len(runs), "check_runs": runs})
            case "GET", ["commits", commit, "status"]:
                return Answer(200, self._status(commit))
        return Answer(404, {"message": "Not Found"})

    def _create(self, content: dict[str, Any]) -> Answer:
        head, base = content["head"], content["base"]
        if head not in self.branches() or base not in self.branches():
            return Answer(422, _invalid("head", "invalid"))
        if any((p.head, p.base, p.state) == (head, base, "open") for p in self.pulls.values()):
            return Answer(
                422,
                {
                    "message": "Validation Failed",
                    "documentation_url": "x",
                    "errors": [
                        {
                            "resource": "PullRequest",
                            "code": "custom",
                            "message": f"A pull request already exists for {self.owner}:{head}.",
                        }
                    ],
                },
            )
        pull = FakePull(len(self.pulls) + 7, head, base, content["title"], content["body"])
        self.pulls[pull.number] = pull
        return Answer(201, self._pull(pull))

    def _merge(self, pull: FakePull, content: dict[str, Any]) -> Answer:
        if pull.state != "open" or pull.mergeable is False:
            return Answer(405, {"message": "Pull Request is not mergeable"})
        if content.get("sha") not in (None, self.git("rev-parse", pull.head)):
            return Answer(409, {"message": "Head branch was modified. Review and try the merge again."})
        sha = self.merge(pull.number, content.get("merge_method", "merge"), content.get("commit_title", ""))
        return Answer(200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"})

    def _graphql(self, content: Any) -> Answer:
        if not str(content.get("query", "")).startswith(QUERY_NAME):
            self.violations.append(f"an unknown query: {content}")
            return Answer(501, {"message": "unknown query"})
        given = content["variables"]
        if (given["owner"], given["name"]) != (self.owner, self.name):
            return Answer(200, {"data": {"repository": None}, "errors": [{"message": "Could not resolve"}]})
        pull = self.pulls[int(given["number"])]
        nodes = {"reviewThreads": {"nodes": pull.threads}, "reviews": {"nodes": []}}
        return Answer(200, {"data": {"repository": {"pullRequest": nodes}}})

    # ---- shapes, from the contract

    def _repository(self) -> dict[str, Any]:
        return contract.example(contract.component("full-repository")) | {
            "id": self.id,
            "full_name": f"{self.owner}/{self.name}",
            "default_branch": "main",
            "html_url": f"https://github.com/{self.owner}/{self.name}",
            "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True},
        }

    def _pull(self, pull: FakePull, kind: str = "pull-request") -> dict[str, Any]:
        found: dict[str, Any] = contract.example(contract.component(kind))
        there = pull.head in self.branches()
        sha = self.git("rev-parse", pull.head) if there else self.heads.get(pull.number, "0" * 40)
        found |= {
            "number": pull.number,
            "title": pull.title,
            "body": pull.body,
            "state": pull.state,
            "draft": pull.draft,
            "html_url": f"https://github.com/{self.owner}/{self.name}/pull/{pull.number}",
            "merge_commit_sha": pull.merged,
            "merged_at": "2026-03-01T12:00:00Z" if pull.merged else None,
        }
        found["head"] |= {"ref": pull.head, "sha": sha}
        found["base"] |= {"ref": pull.base}
        if kind == "pull-request":
            found |= {"merged": pull.merged is not None, "mergeable": pull.mergeable, "mergeable_state": "clean"}
            found["review_comments"] = len(pull.threads)
        return found

    @staticmethod
    def _review(number: int, who: str, state: str) -> dict[str, Any]:
        found: dict[str, Any] = contract.example(contract.component("pull-request-review"))
        user = contract.example(contract.component("simple-user")) | {"login": who}
        return found | {"id": number, "state": state, "user": user}

    @staticmethod
    def _run(name: str, commit: str, status: str, conclusion: str | None) -> dict[str, Any]:
        found: dict[str, Any] = contract.example(contract.component("check-run"))
        return found | {"name": name, "head_sha": commit, "status": status, "conclusion": conclusion}

    def _status(self, commit: str) -> dict[str, Any]:
        found: dict[str, Any] = contract.example(contract.component("combined-commit-status"))
        one = contract.example(contract.component("simple-commit-status"))
        statuses = [one | {"context": name, "state": state} for name, state in self.statuses.items()]
        return found | {"sha": commit, "statuses": statuses, "total_count": len(statuses)}


def _invalid(name: str, code: str) -> dict[str, Any]:
    return {
        "message": "Validation Failed",
        "documentation_url": "x",
        "errors": [{"resource": "PullRequest", "field": name, "code": code}],
    }


class _Handler(BaseHTTPRequestHandler):
    github: GitHubDouble
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_any(self) -> None:
        parts = urlsplit(self.path)  # a proxied request names the whole address
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size) if size else self._chunks()
        if parts.path.startswith("/git/"):
            self._git(parts.path.removeprefix("/git"), parts.query, body)
            return
        authorization = self.headers.get("authorization", "").split(" ")[-1]
        content = json.loads(body) if body else None
        answer = self.github.answer(
            self.command, parts.path, dict(parse_qsl(parts.query)), content, authorization == TOKEN
        )
        payload = b"" if answer.content is None else json.dumps(answer.content).encode()
        etag = f'"{hashlib.sha256(payload).hexdigest()[:16]}"'
        if answer.status == 200 and self.command == "GET" and self.headers.get("if-none-match") == etag:
            answer, payload = Answer(304), b""
        self.github.requests.append((self.command, parts.path, answer.status))
        self.send_response(answer.status)
        if answer.status == 200 and self.command == "GET":
            self.send_header("ETag", etag)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_any

    def _chunks(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return b""
        found = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _git(self, path: str, query: str, body: bytes) -> None:
        """git's own smart HTTP, behind basic auth."""
        wanted = self.github.git_password
        given = self.headers.get("authorization", "")
        if wanted is not None and given != "Basic " + base64.b64encode(f"ann:{wanted}".encode()).decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.github.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "ann",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=False)
        head, _, payload = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
