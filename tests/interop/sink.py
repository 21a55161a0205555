"""A strict OTLP receiver for traces, on the official Python packages: nothing in it comes from this repository.

    python sink.py [--cert CERT --key KEY]

Listens on free loopback ports for gRPC and for HTTP with protobuf bodies (gzip too), both with TLS if a certificate is given.
Its first line of output names the ports: {"grpc": 40001, "http": 40002}. Then each line of input is a question and gets one line
of JSON as its answer; at the end of input it exits, so that it never outlives who started it.

    summary        requests, spans and faults so far, and the headers of each kind of request
    spans          every span as it was decoded
    numbers KEY    how many spans carry the integer attribute KEY, how many different values, the least and the greatest
    tree           faults that only the whole shows: parents that are missing, or start after their children
    reset          forgets everything

A fault is a text. Whatever is wrong with a request is one; a request that cannot be decoded is refused as well. The decoder
itself (upb) refuses text that is not UTF-8.
"""

import argparse
import collections
import gzip
import http.server
import json
import re
import ssl
import struct
import sys
import threading
import zlib
from concurrent import futures

import grpc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

PATH = "/v1/traces"
PROTOBUF = "application/x-protobuf"
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200
KNOWN_FLAGS = 0x3FF
# W3C Trace Context, 3.3.1.
STATE_KEY = re.compile(r"^([a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$")
STATE_VALUE = re.compile(r"^[ -+\--<>-~]{0,255}[!-+\--<>-~]$")
# Which attributes every resource has (spec-checklist RES).
RESOURCE_KEYS = ("service.name", "telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version")
MOST_FAULTS = 100


class Store:
    """Everything that arrived, behind one lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.reset()

    def reset(self):
        self.requests = collections.Counter()
        self.headers = {}
        self.faults = []
        self.spans = []
        self.ids = set()

    def fault(self, text):
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)

    def take(self, transport, headers, body):
        """Checks a request and keeps it. Gives what makes it impossible to read, or None."""
        with self.lock:
            self.requests[transport] += 1
            self.headers[transport] = {name.lower(): value for name, value in headers}
            request = trace_service_pb2.ExportTraceServiceRequest()
            try:
                request.ParseFromString(body)
            except DecodeError as error:
                self.fault(f"{transport}: not an export request: {error}")
                return str(error)
            size = request.ByteSize()
            request.DiscardUnknownFields()
            if request.ByteSize() != size:
                self.fault(f"{transport}: {size - request.ByteSize()} bytes of unknown fields")
            self.check_request(request)
            return None

    def check_request(self, request):
        if not request.resource_spans:
            self.fault("a request without resource spans")
        for resource_spans in request.resource_spans:
            resource = resource_spans.resource
            where = "resource"
            attributes = self.attributes(where, resource.attributes)
            for key in RESOURCE_KEYS:
                if attributes.get(key, ["s", ""])[1:] == [""]:
                    self.fault(f"{where}: no {key}")
            if not resource_spans.scope_spans:
                self.fault("resource spans without scope spans")
            for scope_spans in resource_spans.scope_spans:
                scope = scope_spans.scope
                if not scope.name or not scope_spans.spans:
                    self.fault(f"scope {scope.name!r} with {len(scope_spans.spans)} spans")
                shown = {
                    "name": scope.name,
                    "version": scope.version,
                    "attributes": self.attributes(f"scope {scope.name}", scope.attributes),
                    "dropped_attributes": scope.dropped_attributes_count,
                    "schema_url": scope_spans.schema_url,
                }
                outer = {
                    "attributes": attributes,
                    "dropped_attributes": resource.dropped_attributes_count,
                    "schema_url": resource_spans.schema_url,
                }
                for span in scope_spans.spans:
                    self.check_span(span, shown, outer)

    def check_span(self, span, scope, resource):
        where = f"span {span.name!r}"
        self.identity(where, span.trace_id, span.span_id)
        if (span.trace_id, span.span_id) in self.ids:
            self.fault(f"{where}: its id {span.span_id.hex()} came before")
        self.ids.add((span.trace_id, span.span_id))
        if span.parent_span_id:
            self.identity(f"{where}: parent", span.trace_id, span.parent_span_id)
            if span.parent_span_id == span.span_id:
                self.fault(f"{where}: is its own parent")
        self.flags(where, span.flags)
        self.state(where, span.trace_state)
        if not span.name:
            self.fault("a span without a name")
        if span.kind not in trace_pb2.Span.SpanKind.values() or span.kind == 0:
            self.fault(f"{where}: kind {span.kind}")
        if span.status.code not in trace_pb2.Status.StatusCode.values():
            self.fault(f"{where}: status {span.status.code}")
        if span.status.message and span.status.code != trace_pb2.Status.STATUS_CODE_ERROR:
            self.fault(f"{where}: a message with status {span.status.code}")
        if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
            self.fault(f"{where}: from {span.start_time_unix_nano} to {span.end_time_unix_nano}")
        self.spans.append(
            {
                "trace_id": span.trace_id.hex(),
                "span_id": span.span_id.hex(),
                "parent_span_id": span.parent_span_id.hex(),
                "trace_state": span.trace_state,
                "flags": span.flags,
                "name": span.name,
                "kind": span.kind,
                "start": span.start_time_unix_nano,
                "end": span.end_time_unix_nano,
                "attributes": self.attributes(where, span.attributes),
                "dropped_attributes": span.dropped_attributes_count,
                "events": [self.event(where, event) for event in span.events],
                "dropped_events": span.dropped_events_count,
                "links": [self.link(where, link) for link in span.links],
                "dropped_links": span.dropped_links_count,
                "status": [span.status.code, span.status.message],
                "scope": scope,
                "resource": resource,
            }
        )

    def event(self, where, event):
        if not event.name or not event.time_unix_nano:
            self.fault(f"{where}: event {event.name!r} at {event.time_unix_nano}")
        return {
            "name": event.name,
            "time": event.time_unix_nano,
            "attributes": self.attributes(f"{where}: event {event.name!r}", event.attributes),
            "dropped_attributes": event.dropped_attributes_count,
        }

    def link(self, where, link):
        self.identity(f"{where}: link", link.trace_id, link.span_id)
        self.flags(f"{where}: link", link.flags)
        self.state(f"{where}: link", link.trace_state)
        return {
            "trace_id": link.trace_id.hex(),
            "span_id": link.span_id.hex(),
            "trace_state": link.trace_state,
            "flags": link.flags,
            "attributes": self.attributes(f"{where}: link", link.attributes),
            "dropped_attributes": link.dropped_attributes_count,
        }

    def identity(self, where, trace_id, span_id):
        for what, value, length in (("trace", trace_id, 16), ("span", span_id, 8)):
            if len(value) != length or not any(value):
                self.fault(f"{where}: {what} id {value.hex()!r}")

    def flags(self, where, flags):
        if flags & ~KNOWN_FLAGS or (flags & IS_REMOTE and not flags & HAS_IS_REMOTE):
            self.fault(f"{where}: flags {flags:#x}")

    def state(self, where, text):
        members = [member.strip(" \t").split("=", 1) for member in text.split(",")] if text else []
        keys = [member[0] for member in members]
        good = all(len(m) == 2 and STATE_KEY.match(m[0]) and STATE_VALUE.match(m[1]) for m in members)
        if not good or len(members) > 32 or len(set(keys)) < len(keys):
            self.fault(f"{where}: trace state {text!r}")

    def attributes(self, where, pairs):
        shown = {}
        for pair in pairs:
            if not pair.key or pair.key in shown:
                self.fault(f"{where}: key {pair.key!r} is empty or stands twice")
            shown[pair.key] = self.value(where, pair.value)
        return shown

    def value(self, where, value):
        """A value and its type; floating-point numbers by their bits, since JSON has no NaN."""
        kind = value.WhichOneof("value")
        if kind is None:
            return None
        content = getattr(value, kind)
        if kind == "string_value":
            return ["s", content]
        if kind == "bool_value":
            return ["b", content]
        if kind == "int_value":
            return ["i", content]
        if kind == "double_value":
            return ["d", struct.pack(">d", content).hex()]
        if kind == "bytes_value":
            return ["x", content.hex()]
        if kind == "array_value":
            return ["a", [self.value(where, item) for item in content.values]]
        if kind == "kvlist_value":
            return ["m", self.attributes(where, content.values)]
        self.fault(f"{where}: a value of the kind {kind}")
        return ["?", kind]

    def tree(self):
        with self.lock:
            by_id = {(span["trace_id"], span["span_id"]): span for span in self.spans}
            faults = []
            for span in self.spans:
                parent = by_id.get((span["trace_id"], span["parent_span_id"]))
                remote = span["flags"] & IS_REMOTE
                if span["parent_span_id"] and not remote and parent is None:
                    faults.append(f"{span['name']}: its parent {span['parent_span_id']} is missing")
                if parent is not None and not remote and parent["start"] > span["start"]:
                    faults.append(f"{span['name']}: starts before its parent {parent['name']}")
            return faults[:MOST_FAULTS]

    def numbers(self, key):
        with self.lock:
            found = [s["attributes"][key][1] for s in self.spans if s["attributes"].get(key, "?")[0] == "i"]
            extremes = {"least": min(found, default=None), "greatest": max(found, default=None)}
            return {"count": len(found), "different": len(set(found)), **extremes}

    def summary(self):
        with self.lock:
            return {
                "requests": dict(self.requests),
                "headers": self.headers,
                "spans": len(self.spans),
                "faults": self.faults,
            }


STORE = Store()


def grpc_handler():
    """The official service's one method, with the bytes as they came."""

    def export(body, context):
        problem = STORE.take("grpc", context.invocation_metadata(), body)
        if problem is not None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
        return trace_service_pb2.ExportTraceServiceResponse().SerializeToString()

    service = trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"]
    handlers = {method.name: grpc.unary_unary_rpc_method_handler(export) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, coding = self.headers.get("Content-Type"), self.headers.get("Content-Encoding", "identity")
        problem = None
        if self.path != PATH or kind != PROTOBUF:
            problem = f"POST {self.path} with {kind}"
        elif coding == "gzip":
            try:
                body = gzip.decompress(body)
            except (OSError, EOFError, zlib.error) as error:
                problem = f"not gzip: {error}"
        elif coding != "identity":
            problem = f"coding {coding}"
        if problem is None:
            problem = STORE.take("http", self.headers.items(), body)
        else:
            with STORE.lock:
                STORE.fault(f"http: {problem}")
        answer = b"" if problem else trace_service_pb2.ExportTraceServiceResponse().SerializeToString()
        self.send_response(400 if problem else 200)
        self.send_header("Content-Type", PROTOBUF)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def read(path):
    with open(path, "rb") as file:
        return file.read()


def start(cert, key):
    """Starts both servers; gives their ports."""
    grpc_server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=8), options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
    )
    grpc_server.add_generic_rpc_handlers((grpc_handler(),))
    http_server = HttpServer(("127.0.0.1", 0), Http)
    if cert:
        credentials = grpc.ssl_server_credentials([(read(key), read(cert))])
        grpc_port = grpc_server.add_secure_port("127.0.0.1:0", credentials)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        http_server.socket = context.wrap_socket(http_server.socket, server_side=True)
    else:
        grpc_port = grpc_server.add_insecure_port("127.0.0.1:0")
    grpc_server.start()
    threading.Thread(target=http_server.serve_forever, daemon=True).start()
    return grpc_server, {"grpc": grpc_port, "http": http_server.server_port}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cert", help="PEM certificates: TLS on both ports")
    parser.add_argument("--key", help="PEM key of the certificate")
    arguments = parser.parse_args()
    server, ports = start(arguments.cert, arguments.key)
    print(json.dumps(ports), flush=True)
    for line in sys.stdin:
        question, *words = line.split()
        if question == "summary":
            answer = STORE.summary()
        elif question == "spans":
            with STORE.lock:
                answer = STORE.spans
        elif question == "numbers":
            answer = STORE.numbers(words[0])
        elif question == "tree":
            answer = STORE.tree()
        elif question == "reset":
            with STORE.lock:
                STORE.reset()
            answer = "ok"
        else:
            answer = {"error": f"no such question: {question}"}
        print(json.dumps(answer), flush=True)
    server.stop(None)


if __name__ == "__main__":
    main()
