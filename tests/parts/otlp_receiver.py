"""A trace collector of the tests' own: takes OTLP over HTTP and decodes the protobuf to spans."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    name: str
    at_ns: int
    attributes: dict[str, Value]


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as it came over the wire; ids in hexadecimal digits, "" for none."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    trace_state: str
    start_ns: int
    end_ns: int
    failed: bool
    failure: str
    attributes: dict[str, Value]
    events: list[ReceivedEvent]
    links: list[tuple[str, str]]
    """Trace id and span id."""
    resource: dict[str, Value]


@dataclass(slots=True)
class OtlpReceiver:
    url: str
    """For OTEL_EXPORTER_OTLP_ENDPOINT."""
    bodies: list[bytes] = field(default_factory=list)
    """Everything that was received, decompressed."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Something has been received, answered or not."""
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared by a test: the collector receives and says nothing."""
    _spans: list[ReceivedSpan] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _connections: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def spans(self, count: int, timeout_s: float = 20) -> list[ReceivedSpan]:
        """Waits for so many, and gives all that have come."""
        async with asyncio.timeout(timeout_s), self._arrived:
            await self._arrived.wait_for(lambda: len(self._spans) >= count)
        return list(self._spans)

    @property
    def arrived(self) -> list[ReceivedSpan]:
        return list(self._spans)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            while head := await _head(reader):
                await self._serve_one(head, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            del self._connections[task]

    async def close(self) -> None:
        """Ends every connection, so that no task is left to the loop."""
        self.answering.set()
        connections = dict(self._connections)
        for writer in connections.values():
            writer.close()
        await asyncio.gather(*connections)

    async def _serve_one(
        self, head: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        body = await reader.readexactly(int(head["content-length"]))
        if head.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.asked.set()
        await self.answering.wait()
        known = head[""] == "POST /v1/traces HTTP/1.1"
        answer = ExportTraceServiceResponse().SerializeToString()
        writer.write(
            f"HTTP/1.1 {'200 OK' if known else '404 Not Found'}\r\n".encode()
            + b"content-type: application/x-protobuf\r\n"
            + f"content-length: {len(answer)}\r\n\r\n".encode()
            + answer
        )
        await writer.drain()
        if known:
            self.bodies.append(body)
            async with self._arrived:
                self._spans += decoded(body)
                self._arrived.notify_all()


@contextlib.asynccontextmanager
async def otlp_receiver() -> AsyncIterator[OtlpReceiver]:
    """On loopback, at a port of its own, in the test's event loop."""
    receiver = OtlpReceiver("")
    receiver.answering.set()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    receiver.url = f"http://{host}:{port}"
    try:
        yield receiver
    finally:
        server.close()
        await receiver.close()


def decoded(body: bytes) -> list[ReceivedSpan]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _span(span, _attributes(of_resource.resource.attributes))
        for of_resource in request.resource_spans
        for of_scope in of_resource.scope_spans
        for span in of_scope.spans
    ]


def _span(span: Span, resource: dict[str, Value]) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        trace_state=span.trace_state,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        failure=span.status.message,
        attributes=_attributes(span.attributes),
        events=[
            ReceivedEvent(event.name, event.time_unix_nano, _attributes(event.attributes))
            for event in span.events
        ],
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        resource=resource,
    )


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Value:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [element.string_value for element in value.array_value.values]
    assert kind in {"string_value", "int_value", "double_value", "bool_value"}, kind
    found: Value = getattr(value, kind)
    return found


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    """The request line under "", the fields by their lower-case names; empty at the end."""
    line = (await reader.readline()).decode("latin-1").strip()
    if not line:
        return {}
    head = {"": line}
    while field_line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = field_line.partition(":")
        head[name.lower()] = value.strip()
    return head
