"""Child processes that may hang or crash without taking the run with them.

A codec can spin for ever inside a C library, or end its process. Each child therefore arms a kernel timer before each
item: when it runs out the kernel ends the child, whatever lock it holds, and the parent goes on with a fresh one.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.util import Finalize
from types import TracebackType
from typing import Any

from emotrain.stages.processes import end_with_parent

AHEAD = 4
"""Items under way or done early, for each worker: results come in order, and a slow one must not fill memory."""

_USE, _ITEM = "use", "item"

QUIET_SINGLE = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
}


@dataclass(frozen=True, slots=True)
class Died:
    """What comes back instead of a result when the child ended on this item; `reason` is a clause for a report."""

    reason: str
    timed_out: bool


class RemoteError(Exception):
    """The traceback of an exception that was raised in a child, as text; the cause of the one raised here."""


class Worker:
    """One child that applies a function to one item after another. Functions and items must be picklable."""

    def __init__(self) -> None:
        self._function: Callable[[Any], Any] | None = None
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        # Not a daemon: a daemon may have no children of its own, and a guarded decoder is one.
        self._process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=False)
        # Set before the child starts: it imports the caller's main module, and numpy reads these on import. Threads
        # that spin for a core cost more than the work (a motion summary took twice its CPU time).
        with _environment(QUIET_SINGLE):
            self._process.start()
        theirs.close()
        # Interpreter exit waits for children that are no daemons; closing our end first tells them to go.
        self._finalizer = Finalize(self, _close, args=(self.connection, self._process), exitpriority=10)

    @property
    def pid(self) -> int:
        """The child's process id."""
        assert self._process.pid is not None
        return self._process.pid

    def use(self, function: Callable[[Any], Any]) -> None:
        """Apply `function` to the items that follow; it is sent once, not with every item."""
        if function is not self._function:
            self._send(_USE, function, None)
            self._function = function

    def send(self, item: Any, limit_s: float | None) -> None:
        """Give the child an item and the seconds it may take."""
        self._send(_ITEM, item, limit_s)

    def _send(self, kind: str, value: Any, limit_s: float | None) -> None:
        try:
            self.connection.send((kind, value, limit_s))
        except (BrokenPipeError, ConnectionResetError):
            # The idle child was ended from outside (out of memory, an operator).
            self._buried()
            self.connection.send((kind, value, limit_s))

    def receive(self) -> Any:
        """The result of the item sent last, or `Died`, after which the worker has been started anew.

        An exception of the function is raised here, with the child's traceback as its cause.
        """
        try:
            outcome, value, trace = self.connection.recv()
        except (EOFError, ConnectionResetError):
            return self._buried()
        if outcome == "raised":
            raise value from RemoteError(trace)
        return value

    def call(self, item: Any, limit_s: float | None = None) -> Any:
        """`send` and `receive`."""
        self.send(item, limit_s)
        return self.receive()

    def close(self) -> None:
        """End the child."""
        self._finalizer()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _buried(self) -> Died:
        self._process.join()
        code = self._process.exitcode
        self.close()
        function, self._function = self._function, None
        self._start()
        if function is not None:
            self.use(function)
        if code == -signal.SIGALRM:
            return Died("took longer than the time limit and was stopped", timed_out=True)
        if code is not None and code < 0:
            return Died(f"ended its process (signal {signal.Signals(-code).name})", timed_out=False)
        return Died(f"ended its process (exit code {code})", timed_out=False)


class Pool:
    """Several workers; results come in the order of the items, at most `AHEAD` items a worker under way."""

    def __init__(self, workers: int, limit_s: float | None = None) -> None:
        self._workers = [Worker() for _ in range(workers)]
        self._limit_s = limit_s

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.close()

    def run(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """A result or `Died` for each item. An item on which a child crashed is tried once more before it counts."""
        for worker in self._workers:
            worker.use(function)
        source = enumerate(items)
        busy: dict[Worker, tuple[int, Any, bool]] = {}
        done: dict[int, Any] = {}
        following, exhausted = 0, False
        while True:
            for worker in self._workers:
                if exhausted or worker in busy or len(busy) + len(done) >= AHEAD * len(self._workers):
                    continue
                drawn = next(source, None)
                if drawn is None:
                    exhausted = True
                    break
                worker.send(drawn[1], self._limit_s)
                busy[worker] = (*drawn, False)
            while following in done:
                yield done.pop(following)
                following += 1
            if not busy:
                if exhausted:
                    return
                continue
            ready = wait([worker.connection for worker in busy])
            for worker in [worker for worker in busy if worker.connection in ready]:
                position, item, again = busy.pop(worker)
                result = worker.receive()
                if isinstance(result, Died) and not result.timed_out and not again:
                    worker.send(item, self._limit_s)
                    busy[worker] = (position, item, True)
                else:
                    done[position] = result


@contextmanager
def spread(workers: int, total: int, limit_s: float | None = None) -> Iterator[Callable[..., Iterable[Any]]]:
    """Yield `run(function, items)`: a `Pool`, or `map` in this process for one worker without a time limit."""
    if total == 0 or (limit_s is None and (workers <= 1 or total == 1)):
        yield map
    else:
        with Pool(max(1, min(workers, total)), limit_s) as pool:
            yield pool.run


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the time of a block, without overriding what the user has set."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _serve(connection: Connection, parent: int) -> None:
    # Not os.getppid(): on a busy machine the parent may have been killed before this line is reached.
    end_with_parent(parent)
    # Ctrl-C reaches the whole process group; the parent answers it and closes the pipes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        function: Callable[[Any], Any]
        while True:
            kind, item, limit_s = connection.recv()
            if kind == _USE:
                function = item
                continue
            signal.setitimer(signal.ITIMER_REAL, limit_s if limit_s is not None else 0)
            answer = _answer(function, item)
            signal.setitimer(signal.ITIMER_REAL, 0)
            connection.send_bytes(answer)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The parent is done with us, or was killed.
        os._exit(0)


def _answer(function: Callable[[Any], Any], item: Any) -> bytes:
    try:
        return pickle.dumps(("done", function(item), ""), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        trace = traceback.format_exc()
        try:
            return pickle.dumps(("raised", error, trace))
        except (pickle.PicklingError, TypeError, AttributeError):
            return pickle.dumps(("raised", RuntimeError(f"{type(error).__name__}: {error}"), trace))


def _close(connection: Connection, process: multiprocessing.process.BaseProcess) -> None:
    connection.close()
    process.terminate()
    process.join()
