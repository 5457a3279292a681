"""OpenTelemetry, when it is configured: a span for each request, sent to `OTEL_EXPORTER_OTLP_ENDPOINT`.

Needs the extra `solo-unicorn[telemetry]`; without it, or without the variable, nothing is loaded.
"""

from __future__ import annotations

import os
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...config.correlation import correlation
from ...config.log import logger


def traced(app: ASGIApp, version: str) -> ASGIApp:
    """The application inside spans; itself when nothing is configured."""
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return app
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger("hub").warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, and solo-unicorn[telemetry] is not installed")
        return app
    provider = TracerProvider(
        resource=Resource.create({"service.name": "solo-unicorn-hub", "service.version": version})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traced(app, provider.get_tracer("solo_unicorn.hub", version), provider)


class TracingMiddleware:
    """Spans around requests, where they are configured; nothing otherwise."""

    def __init__(self, app: ASGIApp, version: str) -> None:
        self._app = traced(app, version)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class Traced:
    """A span around each HTTP request, with its parent where the caller sent `traceparent`."""

    def __init__(self, app: ASGIApp, tracer: Any, provider: Any) -> None:
        self._app, self._tracer, self._provider = app, tracer, provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; the end of the program flushes what waits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if scope["type"] == "lifespan":
                self._provider.shutdown()
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        parent = extract({name: carrier[name] for name in ("traceparent", "tracestate") if name in carrier})
        with self._tracer.start_as_current_span(scope["method"], context=parent, kind=SpanKind.SERVER) as span:
            await self._app(scope, receive, watch)
            path = getattr(scope.get("route"), "path", "")
            span.update_name(f"{scope['method']} {path}".strip())
            span.set_attribute("http.request.method", scope["method"])
            span.set_attribute("http.response.status_code", status)
            if path:
                span.set_attribute("http.route", path)
            span.set_attribute("solo_unicorn.correlation", correlation.get())
