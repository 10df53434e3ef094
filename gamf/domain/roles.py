"""Who may do what, and about whom: one table of use cases and roles, and the function that decides by it.

A role sees and does only its own: a coordinator and a GACO that of their RLS, a clinic that of its physicians. An
auditor reads everything and decides nothing. Whoever runs the machine may do everything; their name is on it.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, model_validator

from gamf.domain.effects import Owner
from gamf.domain.facts import Account, Licence, Text
from gamf.domain.refusal import RefusedByRuleError


class Role(StrEnum):
    """What somebody is here for."""

    COORDINATOR = "coordinator"
    GACO = "gaco"
    CLINIC = "clinic"
    RAMQ = "ramq"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Reach(StrEnum):
    """About whom a role may do something."""

    NONE = "none"
    OWN_RLS = "own_rls"
    OWN_PHYSICIANS = "own_physicians"
    ALL = "all"


class UseCase(StrEnum):
    """All that a person can see or do; that of a fact has the fact's name."""

    # Blocks
    BLOCK_LIST = "block_list"
    BLOCK_SHOW = "block_show"
    BLOCK_REQUEST = "block_request"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    LIST_ACCEPTED = "list_accepted"
    LIST_REFUSED = "list_refused"
    PROFILE_SHOW = "profile_show"
    PROFILE_SET = "profile_set"
    # Attributions
    ATTRIBUTION_LIST = "attribution_list"
    ATTRIBUTION_SHOW = "attribution_show"
    LETTER_SHOW = "letter_show"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    SV_ENTERED = "sv_entered"
    WINDOW_REOPENED = "window_reopened"
    PATIENT_REFUSED = "patient_refused"
    MF_SIGNED = "mf_signed"
    ENROLLED_ELSEWHERE = "enrolled_elsewhere"
    PATIENT_LEFT = "patient_left"
    PHYSICIAN_LEFT = "physician_left"
    ADVANCE = "advance"
    # Tasks
    TASK_LIST = "task_list"
    TASK_DONE = "task_done"
    # The list
    REGISTER_LIST = "register_list"
    REGISTER_SHOW = "register_show"
    REGISTER_EXPORT = "register_export"
    REGISTER_IMPORT = "register_import"
    REGISTER_CORRECT = "register_correct"
    REGISTER_MOVE = "register_move"
    REGISTER_REINSTATE = "register_reinstate"
    CONDITION_SHOW = "condition_show"
    CONDITION_RECORD = "condition_record"
    RETRO_IMPORT = "retro_import"
    # Physicians and networks
    PHYSICIAN_LIST = "physician_list"
    PHYSICIAN_SHOW = "physician_show"
    PHYSICIAN_IMPORT = "physician_import"
    PHYSICIAN_DEPARTURE = "physician_departure"
    NETWORK_LIST = "network_list"
    NETWORK_IMPORT = "network_import"
    # The whole
    INDICATORS_SHOW = "indicators_show"
    RAMQ_LISTS_SHOW = "ramq_lists_show"
    RAMQ_LISTS_SEND = "ramq_lists_send"
    OUTBOX_SHOW = "outbox_show"
    RECONCILE = "reconcile"
    # Accounts
    OWN_ACCOUNT = "own_account"
    ACCOUNT_MANAGE = "account_manage"
    ACCESS_LOG_SHOW = "access_log_show"


class Grant(BaseModel):
    """A role with what it is limited to: RLS for a coordinator or a GACO, licences for a clinic, else nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    rls: frozenset[Text] = frozenset()
    physicians: frozenset[Licence] = frozenset()

    @model_validator(mode="after")
    def _limited_as_its_role_is(self) -> Self:
        check_limits(self.role, bool(self.rls), bool(self.physicians))
        return self


class Actor(BaseModel):
    """Somebody who asks: the account that stands as `by` on every fact, and what it was granted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Account
    grants: tuple[Grant, ...] = ()

    @property
    def roles(self) -> frozenset[Role]:
        """Return the roles, whatever they are limited to."""
        return frozenset(grant.role for grant in self.grants)


class Matter(NamedTuple):
    """What something is about, as far as access goes: the RLS and the physicians concerned, a task's owner."""

    rls: frozenset[str] = frozenset()
    physicians: frozenset[str] = frozenset()
    owner: Owner | None = None

    @classmethod
    def of(cls, rls: str | None = None, physician: str | None = None, owner: Owner | None = None) -> "Matter":
        """Make one of a single RLS and a single physician."""
        return cls(frozenset({rls} if rls else ()), frozenset({physician} if physician else ()), owner)


class Scope(NamedTuple):
    """What a list may show: everything, or what is of these RLS or of these physicians."""

    everything: bool = False
    rls: frozenset[str] = frozenset()
    physicians: frozenset[str] = frozenset()

    def covers(self, matter: Matter) -> bool:
        """Tell whether that is within it."""
        return self.everything or bool(self.rls & matter.rls) or bool(self.physicians & matter.physicians)

    def is_empty(self) -> bool:
        """Tell whether nothing is within it."""
        return not (self.everything or self.rls or self.physicians)

    def joined(self, other: "Scope") -> "Scope":
        """Return what is within either."""
        return Scope(
            self.everything or other.everything, self.rls | other.rls, self.physicians | other.physicians
        )


class TaskScope(NamedTuple):
    """Whose tasks a list may show, None being everybody's, within which scope."""

    owners: frozenset[Owner] | None
    scope: Scope


LIMITS: Final[Mapping[Role, Reach]] = {
    Role.COORDINATOR: Reach.OWN_RLS,
    Role.GACO: Reach.OWN_RLS,
    Role.CLINIC: Reach.OWN_PHYSICIANS,
    Role.RAMQ: Reach.ALL,
    Role.AUDITOR: Reach.ALL,
    Role.OPERATOR: Reach.ALL,
}
"""What each role is limited to."""

OWNERS: Final[Mapping[Role, frozenset[Owner]]] = {
    Role.COORDINATOR: frozenset({Owner.COORDINATOR}),
    Role.GACO: frozenset({Owner.GACO}),
    Role.CLINIC: frozenset({Owner.CLINIC}),
    Role.RAMQ: frozenset(),
}
"""Whose tasks a role sees and closes; the others see everybody's."""

_COORDINATOR: Final = frozenset({Role.COORDINATOR})
_GACO: Final = frozenset({Role.GACO})
_CLINIC: Final = frozenset({Role.CLINIC})
_RAMQ: Final = frozenset({Role.RAMQ})
_AUDITOR: Final = frozenset({Role.AUDITOR})
_NOBODY: Final[frozenset[Role]] = frozenset()
_LOCAL: Final = _COORDINATOR | _GACO | _CLINIC
_EVERYBODY: Final = _LOCAL | _RAMQ | _AUDITOR

_MAY: Final[Mapping[UseCase, frozenset[Role]]] = {
    UseCase.BLOCK_LIST: _COORDINATOR | _CLINIC | _RAMQ | _AUDITOR,
    UseCase.BLOCK_SHOW: _COORDINATOR | _CLINIC | _RAMQ | _AUDITOR,
    # R3: the physician asks the coordinator, who may put the request for them.
    UseCase.BLOCK_REQUEST: _COORDINATOR | _CLINIC,
    # A21: a person, the coordinator, approves.
    UseCase.APPROVED: _COORDINATOR,
    UseCase.WITHDRAWN: _COORDINATOR,
    # R6: the physician says it to the coordinator, who confirms the names.
    UseCase.LIST_ACCEPTED: _COORDINATOR,
    UseCase.LIST_REFUSED: _COORDINATOR | _CLINIC,
    UseCase.PROFILE_SHOW: _COORDINATOR | _AUDITOR,
    UseCase.PROFILE_SET: _COORDINATOR,
    UseCase.ATTRIBUTION_LIST: _EVERYBODY,
    UseCase.ATTRIBUTION_SHOW: _EVERYBODY,
    UseCase.LETTER_SHOW: _EVERYBODY,
    UseCase.ACCEPTED: _COORDINATOR,
    UseCase.REFUSED: _COORDINATOR | _CLINIC,
    UseCase.CANCELLED: _COORDINATOR,
    # R8: the physician or authorised staff.
    UseCase.SV_ENTERED: _CLINIC,
    UseCase.WINDOW_REOPENED: _COORDINATOR,
    # R7: a patient's refusal goes to the GACO.
    UseCase.PATIENT_REFUSED: _GACO,
    UseCase.MF_SIGNED: _CLINIC | _RAMQ,
    UseCase.ENROLLED_ELSEWHERE: _GACO | _RAMQ,
    UseCase.PATIENT_LEFT: _GACO | _CLINIC | _RAMQ,
    UseCase.PHYSICIAN_LEFT: _COORDINATOR | _RAMQ,
    UseCase.ADVANCE: _COORDINATOR,
    UseCase.TASK_LIST: _LOCAL | _AUDITOR,
    UseCase.TASK_DONE: _LOCAL,
    UseCase.REGISTER_LIST: _COORDINATOR | _GACO | _RAMQ | _AUDITOR,
    UseCase.REGISTER_SHOW: _EVERYBODY,
    UseCase.REGISTER_EXPORT: _NOBODY,
    UseCase.REGISTER_IMPORT: _NOBODY,
    UseCase.REGISTER_CORRECT: _GACO,
    UseCase.REGISTER_MOVE: _GACO,
    UseCase.REGISTER_REINSTATE: _GACO | _RAMQ,
    # R13: from the first visit on, so by the clinic, whose business it is.
    UseCase.CONDITION_SHOW: _CLINIC | _AUDITOR,
    UseCase.CONDITION_RECORD: _CLINIC,
    UseCase.RETRO_IMPORT: _NOBODY,
    UseCase.PHYSICIAN_LIST: _EVERYBODY,
    UseCase.PHYSICIAN_SHOW: _EVERYBODY,
    UseCase.PHYSICIAN_IMPORT: _NOBODY,
    UseCase.PHYSICIAN_DEPARTURE: _COORDINATOR | _RAMQ,
    UseCase.NETWORK_LIST: _EVERYBODY,
    UseCase.NETWORK_IMPORT: _NOBODY,
    UseCase.INDICATORS_SHOW: _COORDINATOR | _GACO | _RAMQ | _AUDITOR,
    UseCase.RAMQ_LISTS_SHOW: _COORDINATOR | _RAMQ | _AUDITOR,
    UseCase.RAMQ_LISTS_SEND: _COORDINATOR | _RAMQ,
    UseCase.OUTBOX_SHOW: _RAMQ | _AUDITOR,
    UseCase.RECONCILE: _NOBODY,
    UseCase.OWN_ACCOUNT: _EVERYBODY,
    UseCase.ACCOUNT_MANAGE: _NOBODY,
    UseCase.ACCESS_LOG_SHOW: _AUDITOR,
}
_OF_NOBODY_IN_PARTICULAR: Final = frozenset({UseCase.NETWORK_LIST, UseCase.OWN_ACCOUNT})
"""What speaks of no patient and of no physician: the same for whoever may."""

READINGS: Final = frozenset(
    {
        UseCase.BLOCK_LIST,
        UseCase.BLOCK_SHOW,
        UseCase.PROFILE_SHOW,
        UseCase.ATTRIBUTION_LIST,
        UseCase.ATTRIBUTION_SHOW,
        UseCase.LETTER_SHOW,
        UseCase.TASK_LIST,
        UseCase.REGISTER_LIST,
        UseCase.REGISTER_SHOW,
        UseCase.CONDITION_SHOW,
        UseCase.PHYSICIAN_LIST,
        UseCase.PHYSICIAN_SHOW,
        UseCase.NETWORK_LIST,
        UseCase.INDICATORS_SHOW,
        UseCase.RAMQ_LISTS_SHOW,
        UseCase.OUTBOX_SHOW,
        UseCase.OWN_ACCOUNT,
        UseCase.ACCESS_LOG_SHOW,
    }
)
"""What changes nothing, but for one's own password."""


def reach(use_case: UseCase, role: Role) -> Reach:
    """Return about whom that role may do that."""
    if role is Role.OPERATOR:
        return Reach.ALL
    if role not in _MAY[use_case]:
        return Reach.NONE
    return Reach.ALL if use_case in _OF_NOBODY_IN_PARTICULAR else LIMITS[role]


TABLE: Final[Mapping[UseCase, Mapping[Role, Reach]]] = {
    use_case: {role: reach(use_case, role) for role in Role} for use_case in UseCase
}
"""About whom each role may do each thing."""


def check_limits(role: Role, of_rls: bool, of_physicians: bool) -> None:  # noqa: FBT001 - which of the two is given
    """Refuse a role that is not limited as it must be.

    Raises:
        RefusedByRuleError: it is not; within a model, pydantic makes it a `ValidationError`.
    """
    limit = LIMITS[role]
    if (of_rls, of_physicians) != (limit is Reach.OWN_RLS, limit is Reach.OWN_PHYSICIANS):
        fr, en = _LIMIT_WORDS[limit]
        raise RefusedByRuleError(
            "access",
            f"Le rôle « {ROLE_LABELS[role][0]} » se donne {fr}.",
            f"The role “{ROLE_LABELS[role][1]}” is given {en}.",
            "role",
        )


def grant(role: Role, limits: Iterable[str] = ()) -> Grant:
    """Return a role limited to these RLS or these licences, whichever limits it.

    Raises:
        RefusedByRuleError: a coordinator or a GACO without an RLS, a clinic without a physician, or too much.
    """
    given = frozenset(limits)
    of_physicians = LIMITS[role] is Reach.OWN_PHYSICIANS
    check_limits(role, bool(given) and not of_physicians, bool(given) and of_physicians)
    return Grant(
        role=role,
        rls=frozenset() if of_physicians else given,
        physicians=given if of_physicians else frozenset(),
    )


def scope_of(actor: Actor, use_case: UseCase) -> Scope:
    """Return what of it the actor may see or do, all their roles together; empty when nothing."""
    found = Scope()
    for grant in actor.grants:
        found = found.joined(_scope(grant, use_case))
    return found


def _scope(grant: Grant, use_case: UseCase) -> Scope:
    match TABLE[use_case][grant.role]:
        case Reach.ALL:
            return Scope(everything=True)
        case Reach.OWN_RLS:
            return Scope(rls=grant.rls)
        case Reach.OWN_PHYSICIANS:
            return Scope(physicians=grant.physicians)
        case Reach.NONE:
            return Scope()


def task_scopes(actor: Actor) -> tuple[TaskScope, ...]:
    """Return whose tasks, and where, each of the actor's roles sees."""
    pairs = ((OWNERS.get(grant.role), _scope(grant, UseCase.TASK_LIST)) for grant in actor.grants)
    return tuple(TaskScope(owners, scope) for owners, scope in pairs if not scope.is_empty())


def allowed(actor: Actor, use_case: UseCase, matter: Matter | None = None) -> bool:
    """Tell whether the actor may do that: about this matter, or about any when none is named."""
    return any(_grants(grant, use_case, matter) for grant in actor.grants)


def _grants(grant: Grant, use_case: UseCase, matter: Matter | None) -> bool:
    scope = _scope(grant, use_case)
    if matter is None:
        return not scope.is_empty()
    owners = OWNERS.get(grant.role)
    is_theirs = matter.owner is None or owners is None or matter.owner in owners
    return is_theirs and scope.covers(matter)


def check_allowed(actor: Actor, use_case: UseCase, matter: Matter | None = None) -> None:
    """Refuse what the actor's roles do not allow: at all, or about this matter.

    Raises:
        RefusedByRuleError: they do not; the words say nothing of what the matter is.
    """
    if not allowed(actor, use_case):
        raise _not_theirs(use_case)
    if not allowed(actor, use_case, matter):
        raise _elsewhere(use_case)


def _not_theirs(use_case: UseCase) -> RefusedByRuleError:
    fr, en = LABELS[use_case]
    return RefusedByRuleError(
        "access",
        f"Votre rôle ne permet pas ceci : {fr}. Rien n’a changé.",
        f"Your role does not allow this: {en}. Nothing has changed.",
    )


def _elsewhere(use_case: UseCase) -> RefusedByRuleError:
    fr, en = LABELS[use_case]
    return RefusedByRuleError(
        "access",
        f"Ceci n’est pas de vos RLS, de vos médecins ou de vos tâches : {fr}. Rien n’a changé.",
        f"This is not of your RLS, your physicians or your tasks: {en}. Nothing has changed.",
    )


def operator(account: str) -> Actor:
    """Return whoever runs the machine: they may do everything, under that name."""
    return Actor(account=account, grants=(Grant(role=Role.OPERATOR),))


ROLE_LABELS: Final[Mapping[Role, tuple[str, str]]] = {
    Role.COORDINATOR: ("coordonnateur d’un RLS", "coordinator of an RLS"),
    Role.GACO: ("GACO d’un RLS", "GACO of an RLS"),
    Role.CLINIC: ("personnel de clinique", "clinic staff"),
    Role.RAMQ: ("RAMQ", "RAMQ"),
    Role.AUDITOR: ("vérificateur", "auditor"),
    Role.OPERATOR: ("exploitant", "operator"),
}
"""Each role in French and in English."""

REACH_LABELS: Final[Mapping[Reach, tuple[str, str]]] = {
    Reach.NONE: ("—", "—"),
    Reach.OWN_RLS: ("ses RLS", "own RLS"),
    Reach.OWN_PHYSICIANS: ("ses médecins", "own physicians"),
    Reach.ALL: ("tout", "all"),
}
"""Each reach in French and in English."""

_LIMIT_WORDS: Final[Mapping[Reach, tuple[str, str]]] = {
    Reach.OWN_RLS: ("avec un RLS ou plusieurs", "with one RLS or more"),
    Reach.OWN_PHYSICIANS: (
        "avec les permis d’un médecin ou de plusieurs",
        "with the licences of one physician or more",
    ),
    Reach.ALL: ("sans RLS ni médecin", "without RLS or physician"),
}

LABELS: Final[Mapping[UseCase, tuple[str, str]]] = {
    UseCase.BLOCK_LIST: ("lister les blocs", "list the blocks"),
    UseCase.BLOCK_SHOW: ("voir un bloc et sa liste", "see a block and its list"),
    UseCase.BLOCK_REQUEST: ("demander un bloc", "request a block"),
    UseCase.APPROVED: ("approuver une liste tirée", "approve a drawn list"),
    UseCase.WITHDRAWN: ("retirer une liste tirée", "withdraw a drawn list"),
    UseCase.LIST_ACCEPTED: ("confirmer l’acceptation d’une liste", "confirm the acceptance of a list"),
    UseCase.LIST_REFUSED: ("consigner le refus d’une liste", "report the refusal of a list"),
    UseCase.PROFILE_SHOW: ("voir le profil d’un RLS", "see the profile of an RLS"),
    UseCase.PROFILE_SET: ("modifier le profil d’un RLS", "change the profile of an RLS"),
    UseCase.ATTRIBUTION_LIST: ("lister les attributions", "list the attributions"),
    UseCase.ATTRIBUTION_SHOW: ("voir une attribution", "see an attribution"),
    UseCase.LETTER_SHOW: ("voir les lettres d’une attribution", "see the letters of an attribution"),
    UseCase.ACCEPTED: ("confirmer l’acceptation d’un patient", "confirm the acceptance of a patient"),
    UseCase.REFUSED: ("consigner le refus du médecin", "report the physician’s refusal"),
    UseCase.CANCELLED: ("annuler une attribution", "cancel an attribution"),
    UseCase.SV_ENTERED: ("inscrire sans visite (SV)", "enter an SV"),
    UseCase.WINDOW_REOPENED: ("rouvrir une fenêtre de 14 jours", "reopen a window of 14 days"),
    UseCase.PATIENT_REFUSED: ("consigner le refus du patient", "report the patient’s refusal"),
    UseCase.MF_SIGNED: ("consigner un formulaire 4096 signé (MF)", "report a signed form 4096 (MF)"),
    UseCase.ENROLLED_ELSEWHERE: (
        "consigner une inscription par un autre médecin",
        "report another physician’s enrolment",
    ),
    UseCase.PATIENT_LEFT: (
        "consigner le décès ou le départ d’un patient",
        "report a patient’s death or departure",
    ),
    UseCase.PHYSICIAN_LEFT: (
        "consigner, pour une attribution, le départ du médecin",
        "report, for an attribution, the physician’s departure",
    ),
    UseCase.ADVANCE: ("avancer l’horloge, en formation", "move the clock, in a training"),
    UseCase.TASK_LIST: ("lister les tâches", "list the tasks"),
    UseCase.TASK_DONE: ("fermer une tâche", "close a task"),
    UseCase.REGISTER_LIST: ("parcourir la liste", "go through the list"),
    UseCase.REGISTER_SHOW: ("voir un patient", "see a patient"),
    UseCase.REGISTER_EXPORT: ("exporter le registre", "export the register"),
    UseCase.REGISTER_IMPORT: ("importer des patients", "import patients"),
    UseCase.REGISTER_CORRECT: ("corriger les coordonnées d’un patient", "correct a patient’s address"),
    UseCase.REGISTER_MOVE: ("changer un patient de RLS", "move a patient to another RLS"),
    UseCase.REGISTER_REINSTATE: (
        "défaire un départ consigné par erreur",
        "undo a departure reported in error",
    ),
    UseCase.CONDITION_SHOW: ("voir les conditions de vulnérabilité", "see the vulnerability conditions"),
    UseCase.CONDITION_RECORD: (
        "consigner une condition de vulnérabilité",
        "record a vulnerability condition",
    ),
    UseCase.RETRO_IMPORT: ("importer la cohorte rétroactive", "import the retroactive cohort"),
    UseCase.PHYSICIAN_LIST: ("lister les médecins", "list the physicians"),
    UseCase.PHYSICIAN_SHOW: ("voir un médecin", "see a physician"),
    UseCase.PHYSICIAN_IMPORT: ("importer des médecins", "import physicians"),
    UseCase.PHYSICIAN_DEPARTURE: (
        "annoncer ou retirer le départ d’un médecin",
        "announce or withdraw a physician’s departure",
    ),
    UseCase.NETWORK_LIST: ("lister les RLS", "list the RLS"),
    UseCase.NETWORK_IMPORT: ("importer des RLS", "import RLS"),
    UseCase.INDICATORS_SHOW: ("voir les indicateurs", "see the indicators"),
    UseCase.RAMQ_LISTS_SHOW: ("voir les listes confirmées à la RAMQ", "see the lists confirmed to RAMQ"),
    UseCase.RAMQ_LISTS_SEND: ("transmettre une liste confirmée à la RAMQ", "send a confirmed list to RAMQ"),
    UseCase.OUTBOX_SHOW: ("voir la boîte d’envoi des lettres", "see the letters’ outbox"),
    UseCase.RECONCILE: ("rapprocher Temporal et la base", "reconcile Temporal and the database"),
    UseCase.OWN_ACCOUNT: (
        "voir son compte et changer son mot de passe",
        "see one’s account and change its password",
    ),
    UseCase.ACCOUNT_MANAGE: ("gérer les comptes", "manage the accounts"),
    UseCase.ACCESS_LOG_SHOW: ("consulter le journal des accès", "read the access log"),
}
"""Each use case in a few words of French and of English."""


def table() -> str:
    """Return the table in Markdown, in French: use case, then about whom each role may."""
    head = ["", *(ROLE_LABELS[role][0] for role in Role)]
    return "\n".join([_line(head), _line(["---"] * len(head)), *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    for use_case, roles in TABLE.items():
        yield _line(
            [f"{LABELS[use_case][0]} (`{use_case}`)", *(REACH_LABELS[each][0] for each in roles.values())]
        )


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
