"""What the document allows and forbids, sent to a hub: no fault, and no answer that the document does not name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from solo_unicorn.hub.api.openapi import document

from .postgres import new_database
from .serving import Served, end, free_port, served, start

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("SOLO_UNICORN_TEST_EXAMPLES", "3"))
schema = schemathesis.openapi.from_dict(document("/api/v1"))


@pytest.fixture(scope="module", params=["sqlite", "two processes on postgresql"])
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("schemathesis")
    if request.param == "sqlite":
        with served(directory) as running:
            yield running
        return
    url = new_database(request.getfixturevalue("postgres"))
    with served(directory, url) as running:
        port = free_port()
        second = start(tmp_path_factory.mktemp("second"), port, url)
        running.others = (f"http://127.0.0.1:{port}",)
        try:
            yield running
        finally:
            end([second])


@schema.exclude(path_regex=r"/attachments/.*/content").parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_no_fault_and_no_answer_that_is_not_written_down(case: schemathesis.Case[Any], hub: Served) -> None:
    hub.use_present_ids(case)
    answer = case.call(base_url=hub.address, headers={"Authorization": f"Bearer {hub.token}"}, timeout=30)
    case.validate_response(
        answer,
        checks=[not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance],
    )
