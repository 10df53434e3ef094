"""What a worker can do: its workflows and its activities, each given what it needs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from temporalio.client import Client

from gamf.activities.attributions import AttributionActivities
from gamf.activities.blocks import BlockActivities
from gamf.activities.departures import DepartureActivities
from gamf.activities.digests import DigestActivities
from gamf.activities.letters import LetterActivities
from gamf.activities.messenger import TemporalHerald, TemporalMessenger
from gamf.activities.ramq import RamqActivities
from gamf.letters.carriers import Carrier, OutboxCarrier, Security, SmtpCarrier, SmtpSettings
from gamf.letters.digests import DigestCarrier, OutboxDigests, SmtpDigests
from gamf.letters.ramq import RamqOutbox
from gamf.letters.render import LetterRenderer
from gamf.runtime.settings import Settings
from gamf.workflows.attribution import AttributionWorkflow
from gamf.workflows.block import BlockWorkflow
from gamf.workflows.departure import PhysicianDepartureWorkflow
from gamf.workflows.digest import DailyDigestWorkflow
from gamf.workflows.starting import AttributionStarter

if TYPE_CHECKING:
    from gamf.runtime.database import Pool


WORKFLOWS: Final[tuple[type, ...]] = (
    AttributionWorkflow,
    BlockWorkflow,
    DailyDigestWorkflow,
    PhysicianDepartureWorkflow,
)
"""Every workflow; each has its saved histories (tests/histories)."""


@dataclass(frozen=True)
class Registry:
    """The workflows and the activities that a worker registers."""

    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]


def build(pool: "Pool", client: Client, settings: Settings, carrier: Carrier | None = None) -> Registry:
    """Give the activities what they need, and return everything the worker registers.

    Letters go by the carrier that the settings name, unless another is given.
    """
    messenger = TemporalMessenger(client)
    starter = AttributionStarter(client)
    attributions = AttributionActivities(pool, messenger, starter)
    blocks = BlockActivities(pool, messenger, starter)
    ramq = RamqActivities(pool, RamqOutbox(settings.ramq_outbox))
    departures = DepartureActivities(pool, TemporalHerald(client))
    letters = LetterActivities(pool, LetterRenderer(), carrier or _carrier(settings))
    digests = DigestActivities(pool, _digest_carrier(settings))
    return Registry(
        workflows=WORKFLOWS,
        activities=(
            attributions.propose,
            attributions.confirm_acceptance,
            attributions.enrol_sv,
            attributions.enrol_mf,
            attributions.return_to_list,
            attributions.leave_list,
            attributions.open_task,
            attributions.reopen_window,
            attributions.note,
            attributions.keep_refused_facts,
            attributions.ask_about_letter,
            blocks.draw_list,
            blocks.attribute_list,
            blocks.answer_list,
            blocks.withdraw_list,
            blocks.close_block,
            letters.send_letter,
            departures.announce_departure,
            departures.withdraw_drawn_lists,
            departures.withdraw_departure,
            departures.begin_departure,
            departures.reach_attributions,
            departures.finish_departure,
            digests.make_digests,
            digests.send_digests,
            ramq.confirm_to_ramq,
            ramq.hand_over_ramq_again,
        ),
    )


def _carrier(settings: Settings) -> Carrier:
    """Return the carrier that the settings name."""
    if settings.carrier == "outbox":
        return OutboxCarrier(settings.outbox)
    return SmtpCarrier(_smtp(settings), settings.outbox)


def _digest_carrier(settings: Settings) -> DigestCarrier:
    """Return who takes the digests away, of the same kind as the letters' carrier."""
    if settings.carrier == "outbox":
        return OutboxDigests(settings.outbox / "digests")
    return SmtpDigests(_smtp(settings))


def _smtp(settings: Settings) -> SmtpSettings:
    return SmtpSettings(
        host=settings.smtp_host or "",
        port=settings.smtp_port,
        sender=settings.smtp_from or "",
        mailbox=settings.smtp_mailbox or "",
        security=Security(settings.smtp_security),
        ca_file=settings.smtp_ca_file,
        username=settings.smtp_user,
        password=settings.smtp_password,
        timeout_seconds=settings.smtp_timeout_seconds,
    )
