"""A chat-completions endpoint on loopback that answers by a script: words, or one of the faults that servers have."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Script = Callable[[int, dict[str, Any]], "str | tuple[str, Any]"]
"""(number of the request from 0, its body) -> the words, or a fault: ("status", 500), ("status", (400, "its message",
"its code", seconds to wait)), ("listed", the same), whose body is a list of one error, ("hang", 3.0), ("cut", ""),
("usage", (words, other token counts)), ("body", the whole answer)."""


class ChatServer:
    """Serves until `close`; `bodies` and `headers` are what was asked, `most` how many requests were open at once."""

    def __init__(self, script: Script) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.most = 0
        self._open = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._lock:
                    number = len(outer.bodies)
                    outer.bodies.append(body)
                    outer.headers.append(dict(self.headers))
                    outer._open += 1
                    outer.most = max(outer.most, outer._open)
                try:
                    self._answer(script(number, body))
                finally:
                    with outer._lock:
                        outer._open -= 1

            def _answer(self, said: str | tuple[str, Any]) -> None:
                kind, value = said if isinstance(said, tuple) else ("words", said)
                if kind == "hang":
                    time.sleep(value)
                if kind in ("status", "listed"):
                    status, *said = value if isinstance(value, tuple) else (value, f"status {value}")
                    error = dict(zip(("message", "code"), said))
                    body = {"error": error}
                    wait = str(said[2]) if len(said) > 2 else "0.01"
                    self._send(status, json.dumps([body] if kind == "listed" else body), retry_after=wait)
                    return
                usage: Any = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
                if kind == "usage":
                    value, usage = value
                reply = {
                    "id": "x",
                    "object": "chat.completion",
                    "created": 0,
                    "model": "m",
                    "choices": [
                        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": value}}
                    ],
                    "usage": usage,
                }
                text = value if kind == "body" else json.dumps(reply)
                self._send(200, text[: len(text) // 2] if kind == "cut" else text)

            def _send(self, status: int, text: str, retry_after: str | None = None) -> None:
                content = text.encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    if retry_after is not None:
                        self.send_header("retry-after", retry_after)
                    self.end_headers()
                    self.wfile.write(content)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True  # the client gave up waiting, as it should

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
