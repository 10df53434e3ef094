"""What may happen to somebody on the list besides an attribution (A15, A24)."""

from gamf.domain.refusal import RefusedByRuleError


def check_enrollable(place: str | None) -> None:
    """Refuse to enrol somebody who has left for good; their departure is to be undone first (A15)."""
    if place == "left":
        raise RefusedByRuleError(
            "A15",
            "Cette personne a quitté la liste pour de bon ; si c'est une erreur, réinscrivez-la d'abord.",
            "This person has left the list for good; if that is an error, register them again first.",
        )
