"""A collector of traces: a real HTTP server that keeps the spans it is sent."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from typing_extensions import override


@dataclass
class Collector:
    """What was received."""

    endpoint: str
    bodies: list[bytes] = field(default_factory=list[bytes])

    def spans(self) -> list[Span]:
        """Return every span, in the order they came."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        scopes = (scope for each in requests for part in each.resource_spans for scope in part.scope_spans)
        return [span for scope in scopes for span in scope.spans]

    def services(self) -> set[str]:
        """Return the names of the services that sent them."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        attributes = (
            a for each in requests for part in each.resource_spans for a in part.resource.attributes
        )
        return {each.value.string_value for each in attributes if each.key == "service.name"}


@contextmanager
def collecting() -> Generator[Collector]:
    """Run a collector on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        @override
        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gzipped = self.headers.get("Content-Encoding") == "gzip"
            collector.bodies.append(decompress(body) if gzipped else body)
            self.send_response(200)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
