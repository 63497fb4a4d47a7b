"""What a run is: which graph over which rows, how, since when, and with which sizes and tools its requests are made.

It is written when a run begins and read by whatever looks at the run later. Sizes and tools are kept
so that every session makes the very same requests. How a run stands is kept beside it, under the
other keys of `journal.meta`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fanwise.context.sizes import DOCUMENTED, Sizes, sizes_from
from fanwise.engine.arms import Arm, build_arms
from fanwise.engine.load import load_graph
from fanwise.engine.rows import Format, Record, RowTypes, read
from fanwise.engine.toolbox import NO_SERVERS, Toolbox, recalled
from fanwise.errors import RunDirectoryError
from fanwise.graph.graphs import Graph
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.meta import MANIFEST, MetaStore, Source
from fanwise.journal.records import ArmName

from .arms import Mode, arms_of
from .options import KEPT, Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a run is."""

    run_id: str
    graph: str
    """Reference of the graph, a file by its absolute path."""
    rows: Path
    """The rows file, absolute."""
    format: Format
    folder: Path
    """Where paths in the rows begin."""
    created: str
    """When the run began, in ISO 8601."""
    mode: Mode
    spec: Options
    """How it is run, unless a session is given something else."""
    sizes: Sizes | None = None
    """How many tokens the texts have that rows share; None: nobody has counted them."""
    tools: Toolbox = NO_SERVERS
    """Definitions of the tools of MCP servers."""

    @classmethod
    def of(cls, source: Source) -> Manifest:
        """Return what a journal has kept.

        Raises:
            RunDirectoryError: The run never began.
        """
        data = MANIFEST.of(source)
        if not data:
            raise RunDirectoryError("the directory holds a run that never began; remove it and run again")
        return cls(
            run_id=data["run_id"],
            graph=data["graph"],
            rows=Path(data["rows"]),
            format=data["format"],
            folder=Path(data["folder"]),
            created=data["created"],
            mode=data["mode"],
            spec=Options(**data["spec"]),
            sizes=None if data["sizes"] is None else sizes_from(data["sizes"]),
            tools=recalled(data["tools"]),
        )

    def save(self, journal: MetaStore) -> None:
        """Keep it in a journal, in place of what was kept before."""
        MANIFEST.keep(journal, self.data())

    def data(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "run_id": self.run_id,
            "graph": self.graph,
            "rows": str(self.rows),
            "format": self.format,
            "folder": str(self.folder),
            "created": self.created,
            "mode": self.mode,
            "spec": {name: value for name, value in asdict(self.spec).items() if name in KEPT},
            "sizes": None if self.sizes is None else self.sizes.data(),
            "tools": self.tools.data(),
        }

    # What follows from it ---------------------------------------------------------------------------

    def graphs(self, graph: Graph[..., Any] | None = None) -> dict[ArmName, GraphSpec]:
        """Return the graph of each arm.

        Args:
            graph: The run's graph, where it is at hand; None: it is loaded by its reference.

        Raises:
            UsageError: A graph does not exist any more, or has mistakes.
        """
        return arms_of(graph or load_graph(self.graph), self.spec.baseline)

    def arms(self, graphs: Mapping[ArmName, GraphSpec], tools: Toolbox | None = None) -> dict[ArmName, Arm]:
        """Return the arms of the run, with the requests that it makes: the same in every session.

        Args:
            graphs: The graph of each arm.
            tools: The servers' tools where they are connected; None: as they were kept, to be composed with.

        Raises:
            UsageError: The tools of an agent are not known here.
        """
        return build_arms(graphs, self.spec.schemas, self.sizes or DOCUMENTED, self.tools if tools is None else tools)

    def row_types(self, graph: GraphSpec) -> RowTypes:
        """Return what makes rows of records, for a graph that takes them."""
        return RowTypes(graph.param_types, self.spec.id_field, self.folder)

    def records(self) -> Iterator[Record]:
        """Yield the records of the rows file, in order.

        Raises:
            UsageError: The file is gone or empty.
        """
        return read(self.rows, self.format)
