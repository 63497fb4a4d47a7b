"""The jobs that are recomputed: what each runs, on which rows, and what goes wrong in it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

WORDS = ("the", "seller", "kept", "a deposit", "of", "buyers", "since", "spring", "and", "nobody", "saw", "parcels")
MESSAGES = "/v1/messages"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A run of the command line, and what is done to it."""

    name: str
    graph: str
    """`FILE:NAME` in the folder of the graphs, or of an example."""
    rows: list[dict[str, Any]] | str
    """Rows, or an example's script that writes them."""
    options: tuple[str, ...] = ()
    """Of `fanwise run`."""
    faults: tuple[dict[str, Any], ...] = ()
    answers: tuple[dict[str, Any], ...] = ()
    """Scripted answers of the emulator."""
    edit: tuple[str, str] | None = None
    """A text of the graph's file and what takes its place, before the run is resumed."""
    dropped: int = 0
    """Rows that leave the file before the run is resumed: the last ones, below zero the first."""
    resume: tuple[str, ...] | None = None
    """Options of `fanwise resume`; None: it is not resumed."""
    through: str = ""
    """`other name`: a gateway in front of the emulator knows the model by a name that nobody prices."""
    exits: tuple[int, ...] = (0,)
    """Exit statuses that are right for it."""
    reasons: dict[str, str] = field(default_factory=dict[str, str])
    """Figures that cannot be equal, and why."""


def texts(count: int, *, sentences: int = 3, page: int = 0, pages: int = 1, seed: int = 1) -> list[dict[str, Any]]:
    """Rows with texts of different lengths.

    Args:
        count: Rows.
        sentences: At most so many in each text.
        page: Words of the document that a row shows; 0: none.
        pages: Different documents; several rows show the same.
        seed: Of the draw.
    """
    chance = random.Random(seed)
    documents = [" ".join(chance.choices(WORDS, k=page)) for _ in range(pages)] if page else [""]
    rows: list[dict[str, Any]] = []
    for number in range(count):
        lines = [" ".join(chance.choices(WORDS, k=chance.randint(3, 30))) for _ in range(chance.randint(1, sentences))]
        text = f"Case {number}. " + ". ".join(lines) + "."
        rows.append({"id": f"r{number}", "text": text, "page": documents[number % pages]})
    return rows


def repeated(rows: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many rows that hold what these do, each with an id of its own."""
    return [rows[number * 5 % len(rows)] | {"id": f"c{number}"} for number in range(count)]


LEVELS, TOOLS, IMAGES = "graphs.py:levels", "graphs.py:tools", "graphs.py:images"
PAGES = "graphs.py:pages"
UNPRICED, TINY, ALONE = "graphs.py:unpriced", "graphs.py:tiny", "graphs.py:alone"
PACKS = "graphs.py:packs"
SCANS = [{"id": f"s{number}", "note": f"note {number} " * (number + 1), "picture": "dot.png"} for number in range(8)]
LETTERS = [
    row | {"picture": "dot.png" if number % 2 else None}
    for number, row in enumerate(texts(10, sentences=1, page=900, pages=1, seed=24))
]
RELAID = (
    """) -> str:
    \"\"\"Say where it belongs.\"\"\"
    return f"behind {seen[:10]}"


@graph
def letters(letter: Letter) -> str:""",
    """) -> list[str]:
    \"\"\"Say where it belongs.\"\"\"
    return [f"behind {seen[:10]}"]


@graph
def letters(letter: Letter) -> list[str]:""",
)
"""A text that becomes a list: the agents behind one guide answer in an envelope then."""
FAULTY = (
    {"status": 429, "probability": 0.08, "retry_after": 0.05, "path": MESSAGES},
    {"status": 529, "count": 2, "path": MESSAGES},
    {"lost": True, "count": 3, "path": MESSAGES, "probability": 0.2},
    {"malformed": True, "count": 2, "path": MESSAGES, "probability": 0.2},
    {"stream": "cut", "count": 2, "path": MESSAGES, "probability": 0.2},
    {"status": 400, "count": 2, "path": MESSAGES, "probability": 0.2},
)
FAULTY_BATCHES = tuple({"item": item, "probability": 0.1} for item in ("expired", "errored", "missing", "duplicated"))
JOBS = (
    Job(name="tickets", graph="examples/tickets/graph.py:triage", rows="tickets 20",
        options=("--baseline", "auto", "--sample", "12")),
    Job(name="stdlib review", graph="examples/stdlib_review/graph.py:review", rows="modules 10",
        options=("--baseline", "auto", "--channel", "batch")),
    Job(name="three levels, live", graph=LEVELS, rows=texts(12, page=700, pages=12),
        options=("--baseline", "auto", "--channel", "live")),
    Job(name="shared documents, auto", graph=LEVELS, rows=texts(24, page=900, pages=4, seed=2),
        options=("--baseline", "auto", "--channel", "auto")),
    Job(name="pilots, auto", graph=PAGES, rows=texts(14, page=2_500, pages=2, seed=15),
        options=("--baseline", "auto", "--channel", "auto")),
    Job(name="edited and resumed", graph=LEVELS, rows=texts(8, page=100, pages=8, seed=3),
        options=("--baseline", "auto", "--channel", "live"),
        edit=("Weigh facts and rights.", "Weigh the facts first, then the rights."), dropped=1,
        resume=("--channel", "live")),
    Job(name="edited in front of a cache, rows gone", graph=LEVELS, rows=texts(8, page=900, pages=2, seed=17),
        options=("--baseline", "auto", "--channel", "live"), dropped=-2,
        edit=('in the page."""\n    return f"{len(page)} ', 'in the page, all."""\n    return f"of {len(page)} '),
        resume=("--channel", "live")),
    Job(name="rows gone, batch then live", graph=LEVELS, rows=texts(8, page=900, pages=2, seed=18),
        options=("--baseline", "auto", "--channel", "batch"), dropped=-2, resume=("--channel", "live")),
    Job(name="rows of a document gone, auto", graph=LEVELS, rows=texts(14, page=900, pages=3, seed=19),
        options=("--baseline", "auto", "--channel", "auto"), dropped=-9, resume=()),
    Job(name="documents of a sample", graph=LEVELS, rows=texts(40, sentences=1, page=900, pages=5, seed=23),
        options=("--baseline", "auto", "--sample", "9", "--channel", "live")),
    Job(name="documents of a sample, auto", graph=LEVELS, rows=texts(40, sentences=1, page=900, pages=8, seed=24),
        options=("--baseline", "auto", "--sample", "12", "--channel", "auto"), resume=("--sample", "7")),
    Job(name="sampled and resumed", graph=LEVELS, rows=texts(8, page=100, pages=8, seed=16), dropped=3,
        options=("--baseline", "auto", "--sample", "4", "--channel", "live"), resume=("--channel", "live")),
    Job(name="halted by a budget", graph=LEVELS, rows=texts(12, page=700, pages=3, seed=4),
        options=("--baseline", "auto", "--channel", "live", "--slots", "2", "--budget-usd", "0.09"), exits=(3,)),
    Job(name="halted and resumed", graph=LEVELS, rows=texts(10, page=300, pages=2, seed=5),
        options=("--baseline", "auto", "--channel", "live", "--slots", "2", "--budget-usd", "0.08"), exits=(3,),
        resume=("--channel", "batch", "--budget-usd", "1")),
    Job(name="budgets of rows", graph=LEVELS, rows=texts(8, sentences=6, page=300, pages=2, seed=6),
        options=("--baseline", "auto", "--channel", "live", "--row-budget-usd", "0.0652"), exits=(0, 1)),
    Job(name="faults, live", graph=LEVELS, rows=texts(14, page=400, pages=7, seed=7),
        options=("--baseline", "auto", "--channel", "live", "--slots", "4"), faults=FAULTY, exits=(0, 1)),
    Job(name="faults, batches", graph=LEVELS, rows=texts(14, page=400, pages=7, seed=8),
        options=("--baseline", "auto", "--channel", "batch"), faults=FAULTY_BATCHES, exits=(0, 1)),
    Job(name="tools, live", graph=TOOLS, rows=texts(10, sentences=2, seed=9),
        options=("--baseline", "auto", "--channel", "live")),
    Job(name="tools, batch", graph=TOOLS, rows=texts(10, sentences=2, seed=10), options=("--channel", "batch")),
    Job(name="images", graph=IMAGES, rows=SCANS, options=("--baseline", "auto", "--channel", "live")),
    Job(name="images of some rows, rows gone", graph="graphs.py:letters", rows=LETTERS, dropped=-7,
        options=("--baseline", "auto", "--channel", "live"), resume=("--channel", "live")),
    Job(name="edited to another layout", graph="graphs.py:letters", rows=LETTERS, edit=RELAID,
        options=("--baseline", "auto", "--channel", "live"), resume=("--channel", "live")),
    Job(name="tiny prompts", graph=TINY, rows=texts(16, sentences=1, seed=11), options=("--baseline", "auto")),
    Job(name="failures and refusals", graph=TINY, rows=texts(12, sentences=1, seed=12),
        options=("--baseline", "auto", "--channel", "live"),
        faults=({"status": 400, "match": "Case 3.", "path": MESSAGES},),
        answers=(
            {"match": "Case 5.", "refusal": "bio", "count": 3},
            {"match": "Case 7.", "text": "so many words " * 200, "count": 2},
        ), exits=(1,)),
    Job(name="equal rows", graph=LEVELS, rows=repeated(texts(8, page=900, pages=2, seed=24), 20),
        options=("--baseline", "auto", "--channel", "live", "--slots", "64")),
    Job(name="equal rows, rows gone", graph=LEVELS, rows=repeated(texts(6, page=900, pages=2, seed=25), 15),
        options=("--baseline", "auto", "--channel", "auto"), dropped=-4,
        edit=("Weigh facts and rights.", "Weigh the facts first, then the rights."), resume=("--channel", "auto")),
    Job(name="packs of equal rows", graph=PACKS, rows=repeated(texts(14, seed=26), 33),
        options=("--baseline", "auto", "--channel", "live", "--slots", "64")),
    Job(name="packs of equal rows, rows gone", graph=PACKS, rows=repeated(texts(11, seed=27), 26),
        options=("--baseline", "auto", "--channel", "batch"), dropped=-5,
        edit=("Answer it.", "Answer it in a word."), resume=("--channel", "batch")),
    Job(name="one agent", graph=ALONE, rows=texts(7, seed=13), options=("--baseline", "auto", "--channel", "live"),
        answers=({"match": "Case 2.", "text": "no list", "count": 1},), exits=(1,)),
    Job(name="unknown price", graph=UNPRICED, rows=texts(6, seed=14), options=("--channel", "live"),
        through="claude-next-9"),
)  # fmt: skip
