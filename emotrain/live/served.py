"""Server-sent events for programs that talk: `GET /v1/stream` on this machine, each line of the stream as it comes.

data: {"object": "emotrain.reading", "stream": "0", "label": "happiness", "probabilities": {...}, ...}

The framing is that of OpenAI's streamed answers: `data:` lines, the last one `data: [DONE]`. A listener that is slow
loses the oldest lines, nobody waits for it. Other pages in a browser cannot read it: no origin is allowed, and requests
under another host name are refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Full, Queue
from threading import Lock, Thread
from typing import Any

from emotrain.live.records import Said

PATH = "/v1/stream"
BEHIND = 256
"""Lines that a listener may be behind before its oldest are given up."""

LISTENERS = 32
BEAT_S = 15.0
"""Seconds of silence after which a comment is sent, so that what is gone is noticed."""

LOCAL = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Served:
    """Serves the lines it is called with; `close` ends it."""

    host: str = "127.0.0.1"
    port: int = 8765
    _queues: list[Queue[str | None]] = field(default_factory=list)
    _lock: Any = field(default_factory=Lock)
    _server: ThreadingHTTPServer | None = None
    _closed: bool = False

    def start(self) -> str:
        """Begin to listen, and the address; ValueError for a port that is taken."""
        handler = type("Handler", (_Handler,), {"served": self})
        try:
            self._server = ThreadingHTTPServer((self.host, self.port), handler)
        except OSError as error:
            raise ValueError(
                f"--serve: port {self.port} of {self.host} cannot be used ({error}); choose another"
            ) from error
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, name="serve", daemon=True).start()
        return f"http://{self.host}:{self.port}{PATH}"

    def __call__(self, stream: str, said: Said) -> None:
        row = said.as_json()
        text = json.dumps({"object": f"emotrain.{row['kind']}", "stream": stream, **row}, ensure_ascii=False)
        with self._lock:
            for queue in self._queues:
                _put(queue, text)

    def listen(self) -> Queue[str | None] | None:
        """A place for another listener; None where there are too many."""
        with self._lock:
            if len(self._queues) >= LISTENERS or self._closed:
                return None
            queue: Queue[str | None] = Queue(BEHIND)
            self._queues.append(queue)
            return queue

    def leave(self, queue: Queue[str | None]) -> None:
        """A listener is gone."""
        with self._lock:
            if queue in self._queues:
                self._queues.remove(queue)

    def close(self) -> None:
        """Say that the stream is done, and end."""
        with self._lock:
            self._closed = True
            for queue in self._queues:
                _put(queue, None)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _put(queue: Queue[str | None], text: str | None) -> None:
    while True:
        try:
            queue.put_nowait(text)
            return
        except Full:
            try:
                queue.get_nowait()
            except Empty:
                continue


class _Handler(BaseHTTPRequestHandler):
    served: Served
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        """The stream, or why not."""
        name = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if self.served.host in LOCAL and name not in LOCAL:
            self.send_error(403, "this stream is for programs on this machine")
            return
        queue = self.served.listen() if self.path == PATH else None
        if queue is None:
            self.send_error(404 if self.path != PATH else 503)
            return
        try:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Connection", "close")
            self.end_headers()
            self._send(queue)
        except OSError:
            pass  # the listener has gone
        finally:
            self.served.leave(queue)
            self.close_connection = True

    def _send(self, queue: Queue[str | None]) -> None:
        while True:
            try:
                text = queue.get(timeout=BEAT_S)
            except Empty:
                self.wfile.write(b": still here\n\n")
                self.wfile.flush()
                continue
            self.wfile.write(f"data: {text if text is not None else '[DONE]'}\n\n".encode())
            self.wfile.flush()
            if text is None:
                return

    def log_message(self, *_: Any) -> None:
        """Requests are nobody's news."""
