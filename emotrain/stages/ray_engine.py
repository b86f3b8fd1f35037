"""A stage's shards on the machines of a Ray cluster: Ray Data deals out shard numbers, each worker writes whole parts.

What travels through Ray is a number a shard; clips are read and parts written on the worker, by the code that the local
engine runs, into a folder that all machines share. So files, quarantine and resume are those of a run on one machine.
A worker runs its clips in a child process with a kernel timer (`workers.Pool`), which stops a stuck clip. When a worker
or its machine is lost, Ray starts another one and the shard again; nothing of it was visible yet.
"""

from __future__ import annotations

import logging
import os
import shutil
import socket
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotrain import __version__
from emotrain.stages.workers import Pool, RemoteError

RETRIES = 3
"""Times that a shard is begun anew after its worker was lost. (A clip that crashes takes only the child with it.)"""

OBJECT_STORE_BYTES = 100 << 20
"""Shared memory of a cluster started here, close to the least that Ray accepts: no frames pass through it."""

CONNECT_S = 10.0

RunShard = Callable[[Callable[..., Iterable[Any]], int, Callable[[int], None]], None]
"""`run_shard(run, shard, advance)` writes one part; `run(function, items)` yields a result for each item in order."""


def ray_shards(
    run_shard: RunShard,
    shards: Sequence[int],
    out: Path,
    *,
    workers: int | None = None,
    limit_s: float | None = None,
    address: str | None = None,
) -> Iterator[int]:
    """Run the shards on a cluster and yield the number of each as its part is there, in no set order.

    `address` is `local` (a cluster of this machine, ended afterwards), `auto` (the one that runs here) or HOST:PORT;
    None takes RAY_ADDRESS from the environment and otherwise `local`. A Ray that the caller has started is used as it
    is. `workers` is the number of one-core workers (None: one for each core of the cluster). Raises ValueError
    when ray is not installed or no cluster answers, FileNotFoundError when a worker does not see `out`, RuntimeError
    when it has another emotrain or a shard's worker was lost more than RETRIES times, and whatever the work raises.
    """
    if not shards:
        return
    with _cluster(address, workers) as ray, _mark(out) as mark:
        size = workers if workers is not None else max(1, int(ray.cluster_resources().get("CPU", 0)))
        place = _Place(os.getcwd(), mark, __version__)
        results = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards))
        results = results.map_batches(
            _ShardWorker,
            # In a list, Ray leaves the reference for the worker to resolve, when it stands in the right folder.
            fn_constructor_args=([ray.put(run_shard)], limit_s, place),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(size, len(shards)), max_tasks_in_flight_per_actor=1),
            num_cpus=1,
        )
        try:
            for row in results.iter_rows():
                if row["error"] is not None:
                    raise row["error"] from RemoteError(row["trace"])
                yield row["shard"]
        except ray.exceptions.RayError as error:
            raise RuntimeError(f"{out}: the Ray cluster failed: {error}\nFinished parts are kept; run again") from error


@dataclass(frozen=True, slots=True)
class _Place:
    """What has to hold on every worker for its parts to be ours: the folders of the driver, and this version."""

    folder: str
    mark: Path
    version: str

    def enter(self) -> None:
        """Go to the driver's folder, so that relative paths mean the same; raises when the machines share no disk."""
        host = socket.gethostname()
        if os.path.isdir(self.folder):
            os.chdir(self.folder)
        if not self.mark.is_dir():
            raise FileNotFoundError(
                f"{self.mark.parent}: the Ray worker on {host} does not see this folder as it is here; put data and "
                f"videos on a disk that all machines mount at the same path (relative ones start at {self.folder})"
            )
        if __version__ != self.version:
            raise RuntimeError(
                f"the Ray worker on {host} has emotrain {__version__}, expected {self.version}; install the same "
                "version on all machines"
            )

    def count(self, shard: int) -> None:
        """Note that a shard is begun; raises when that was so too often. Ray itself would try for ever."""
        with (self.mark / str(shard)).open("ab") as file:
            file.write(b".")
            begun = file.tell()
        if begun > RETRIES + 1:
            raise RuntimeError(
                f"{self.mark.parent}: the worker of shard {shard} was lost {RETRIES + 1} times; look for a lack of "
                "memory on the workers, then run the stage again: finished parts are kept"
            )


class _ShardWorker:
    """Runs on a worker: one shard after another, clips in a child that outlives the shard but not a stuck clip."""

    def __init__(self, run_shard: list[Any], limit_s: float | None, place: _Place) -> None:
        self._reference = run_shard[0]
        self._run_shard: RunShard | None = None
        self._limit_s = limit_s
        self._place = place
        self._pool: Pool | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        shard = int(batch["shard"][0])
        # Carried home as a value: what Ray raises for it keeps neither its class nor its text apart from Ray's own.
        error: Exception | None = None
        trace = ""
        try:
            if self._pool is None or self._run_shard is None:
                import ray

                self._place.enter()
                self._run_shard = ray.get(self._reference)
                self._pool = Pool(1, self._limit_s)
            self._place.count(shard)
            self._run_shard(self._pool.run, shard, lambda clips: None)
        except Exception as raised:
            error, trace = raised, traceback.format_exc()
        return {"shard": [shard], "error": [error], "trace": [trace]}


@contextmanager
def _cluster(address: str | None, workers: int | None) -> Iterator[Any]:
    """The ray module, connected; disconnected afterwards if this is who connected it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise ValueError("the engine ray needs Ray Data: pip install 'emotrain[ray]'") from error
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address if address is not None else os.environ.get("RAY_ADDRESS", "local"), workers)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str, workers: int | None) -> None:
    if address == "local":
        ray.init(
            address="local",
            num_cpus=workers if workers is not None else len(os.sched_getaffinity(0)),
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            logging_level=logging.ERROR,
            # Others on the network have no business with this cluster.
            _node_ip_address="127.0.0.1",
        )
        return
    if address.startswith("ray://"):
        raise ValueError(f"ray address {address!r}: run on a machine of the cluster (`ray job submit`), not through it")
    try:
        if address != "auto":
            # Ray itself would try for minutes and then end this process.
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
        ray.init(address=address, logging_level=logging.ERROR)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"ray address {address!r}: no cluster answers ({error}); start one with `ray start --head`, set "
            "RAY_AUTH_MODE=token where it asks for Ray's token, or use `local`"
        ) from error


@contextmanager
def _mark(out: Path) -> Iterator[Path]:
    """A folder in `out` with a name of its own: workers that find it share our disk, and count their tries in it."""
    mark = out / f".ray-{os.urandom(8).hex()}"
    mark.mkdir()
    try:
        yield mark
    finally:
        shutil.rmtree(mark, ignore_errors=True)
