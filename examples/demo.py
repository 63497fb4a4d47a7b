"""The main job on real input: review the standard library of the running Python, offline.

A first call writes the rows and runs the job with its baseline; a later one resumes it, which
finds every answer in the journal and sends nothing. `--fresh` starts anew.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FANWISE = (sys.executable, "-m", "fanwise")


def main() -> int:
    fresh, folder = "--fresh" in sys.argv, Path(sys.argv[-1])
    out = folder / "run"
    # The demo never spends: no key of the environment reaches it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "FANWISE_"))}
    environment |= {"HOME": str(folder.resolve()), "XDG_CONFIG_HOME": str(folder.resolve())}
    if fresh and folder.exists():
        shutil.rmtree(folder)
    if (out / "journal.db").exists():
        command = [*FANWISE, "resume", str(out)]
    else:
        subprocess.run([sys.executable, str(HERE / "stdlib_review" / "make_rows.py"), str(folder)], check=True)
        graph = f"{HERE / 'stdlib_review' / 'graph.py'}:review"
        command = [
            *FANWISE,
            "run",
            graph,
            "--rows",
            str(folder / "modules.jsonl"),
            "--out",
            str(out),
            "--baseline",
            "auto",
        ]
    print("$", " ".join(["fanwise", *command[3:]]), file=sys.stderr, flush=True)
    return subprocess.run(command, env=environment, check=False).returncode


sys.exit(main())
