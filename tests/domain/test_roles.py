"""Every use case for every role: about whom it is allowed, and the refusal otherwise."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from gamf.domain import roles
from gamf.domain.block import TAKEN_IN
from gamf.domain.effects import Owner
from gamf.domain.facts import FACTS
from gamf.domain.refusal import RefusedByRuleError
from gamf.domain.roles import (
    LABELS,
    REACH_LABELS,
    READINGS,
    ROLE_LABELS,
    TABLE,
    Actor,
    Grant,
    Matter,
    Reach,
    Role,
    Scope,
    UseCase,
    allowed,
    check_allowed,
    grant,
    operator,
    scope_of,
    task_scopes,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
OWN_RLS, OTHER_RLS = "RLS 1", "RLS 2"
OWN_PHYSICIAN, OTHER_PHYSICIAN = "10001", "10002"

# Written out apart from the code: coordinator, GACO, clinic, RAMQ, auditor. R: own RLS; P: own physicians; A: all.
EXPECTED = {
    "block_list": "R - P A A",
    "block_show": "R - P A A",
    "block_request": "R - P - -",
    "approved": "R - - - -",
    "withdrawn": "R - - - -",
    "list_accepted": "R - - - -",
    "list_refused": "R - P - -",
    "profile_show": "R - - - A",
    "profile_set": "R - - - -",
    "attribution_list": "R R P A A",
    "attribution_show": "R R P A A",
    "letter_show": "R R P A A",
    "accepted": "R - - - -",
    "refused": "R - P - -",
    "cancelled": "R - - - -",
    "sv_entered": "- - P - -",
    "window_reopened": "R - - - -",
    "patient_refused": "- R - - -",
    "mf_signed": "- - P A -",
    "enrolled_elsewhere": "- R - A -",
    "patient_left": "- R P A -",
    "physician_left": "R - - A -",
    "advance": "R - - - -",
    "task_list": "R R P - A",
    "task_done": "R R P - -",
    "register_list": "R R - A A",
    "register_show": "R R P A A",
    "register_export": "- - - - -",
    "register_import": "- - - - -",
    "register_correct": "- R - - -",
    "register_move": "- R - - -",
    "register_reinstate": "- R - A -",
    "condition_show": "- - P - A",
    "condition_record": "- - P - -",
    "retro_import": "- - - - -",
    "physician_list": "R R P A A",
    "physician_show": "R R P A A",
    "physician_import": "- - - - -",
    "physician_departure": "R - - A -",
    "network_list": "A A A A A",
    "network_import": "- - - - -",
    "indicators_show": "R R - A A",
    "ramq_lists_show": "R - - A A",
    "ramq_lists_send": "R - - A -",
    "outbox_show": "- - - A A",
    "reconcile": "- - - - -",
    "own_account": "A A A A A",
    "account_manage": "- - - - -",
    "access_log_show": "- - - - A",
}
REACHES = {"R": Reach.OWN_RLS, "P": Reach.OWN_PHYSICIANS, "A": Reach.ALL, "-": Reach.NONE}
ROLES = (Role.COORDINATOR, Role.GACO, Role.CLINIC, Role.RAMQ, Role.AUDITOR)
OWN = {
    Reach.OWN_RLS: Matter.of(rls=OWN_RLS, physician=OTHER_PHYSICIAN),
    Reach.OWN_PHYSICIANS: Matter.of(rls=OTHER_RLS, physician=OWN_PHYSICIAN),
    Reach.ALL: Matter.of(rls=OTHER_RLS, physician=OTHER_PHYSICIAN),
}
ELSEWHERE = Matter.of(rls=OTHER_RLS, physician=OTHER_PHYSICIAN)


def an_actor(*of: Role) -> Actor:
    limits = {
        Role.COORDINATOR: {"rls": frozenset({OWN_RLS})},
        Role.GACO: {"rls": frozenset({OWN_RLS})},
        Role.CLINIC: {"physicians": frozenset({OWN_PHYSICIAN})},
    }
    return Actor(account="compte", grants=tuple(Grant(role=role, **limits.get(role, {})) for role in of))


def expected() -> list[tuple[UseCase, Role, Reach]]:
    rows = ((UseCase(name), zip(ROLES, letters.split(), strict=True)) for name, letters in EXPECTED.items())
    found = [(use_case, role, REACHES[letter]) for use_case, row in rows for role, letter in row]
    return found + [(use_case, Role.OPERATOR, Reach.ALL) for use_case in UseCase]


def test_the_table_is_the_expected_one_for_every_use_case_and_role() -> None:
    found = [(use_case, role, TABLE[use_case][role]) for use_case in UseCase for role in Role]
    assert sorted(found) == sorted(expected())


@pytest.mark.parametrize(("use_case", "role", "reach"), expected())
def test_each_role_does_its_own_and_nothing_else(use_case: UseCase, role: Role, reach: Reach) -> None:
    actor = an_actor(role)
    if reach is Reach.NONE:
        assert scope_of(actor, use_case).is_empty()
        for matter in (None, *OWN.values()):
            with pytest.raises(RefusedByRuleError) as refused:
                check_allowed(actor, use_case, matter)
            assert refused.value.reason.rule == "access"
        return
    check_allowed(actor, use_case)
    check_allowed(actor, use_case, OWN[reach])
    assert allowed(actor, use_case, ELSEWHERE) == (reach is Reach.ALL)
    assert allowed(actor, use_case, Matter()) == (reach is Reach.ALL)


def test_every_fact_has_its_use_case() -> None:
    assert set(FACTS) | set(TAKEN_IN) <= {use_case.value for use_case in UseCase}


def test_an_auditor_decides_nothing() -> None:
    assert {use_case for use_case in UseCase if TABLE[use_case][Role.AUDITOR] is not Reach.NONE} == READINGS


def test_an_account_without_a_role_does_nothing() -> None:
    assert [use_case for use_case in UseCase if allowed(an_actor(), use_case)] == []


def test_several_roles_add_up() -> None:
    actor = an_actor(Role.GACO, Role.CLINIC)
    assert scope_of(actor, UseCase.ATTRIBUTION_SHOW) == Scope(
        rls=frozenset({OWN_RLS}), physicians=frozenset({OWN_PHYSICIAN})
    )
    assert scope_of(actor, UseCase.SV_ENTERED) == Scope(physicians=frozenset({OWN_PHYSICIAN}))


@pytest.mark.parametrize(
    ("role", "owners"),
    [
        (Role.COORDINATOR, {Owner.COORDINATOR}),
        (Role.GACO, {Owner.GACO}),
        (Role.CLINIC, {Owner.CLINIC}),
        (Role.OPERATOR, set(Owner)),
    ],
)
def test_a_task_is_closed_by_its_owner_alone(role: Role, owners: set[Owner]) -> None:
    own = Matter.of(rls=OWN_RLS, physician=OWN_PHYSICIAN)
    may = {owner for owner in Owner if allowed(an_actor(role), UseCase.TASK_DONE, own._replace(owner=owner))}
    assert may == owners
    (seen,) = task_scopes(an_actor(role))
    assert (set(Owner) if seen.owners is None else seen.owners) == owners


def test_owning_in_one_place_gives_nothing_in_another() -> None:
    actor = Actor(
        account="compte",
        grants=(
            Grant(role=Role.COORDINATOR, rls=frozenset({OWN_RLS})),
            Grant(role=Role.GACO, rls=frozenset({OTHER_RLS})),
        ),
    )
    assert allowed(actor, UseCase.TASK_DONE, Matter.of(rls=OWN_RLS, owner=Owner.COORDINATOR))
    assert not allowed(actor, UseCase.TASK_DONE, Matter.of(rls=OTHER_RLS, owner=Owner.COORDINATOR))
    assert not allowed(actor, UseCase.APPROVED, Matter.of(rls=OTHER_RLS))


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.GACO, Role.CLINIC])
def test_a_local_role_is_limited(role: Role) -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        grant(role)
    assert (refused.value.reason.rule, refused.value.reason.field) == ("access", "role")
    assert grant(role, [OWN_PHYSICIAN]).role is role


@pytest.mark.parametrize("role", [Role.RAMQ, Role.AUDITOR, Role.OPERATOR])
def test_a_role_of_everywhere_is_not_limited(role: Role) -> None:
    with pytest.raises(RefusedByRuleError):
        grant(role, [OWN_RLS])
    assert grant(role) == Grant(role=role)


@pytest.mark.parametrize(
    "given",
    [
        {"role": "gaco", "physicians": {OWN_PHYSICIAN}},
        {"role": "clinic", "rls": {OWN_RLS}},
        {"role": "clinic", "rls": {OWN_RLS}, "physicians": {OWN_PHYSICIAN}},
        {"role": "clinic", "physicians": {"not a licence"}},
        {"role": "queen"},
    ],
)
def test_a_grant_read_from_outside_is_checked(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Grant.model_validate(given)


def test_a_refusal_says_what_is_refused_in_both_languages_and_not_about_what() -> None:
    with pytest.raises(RefusedByRuleError) as refused:
        check_allowed(an_actor(Role.COORDINATOR), UseCase.APPROVED, ELSEWHERE)
    reason = refused.value.reason
    assert LABELS[UseCase.APPROVED][0] in reason.fr
    assert LABELS[UseCase.APPROVED][1] in reason.en
    assert OTHER_RLS not in reason.fr + reason.en


def test_everything_has_its_words() -> None:
    assert LABELS.keys() == set(UseCase)
    assert ROLE_LABELS.keys() == set(Role)
    assert REACH_LABELS.keys() == set(Reach)


def test_whoever_runs_the_machine_is_named() -> None:
    assert operator("exploitante") == Actor(account="exploitante", grants=(Grant(role=Role.OPERATOR),))


def test_the_document_shows_the_table_of_the_code() -> None:
    assert roles.table().strip() in DOCUMENT.read_text(encoding="utf-8")
