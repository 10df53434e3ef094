"""The table of the rules for people to read: a state diagram (Mermaid) and a table (Markdown), in French.

What every state that holds the patient takes alike is drawn once, from the frame around those states.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from gamf.domain.attribution import TABLE, Event, Row
from gamf.domain.facts import FACTS
from gamf.domain.states import DEADLINE_LABELS, LABELS, UNDER_WAY, DeadlineName, State

FACT_LABELS: Final[Mapping[Event, str]] = {
    "accepted": "acceptation confirmée",
    "refused": "refus du médecin",
    "cancelled": "annulation",
    "sv_entered": "inscription SV saisie",
    "window_reopened": "fenêtre rouverte",
    "patient_refused": "refus du patient",
    "mf_signed": "formulaire 4096 signé",
    "enrolled_elsewhere": "inscription par un autre médecin",
    "patient_left": "décès ou départ du patient",
    "physician_left": "départ du médecin",
}
"""Each fact in a few words of French."""
_HELD: Final = "held"
_HELD_LABEL: Final = "Patient attribué"
_MARK: Final = "◆"


def mermaid() -> str:
    """Return the state diagram in Mermaid: a lozenge before each deadline, an end mark after each end."""
    lines = ["stateDiagram-v2", "    direction TB", *_states(), "    [*] --> proposed"]
    lines += [f"    {arrow}" for arrow in _arrows()]
    lines += ["    classDef ending fill:#f2f2f2,stroke:#666,color:#222"]
    lines += [f"    class {','.join(sorted(_ends()))} ending"]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return the rows in Markdown: state, fact or deadline, new state, rules."""
    head = ["| État | Fait ou échéance | Devient | Règles |", "|---|---|---|---|"]
    rows = (_line(state, event, row) for state, events in TABLE.items() for event, row in events.items())
    return "\n".join([*head, *rows]) + "\n"


def event_label(event: Event) -> str:
    """Return a fact or a deadline in a few words, a deadline with its lozenge."""
    if event in FACTS:
        return FACT_LABELS[event]
    words = DEADLINE_LABELS[DeadlineName(event)][0].partition(" :")[0]
    return f"{_MARK} {words[0].lower()}{words[1:]}"


def _line(state: State, event: Event, row: Row) -> str:
    to = LABELS[row.to][0] + (" **(fin)**" if row.ends else "")
    return f"| {LABELS[state][0]} | {event_label(event)} (`{event}`) | {to} | {', '.join(row.rules)} |"


def _states() -> Iterator[str]:
    yield f'    state "{_HELD_LABEL}" as {_HELD} {{'
    for state in (state for state in State if state in UNDER_WAY):
        yield f'        state "{LABELS[state][0]}" as {state}'
    yield "    }"
    for state in (state for state in State if state not in UNDER_WAY):
        yield f'    state "{LABELS[state][0]}" as {state}'


def _arrows() -> Iterator[str]:
    """Yield an arrow for each pair of states, with all that leads from one to the other."""
    for (source, to), events in _grouped().items():
        yield f"{source} --> {to} : {'<br/>'.join(map(event_label, events))}"
    for end in sorted(_ends()):
        yield f"{end} --> [*]"


def _grouped() -> dict[tuple[str, str], list[Event]]:
    alike = _alike()
    arrows: dict[tuple[str, str], list[Event]] = {}
    for state, events in TABLE.items():
        for event, row in events.items():
            source = _HELD if state in UNDER_WAY and event in alike else state
            to = "[*]" if row.ends and row.to is state else row.to
            known = arrows.setdefault((source, to), [])
            if event not in known:
                known.append(event)
    return arrows


def _alike() -> set[Event]:
    """Return the events that lead every state that holds the patient to the same place."""
    rows = [TABLE[state] for state in TABLE if state in UNDER_WAY]
    return {event for event, row in rows[0].items() if all(other.get(event) == row for other in rows)}


def _ends() -> set[State]:
    return {row.to for events in TABLE.values() for row in events.values() if row.ends} - set(TABLE)
