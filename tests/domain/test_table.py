"""The table is whole: for every state and fact a row, or a refusal that names its rule in both languages."""

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from pydantic import BaseModel

from gamf.domain import effects
from gamf.domain.attribution import TABLE, RepeatedError, next_due, would_take
from gamf.domain.facts import FACTS, parse
from gamf.domain.model import Attribution, Enrolment, Entry
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.states import (
    ACTS,
    AWAITED,
    DEADLINE_LABELS,
    LABELS,
    UNANSWERED,
    UNDER_WAY,
    WAITS,
    DeadlineName,
    State,
)
from tests.domain.lives import Life, confirmed, enrolled, expired, instant

SV = date(2026, 6, 2)
RULE = re.compile(r"[RA][1-9][0-9]?")
SECRETS = ("TREM04121925", "Lucie Tremblay", "418 555-0199", "lucie@exemple.ca")
LIVES: dict[State, Callable[[], Life]] = {
    State.PROPOSED: lambda: Life("2026-06-01 09:00").at("2026-06-02 10:00"),
    State.UNANSWERED: lambda: Life("2026-06-01 09:00").at("2026-06-05 09:00"),
    State.CONFIRMED: lambda: confirmed().at("2026-06-03 10:00"),
    State.OVERDUE: lambda: confirmed().at("2026-06-18 10:00"),
    State.ENROLLED_SV: lambda: enrolled(SV).at("2026-06-20 10:00"),
    State.EXPIRED: lambda: expired(SV).at("2029-06-10 10:00"),
    State.ENROLLED_MF: lambda: enrolled(SV).report("mf_signed", signed_on="2026-06-02"),
    State.REFUSED: lambda: Life().report("refused", reason="x"),
    State.PATIENT_REFUSED: lambda: Life().report("patient_refused", ground="x"),
    State.CANCELLED: lambda: Life().report("cancelled", reason="x"),
    State.LAPSED: lambda: Life().at("2026-06-09 00:00"),
    State.ENROLLED_ELSEWHERE: lambda: Life().report(
        "enrolled_elsewhere", physician="54321", effective_on="2026-06-01", basis="x"
    ),
    State.PATIENT_LEFT: lambda: Life().report("patient_left", on="2026-06-01", cause="deceased"),
    State.PHYSICIAN_LEFT: lambda: Life().report("physician_left", on="2026-06-01", cause="retired"),
}
WAITING = {state: life for state, life in LIVES.items() if state in WAITS}
ENDED = {state: life for state, life in LIVES.items() if state not in WAITS} | {
    State.EXPIRED: lambda: expired(SV).at("2029-09-01 00:00")
}


def valid(fact: str, life: Life) -> dict[str, str]:
    """Return an argument that the state's row takes today, if it has one."""
    today = life.attribution.local(life.now).isoformat()
    term = life.attribution.term.isoformat() if life.attribution.term else today
    return {
        "refused": {"reason": "y"},
        "cancelled": {"reason": "y"},
        "window_reopened": {"opens_on": today, "reason": "y"},
        "patient_refused": {"ground": "y"},
        "mf_signed": {"signed_on": min(today, term)},
        "enrolled_elsewhere": {"physician": "54321", "effective_on": today, "basis": "y"},
        "patient_left": {"on": today, "cause": "not_eligible"},
        "physician_left": {"on": today, "cause": "moved"},
    }.get(fact, {})


def test_every_state_is_lived_here() -> None:
    assert set(LIVES) == set(State)
    assert all(life().state is state for state, life in LIVES.items())
    assert set(WAITING) == set(TABLE) == set(WAITS) == set(ACTS) == set(AWAITED)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", WAITING)
def test_a_fact_has_a_row_that_takes_it_or_a_refusal_that_names_its_rule(state: State, fact: str) -> None:
    life = WAITING[state]()
    argument = valid(fact, life)
    row = TABLE[state].get(fact)
    if row is None:
        check_reason(life, fact, argument)
        return
    life.report(fact, **argument)
    assert life.state is row.to
    assert life.attribution.ended is row.ends
    assert life.transitions[-1].rules == row.rules
    assert life.transitions[-1].step is row.step


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", ENDED)
def test_a20_what_has_ended_takes_nothing_and_says_why(state: State, fact: str) -> None:
    life = ENDED[state]()
    assert life.attribution.ended
    check_reason(life, fact, valid(fact, life))


def check_reason(life: Life, fact: str, argument: dict[str, str]) -> None:
    reason = life.refuses(fact, by="other", **argument)
    assert RULE.fullmatch(reason.rule)
    assert reason.fr.endswith(".")
    assert reason.en.endswith(".")
    assert reason.fr != reason.en
    assert str(reason) == f"[{reason.rule}] {reason.fr} / {reason.en}"


@pytest.mark.parametrize("state", WAITING)
def test_the_deadline_of_a_state_has_its_row(state: State) -> None:
    life = WAITING[state]()
    assert life.attribution.deadline is not None
    due = next_due(life.attribution, life.attribution.deadline)
    assert due == (WAITS[state], life.attribution.deadline)
    row = TABLE[state][WAITS[state]]
    life.at(life.attribution.deadline)
    assert life.state is row.to
    assert life.attribution.ended is row.ends
    assert life.transitions[-1].event == WAITS[state]


def test_every_row_names_rules_and_every_deadline_is_waited_for_once() -> None:
    rows = [row for rows in TABLE.values() for row in rows.values()]
    assert all(row.rules and all(RULE.fullmatch(rule) for rule in row.rules) for row in rows)
    assert sorted(WAITS.values()) == sorted(DeadlineName)
    assert {event for rows in TABLE.values() for event in rows} == {*FACTS, *DeadlineName}


def test_every_state_and_deadline_has_its_words_in_both_languages() -> None:
    assert set(LABELS) == set(State)
    assert set(DEADLINE_LABELS) == set(DeadlineName)
    for fr, en in (*LABELS.values(), *AWAITED.values(), *DEADLINE_LABELS.values()):
        assert fr
        assert en
        assert fr != en


def test_whoever_can_still_answer_is_held() -> None:
    assert UNANSWERED < UNDER_WAY < set(WAITS)
    assert set(WAITS) - UNDER_WAY == {State.EXPIRED}


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", WAITING)
def test_no_refusal_repeats_what_somebody_wrote(state: State, fact: str) -> None:
    life = WAITING[state]()
    for key in (*FACTS[fact].model_fields, *SECRETS):
        for secret in SECRETS:
            argument = valid(fact, life) | {key: secret}
            try:
                would_take(life.attribution, parse(fact, {"by": "someone"} | argument), life.now)
            except RefusedByRuleError as error:
                said = f"{error} {error.reason.model_dump_json()}"
                assert not any(each in said for each in SECRETS)


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", WAITING)
def test_a20_the_same_fact_twice_changes_nothing(state: State, fact: str) -> None:
    if fact not in TABLE[state]:
        return
    life = WAITING[state]()
    argument = valid(fact, life)
    life.report(fact, **argument)
    with pytest.raises(RepeatedError, match="A20"):
        life.report(fact, **argument)


@pytest.mark.parametrize("state", LIVES)
def test_a20_history_only_grows(state: State) -> None:
    life = LIVES[state]()
    assert [t.number for t in life.transitions] == list(range(life.attribution.transitions + 1))
    entries = (*life.attribution.history, *life.attribution.passed)
    assert len(entries) == life.attribution.transitions
    assert {entry.policy for entry in entries} <= {life.attribution.start.policy.version}
    assert all(t.policy == life.attribution.start.policy.version for t in life.transitions)


@pytest.mark.parametrize("state", LIVES)
def test_an_attribution_survives_its_json(state: State) -> None:
    life = LIVES[state]()
    life.attribution = again = Attribution.model_validate_json(life.attribution.model_dump_json())
    assert again.model_dump() == LIVES[state]().attribution.model_dump()
    for fact in FACTS:
        assert outcome(life.attribution, fact, life) == outcome(LIVES[state]().attribution, fact, life)


def outcome(a: Attribution, fact: str, life: Life) -> str:
    try:
        would_take(a, parse(fact, {"by": "someone"} | valid(fact, life)), life.now)
    except RefusedByRuleError as error:
        return str(error)
    return "taken"


def test_a20_after_a_hundred_facts_only_one_that_ends_it_is_taken() -> None:
    life = enrolled(SV).at("2026-06-20 10:00")
    for number in range(98):
        life.report("physician_left", on="2027-01-01", cause="moved", by=f"account-{number}")
    assert len(life.attribution.history) == 100
    reason = life.refuses("physician_left", on="2027-02-01", cause="moved")
    assert reason.rule == "A20"
    assert life.report("mf_signed", signed_on="2026-06-20").state is State.ENROLLED_MF


def test_a20_after_a_hundred_facts_none_that_goes_on_is_taken() -> None:
    life = confirmed().at("2026-06-03 10:00")
    for number in range(99):
        life.report("physician_left", on="2027-01-01", cause="moved", by=f"account-{number}")
    assert life.refuses("sv_entered").rule == "A20"
    assert life.report("physician_left", on="2026-06-03", cause="moved").state is State.PHYSICIAN_LEFT


@pytest.mark.parametrize("fact", FACTS)
@pytest.mark.parametrize("state", [State.UNANSWERED, State.OVERDUE])
def test_a_fact_that_answers_a_task_closes_it(state: State, fact: str) -> None:
    if fact not in TABLE[state]:
        return
    life = WAITING[state]()
    (closed,) = life.report(fact, **valid(fact, life)).transitions[-1:]
    kinds = {
        kind for effect in closed.effects if isinstance(effect, effects.CloseTasks) for kind in effect.kinds
    }
    assert set(effects.OF_STATE) <= kinds


def test_what_would_be_taken_is_asked_of_the_state_that_time_has_made() -> None:
    a = Life("2026-06-01 09:00").attribution
    accepted = parse("accepted", {"by": "someone"})
    would_take(a, accepted, instant("2026-06-08 23:59:59"))
    with pytest.raises(RefusedByRuleError, match="A3"):
        would_take(a, accepted, instant("2026-06-09 00:00"))


def test_a18_nothing_in_the_domain_can_write_a_registration_date() -> None:
    models: list[type[BaseModel]] = [Attribution, Enrolment, Entry, *FACTS.values(), *effect_models()]
    names = {name for model in models for name in model.model_fields}
    assert not {name for name in names if "regist" in name}


def effect_models() -> list[type[BaseModel]]:
    return [
        model
        for model in vars(effects).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and "do" in model.model_fields
    ]


def test_every_effect_follows_from_some_row() -> None:
    lives = [life() for life in WAITING.values()]
    lives.append(WAITING[State.ENROLLED_SV]().report("patient_refused", ground="discriminatory"))
    for state, row in TABLE.items():
        for event in row:
            life = WAITING[state]()
            if event in FACTS:
                life.report(event, **valid(event, life))
            elif life.attribution.deadline is not None:
                life.at(life.attribution.deadline)
            lives.append(life)
    followed = {effect.do for life in lives for t in life.transitions for effect in t.effects}
    assert followed == {model.model_fields["do"].default for model in effect_models()}


def test_a_transition_is_json_that_holds_no_person() -> None:
    life = confirmed(patient_id="b7e6c1d2-0000-4000-8000-000000000001")
    for t in life.transitions:
        kept = json.loads(t.model_dump_json())
        assert set(kept["subject"]) == {
            "attribution_id",
            "block_id",
            "patient_id",
            "physician",
            "rls",
            "time_zone",
            "priority",
            "vulnerable",
            "attributed_at",
        }


def test_a3_only_an_answer_to_what_lapsed_comes_too_late_as_an_answer() -> None:
    assert LIVES[State.LAPSED]().refuses("cancelled", reason="x").rule == "A20"
    assert LIVES[State.CANCELLED]().refuses("accepted").rule == "A20"


def test_a20_a_fact_dated_ahead_is_remembered_when_reported_and_when_it_takes_effect() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("physician_left", on="2026-09-01", cause="retired")
    life.at("2026-09-01 00:00")
    assert [(entry.fact, entry.state) for entry in life.attribution.history][-1] == (
        "physician_left",
        State.ENROLLED_SV,
    )
    assert [(entry.fact, entry.state, entry.at) for entry in life.attribution.passed] == [
        ("physician_left", State.PHYSICIAN_LEFT, instant("2026-09-01 00:00"))
    ]


def test_what_has_ended_awaits_nothing() -> None:
    life = enrolled(SV).at("2026-06-20 10:00").report("patient_left", on="2026-09-01", cause="left_quebec")
    a = life.report("patient_refused", ground="x").attribution
    assert (a.announced, a.deadline, a.next_deadline, a.waiting_for) == ((), None, None, None)
