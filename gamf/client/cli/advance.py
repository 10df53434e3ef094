"""`gamf advance`: training only, one attribution's own clock (contract.md)."""

from pathlib import Path
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta

from gamf.client.cli import session
from gamf.client.cli.attribution import attribution_argument, print_attribution
from gamf.client.cli.commands import argument, as_json, command, reads_data
from gamf.client.cli.language import Text, say
from gamf.client.cli.output import print_json, progress
from gamf.client.cli.values import Duration

if TYPE_CHECKING:
    from gamf.client.asking import View


@command(
    "advance",
    fr="""Formation seulement : avancer l’horloge d’une attribution.

    Par exemple : gamf advance 2026-000042 72h. Refusé si « gamf up » tourne sans --training.""",
)
@attribution_argument
@argument(
    "length",
    type=Duration(),
    fr="De combien : 72h, 14d, 36mo, 1y…",
    en="By how much: 72h, 14d, 36mo, 1y…",
    shown=Text("DURÉE", "DURATION"),
)
@reads_data
@as_json
def advance(attribution_id: str, length: relativedelta, data: Path | None, *, json_wanted: bool) -> None:
    """Training only: move an attribution's own clock.

    For instance: gamf advance 2026-000042 72h. Refused when “gamf up” runs without --training.
    """
    from gamf.client import acting, deciding, training  # noqa: PLC0415 - keeps `--help` fast

    async def work() -> "View":
        async with session.both(data) as reach:
            training.check_allowed(training=reach.training)
            with progress(say("Le temps passe", "Time passes")):
                desk = acting.Desk(reach.pool, reach.temporal)
                return await deciding.advance(desk, session.seat(), attribution_id, length)

    view = session.run(work())
    if json_wanted:
        print_json(view)
    else:
        print_attribution(view)
