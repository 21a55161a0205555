"""Starts rotel (an OTLP collector in Rust, from its wheel) as a relay to another receiver.

    python relay.py HOST:PORT

It decodes what it gets, over gRPC and over HTTP, and sends it on over gRPC. Its first line of output names the ports, as that of
sink.py; at the end of input it stops rotel and exits. What rotel itself prints goes to stderr.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time

import rotel

ATTEMPTS = 5
PATIENCE = 20.0


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for listening in sockets:
        listening.bind(("127.0.0.1", 0))
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def start(to, folder):
    """rotel takes no port 0, and somebody may have taken a port that was free a moment ago: so there are several tries."""
    agent = os.path.join(os.path.dirname(rotel.__file__), "rotel-agent")
    for _ in range(ATTEMPTS):
        grpc, http = free_ports(2)
        command = [agent, "start", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}"]
        # Where its own batching cuts a request in two, the second half loses its resource.
        command += ["--disable-batching"]
        command += ["--pid-file", os.path.join(folder, "pid"), "--exporter", "otlp"]
        command += ["--otlp-exporter-protocol", "grpc", "--otlp-exporter-endpoint", f"http://{to}"]
        # Telemetry about itself would go out of the machine.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "ROTEL_"))}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            if listens(grpc) and listens(http):
                return process, {"grpc": grpc, "http": http}
            time.sleep(0.02)
        process.kill()
        process.wait()
    sys.exit("rotel does not start")


def main():
    with tempfile.TemporaryDirectory() as folder:
        process, ports = start(sys.argv[1], folder)
        print(json.dumps(ports), flush=True)
        sys.stdin.read()
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
