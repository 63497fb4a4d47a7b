"""What is known of the sizes of texts on this machine, kept by content for every later run."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from fanwise.canonical import digest
from fanwise.context.sizes import DOCUMENTED, Sizes

_SCHEMA = """CREATE TABLE IF NOT EXISTS counted(model TEXT, sha TEXT, chars INT, tokens INT, PRIMARY KEY(model, sha));
CREATE TABLE IF NOT EXISTS usage(model TEXT PRIMARY KEY, chars INT, tokens INT);"""


class TokenCache:
    """What is known of sizes on this machine; where nothing can be kept, nothing is."""

    def __init__(self, path: Path | None = None) -> None:
        """Open the file, by default `fanwise/tokens.db` in the user's cache folder."""
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        self._path = path or base / "fanwise" / "tokens.db"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=5)
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error):
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            self._db.executescript(_SCHEMA)

    def __enter__(self) -> TokenCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def sizes(self, wanted: Iterable[tuple[str, str]]) -> Sizes:
        """Return what is known of texts, given as pairs of model and text."""
        counted: dict[tuple[str, str], tuple[int, int]] = {}
        for model, text in wanted:
            sha = digest(text)
            row = self._db.execute("SELECT chars, tokens FROM counted WHERE model=? AND sha=?", (model, sha)).fetchone()
            if row is not None:
                counted[model, sha] = (row[0], row[1])
        usage = {model: (chars, tokens) for model, chars, tokens in self._db.execute("SELECT * FROM usage")}
        return Sizes(counted, usage) if counted or usage else DOCUMENTED

    def keep(self, model: str, text: str, tokens: int) -> None:
        """Keep the size of a text, by its hash."""
        self._db.execute("INSERT OR REPLACE INTO counted VALUES(?,?,?,?)", (model, digest(text), len(text), tokens))

    def learn(self, model: str, chars: int, tokens: int) -> None:
        """Add what was billed for what was sent; older runs count half with every new one."""
        self._db.execute(
            "INSERT INTO usage VALUES(?,?,?) ON CONFLICT(model) DO UPDATE SET chars=chars/2+excluded.chars, "
            "tokens=tokens/2+excluded.tokens",
            (model, chars, tokens),
        )
