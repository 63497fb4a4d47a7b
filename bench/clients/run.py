"""Run clients that others wrote against the emulator, as they are published.

Usage: python bench/clients/run.py

Each client is installed in an environment of its own under `build/clients`, once; the TypeScript
SDK needs node and npm. Exit status 1 where one of them fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / "build" / "clients"
PYTHON = {
    "python-sdk": ("anthropic", "python_sdk.py"),
    "pydantic-ai": ("pydantic-ai-slim[anthropic]", "pydantic_ai_client.py"),
    "langchain": ("langchain-anthropic", "langchain_client.py"),
    "litellm": ("litellm", "litellm_client.py"),
}


def python(name: str, package: str) -> Path:
    """Return the interpreter of a client's environment; made where it is missing."""
    found = FOLDER / name / "bin" / "python"
    if not found.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / name)], check=True)
        subprocess.run([str(found), "-m", "pip", "install", "-q", package], check=True)
    return found


def typescript() -> list[str]:
    """Return the command of the TypeScript client; installed where it is missing."""
    folder = FOLDER / "typescript"
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "init", "-y"], cwd=folder, check=True, capture_output=True)
        subprocess.run(["npm", "install", "--silent", "@anthropic-ai/sdk"], cwd=folder, check=True)
    shutil.copy(HERE / "typescript.mjs", folder)
    return ["node", str(folder / "typescript.mjs")]


def main() -> int:
    commands = {
        name: [str(python(name, package)), str(HERE / script)] for name, (package, script) in PYTHON.items()
    } | {"typescript": typescript()}
    failed = 0
    emulate = [sys.executable, "-m", "fanwise", "emulate", "--port", "0"]
    with subprocess.Popen(emulate, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as emulator:
        try:
            assert emulator.stdout is not None
            url = emulator.stdout.readline().strip()
            environment = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": url, "PATH": "/usr/local/bin:/usr/bin:/bin"}
            for name, command in commands.items():
                result = subprocess.run(
                    command, env=environment, capture_output=True, text=True, timeout=120, check=False
                )
                good = result.returncode == 0
                failed += not good
                printed = result.stdout if good else result.stderr or result.stdout
                told = printed.strip().splitlines()[-8:]
                print(f"{name}: {'works' if good else 'FAILS'}: {' / '.join(told)}")
        finally:
            emulator.terminate()
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
