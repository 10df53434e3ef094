"""What people correct about a person, by a new record and never by editing one (A20, A22)."""

from collections.abc import Mapping
from typing import Final

from gamf.domain.correspondence import Language
from gamf.domain.refusal import RefusedByRuleError

CORRECTABLE: Final = (
    "address",
    "city",
    "postal_code",
    "phone",
    "email",
    "language",
    "english_attested",
    "representative",
)
"""What a letter is made from, and how a person is reached. Names, NAM and birth date come by file, from RAMQ."""

Value = str | bool | None
"""A value as the register has it; None is an absent one."""


def changes(before: Mapping[str, Value], given: Mapping[str, Value]) -> dict[str, Value]:
    """Return what a correction changes: nothing when the register says so already.

    Raises:
        RefusedByRuleError: nothing was given, or English is asked for without an attestation (A22).
    """
    if not given:
        raise RefusedByRuleError(
            "form",
            f"Donnez au moins une correction, parmi : {', '.join(CORRECTABLE)}.",
            f"Give one correction at least, among: {', '.join(CORRECTABLE)}.",
        )
    changed = {name: value for name, value in given.items() if before[name] != value}
    after = {**before, **changed}
    if changed and after["language"] == Language.ENGLISH and not after["english_attested"]:
        raise RefusedByRuleError(
            "A22",
            "L'anglais demande une attestation : consignez-la aussi.",
            "English needs an attestation: record it as well.",
            "english_attested",
        )
    return changed


def check_correctable(name: str) -> None:
    """Refuse a field that is not corrected so; its name is the sender's, and is not repeated."""
    if name not in CORRECTABLE:
        raise RefusedByRuleError(
            "form",
            f"Un champ n'est pas de ceux que l'on corrige : {', '.join(CORRECTABLE)}.",
            f"A field is not one of those that are corrected: {', '.join(CORRECTABLE)}.",
        )
