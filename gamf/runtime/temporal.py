"""The one way to Temporal: one data converter for every client and worker, and one way to connect."""

import dataclasses
import os
from datetime import timedelta

import temporalio.api.failure.v1
from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadCodec, PayloadConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.runtime import Runtime
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode
from typing_extensions import override

from gamf.domain.refusal import RefusedByRuleError
from gamf.runtime.errors import ServiceUnreachable, SettingsFault
from gamf.runtime.settings import traces_wanted

DEFAULT_ADDRESS = "localhost:7233"
DEFAULT_NAMESPACE = "default"
_CONNECT_TIMEOUT = timedelta(seconds=10)
_NAMESPACE_TIMEOUT = timedelta(seconds=5)


class DiscreetFailureConverter(DefaultFailureConverter):
    """Keep a person's data out of histories: an unforeseen exception is its type and its stack there.

    PostgreSQL, pydantic and others quote the faulty value in their message. What is raised on purpose, a
    rule's refusal or a `FailureError` such as `ApplicationError`, is written as it is: its words are ours.
    """

    @override
    def to_failure(
        self,
        exception: BaseException,
        payload_converter: PayloadConverter,
        failure: temporalio.api.failure.v1.Failure,
    ) -> None:
        super().to_failure(_discreet(exception), payload_converter, failure)


def _discreet(exception: BaseException) -> BaseException:
    if isinstance(exception, FailureError | RefusedByRuleError):
        return exception
    kind = type(exception).__name__
    quiet = ApplicationError(kind, type=kind).with_traceback(exception.__traceback__)
    quiet.__cause__ = exception.__cause__
    return quiet


def data_converter(codec: PayloadCodec | None = None) -> DataConverter:
    """Return the converter of every client and worker; a codec, such as an encrypting one, is given here."""
    return dataclasses.replace(
        pydantic_data_converter, payload_codec=codec, failure_converter_class=DiscreetFailureConverter
    )


async def connect(
    *,
    address: str | None = None,
    codec: PayloadCodec | None = None,
    runtime: Runtime | None = None,
    identity: str | None = None,
) -> Client:
    """Connect to where Temporal's own variables say, or in clear to the embedded server's `address`.

    Raises:
        SettingsFault: Temporal's configuration cannot be read, or its address is none.
        ServiceUnreachable: nobody answers there, or the answer is a refusal.
    """
    config = _configured() if address is None else _plain(address)
    # The SDK takes an address with a scheme, warns on its own, and reaches nobody.
    if "://" in config.get("target_host", ""):
        raise _no_address()
    try:
        return await Client.connect(
            **config,
            data_converter=data_converter(codec),
            connect_timeout=_CONNECT_TIMEOUT,
            runtime=runtime,
            identity=identity,
            # The SDK compresses unless told otherwise: within one machine it costs more than it spares.
            grpc_compression=GrpcCompression.GZIP if address is None else GrpcCompression.NONE,
            interceptors=_tracing(),
        )
    except ValueError:
        raise _no_address() from None
    except (RuntimeError, RPCError) as error:
        raise _unreachable(config, type(error).__name__) from None


async def check_namespace(client: Client) -> None:
    """Make sure that the server has the namespace, which connecting does not ask.

    Raises:
        ServiceUnreachable: it has none of that name.
    """
    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=_NAMESPACE_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            # Who may not ask, or is not answered in time, learns from the work itself how it is.
            return
        name, target = client.namespace, client.service_client.config.target_host
        raise ServiceUnreachable(
            "Temporal",
            fr=f"{target} n’a pas d’espace de noms «\u00a0{name}\u00a0». Vérifiez TEMPORAL_NAMESPACE, ou créez-le "
            f"(temporal operator namespace create).",
            en=f"{target} has no namespace “{name}”. Check TEMPORAL_NAMESPACE, or make it "
            f"(temporal operator namespace create).",
        ) from None


def _tracing() -> list[Interceptor]:
    if not traces_wanted(os.environ):
        return []
    from gamf.runtime import tracing  # noqa: PLC0415 - half a second to import, for those who asked for traces

    return [tracing.interceptor()]


def _plain(address: str) -> ClientConnectConfig:
    return ClientConnectConfig(target_host=address, namespace=DEFAULT_NAMESPACE)


def _configured() -> ClientConnectConfig:
    try:
        config = ClientConfig.load_client_connect_config()
    except Exception as error:  # noqa: BLE001 - the bridge's own type cannot be imported, and its text may quote
        raise SettingsFault(
            fr=f"La configuration de Temporal (TEMPORAL_…) est illisible ({type(error).__name__}).",
            en=f"Temporal's configuration (TEMPORAL_…) cannot be read ({type(error).__name__}).",
        ) from None
    return {"target_host": DEFAULT_ADDRESS, "namespace": DEFAULT_NAMESPACE, **config}


async def set_retention(client: Client, keep: timedelta) -> None:
    """Keep the histories of ended workflows that long (whole days) in the client's namespace; idempotent."""
    ttl = Duration()
    ttl.FromTimedelta(keep)
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl)
        )
    )


def _no_address() -> SettingsFault:
    return SettingsFault(
        fr="L’adresse de Temporal (TEMPORAL_ADDRESS) est mal formée\u00a0; attendu\u00a0: hôte:port.",
        en="Temporal's address (TEMPORAL_ADDRESS) is malformed; expected: host:port.",
    )


def _unreachable(config: ClientConnectConfig, kind: str) -> ServiceUnreachable:
    target = config.get("target_host")
    return ServiceUnreachable(
        "Temporal",
        fr=f"{target} ({kind}). Vérifiez TEMPORAL_ADDRESS, ou démarrez tout avec «\u00a0gamf up\u00a0».",
        en=f"{target} ({kind}). Check TEMPORAL_ADDRESS, or start everything with “gamf up”.",
    )
