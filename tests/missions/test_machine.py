"""One mission through everything that can happen to it, in any order: the rules of domain.md hold at every step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from solo_unicorn.missions.entities import (
    LISTS,
    OUTCOMES,
    Flow,
    FlowConfig,
    FlowStage,
    ListName,
    Mission,
    Outcome,
    Project,
    ProjectRepository,
    Session,
    StageConfig,
)
from solo_unicorn.missions.errors import AlreadyClaimed, Conflict, InvalidValue
from solo_unicorn.missions.rules.creating import MissionDraft, create
from solo_unicorn.missions.rules.editing import set_ready
from solo_unicorn.missions.rules.eligibility import AgentState, Facts, why_not
from solo_unicorn.missions.rules.flows import enabled_stages, position, stage_of, system_flows
from solo_unicorn.missions.rules.landing import landed, landing_conflicted, landing_failed, landing_started, retry
from solo_unicorn.missions.rules.moving import move
from solo_unicorn.missions.rules.review import answer, approve, ask, complete_stage, reject, request_review
from solo_unicorn.missions.rules.sessions import RetryPolicy, claim, conversation, ended, released, stale_push, started
from solo_unicorn.missions.wire import from_wire, to_wire

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
PROJECT = Project("p", "Acme", "acme", START, START)
REPOSITORY = ProjectRepository("r", "p", "web", START, START)
FLOWS = system_flows("p", map("f{}".format, count()).__next__, START)
POLICY = RetryPolicy()

running = precondition(lambda self: self.mission.agent_session_status != "INACTIVE")
active = precondition(lambda self: self.mission.agent_session_status == "ACTIVE")
resting = precondition(lambda self: self.mission.agent_session_status == "INACTIVE")
unfinished = precondition(lambda self: not self.stage_finished)


class MissionLife(RuleBasedStateMachine):
    """A mission, its sessions, a person and the clock. The model beside it knows only what has been decided."""

    @initialize(
        flow=st.sampled_from(FLOWS),
        is_loop=st.booleans(),
        reviews=st.dictionaries(st.sampled_from(["clarify", "plan"]), st.none() | st.booleans()),
        skipped=st.sets(st.sampled_from(["clarify", "plan"])),
    )
    def begin(self, flow: Flow, is_loop: bool, reviews: dict[str, bool | None], skipped: set[str]) -> None:
        names = {stage.stage for stage in flow.stage_sequence}
        own = {
            name: StageConfig(enabled=False if name in skipped else None, require_review=reviews.get(name))
            for name in names & (reviews.keys() | skipped)
        }
        self.flow = flow
        self.now = START
        self.mission = create(
            MissionDraft("Retry payments", is_loop=is_loop, flow_config=FlowConfig(own) if own else None),
            project=PROJECT,
            flow=flow,
            repository=REPOSITORY,
            id="m",
            number=42,
            list_order=1.0,
            now=self.now,
        )
        self.stages: tuple[FlowStage, ...] = enabled_stages(flow, self.mission.flow_config)
        self.at = 0
        self.passed: set[str] = set()
        """Stages that were finished without review or approved since the run began."""
        self.sessions = 0
        self.outcomes: dict[str, Outcome] = {}
        self.stage_finished = False
        self.failures = 0

    # ---- agents and their workstation -----------------------------------------------------------------------------

    @rule()
    @resting
    def dispatch(self) -> None:
        """The scheduler: claims exactly what nothing holds back."""
        reason = why_not(self.mission, self.facts())
        session_id = f"s{self.sessions}"
        if reason is not None:
            return
        assert self.mission.ready
        assert self.mission.question is None
        assert self.mission.list in ("todo", "doing", "loop")
        assert self.mission.retry_at is None or self.mission.retry_at <= self.now
        self.mission = claim(self.mission, session_id, self.now)
        self.sessions += 1
        self.stage_finished = False
        assert self.mission.list == "doing"

    @rule()
    @running
    def claim_twice(self) -> None:
        with pytest.raises(AlreadyClaimed) as caught:
            claim(self.mission, "another", self.now)
        assert caught.value.holder == self.mission.session_id
        assert claim(self.mission, str(self.mission.session_id), self.now) == self.mission

    @rule()
    @running
    def start(self) -> None:
        self.mission = started(self.mission, self.now)
        session = Session(str(self.mission.session_id), "m", "p", "w", "claude", "claude", self.mission.stage, self.now)
        if not self.stage_finished:
            self.mission = conversation(self.mission, session, f"c-{self.mission.stage}", self.now)

    @rule()
    @running
    def give_a_stale_claim_back(self) -> None:
        if stale_push(self.mission, self.now):
            attempts = self.mission.attempts
            self.mission = released(self.mission, self.now)
            self.outcomes[str(self.mission.session_id)] = "unknown"
            assert self.mission.attempts == attempts

    @rule(
        outcome=st.sampled_from(OUTCOMES),
        reset=st.none() | st.integers(-60, 7200),
        question=st.none() | st.just("Which?"),
        resume=st.booleans(),
    )
    @running
    def end(self, outcome: Outcome, reset: int | None, question: str | None, resume: bool) -> None:
        before = self.mission
        self.mission = ended(
            before,
            outcome,
            "told why",
            now=self.now,
            policy=POLICY,
            stage_finished=self.stage_finished,
            resume=resume,
            reset_at=None if reset is None else self.now + timedelta(seconds=reset),
            question=question if outcome == "needs_input" else None,
        )
        session_id = str(before.session_id)
        assert session_id not in self.outcomes
        self.outcomes[session_id] = outcome
        assert (self.mission.list, self.mission.stage, self.mission.list_order) == (
            before.list,
            before.stage,
            before.list_order,
        )
        if self.mission.attempts > before.attempts:
            assert outcome in ("completed", "failed", "timeout")
            assert not self.stage_finished
            self.failures += 1
        with pytest.raises(Conflict):
            ended(self.mission, outcome, "", now=self.now, policy=POLICY)

    @rule(unsure=st.booleans())
    @active
    @unfinished
    def finish_the_stage(self, unsure: bool) -> None:
        stage = self.stages[self.at]
        finish = request_review if unsure else complete_stage
        self.mission = finish(self.mission, self.flow, summary="did it", to_check="look", now=self.now)
        self.stage_finished = True
        self.failures = 0
        if stage.require_review or unsure:
            assert self.mission.list == "review"
        else:
            self.pass_stage()

    @rule(text=st.sampled_from(["", "Which?"]))
    @active
    @unfinished
    def ask(self, text: str) -> None:
        if not text:
            with pytest.raises(InvalidValue):
                ask(self.mission, text, now=self.now)
            return
        self.mission = ask(self.mission, text, now=self.now)

    # ---- the person -----------------------------------------------------------------------------------------------

    @rule(ready=st.booleans())
    def make_ready(self, ready: bool) -> None:
        if ready and self.mission.list == "done":
            with pytest.raises(Conflict):
                set_ready(self.mission, True, now=self.now)
            return
        self.mission = set_ready(self.mission, ready, now=self.now)
        if ready:
            self.failures = 0

    @rule()
    def approve(self) -> None:
        if self.mission.review_status != "pending":
            with pytest.raises(Conflict):
                approve(self.mission, self.flow, reviewer="ann", now=self.now)
            return
        self.mission = approve(self.mission, self.flow, reviewer="ann", now=self.now)
        assert (self.mission.review_status, self.mission.reviewed_by_user_id) == ("approved", "ann")
        self.pass_stage()

    @rule(feedback=st.sampled_from(["", "  ", "Name it better"]))
    def reject(self, feedback: str) -> None:
        if self.mission.review_status != "pending" or not feedback.strip():
            with pytest.raises((Conflict, InvalidValue)):
                reject(self.mission, feedback=feedback, reviewer="ann", now=self.now)
            return
        before = self.mission
        self.mission = reject(before, feedback=feedback, reviewer="ann", now=self.now)
        assert (self.mission.list, self.mission.stage, self.mission.ready) == ("doing", before.stage, True)
        assert self.mission.last_code_agent_session_id == before.last_code_agent_session_id

    @rule()
    def answer(self) -> None:
        if self.mission.question is None:
            with pytest.raises(Conflict):
                answer(self.mission, "that", self.now)
            return
        conversation_id = self.mission.last_code_agent_session_id
        self.mission = answer(self.mission, "that", self.now)
        assert (self.mission.ready, self.mission.last_code_agent_session_id) == (True, conversation_id)

    @rule(to=st.sampled_from(LISTS))
    def move(self, to: ListName) -> None:
        stuck = self.mission.agent_session_status != "INACTIVE" or self.mission.landing_status == "landing"
        if stuck and to != self.mission.list:
            with pytest.raises(Conflict):
                move(self.mission, to, 1.0, flow=self.flow, now=self.now)
            return
        was = self.mission.list
        self.mission = move(self.mission, to, self.mission.list_order + 1, flow=self.flow, now=self.now)
        if "done" in (to, was) and to != was:
            self.failures = 0
        if to == "review" and was != "review":
            self.failures = 0

    @rule(seconds=st.integers(1, 4000))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # ---- landing --------------------------------------------------------------------------------------------------

    @rule()
    @precondition(lambda self: self.mission.landing_status in ("queued", "landing"))
    def begin_landing(self) -> None:
        if self.mission.agent_session_status != "INACTIVE":
            with pytest.raises(Conflict):
                landing_started(self.mission, self.now)
            return
        self.mission = landing_started(self.mission, self.now)

    @rule(how=st.sampled_from(["landed", "nothing", "conflict", "failure"]))
    @precondition(lambda self: self.mission.landing_status == "landing")
    def land(self, how: str) -> None:
        match how:
            case "conflict":
                self.mission = landing_conflicted(self.mission, ["a.py"], self.now)
                assert why_not(self.mission, self.facts()) is None
                assert "a.py" in str(self.mission.landing_error)
            case "failure":
                self.mission = landing_failed(self.mission, "refused", self.now)
                assert why_not(self.mission, self.facts()) is not None
            case _:
                reviewed = {stage.stage for stage in self.stages if stage.require_review}
                assert reviewed <= self.passed, "no stage that requires a review was ever passed without one"
                ready = self.mission.ready
                commit = "abc" if how == "landed" else None
                self.mission = landed(self.mission, self.flow, commit=commit, now=self.now)
                assert self.mission.landed_commit == commit
                if self.mission.is_loop:
                    assert (self.mission.list, self.mission.ready) == ("loop", ready)
                    self.at, self.passed = 0, set()
                else:
                    assert self.mission.list == "done"

    @rule()
    @precondition(lambda self: self.mission.landing_status == "failed")
    def retry_landing(self) -> None:
        if self.mission.agent_session_status != "INACTIVE":
            with pytest.raises(Conflict):
                retry(self.mission, self.now)
            return
        self.failures = 0
        self.mission = retry(self.mission, self.now)

    # ---- what always holds ----------------------------------------------------------------------------------------

    @invariant()
    def a_session_runs_only_where_its_work_is(self) -> None:
        m = self.mission
        if m.agent_session_status == "INACTIVE":
            return
        assert m.session_id is not None
        assert m.session_id not in self.outcomes
        assert m.list in ("doing", "review")
        assert m.agent_session_status == "ACTIVE" or m.list == "doing"
        assert m.landing_status != "landing"

    @invariant()
    def each_session_that_is_over_has_one_outcome(self) -> None:
        live = self.mission.agent_session_status != "INACTIVE"
        assert len(self.outcomes) == self.sessions - live

    @invariant()
    def the_stage_is_the_one_the_decisions_led_to(self) -> None:
        m = self.mission
        assert m.stage == self.stages[self.at].stage
        assert m.current_flow_task == position(self.flow, m.flow_config, m.stage) == self.at
        assert m.requires_review == stage_of(self.flow, m.flow_config, m.stage).require_review
        assert m.last_code_agent_session_id in (None, f"c-{m.stage}")

    @invariant()
    def review_and_the_review_list_are_the_same_thing(self) -> None:
        m = self.mission
        assert (m.list == "review") == (m.review_status == "pending")
        if m.review_status == "pending":
            assert m.review_requested_at is not None
            assert (m.question, m.attention, m.landing_status) == (None, None, None)
        if m.review_status == "rejected":
            assert (m.review_feedback or "").strip()
        if m.review_status in ("approved", "rejected"):
            assert m.review_completed_at is not None

    @invariant()
    def done_waits_for_nothing(self) -> None:
        m = self.mission
        if m.list == "done":
            assert m.agent_session_status == "INACTIVE"
            assert (m.ready, m.attention, m.question, m.retry_at, m.landing_status) == (False, None, None, None, None)
        else:
            assert m.landed_commit is None or m.is_loop or m.list != "done"

    @invariant()
    def only_finished_work_is_landed(self) -> None:
        if self.mission.landing_status is not None:
            assert self.mission.list == "doing"
            assert self.at == len(self.stages) - 1
        if self.mission.landing_status in ("queued", "landing"):
            assert (self.mission.attempts, self.mission.question, self.mission.retry_at) == (0, None, None)
            assert self.stages[self.at].stage in self.passed

    @invariant()
    def three_failures_in_a_row_end_in_a_persons_hands(self) -> None:
        m = self.mission
        assert m.attempts == self.failures <= 3
        if m.attempts == 3:
            assert not m.ready
            assert m.attention is not None
        if m.ready is False and m.agent_session_status == "INACTIVE":
            assert why_not(m, self.facts()) is not None

    @invariant()
    def a_question_is_shown_until_it_is_answered(self) -> None:
        m = self.mission
        if m.question is not None:
            assert m.attention is not None
            assert m.answer is None
            assert m.list in ("todo", "doing", "loop")

    @invariant()
    def it_survives_the_wire(self) -> None:
        assert from_wire(Mission, to_wire(self.mission)) == self.mission

    # ---- the model ------------------------------------------------------------------------------------------------

    def pass_stage(self) -> None:
        """The stage is behind the mission: finished without review, or approved."""
        self.passed.add(self.stages[self.at].stage)
        self.failures = 0
        if self.at + 1 < len(self.stages):
            self.at += 1
            assert (self.mission.list, self.mission.landing_status) == ("doing", None)
            assert self.mission.last_code_agent_session_id is None
        else:
            assert (self.mission.list, self.mission.landing_status) == ("doing", "queued")

    def facts(self) -> Facts:
        return Facts(PROJECT, self.now, repository=REPOSITORY, agents=(AgentState("claude", "claude"),))


TestMissionLife = MissionLife.TestCase
TestMissionLife.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
