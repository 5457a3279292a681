"""What tokens cost where the agent tells no cost, and how full its context is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solo_unicorn.agents import prices, transcript
from solo_unicorn.config import edit
from solo_unicorn.config.loading import load
from solo_unicorn.config.schema import SettingsError
from solo_unicorn.missions.entities import Usage
from solo_unicorn.workstation.session.transcript_fold import TranscriptFold

USED = Usage(1_000_000, 100_000, 2_000_000)


def test_the_longest_pattern_counts_with_or_without_the_provider() -> None:
    assert prices.price_of("gpt-5.5") == prices.price_of("openai/gpt-5.5-codex") == prices.Price(5.0, 0.5, 30.0)
    assert prices.price_of("gpt-5.4-mini-2026-03-17") == prices.Price(0.75, 0.075, 4.5)
    assert prices.price_of("gemini-2.5-flash-lite") != prices.price_of("gemini-2.5-flash")


def test_tokens_are_priced_and_what_the_agent_told_stays() -> None:
    found = prices.priced(USED, "gpt-5.5")
    assert (found.cost_usd, found.estimated) == (pytest.approx(5.0 + 1.0 + 3.0), True)
    told = Usage(1_000_000, cost_usd=0.0)
    assert prices.priced(told, "gpt-5.5") == told


def test_a_model_without_a_price_costs_an_unknown_amount() -> None:
    assert prices.priced(USED, "house-model") == prices.priced(USED, "") == USED
    assert USED.cost_usd is None


def test_a_persons_prices_go_before_ours(home: Path) -> None:
    edit.set_value("budget.prices", "gpt-5*=1/0/0 house-model=0/0/0")
    own = load().budget.prices
    assert prices.priced(USED, "gpt-5.5", own).cost_usd == 1.0
    assert prices.priced(USED, "house-model", own).cost_usd == 0.0
    for wrong in ("gpt-5.5", "gpt-5.5=1/2", "gpt-5.5=a/b/c", "gpt-5.5=1/2/3/4", "a=-1/0/0"):
        with pytest.raises(SettingsError):
            edit.set_value("budget.prices", wrong)


SESSIONS = {
    "app_server": (
        {"type": "session", "threadId": "t", "model": "gpt-5.5"},
        {
            "type": "usage",
            "usage": {"inputTokens": 3_000_000, "cachedInputTokens": 2_000_000, "outputTokens": 100_000},
            "context": {"used": 68_000, "size": 272_000},
        },
    ),
    "acp": (
        {"type": "session", "sessionId": "s", "model": "gpt-5.5"},
        {"type": "usage", "used": 68_000, "size": 272_000, "cost": None},
        {
            "type": "result",
            "ok": True,
            "usage": {"inputTokens": 1_000_000, "cachedReadTokens": 2_000_000, "outputTokens": 100_000},
        },
    ),
}


@pytest.mark.parametrize("parser", SESSIONS)
def test_a_session_has_a_price_and_the_fill_of_its_context(parser: str, tmp_path: Path) -> None:
    lines = [{"t": 1.0, "s": "out", "l": json.dumps(line)} for line in SESSIONS[parser]]
    (tmp_path / transcript.HEAD).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    reading = TranscriptFold(tmp_path, parser)
    reading.take_all()
    assert (reading.usage.cost_usd, reading.usage.estimated) == (pytest.approx(9.0), True)
    assert reading.context == (68_000, 272_000)


def test_claude_tells_the_fill_with_each_message_and_the_size_with_its_result(tmp_path: Path) -> None:
    usage = {"input_tokens": 10, "cache_read_input_tokens": 20_000, "output_tokens": 90}
    message = {"id": "1", "model": "claude-opus-4-5", "content": [], "usage": usage}
    within = {"id": "2", "model": "claude-haiku-4-5", "content": [], "usage": {"input_tokens": 5, "output_tokens": 5}}
    models = {
        "claude-haiku-4-5": {"outputTokens": 5, "contextWindow": 100_000},
        "claude-opus-4-5": {"outputTokens": 90, "contextWindow": 200_000},
    }
    said = (
        {"type": "assistant", "message": message},
        {"type": "assistant", "message": within, "parent_tool_use_id": "task"},
        {"type": "result", "subtype": "success", "is_error": False, "modelUsage": models},
    )
    lines = [{"t": 1.0, "s": "out", "l": json.dumps(line)} for line in said]
    (tmp_path / transcript.HEAD).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    reading = TranscriptFold(tmp_path, "claude")
    reading.take_all()
    assert reading.context == (20_100, 200_000)
