"""A question of the person's own client: shown by the client where it can, and in the inbox; the first answer wins."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

from mcp.server import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolRequestParams, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult

from ..config.log import logger
from ..missions.access import AccessCall
from .changes import Changes
from .tools.registry import Question, Reply

FIELD: Final = "answer"
LOOK_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 480.0
"""So long a form stands in the client; then the question waits in the inbox alone."""
STATELESS: Final = "2026-07-28"
"""From this version on a call ends with the form and is made again with what was filled in."""


async def ask(
    call: AccessCall,
    ctx: ServerRequestContext[Any],
    params: CallToolRequestParams,
    changes: Changes,
    question: Question,
) -> Reply | InputRequiredResult:
    """The answer, wherever it is given; what the tool says of a question that waits, where the client has no form."""
    if not _shows_forms(ctx):
        await call(question.put)
        return await call(question.waiting)
    if str(ctx.session.protocol_version) >= STATELESS:
        return await _in_rounds(call, params, question)
    await call(question.put)
    form = asyncio.ensure_future(ctx.session.elicit_form(question.text, _schema(question), ctx.request_id))
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while not form.done() and time.monotonic() < deadline:
            news = asyncio.ensure_future(changes.news.wait())
            elsewhere = await call(question.elsewhere)
            if elsewhere is not None:
                return elsewhere
            await asyncio.wait({form, news}, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
        return await _taken(call, question, form.result()) if form.done() else await call(question.waiting)
    except MCPError as error:  # the client announces forms and does not show them
        logger("mcp").info("a client shows no form", extra={"why": str(error)})
        return await call(question.waiting)
    finally:
        form.cancel()  # where somebody answered elsewhere: the client is told to take its form back
        with suppress(asyncio.CancelledError, MCPError):
            await form


async def _in_rounds(
    call: AccessCall, params: CallToolRequestParams, question: Question
) -> Reply | InputRequiredResult:
    given = (params.input_responses or {}).get(FIELD)
    if given is None:
        await call(question.put)
        form = ElicitRequest(params=ElicitRequestFormParams(message=question.text, requested_schema=_schema(question)))
        return InputRequiredResult(input_requests={FIELD: form})
    return await call(question.elsewhere) or await _taken(call, question, ElicitResult.model_validate(given))


async def _taken(call: AccessCall, question: Question, said: ElicitResult) -> Reply:
    """What became of the form. Closed or declined it decides nothing, because clients without a person decline too: the
    question stays in the inbox."""
    text = (said.content or {}).get(FIELD) if said.action == "accept" else None
    if isinstance(text, str) and text.strip():
        return await call(lambda access: question.answered(access, text))
    return await call(question.waiting)


def _schema(question: Question) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "string", "title": "Answer"}
    if question.options:
        field["enum"] = list(question.options)
    return {"type": "object", "properties": {FIELD: field}, "required": [FIELD]}


def _shows_forms(ctx: ServerRequestContext[Any]) -> bool:
    """Whether the client has the capability; an empty one means forms."""
    can = ctx.session.client_capabilities
    elicitation = can.elicitation if can else None
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)
