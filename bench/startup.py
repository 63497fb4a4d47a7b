"""Processor time of the program's start, as a ratio to `python -c pass`: `python bench/startup.py`.

The least of nine alternating runs each. Bounds: `fanwise --help` 15, the words of a graph 45, `fanwise status` 60.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

TURNS = 9
TICKETS = Path(__file__).parent.parent / "examples" / "tickets"
FANWISE = [sys.executable, "-m", "fanwise"]
BOUNDS = {"fanwise --help": 15, "from fanwise import agent, each, graph": 45, "fanwise status": 60}


def processor_ms(command: list[str]) -> float:
    """Return the processor time of a command in milliseconds, its children's included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> int:
    """Print each ratio beside its bound; return 1 where one is passed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, TICKETS / "make_rows.py", folder, "5"], check=True, capture_output=True)
        run = folder / "run"
        graph = f"{TICKETS / 'graph.py'}:triage"
        rows = folder / "tickets.jsonl"
        subprocess.run([*FANWISE, "run", graph, "--rows", rows, "--out", run], check=True, capture_output=True)
        commands = {
            "fanwise --help": [*FANWISE, "--help"],
            "from fanwise import agent, each, graph": [sys.executable, "-c", "from fanwise import agent, each, graph"],
            "fanwise status": [*FANWISE, "status", str(run)],
        }
        empty: list[float] = []
        times: dict[str, list[float]] = {title: [] for title in commands}
        for _ in range(TURNS):
            empty.append(processor_ms([sys.executable, "-c", "pass"]))
            for title, command in commands.items():
                times[title].append(processor_ms(command))
    print(f"python -c pass: {min(empty):.1f} ms of processor time")
    ratios = {title: min(values) / min(empty) for title, values in times.items()}
    for title, ratio in ratios.items():
        print(f"{title}: {ratio:.1f} times that, at most {BOUNDS[title]}")
    return int(any(ratio > BOUNDS[title] for title, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main())
