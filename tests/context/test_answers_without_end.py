"""What a server sends is bounded: its size, also when it was packed, and the time that it may take as a whole."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from emotrain.context import chat_client
from emotrain.context.gap_request import GapRequest
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.records import Frame, Gap

Write = Callable[[bytes], object]


def endless(write: Write) -> None:
    while True:
        write(b" " * 100_000)


def slow(write: Write) -> None:
    while True:
        write(b" ")
        time.sleep(0.2)


def packed(write: Write) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    write(packer.compress(b" " * 20_000_000) + packer.flush())


def nested(write: Write) -> None:
    write(b"[" * 200_000)


@pytest.mark.parametrize(
    ("body", "said"),
    [(endless, "more than 4,000,000 bytes"), (slow, "no whole answer"), (packed, "more than"), (nested, "Recursion")],
)
def test_an_answer_without_end_is_a_fault_of_its_gap(body: Callable[[Write], None], said: str) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            if body is packed:
                self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            try:
                body(self.wfile.write)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    request = GapRequest(Gap("c", 0, 0.0, 1.0), None, (Frame("c", 0, 0.5, "between", 0, b"jpeg"),))
    replies: list[Any] = []
    started = time.monotonic()
    try:
        back = OpenaiBackend("m", f"http://127.0.0.1:{server.server_address[1]}/v1", retries=0, timeout_s=2.0)
        back.answer([request], replies.extend)
    finally:
        server.shutdown()
        server.server_close()
    assert [said in reply.fault for reply in replies] == [True], replies
    assert time.monotonic() - started < 30
    assert chat_client.MOST_BYTES < 10_000_000
