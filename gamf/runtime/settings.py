"""Every setting of a process, read from `GAMF_…`. Where Temporal is comes from Temporal's own variables."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveInt, SecretStr, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError, PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict

from gamf.runtime.errors import Language, SettingsFault

PREFIX = "GAMF_"
_ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")
_LAST_PORT = 65535
_NOT_PINNED_BY: Final = frozenset({"sub", "email", "name", "nickname"})
"""Claims that name no account: the subject is linked as it is, and people write the others themselves."""


class HostPort(NamedTuple):
    """Where to listen: a host, without brackets, and a port (0: any that is free)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`; raise `ValueError` when it is something else."""
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match["port"]) > _LAST_PORT:
            raise ValueError("host:port")
        return cls(match["host"].strip("[]"), int(match["port"]))


def _checked_address(text: str) -> str:
    HostPort.parse(text)
    return text


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches that host."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_site(text: str) -> str:
    """Return an `https://` address without anything after its path; `http://` is for this machine alone."""
    parts = urlsplit(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise PydanticCustomError("site", "https://")
    return text


def _checked_origin(text: str) -> str:
    """Return such an address without a path, and without the slash at its end."""
    if urlsplit(text).path not in {"", "/"}:
        raise PydanticCustomError("site", "https://")
    return text.rstrip("/")


def _checked_scopes(text: str) -> str:
    if "openid" not in text.split():
        raise PydanticCustomError("scopes", "openid")
    return text


def _checked_claim(text: str) -> str:
    if text in _NOT_PINNED_BY or not text.isprintable() or " " in text:
        raise PydanticCustomError("claim", "claim")
    return text


Site = Annotated[str, AfterValidator(_checked_site)]
Origin = Annotated[str, AfterValidator(_checked_site), AfterValidator(_checked_origin)]
Scopes = Annotated[str, AfterValidator(_checked_scopes)]
Claim = Annotated[str, AfterValidator(_checked_claim)]
Address = Annotated[str, AfterValidator(_checked_address)]
Port = Annotated[int, Field(ge=1, le=_LAST_PORT)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Settings(BaseSettings):
    """The settings of one process; immutable once read. `Settings.load()` reads them from the environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL (`postgresql://compte:secret@hôte:port/base`); à défaut, serveur intégré.",
    )
    data_dir: Path = Field(
        default=Path("data"), description="Dossier des serveurs intégrés et de la boîte d’envoi."
    )
    outbox_dir: Path | None = Field(
        default=None,
        description="Dossier où déposer les lettres; à défaut, `outbox` du dossier de données.",
    )
    ramq_outbox_dir: Path | None = Field(
        default=None,
        description="Dossier où déposer les listes confirmées pour la RAMQ; à défaut, `ramq` du dossier d’envoi.",
    )
    carrier: Literal["outbox", "smtp"] = Field(
        default="outbox", description="Transporteur des lettres\u00a0: dossier d’envoi ou courriel."
    )
    smtp_host: str | None = Field(default=None, description="Serveur de courriel; obligatoire avec `smtp`.")
    smtp_port: Port = Field(default=587, description="Port du serveur de courriel.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="Chiffrement de la liaison avec le serveur de courriel."
    )
    smtp_user: str | None = Field(default=None, description="Compte sur le serveur de courriel.")
    smtp_password: SecretStr | None = Field(default=None, description="Mot de passe de ce compte.")
    smtp_from: str | None = Field(
        default=None, description="Adresse de l’expéditeur; obligatoire avec `smtp`."
    )
    smtp_mailbox: str | None = Field(
        default=None,
        description="Boîte du service qui imprime et poste les lettres; obligatoire avec `smtp`.",
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="Autorités de certification du serveur de courriel, au lieu du système."
    )
    smtp_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=60, description="Attente maximale du serveur de courriel pour une lettre."
    )
    metrics_address: Address | None = Field(
        default=None,
        description="Où servir les mesures Prometheus (`hôte:port`); aucune sans cette variable.",
    )
    health_address: Address | None = Field(
        default=None,
        description="Où servir `/live` et `/ready` (`hôte:port`); nulle part sans cette variable.",
    )
    console_address: Address = Field(
        default="127.0.0.1:8080",
        description="Où servir la console (`hôte:port`); au-delà de ce poste, derrière un mandataire TLS.",
    )
    console_proxies: str | None = Field(
        default=None,
        description="Adresses des mandataires dont la console croit l’adresse d’origine, séparées de virgules.",
    )
    console_url: Origin | None = Field(
        default=None,
        description="Adresse de la console telle que les navigateurs la voient (`https://hôte`); "
        "obligatoire avec `GAMF_OIDC_ISSUER`.",
    )
    password_sign_in: bool = Field(
        default=True,
        description="Ouvrir des sessions par mot de passe; `false` seulement avec un fournisseur d’identité.",
    )
    oidc_issuer: Site | None = Field(
        default=None,
        description="Fournisseur d’identité OpenID Connect (`https://…`, son « issuer » exact); aucun sans elle.",
    )
    oidc_client_id: str | None = Field(
        default=None, description="Identifiant de la console chez ce fournisseur; obligatoire avec lui."
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="Secret de la console chez ce fournisseur; obligatoire avec lui."
    )
    oidc_scopes: Scopes = Field(
        default="openid", description="Portées demandées au fournisseur, séparées d’espaces; `openid` en est."
    )
    oidc_account_claim: Claim | None = Field(
        default=None,
        description="Revendication qui nomme le compte à la première session, que l’administration du "
        "fournisseur est seule à écrire; sans elle, `gamf account link` seulement.",
    )
    oidc_ca_file: Path | None = Field(
        default=None, description="Autorités de certification du fournisseur, au lieu du système."
    )
    oidc_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = Field(
        default=10, description="Attente maximale d’une réponse du fournisseur."
    )
    graceful_shutdown_seconds: Seconds = Field(
        default=20, description="À l’arrêt, temps laissé aux activités en cours avant de les annuler."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Niveau minimal du journal."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Forme du journal\u00a0: texte ou JSON."
    )
    account: str | None = Field(
        default=None, description="Compte au nom duquel on consigne; à défaut, celui de la session."
    )
    lang: Language = Field(default="fr", description="Langue des messages.")
    sandbox: bool = Field(
        default=False,
        description="Exécuter les flux de travail dans le bac à sable du SDK, comme les essais le font (plus lent).",
    )
    database_pool_min: Annotated[int, Field(ge=0, le=1000)] = Field(
        default=1, description="Connexions à PostgreSQL gardées ouvertes."
    )
    database_pool_max: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=10, description="Connexions à PostgreSQL au plus."
    )
    statement_timeout_seconds: Seconds = Field(
        default=30, description="Durée maximale d’une requête SQL (0\u00a0: aucune)."
    )
    max_cached_workflows: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=1000,
        description="Flux de travail gardés en mémoire par un travailleur (environ 58\u00a0Ko chacun).",
    )
    temporal_full_sync: bool = Field(
        default=False,
        description="Temporal intégré : écrire chaque fait jusqu’au disque, pour une panne de courant (plus lent). "
        "Un processus tué ne perd rien dans les deux cas.",
    )
    build_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = Field(
        default=None,
        description="Version que le travailleur annonce à Temporal (déploiement «\u00a0gamf\u00a0»); aucune sans elle.",
    )
    max_concurrent_activities: PositiveInt = Field(default=50, description="Activités menées de front.")

    @property
    def outbox(self) -> Path:
        """Return the folder letters are handed to."""
        return self.outbox_dir or self.data_dir / "outbox"

    @property
    def ramq_outbox(self) -> Path:
        """Return the folder that the lists for RAMQ are handed to."""
        return self.ramq_outbox_dir or self.outbox / "ramq"

    @classmethod
    def load(cls) -> Self:
        """Read the environment; raise `SettingsFault` naming every faulty variable, and no value."""
        unknown = _unknown_names(cls)
        try:
            settings = cls()
        except ValidationError as error:
            problems = [*unknown, *map(_problem, error.errors(include_input=False))]
            raise _fault(problems) from None
        problems = [*unknown, *settings._missing()]
        if problems:
            raise _fault(problems)
        return settings

    def _missing(self) -> list["_Problem"]:
        """Name what one setting asks of the others, and that is missing."""
        return [*self._missing_for_mail(), *self._missing_for_openid()]

    def _missing_for_openid(self) -> list["_Problem"]:
        """Name what an identity provider asks for, and what means nothing without one."""
        if self.oidc_issuer is None:
            alone = {
                "oidc_client_id": self.oidc_client_id is not None,
                "oidc_client_secret": self.oidc_client_secret is not None,
                "oidc_account_claim": self.oidc_account_claim is not None,
                "password_sign_in": not self.password_sign_in,
            }
            fr, en = "seulement avec GAMF_OIDC_ISSUER", "only with GAMF_OIDC_ISSUER"
            return [_Problem(_variable(name), fr, en) for name, given in alone.items() if given]
        needed = {
            "console_url": self.console_url,
            "oidc_client_id": self.oidc_client_id,
            "oidc_client_secret": self.oidc_client_secret,
        }
        fr, en = "obligatoire avec GAMF_OIDC_ISSUER", "required with GAMF_OIDC_ISSUER"
        return [_Problem(_variable(name), fr, en) for name, value in needed.items() if value is None]

    def _missing_for_mail(self) -> list["_Problem"]:
        """Name what the choice of SMTP, or an account on its server, asks for and does not have."""
        if self.carrier != "smtp":
            return []
        needed: dict[str, object] = {
            "smtp_host": self.smtp_host,
            "smtp_from": self.smtp_from,
            "smtp_mailbox": self.smtp_mailbox,
        }
        if self.smtp_user is not None or self.smtp_password is not None:
            needed |= {"smtp_user": self.smtp_user, "smtp_password": self.smtp_password}
        return [
            _Problem(_variable(name), "obligatoire avec GAMF_CARRIER=smtp", "required with GAMF_CARRIER=smtp")
            for name, value in needed.items()
            if value is None
        ]


@dataclass(frozen=True)
class SettingDoc:
    """One line of the table of settings."""

    variable: str
    default: str
    description: str


def settings_table() -> tuple[SettingDoc, ...]:
    """Return every variable with its default and its description in French, in the order of the class."""
    return tuple(
        SettingDoc(
            _variable(name),
            "" if field.default in (None, PydanticUndefined) else str(field.default),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    )


class _Problem(NamedTuple):
    variable: str
    fr: str
    en: str


# What pydantic found wrong, in words that never repeat the value.
_EXPECTED: dict[str, tuple[str, str]] = {
    "literal_error": ("attendu\u00a0: {expected}", "expected: {expected}"),
    "int_parsing": ("attendu\u00a0: un nombre entier", "expected: a whole number"),
    "float_parsing": ("attendu\u00a0: un nombre", "expected: a number"),
    "bool_parsing": ("attendu\u00a0: true ou false", "expected: true or false"),
    "string_pattern_mismatch": (
        "attendu\u00a0: de 1 à 64 lettres sans accent, chiffres ou . _ -",
        "expected: 1 to 64 letters without accents, digits or . _ -",
    ),
    "greater_than_equal": ("attendu\u00a0: au moins {ge}", "expected: at least {ge}"),
    "greater_than": ("attendu\u00a0: plus de {gt}", "expected: more than {gt}"),
    "less_than_equal": ("attendu\u00a0: au plus {le}", "expected: at most {le}"),
    "site": (
        "attendu\u00a0: https://hôte, ou http:// sur ce poste",
        "expected: https://host, or http:// on this machine",
    ),
    "scopes": ("attendu\u00a0: openid et d’autres portées", "expected: openid and other scopes"),
    "claim": (
        "attendu\u00a0: une revendication que les personnes n’écrivent pas elles-mêmes",
        "expected: a claim that people do not write themselves",
    ),
    "value_error": ("attendu\u00a0: hôte:port", "expected: host:port"),
}


def traces_wanted(environ: Mapping[str, str]) -> bool:
    """Tell whether OpenTelemetry's own variables ask for traces: its endpoint is named, and it is not off."""
    off = (
        environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
        or environ.get("OTEL_TRACES_EXPORTER") == "none"
    )
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return not off and any(environ.get(name) for name in endpoints)


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _unknown_names(cls: type[Settings]) -> list[_Problem]:
    known = {_variable(name) for name in cls.model_fields}
    names = sorted(name for name in os.environ if name.upper().startswith(PREFIX))
    return [
        _Problem(name, "variable inconnue", "unknown variable") for name in names if name.upper() not in known
    ]


def _problem(error: ErrorDetails) -> _Problem:
    fr, en = _EXPECTED.get(error["type"], ("valeur refusée", "value refused"))
    context = {key: str(value).replace(" or ", ", ") for key, value in error.get("ctx", {}).items()}
    return _Problem(_variable(str(error["loc"][0])), fr.format_map(context), en.format_map(context))


def _fault(problems: list[_Problem]) -> SettingsFault:
    fr = "; ".join(f"{problem.variable} ({problem.fr})" for problem in problems)
    en = "; ".join(f"{problem.variable} ({problem.en})" for problem in problems)
    return SettingsFault(
        fr=f"Réglages à corriger dans l’environnement\u00a0: {fr}.",
        en=f"Settings to mend in the environment: {en}.",
    )
