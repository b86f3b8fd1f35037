"""A child that hangs, crashes or raises costs its item and nothing else; results keep their order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stage_work import CrashOnce, spin, square

from emotrain.stages.workers import AHEAD, Died, Pool, RemoteError, Worker, spread


def test_results_keep_the_order_of_the_items_and_few_are_under_way() -> None:
    drawn = []

    def items():
        for item in range(40):
            drawn.append(item)
            yield item

    with Pool(2) as pool:
        for position, result in enumerate(pool.run(square, items())):
            assert result == position * position
            assert len(drawn) <= position + 1 + 2 * AHEAD
        assert list(pool.run(abs, [-1, -2])) == [1, 2], "a pool takes another function"


@pytest.mark.parametrize("function", [time.sleep, spin])
def test_a_stuck_item_is_stopped_and_the_next_one_runs(function) -> None:
    started = time.monotonic()
    with Worker() as worker:
        worker.use(function)
        answer = worker.call(60, limit_s=0.3)
        assert answer == Died("took longer than the time limit and was stopped", timed_out=True)
        worker.use(square)
        assert worker.call(5, limit_s=30) == 25
    assert time.monotonic() - started < 30


def test_a_child_that_ends_itself_names_its_exit_code() -> None:
    with Worker() as worker:
        worker.use(os._exit)
        assert worker.call(3) == Died("ended its process (exit code 3)", timed_out=False)
        assert worker.call(0) == Died("ended its process (exit code 0)", timed_out=False)


def test_a_child_that_was_killed_while_idle_is_replaced() -> None:
    with Pool(1) as pool:
        assert list(pool.run(square, [2])) == [4]
        # Depending on the moment, the loss shows when the next item is sent or when its result is awaited.
        os.kill(pool._workers[0].pid, signal.SIGKILL)
        assert list(pool.run(square, [3, 5])) == [9, 25]
        os.kill(pool._workers[0].pid, signal.SIGKILL)
        assert list(pool.run(abs, [-3])) == [3]


def test_a_crash_is_tried_again_once(tmp_path: Path) -> None:
    with Pool(1) as pool:
        assert list(pool.run(CrashOnce(tmp_path / "mark"), [7])) == [7]
        assert list(pool.run(os._exit, [1])) == [Died("ended its process (exit code 1)", timed_out=False)]


def test_an_exception_comes_back_with_its_traceback() -> None:
    with Worker() as worker:
        worker.use(int)
        with pytest.raises(ValueError, match="invalid literal") as caught:
            worker.call("x")
        assert isinstance(caught.value.__cause__, RemoteError)
        assert "Traceback" in str(caught.value.__cause__)
        assert worker.call("7") == 7, "the child lives on"


def test_children_use_one_thread() -> None:
    with Worker() as worker:
        worker.use(os.getenv)
        assert worker.call("OMP_NUM_THREADS") == "1"


def test_without_limit_and_with_one_worker_everything_stays_in_this_process() -> None:
    with spread(1, 10) as run:
        assert list(run(lambda item: item + os.getpid(), [0])) == [os.getpid()]


@pytest.mark.parametrize("ending", ["sys.exit(0)", "os.kill(os.getpid(), 9)"])
def test_children_end_with_their_parent(ending: str) -> None:
    script = (
        "import os, sys, time\nfrom emotrain.stages.workers import Worker\n"
        "if __name__ == '__main__':\n"
        " w = Worker(); w.use(time.sleep); w.send(60, None); print(w.pid, flush=True)\n"
        f" time.sleep(1); {ending}\n"
    )
    program = Path(os.environ.get("TMPDIR", "/tmp")) / f"parent-{os.getpid()}.py"
    program.write_text(script)
    try:
        done = subprocess.run(
            [sys.executable, str(program)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        program.unlink()
    child = int(done.stdout)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
