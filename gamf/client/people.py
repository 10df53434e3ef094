"""Invented people, physicians and networks, for demonstrations and trials (facts.md, *Made-up people*).

Nobody here exists: names are put together by chance from frequent ones and the NAMs are made from them; every
telephone number is one of the 555-01xx that are never given out, every e-mail address ends in `example.org`.
The same seed and date give the same files on any machine; more people with the same seed begin with the same.
"""

import csv
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate, islice
from pathlib import Path
from random import Random
from typing import Final, Literal, NamedTuple, TextIO

from gamf.client.files import NETWORKS, PHYSICIANS, REGISTER, Layout
from gamf.domain import calendar
from gamf.domain.identifiers import SEQUENCES, Sex, make_nam, plain_letters

DEFAULT_SEED: Final = 321
"""The seed of what is shown when nobody asks for another."""

AGES: Final = (
    ((1, 5), 0.050),
    ((6, 17), 0.096),
    ((18, 34), 0.200),
    ((35, 54), 0.285),
    ((55, 69), 0.218),
    ((70, 99), 0.151),
)
"""The share of each bracket of ages, in completed years (facts.md). Past 99, a NAM tells no century."""
WOMEN: Final = 0.521
VULNERABLE: Final = 0.431

_NEITHER: Final = 0.002
_ENGLISH: Final = 0.08
_ATTESTED: Final = 0.6
_WITH_EMAIL: Final = 0.7
_WITH_PHONE: Final = 0.9
_APARTMENT: Final = 0.3
_REPRESENTED_UNDER: Final = 14
_WITH_REPRESENTATIVE: Final = 0.85
_YOUNG_CHILD: Final = 3
_LONGEST_WAIT_DAYS: Final = 4 * 365
_PRIORITIES: Final = "ABCDE"
# Vulnerable people are urgent more often; the shares of A, B, C, D and E are ours, summed up from A on.
_PRIORITY_SHARES: Final = {True: (3, 20, 60, 90, 100), False: (1, 7, 25, 60, 100)}
_AGE_SHARES: Final = tuple(accumulate(share for _, share in AGES))
_OLDEST: Final = AGES[-1][0][1]
_FIRST_LICENCE: Final = 90_001
_LICENCES: Final = 9_999
_TAKING_PART: Final = 0.97


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_LAST_NAMES: Final = _words("""
    Tremblay Gagnon Roy Côté Bouchard Gauthier Morin Lavoie Fortin Gagné Ouellet Pelletier Bélanger
    Lévesque Bergeron Leblanc Paquette Girard Simard Boucher Caron Beaulieu Cloutier Dubé Poirier Fournier
    Lapointe Leclerc Lefebvre Poulin Thibault St-Pierre Nadeau Martin Landry Martel Bédard Grenier Lessard
    Bernier Richard Michaud Hébert Desjardins Couture Turcotte Lachance Parent Blais Gosselin Savard
    Proulx Beaudoin Demers Perreault Boudreau Lemieux Cyr Perron Dufour Dion Mercier Bolduc Bérubé
    Boisvert Langlois Ménard Therrien Plante Bilodeau Blanchette Dubois Champagne Paradis Fortier
    Arsenault Dupuis Gaudreault Hamel Houle Villeneuve Rousseau Gravel Thériault Lemay Robert Allard
    Deschênes Giroux Guay Leduc Boivin Charbonneau Lambert Raymond Vachon Gilbert Audet Larouche Legault
    Trudel Fontaine Picard Labelle Lacroix Moreau Carrier Bernard Desrosiers Goulet Renaud Dionne Lapierre
    Vaillancourt Fillion Lalonde Tessier Bertrand Tardif Lepage Gingras Benoît Rioux Giguère Drouin Harvey
    Lauzon Nguyen Gendron Boutin Laflamme Vallée Dumont Breton Paré Paquin Robitaille Gélinas Duchesne
    Lussier Séguin Veilleux Potvin Gervais Pépin Laroche Morissette Charron Lavallée Laplante Chabot
    Brunet Vézina Desrochers Labrecque Coulombe Tanguay Chouinard Noël Pouliot Lacasse Daigle Marcoux
    Lamontagne Turgeon Larocque Roberge Auger Masson Pilon Racine Dallaire Émond Grégoire Beauregard Smith
    Denis Lebel Blouin Martineau Labbé Beauchamp St-Onge Charette Dupont Létourneau Rodrigue Cormier
    Rivard Mathieu Asselin Plourde Thibodeau Bélisle St-Laurent Godbout Desbiens Lavigne Doucet Labonté
    Marchand Brassard Patel Marcotte Béland Larose Duval Archambault Maltais Trépanier Laliberté Bisson
    Brisson Dufresne Beaudry Chartrand Houde Fréchette Lafontaine Guillemette Drolet Vincent Richer
    Germain Larivière Ferland Trottier Piché Boulanger Sirois Charest Provost Durand Dumas Soucy Lamoureux
    Mailloux Lacombe Tran Haddad Diallo Benali Silva Garcia Cohen Jones MacDonald O'Brien Vollant
    Fontaine-Mollen
""")
_FIRST_NAMES: Final = {
    "F": _words("""
    Marie Julie Nathalie Isabelle Sylvie Annie Mélanie Caroline Martine Stéphanie Chantal Lise Louise
    Diane Johanne Manon Josée Audrey Catherine Valérie Émilie Geneviève Véronique Sophie Karine Sarah
    Camille Léa Juliette Alice Florence Rosalie Béatrice Océane Noémie Maëlle Zoé Éloïse Anaïs Ève Gisèle
    Thérèse Jeannine Monique Francine Ginette Solange Yvette Huguette Colette Élise Aurélie Laurence Mia
    Chloé Emma Olivia Charlotte Jade Raphaëlle Marie-Ève Marie-Claude Anne-Marie Fatima Amina Linh Maria
    Jennifer Karen Susan
"""),
    "M": _words("""
    Jean Michel Pierre André Daniel Martin Alain Éric Stéphane Sylvain François Patrick Luc Marc Yves
    Claude Denis Richard Robert Jacques Gilles Serge Réjean Normand Gérard Benoît Mathieu Alexandre Maxime
    Simon Nicolas Olivier Jonathan Kevin David Vincent Francis Guillaume Samuel Gabriel William Thomas
    Félix Nathan Antoine Émile Léo Jacob Liam Noah Édouard Théo Arnaud Raphaël Loïc Zacharie Xavier
    Ludovic Cédric Hugo Étienne Jérôme Frédéric Jean-François Marc-André Pierre-Luc Mohamed Karim Minh
    José Brian Steven
"""),
}
_STREETS: Final = (
    "rue Principale",
    "rue des Érables",
    "rue de l'Église",
    "rue Notre-Dame",
    "avenue des Pins",
    "rue du Collège",
    "chemin du Lac",
    "rang Saint-Joseph",
    "rue Saint-Jean-Baptiste",
    "boulevard des Forges",
    "rue des Bouleaux",
    "avenue de la Gare",
    "rue du Quai",
    "rue Sainte-Anne",
    "chemin de la Côte",
    "rue des Peupliers",
    "montée du Moulin",
    "rue Bellevue",
    "avenue du Parc",
    "rue des Cèdres",
    "rue de la Fabrique",
    "place du Marché",
    "rue Élisabeth",
    "côte du Passage",
)
_CLINICS: Final = (
    "Clinique fictive des Érables",
    "Clinique fictive du Vieux-Quai",
    "GMF fictif de la Grande-Ourse",
    "GMF fictif Bellevue",
    "Clinique fictive de la Gare",
    "GMF fictif des Quatre-Saisons",
)
_CODE_LETTERS: Final = "ABCEGHJKLMNPRSTVWXYZ"


class _Network(NamedTuple):
    rls: str
    name: str
    region: str
    time_zone: str
    gaco_name: str
    area: str
    towns: tuple[tuple[str, str], ...]
    """Each with the beginning of its postal codes."""
    share: float


_NETWORKS: Final = (
    _Network(
        "9901",
        "RLS fictif de la Haute-Vallée",
        "03 – Capitale-Nationale",
        "America/Toronto",
        "GACO fictif de la Haute-Vallée",
        "418",
        (
            ("Québec", "G1K"),
            ("L'Ancienne-Lorette", "G2E"),
            ("Saint-Augustin-de-Desmaures", "G3A"),
            ("Boischatel", "G0A"),
        ),
        0.50,
    ),
    _Network(
        "9902",
        "RLS fictif de la Rive-Claire",
        "16 – Montérégie",
        "America/Toronto",
        "GACO fictif de la Rive-Claire",
        "450",
        (("Longueuil", "J4K"), ("Brossard", "J4W"), ("Saint-Hyacinthe", "J2S"), ("Chambly", "J3L")),
        0.42,
    ),
    _Network(
        "9903",
        "RLS fictif des Îles-du-Golfe",
        "11 – Gaspésie–Îles-de-la-Madeleine",
        "America/Halifax",
        "GACO fictif des Îles-du-Golfe",
        "418",
        (("Les Îles-de-la-Madeleine", "G4T"), ("Grosse-Île", "G4T")),
        0.05,
    ),
    _Network(
        "9904",
        "RLS fictif de la Côte-Est",
        "09 – Côte-Nord",
        "America/Blanc-Sablon",
        "GACO fictif de la Côte-Est",
        "418",
        (("Blanc-Sablon", "G0G"), ("Bonne-Espérance", "G0G")),
        0.03,
    ),
)
_NETWORK_SHARES: Final = tuple(accumulate(network.share for network in _NETWORKS))
RLS: Final = tuple(network.rls for network in _NETWORKS)
"""The codes of the invented networks; the first has the most people and the first physician."""


class SampleFiles(NamedTuple):
    """The three files of a demonstration, in the order in which they are taken in."""

    networks: Path
    physicians: Path
    register: Path


def write_sample(
    folder: Path, *, people: int, physicians: int, today: date, seed: int = DEFAULT_SEED
) -> SampleFiles:
    """Write the three files of a demonstration into a folder that is there."""
    files = SampleFiles(folder / "networks.csv", folder / "physicians.csv", folder / "register.csv")
    contents = (networks(), make_physicians(physicians, seed), make_people(people, today, seed))
    for path, layout, rows in zip(files, (NETWORKS, PHYSICIANS, REGISTER), contents, strict=True):
        with path.open("w", encoding="utf-8", newline="") as stream:
            write(stream, layout, rows)
    return files


def write(stream: TextIO, layout: Layout, rows: Iterable[Sequence[str]]) -> None:
    """Write invented rows as the CSV of contract.md with its header; the stream leaves line ends alone."""
    writer = csv.writer(stream)
    writer.writerow(layout.names)
    writer.writerows(rows)


def networks() -> Iterator[tuple[str, ...]]:
    """Give the invented networks, in the three time zones of A23, as rows of `NETWORKS`."""
    for number, network in enumerate(_NETWORKS, start=1):
        yield (
            *(network.rls, network.name, network.region, network.time_zone, network.gaco_name),
            *(f"{network.area} 555-01{number:02}", f"coordonnateur-{network.rls}"),
        )


def make_physicians(count: int, seed: int = DEFAULT_SEED) -> Iterator[tuple[str, ...]]:
    """Give that many invented physicians as rows of `PHYSICIANS`; the first takes part, in the first network.

    Raises:
        ValueError: there are not that many licences.
    """
    if count > _LICENCES:
        raise ValueError(f"at most {_LICENCES} physicians")
    chance = _chance("physicians", seed)
    return (_physician(chance, number) for number in range(count))


def _chance(what: str, seed: int) -> Random:
    return Random(f"{what} {seed}")  # noqa: S311 - the same seed must give the same people; nothing here is secret


def _physician(chance: Random, number: int) -> tuple[str, ...]:
    network = _NETWORKS[number % len(_NETWORKS)]
    first_name, last_name = chance.choice(_FIRST_NAMES[chance.choice("FM")]), chance.choice(_LAST_NAMES)
    town, beginning = chance.choice(network.towns)
    takes_part = number == 0 or chance.random() < _TAKING_PART
    status = "participating" if takes_part else chance.choice(("non_participating", "disengaged"))
    return (
        *(str(_FIRST_LICENCE + number), last_name, first_name, network.rls, status, chance.choice(_CLINICS)),
        *(_street_address(chance), town, _postal_code(chance, beginning)),
        _email(first_name, last_name, number),
    )


def make_people(count: int, today: date, seed: int = DEFAULT_SEED) -> Iterator[tuple[str, ...]]:
    """Give that many invented people as rows of `REGISTER`, each with a NAM of their own, aged as of `today`.

    Every date lies before `today`, so the file is good in every time zone, and stays so.
    """
    chance = _chance("people", seed)
    taken: dict[str, int] = {}
    return islice(_people(chance, today, taken), count)


def _people(chance: Random, today: date, taken: dict[str, int]) -> Iterator[tuple[str, ...]]:
    while True:
        sex = _sex(chance)
        shown: Sex = chance.choice(("F", "M")) if sex == "X" else sex
        first_name, last_name = chance.choice(_FIRST_NAMES[shown]), chance.choice(_LAST_NAMES)
        age = _age(chance)
        born = calendar.add_months(today, -12 * age) - timedelta(days=chance.randrange(1, 365))
        nam = _unused(
            make_nam(last_name, first_name, born, shown), (last_name, first_name, born, shown), taken
        )
        if nam is not None:
            person = (nam, last_name, first_name, born.isoformat(), sex)
            yield *person, *_circumstances(chance, person, age, (today - born).days, today)


def _unused(first: str, parts: tuple[str, str, date, Sex], taken: dict[str, int]) -> str | None:
    """Return the next NAM of those who share letters, birth date and sex, or None when there is none left."""
    number = taken.get(first[:-2], 0)
    taken[first[:-2]] = number + 1
    if number == 0:
        return first
    return make_nam(*parts, SEQUENCES[number]) if number < len(SEQUENCES) else None


def _circumstances(
    chance: Random, person: tuple[str, ...], age: int, days_of_life: int, today: date
) -> tuple[str, ...]:
    _, last_name, first_name, _, _ = person
    network = chance.choices(_NETWORKS, cum_weights=_NETWORK_SHARES)[0]
    town, beginning = chance.choice(network.towns)
    language, attested = _language(chance)
    email = _email(first_name, last_name, chance.randrange(1000)) if chance.random() < _WITH_EMAIL else ""
    phone = f"{network.area} 555-01{chance.randrange(100):02}" if chance.random() < _WITH_PHONE else ""
    registered = today - timedelta(days=chance.randint(1, min(days_of_life, _LONGEST_WAIT_DAYS)))
    vulnerable = chance.random() < VULNERABLE
    return (
        *(_street_address(chance), town, _postal_code(chance, beginning), language, attested, email, phone),
        *(network.rls, registered.isoformat(), _priority(chance, age, vulnerable=vulnerable)),
        *("true" if vulnerable else "false", _representative(chance, age, last_name)),
    )


def _sex(chance: Random) -> Literal["F", "M", "X"]:
    draw = chance.random()
    if draw < WOMEN:
        return "F"
    return "X" if draw < WOMEN + _NEITHER else "M"


def _age(chance: Random) -> int:
    (low, high), _ = AGES[bisect(_AGE_SHARES, chance.random() * _AGE_SHARES[-1], hi=len(AGES) - 1)]
    draw = chance.random()
    if high == _OLDEST:
        # The older, the fewer.
        draw = min(draw, chance.random())
    return low + int(draw * (high - low + 1))


def _language(chance: Random) -> tuple[str, str]:
    if chance.random() >= _ENGLISH:
        return "fr", "false"
    return "en", "true" if chance.random() < _ATTESTED else "false"


def _priority(chance: Random, age: int, *, vulnerable: bool) -> str:
    if age < _YOUNG_CHILD:
        return "C"
    return chance.choices(_PRIORITIES, cum_weights=_PRIORITY_SHARES[vulnerable])[0]


def _representative(chance: Random, age: int, last_name: str) -> str:
    if age >= _REPRESENTED_UNDER or chance.random() >= _WITH_REPRESENTATIVE:
        return ""
    return f"{chance.choice(_FIRST_NAMES[chance.choice('FM')])} {last_name}"


def _street_address(chance: Random) -> str:
    apartment = f", app. {chance.randrange(1, 40)}" if chance.random() < _APARTMENT else ""
    return f"{chance.randrange(1, 3000)}, {chance.choice(_STREETS)}{apartment}"


def _postal_code(chance: Random, beginning: str) -> str:
    return f"{beginning} {chance.randrange(10)}{chance.choice(_CODE_LETTERS)}{chance.randrange(10)}"


def _email(first_name: str, last_name: str, number: int) -> str:
    return f"{plain_letters(first_name)}.{plain_letters(last_name)}{number}@example.org".lower()
