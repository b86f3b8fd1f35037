"""SIGKILL at any moment of any stage, in any world; what is left goes on to what an undisturbed run gives.

Each attempt is a child that has imported everything already, so that a kill costs no more than what it interrupts. Half
of the kills come after a random time, half at a random operation on files: between a rename and the next write there
are microseconds, which no clock would hit.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from small_house import House
from tally import Tally, attempt, differing

WORLDS: dict[str, tuple[int, ...]] = {"one process": (1,), "two processes": (2,), "now one, now two": (1, 2)}
"""How many processes train, by name of the world: an attempt draws from these."""

ROUND = 40
"""Kills on one way from nothing to the end; then it is gone to the end without any."""

WITHIN = 1e-4
"""How far losses, weights and logits may differ where attempts of one and of two processes take turns: their sums have
another order. (The project's Adam has a large epsilon, which does not blow rounding errors up to whole steps.)"""

DONE, FAULT, HUNG, KILLED = 0, 3, 4, 9
PATIENCE_S = 900.0
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir")


@dataclass(frozen=True)
class Doom:
    """When an attempt dies: at a time of the monotonic clock, or before its `operation`th change of a file.

    `rank` is the process of the training that dies; None stands for all at once, as when a node is lost.
    """

    at_s: float | None = None
    operation: int | None = None
    rank: int | None = None

    def arm(self) -> None:
        """Have this process die so. SIGALRM, by default, ends a process as SIGKILL does: at once and without a word."""
        if self.at_s is not None:
            signal.setitimer(signal.ITIMER_REAL, max(self.at_s - time.monotonic(), 1e-3))
        if self.operation is not None:
            at_changes(lambda number: os.kill(os.getpid(), signal.SIGKILL) if number == self.operation else None)


def at_changes(act: Callable[[int], None]) -> None:
    """Call `act` with the number of each change of a file that this process is about to make; there is no way back."""
    number = 0

    def look(event: str, args: tuple[Any, ...]) -> None:
        nonlocal number
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or event in CHANGES:
            number += 1
            act(number)

    sys.addaudithook(look)


def kill(house: House, count: int, chance: random.Random, tally: Tally) -> None:
    """Kill `count` attempts at all stages, world after world; each way is gone to its end and compared."""
    empty(house)
    assert waited(start(house, 1, None)) == DONE, _said(house)
    expected = {name: house.results() for name in WORLDS}
    empty(house)
    assert waited(start(house, 2, None)) == DONE, _said(house)
    expected["two processes"] = house.results()
    kills, operations = 0, _count_changes(house)
    for name, sizes in cycle(WORLDS.items()):
        if kills >= count:
            return
        empty(house)
        here, fault = _way(house, sizes, min(ROUND, count - kills), operations, chance)
        wrong = differing(house.results(), expected[name], WITHIN if len(sizes) > 1 else 0.0)
        left = [path.name for path in house.folder.rglob("*.tmp")]
        outcome = "unequal" if wrong or fault else "left over" if left else "equal"
        tally.add(f"SIGKILL, {name}", outcome, f"{fault} {wrong[:3]} {left[:2]}", max(here, 1))
        if kills // 100 != (kills + here) // 100:
            print(f"{kills + here} kills", file=sys.stderr, flush=True)
        kills += here


def _way(house: House, sizes: tuple[int, ...], most: int, operations: int, chance: random.Random) -> tuple[int, str]:
    """From nothing to the end, killed up to `most` times; how often it was, and the error that was told, if any."""
    for here in range(most + 1):
        size = chance.choice(sizes)
        rank = chance.choice([None, *range(size)]) if size > 1 else None
        doom = Doom(time.monotonic() + chance.choice((0.1, 0.5, 3.0)) * chance.random(), rank=rank)
        if chance.random() < 0.5:  # the first changes of an attempt are those that the last one was about to make
            doom = Doom(operation=int(operations ** (chance.random() * chance.choice((0.5, 1.0)))), rank=rank)
        status = waited(start(house, size, doom if here < most else None))
        if status != KILLED:
            return here, "" if status == DONE else f"hung for {PATIENCE_S:.0f} s" if status == HUNG else _said(house)
    return most, "killed without a reason"


def empty(house: House) -> None:
    shutil.rmtree(house.folder)
    house.folder.mkdir()


def start(house: House, size: int, doom: Doom | None) -> int:
    """A child that goes the whole way, the training in a world of `size` processes; DONE, FAULT or KILLED."""
    stages = (house.prep, house.train, house.evaluate, house.publish)
    return fork(lambda: run_stages(house, *stages, doom=doom) if size == 1 else _launch(house, size, doom), leads=True)


def run_stages(house: House, *stages: Callable[[], None], doom: Doom | None = None) -> int:
    """Run stages in this process until its doom; DONE or FAULT, and the fault is written down beside the project."""
    if doom is not None:
        doom.arm()
    shutil.rmtree(house.folder / "out", ignore_errors=True)
    error, said = attempt(*stages)
    if error is None:
        return DONE
    place = os.environ.get("RANK", "alone")
    _said_file(house).write_text(f"{place}: {type(error).__name__}: {error}\n{said[-500:]}", encoding="utf-8")
    return FAULT


def _launch(house: House, size: int, doom: Doom | None) -> int:
    """As a launcher does: preparation alone, then ranks that are all ended when one of them dies, then the rest."""
    status = waited(fork(lambda: run_stages(house, house.prep, doom=doom)))
    if status == DONE:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        ranks = []
        for rank in range(size):
            mine = doom if doom is not None and doom.rank in (None, rank) else None
            ranks.append(fork(lambda place=(rank, size, port), mine=mine: _rank(house, place, mine)))  # type: ignore[misc]
        status = _watch(ranks)
    if status == DONE:
        status = waited(fork(lambda: run_stages(house, house.evaluate, house.publish, doom=doom)))
    return status


def _rank(house: House, place: tuple[int, int, int], doom: Doom | None) -> int:
    from accelerate.state import AcceleratorState, GradientState, PartialState

    for state in (AcceleratorState, GradientState, PartialState):
        state._reset_state()  # what the parent was: alone
    rank, size, port = place
    names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in names.items()}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "ACCELERATE_USE_CPU": "true", "GLOO_SOCKET_IFNAME": "lo"}
    return run_stages(house, house.train, doom=doom)


def _watch(ranks: list[int]) -> int:
    """Wait for ranks; when one dies or fails, the others have half a second, then they are killed, too."""
    living, statuses, ends = list(ranks), set(), float("inf")
    while living and time.monotonic() < ends:
        for child in list(living):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                living.remove(child)
                statuses.add(_told(status))
                if statuses != {DONE}:
                    ends = min(ends, time.monotonic() + 0.5)
        time.sleep(0.005)
    for child in living:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    # The neighbour of a rank that died may have told that it lost it: the kill comes first.
    return max(statuses)


def fork(work: Callable[[], int], *, leads: bool = False) -> int:
    """A child of this process that does some work and ends with the status that it returns.

    One that `leads` can be ended with its own children.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = FAULT
        try:
            if leads:
                os.setpgid(0, 0)
            status = work()
        finally:
            os._exit(status)
    return child


def waited(child: int) -> int:
    """The status with which a child ends; one that leads is ended with all of its own when it hangs."""
    ends = time.monotonic() + PATIENCE_S
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return _told(status)
        if time.monotonic() > ends and os.getpgid(child) == child:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return HUNG
        time.sleep(0.01)


def _told(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return KILLED if code in (-signal.SIGKILL, -signal.SIGALRM) else code if code >= 0 else FAULT


def _count_changes(house: House) -> int:
    """Changes of files on an undisturbed way."""
    empty(house)
    count = house.folder.parent / "changes.txt"

    def counted() -> int:
        numbers = [0]
        at_changes(lambda number: numbers.__setitem__(0, number))
        status = run_stages(house, house.prep, house.train, house.evaluate, house.publish)
        count.write_text(str(numbers[0]), encoding="utf-8")
        return status

    assert waited(fork(counted)) == DONE, _said(house)
    return int(count.read_text(encoding="utf-8"))


def _said_file(house: House) -> Path:
    return house.folder.parent / "said.txt"


def _said(house: House) -> str:
    path = _said_file(house)
    return path.read_text(encoding="utf-8") if path.is_file() else "a status without a word"
