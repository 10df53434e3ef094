"""The diagram and the table of docs/states.md are those of the code, and say the whole of `TABLE`."""

import re
from pathlib import Path

import pytest

from gamf.domain.attribution import TABLE
from gamf.domain.diagram import FACT_LABELS, event_label, mermaid, table
from gamf.domain.facts import FACTS
from gamf.domain.states import LABELS, UNDER_WAY, DeadlineName, State

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "states.md"
ARROW = re.compile(r"^    (\S+) --> (\S+) : (.+)$", re.MULTILINE)


def part(name: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    begin, end = f"<!-- made from the code: {name} -->\n", f"<!-- end: {name} -->"
    return text.partition(begin)[2].partition(end)[0].strip()


def test_the_document_shows_the_diagram_of_the_code() -> None:
    assert part("states") == f"```mermaid\n{mermaid().strip()}\n```"


def test_the_document_shows_the_table_of_the_code() -> None:
    assert part("table") == table().strip()


def test_every_row_of_the_table_is_an_arrow_and_every_arrow_a_row() -> None:
    drawn = {
        (state, label, to)
        for source, to, labels in ARROW.findall(mermaid())
        for label in labels.split("<br/>")
        for state in (UNDER_WAY if source == "held" else {State(source)})
    }
    rows = {
        (state, event_label(event), "[*]" if row.ends and row.to is state else str(row.to))
        for state, events in TABLE.items()
        for event, row in events.items()
    }
    assert drawn == rows


@pytest.mark.parametrize("state", State)
def test_every_state_is_drawn_by_its_words(state: State) -> None:
    assert f'state "{LABELS[state][0]}" as {state}\n' in mermaid()
    assert LABELS[state][0] in table()


def test_every_end_is_marked() -> None:
    ends = {state for state in State if state not in TABLE}
    assert {State(name) for name in re.findall(r"^    (\w+) --> \[\*\]$", mermaid(), re.MULTILINE)} == ends
    assert mermaid().splitlines()[-1] == f"    class {','.join(sorted(ends))} ending"


def test_a_deadline_is_told_from_a_fact() -> None:
    assert set(FACT_LABELS) == set(FACTS)
    assert all(event_label(name).startswith("◆ ") for name in DeadlineName)
    assert not any("◆" in event_label(name) for name in FACTS)
    labels = [event_label(event) for event in (*FACTS, *DeadlineName)]
    assert len(set(labels)) == len(labels)


def test_no_label_breaks_the_notation() -> None:
    for label in (*map(event_label, (*FACTS, *DeadlineName)), *(fr for fr, _ in LABELS.values())):
        assert not set(label) & set(':;#"|{}<>\n')
