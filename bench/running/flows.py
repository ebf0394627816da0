"""A peer's five-step workflow, run for so many seconds at a time: the other side of a pipe from `bench.cycles`.

    PYTHON bench/running/flows.py dbos|langgraph FOLDER

It imports nothing of ours, so that any interpreter which has the peer runs it, and shares no process with us. Each
step is a function that adds one, made durable before the next begins. A line of JSON in, {"at_once", "seconds"}; a line
out, {"rate", "p50"}: workflows a second, and the median of their milliseconds. The first line out names the peer's
version. Exit code 3: the peer is not installed there.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import statistics
import sys
import threading
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

MISSING = 3


def dbos(folder: Path) -> tuple[str, Callable[[], int]]:
    """Five `DBOS.step`s in a `DBOS.workflow`, over SQLite in WAL mode."""
    peer = import_module("dbos").DBOS
    file = folder / "dbos.sqlite"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA journal_mode = WAL")  # it stays so; each connection is synchronous = FULL by default
    peer(config={"name": "flows", "system_database_url": f"sqlite:///{file}", "log_level": "ERROR"})

    def add(number: int) -> int:
        return number + 1

    step = peer.step()(add)

    def five() -> int:
        total = 0
        for _ in range(5):
            total = step(total)
        return total

    workflow = peer.workflow()(five)
    peer.launch()
    return f"dbos {version('dbos')}", workflow


def langgraph(folder: Path) -> tuple[str, Callable[[], int]]:
    """A graph of five nodes in a row, each checkpointed (`durability="sync"`) by a `SqliteSaver` in WAL mode."""
    saving, graphs = import_module("langgraph.checkpoint.sqlite"), import_module("langgraph.graph")
    db = sqlite3.connect(folder / "langgraph.sqlite", check_same_thread=False)
    db.execute("PRAGMA synchronous = FULL")
    saver = saving.SqliteSaver(db)
    saver.setup()
    graph = graphs.StateGraph(dict)
    names = [f"step{number}" for number in range(5)]
    for name in names:
        graph.add_node(name, lambda state: {"total": state["total"] + 1})
    for before, after in zip([graphs.START, *names], [*names, graphs.END], strict=True):
        graph.add_edge(before, after)
    compiled = graph.compile(checkpointer=saver)

    def five() -> int:
        config = {"configurable": {"thread_id": uuid.uuid4().hex}}
        return int(compiled.invoke({"total": 0}, config, durability="sync")["total"])

    return f"langgraph {version('langgraph')}, checkpoint-sqlite {version('langgraph-checkpoint-sqlite')}", five


def measure(work: Callable[[], int], at_once: int, seconds: float) -> dict[str, float]:
    """Let so many threads do it again and again; what was begun in time counts to its end."""
    began = time.perf_counter()
    spent: list[float] = []
    failed: list[Exception] = []

    def repeat() -> None:
        while (start := time.perf_counter()) < began + seconds:
            try:
                if work() != 5:
                    raise ValueError("a workflow came to something else")  # noqa: TRY301 - an error like the others
            except Exception as error:  # noqa: BLE001 - told below, where somebody waits
                failed.append(error)
                return
            spent.append(1000 * (time.perf_counter() - start))

    threads = [threading.Thread(target=repeat) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return {"rate": len(spent) / (time.perf_counter() - began), "p50": statistics.median(spent)}


def main() -> int:
    logging.disable(logging.WARNING)
    name, folder = sys.argv[1], Path(sys.argv[2])
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer
    try:
        label, five = {"dbos": dbos, "langgraph": langgraph}[name](folder)
    except ImportError:
        return MISSING
    print(json.dumps({"label": label}), file=out, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(measure(five, asked["at_once"], asked["seconds"])), file=out, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
