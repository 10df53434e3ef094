"""What reads from the outside, each as a function of bytes: it may refuse them in its own words and nothing else."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from unittest.mock import patch

from pydantic import ValidationError

from gamf.client.errors import FileRefusedError
from gamf.client.feed import read_line
from gamf.client.files import NETWORKS, PHYSICIANS, REGISTER, Layout, Source, Surroundings
from gamf.domain import facts, identifiers
from gamf.domain.inbox import sent
from gamf.domain.policy import Policy
from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.errors import SettingsFault
from gamf.runtime.settings import Settings

_TODAY: Final = date(2026, 11, 26)
_AROUND: Final = Surroundings.at(datetime(2026, 11, 26, 15, tzinfo=UTC), {"RLS-01": "America/Toronto"})
_FOLDER: Final = tempfile.TemporaryDirectory(prefix="gamf-abuse-")
_VARIABLES: Final = tuple(f"GAMF_{name.upper()}" for name in Settings.model_fields)


def a_fact(data: bytes) -> None:
    """Read a fact: the first byte chooses its name, the rest is the argument, as JSON or as it stands."""
    name = (*facts.FACTS, "unknown")[data[0] % (len(facts.FACTS) + 1)] if data else ""
    text = data[1:].decode("utf-8", "surrogateescape")
    try:
        argument: object = json.loads(text)
    except (ValueError, RecursionError):
        argument = text
    kept = sent(name, argument)
    json.dumps(kept.argument, allow_nan=False).encode()
    try:
        fact = facts.parse(name, argument)
    except RefusedByRuleError:
        return
    assert facts.parse(fact.name, fact.argument()) == fact


def a_line(data: bytes) -> None:
    """Read a line of facts in bulk."""
    with suppress(RefusedByRuleError):
        read_line(data.decode("utf-8", "surrogateescape"))


def a_file(layout: Layout, data: bytes) -> None:
    """Read a file of that kind; every line is good or has a finding with its number."""
    path = Path(_FOLDER.name) / layout.kind
    path.write_bytes(data)
    with suppress(FileRefusedError):
        for line in Source(path, layout).lines(_AROUND):
            assert (line.values is None) == bool(line.faults)
            assert all(fault.fr and fault.en and fault.line >= line.number for fault in line.faults)


def settings(data: bytes) -> None:
    """Read settings: lines `NAME=value`, the name by its number where it is none of ours."""
    environ: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8", "replace").replace("\0", "").splitlines()):
        name, _, value = line.partition("=")
        known = name if name in _VARIABLES else _VARIABLES[(number + len(name)) % len(_VARIABLES)]
        environ[known] = value
    with patch.dict(os.environ, environ, clear=True), suppress(SettingsFault):
        Settings.load()


def a_policy(data: bytes) -> None:
    """Read a policy; one that is taken is written and read again as the same."""
    with suppress(ValidationError):
        policy = Policy.model_validate_json(data)
        assert Policy.model_validate_json(policy.model_dump_json()) == policy


def identifiers_of_all_kinds(data: bytes) -> None:
    """Read a text as each of the identifiers that people type."""
    text = data.decode("utf-8", "replace")
    for read in (
        lambda: identifiers.parse_nam(text, _TODAY),
        lambda: identifiers.parse_licence(text),
        lambda: identifiers.parse_postal_code(text),
        lambda: identifiers.parse_attribution_reference(text),
        lambda: identifiers.parse_block_reference(text),
    ):
        with suppress(RefusedByRuleError):
            read()


def _reader(layout: Layout) -> Callable[[bytes], None]:
    return lambda data: a_file(layout, data)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "fact": a_fact,
    "line": a_line,
    "register": _reader(REGISTER),
    "physicians": _reader(PHYSICIANS),
    "networks": _reader(NETWORKS),
    "settings": settings,
    "policy": a_policy,
    "identifiers": identifiers_of_all_kinds,
}


def examples() -> Mapping[str, list[bytes]]:
    """Return what is good for each, from which the fuzzing goes astray."""
    fact = b'{"by": "clinique", "on": "2026-06-01"}'
    answer = b'{"by": "coordo", "reason": "lien familial", "at": "2026-06-01T10:00:00-04:00"}'
    line = b'{"attribution_id": "2026-000042", "fact": "mf_signed", "by": "x", "signed_on": "2026-09-01"}'
    person = (
        'TREM04121925,Tremblay,Inventé,2004-12-19,M,"1, rue Imaginaire",Québec,G1A 1A1,fr,false,'
        "a@exemple.test,418 555-0142,RLS-01,2024-05-17,C,true,"
    )
    return {
        "fact": [bytes([n]) + each for n in range(len(facts.FACTS)) for each in (fact, answer)],
        "line": [line, b"{}", b"[1]"],
        "register": [f"{','.join(REGISTER.names)}\n{person}\n".encode()],
        "physicians": [",".join(PHYSICIANS.names).encode() + b"\n12345,Nom,Pr,RLS-01,participating,,,,,\n"],
        "networks": [";".join(NETWORKS.names).encode() + b"\nRLS-01;a;b;America/Toronto;c;418 555-0101;d\n"],
        "settings": [
            b"GAMF_CARRIER=smtp\nGAMF_SMTP_PORT=25\nGAMF_METRICS_ADDRESS=localhost:9\nGAMF_SANDBOX=1"
        ],
        "policy": [Policy().model_dump_json().encode()],
        "identifiers": [b"TREM04121925", b"12345", b"G1A 1A1", b"2026-000042", b"2026-0007"],
    }
