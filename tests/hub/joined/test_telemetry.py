"""Spans reach an OTLP collector over HTTP: one for each request, with the caller's trace as its parent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from .processes import program

pytestmark = pytest.mark.slow
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector's address, and what was sent to it: path and protobuf body."""
    taken: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *said: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    serving.join()
    server.server_close()


async def test_each_request_is_a_span_within_the_callers_trace(
    tmp_path: Path, collector: tuple[str, list[tuple[str, bytes]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace_service = pytest.importorskip(
        "opentelemetry.proto.collector.trace.v1.trace_service_pb2", reason="solo-unicorn[telemetry] is not installed"
    )
    address, taken = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    async with program(tmp_path) as hub, httpx.AsyncClient(base_url=hub.url) as http:
        parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        answer = await http.get("/api/v1/meta/status", headers=parent)
    spans = []
    for path, body in taken:
        assert path == "/v1/traces"
        sent = trace_service.ExportTraceServiceRequest.FromString(body)
        spans += [one for of in sent.resource_spans for scope in of.scope_spans for one in scope.spans]
    (span,) = [one for one in spans if one.trace_id.hex() == TRACE]
    said = {one.key: one.value for one in span.attributes}
    assert span.parent_span_id.hex() == "b7ad6b7169203331"
    assert said["http.response.status_code"].int_value == answer.status_code == 200
    assert said["solo_unicorn.correlation"].string_value == answer.headers["x-request-id"]
