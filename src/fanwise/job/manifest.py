"""What a run is: which graph over which rows, how, since when, and with which sizes and tools its requests are made.

It is written when a run begins and read by whatever looks at the run later. Sizes and tools are kept
so that every session makes the very same requests. How a run stands is kept beside it, under the
other keys of `journal.meta`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from fanwise.addresses import as_taken_today
from fanwise.context.layout import Texts
from fanwise.context.sizes import DOCUMENTED, Sizes, sizes_from
from fanwise.context.tail import FORM
from fanwise.engine.arms import Arm, build_arms
from fanwise.engine.records import Format, Record, RowsFile
from fanwise.engine.repeated import ShownBy, repeated_blocks, shown_alike
from fanwise.engine.rows import RowTypes
from fanwise.engine.rowsfile import format_of, read
from fanwise.engine.toolbox import NO_SERVERS, Toolbox, list_tools, toolbox_from
from fanwise.errors import Mistake, SpecError
from fanwise.graph.nodes import GraphSpec
from fanwise.journal.meta import MANIFEST, MetaStore, Source, check_begun
from fanwise.journal.records import ArmName
from fanwise.units import new_run_id, now

from .arms import reference_of
from .mode import Mode
from .sizes import known_sizes
from .spec import JobSpec


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
    spec: JobSpec
    """How it is run, unless a session is given something else."""
    sizes: Sizes | None = None
    """How many tokens the texts have that rows share; None: nobody has counted them."""
    tools: Toolbox = NO_SERVERS
    """Definitions of the tools of MCP servers."""
    repeated: tuple[str, ...] = ()
    """Blocks of the row that many rows show, see `engine.repeated`."""
    form: int = FORM
    """Number of the form of requests with which the run began."""

    @classmethod
    def of(cls, source: Source) -> Manifest:
        """Return what a journal has kept.

        Raises:
            RunDirectoryError: The run never began, or what was kept of it is damaged.
            SpecError: Its job is none that this version carries out.
        """
        check_begun(source)
        try:
            return cls._from(MANIFEST.of(source))
        except KeyError as error:
            raise MANIFEST.damaged(f"it has no {error}") from None
        except (TypeError, AttributeError, ValueError) as error:
            raise MANIFEST.damaged(str(error)) from None

    @classmethod
    def _from(cls, data: Mapping[str, Any]) -> Manifest:
        if data["mode"] not in get_args(Mode):
            raise ValueError(f"{data['mode']!r} is no mode")
        spec = {**data["spec"]}  # what is no mapping is refused in words that say so
        if isinstance(spec.get("base_url"), str):
            spec["base_url"] = as_taken_today(spec["base_url"])
        return cls(
            run_id=data["run_id"],
            graph=data["graph"],
            rows=Path(data["rows"]),
            format=data["format"],
            folder=Path(data["folder"]),
            created=data["created"],
            mode=data["mode"],
            spec=JobSpec(graph=data["graph"], rows=data["rows"], format=data["format"], **spec),
            sizes=None if data["sizes"] is None else sizes_from(data["sizes"]),
            tools=toolbox_from(data["tools"]),
            repeated=tuple(data.get("repeated", ())),
            form=data.get("form", 1),
        )

    @classmethod
    def begun(cls, spec: JobSpec, rows: RowsFile, mode: Mode = "embedded", here: Path | None = None) -> Manifest:
        """Return what the run of a job is that begins now.

        Args:
            spec: The job.
            rows: Where its rows can be read, as often as needed.
            mode: Who answers.
            here: Where paths in rows begin that are in no file of the user's; None: in the working directory.
        """
        source = spec.rows_file
        return cls(
            run_id=new_run_id(),
            graph=reference_of(spec.graph),
            rows=rows.path.resolve(),
            format=rows.format,
            folder=(here or Path.cwd()) if source is None else source.resolve().parent,
            created=now().isoformat(),
            mode=mode,
            spec=replace(spec, baseline=reference_of(spec.baseline)),
        )

    def gone_on(self, spec: JobSpec) -> Manifest:
        """Return what the run is once a session goes on by a spec: the single agent that it names stays with it."""
        return replace(self, spec=self.spec.kept(replace(spec, baseline=reference_of(spec.baseline))))

    def over(self, rows: RowsFile, folder: Path) -> Manifest:
        """Return what the run is with another file of rows.

        Args:
            rows: The file.
            folder: Where paths in its rows begin.
        """
        path = rows.path.resolve()
        return replace(
            self,
            rows=path,
            format=rows.format,
            folder=folder,
            spec=replace(self.spec, rows=path, format=rows.format, encoding=rows.encoding),
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
            "spec": self.spec.data(),
            "sizes": None if self.sizes is None else self.sizes.data(),
            "tools": self.tools.data(),
            "repeated": list(self.repeated),
            "form": self.form,
        }

    @property
    def has_another_form(self) -> bool:
        """Whether its first requests had another form than those that are made now: its answers stay all the same."""
        return self.form != FORM

    @property
    def known_sizes(self) -> Sizes:
        """How many tokens texts have, by the documented averages where nobody has counted them."""
        return self.sizes or DOCUMENTED

    # What follows from it ---------------------------------------------------------------------------

    def arms(
        self, graphs: Mapping[ArmName, GraphSpec], tools: Toolbox | None = None, texts: Texts = "auto"
    ) -> dict[ArmName, Arm]:
        """Return the arms of the run, with the requests that it makes: the same in every session.

        Args:
            graphs: The graph of each arm.
            tools: The servers' tools where they are connected; None: as they were kept, to be composed with.
            texts: Whether texts are answered in plain text; anything but `auto` is for a plan.

        Raises:
            UsageError: The tools of an agent are not known here.
        """
        tools = self.tools if tools is None else tools
        spec = self.spec
        return build_arms(graphs, spec.schemas, self.known_sizes, tools, self.repeated, texts, reuse=spec.reuse)

    def row_types(self, graph: GraphSpec) -> RowTypes:
        """Return what makes rows of records, for a graph that takes them."""
        return RowTypes(graph.param_types, self.spec.id_field, self.folder, graph.defaults)

    def with_repeated(self, graph: GraphSpec) -> Manifest:
        """Return the run with the blocks that many of its rows show: they are looked for as a session begins.

        Args:
            graph: The fan-out, which takes the rows.
        """
        if not any(node.blocks for node in graph.tasks()):
            return self
        return replace(self, repeated=repeated_blocks(self.records(), graph.param_types))

    def shown_alike(self, graph: GraphSpec, drawn: Iterable[tuple[int, Record]]) -> dict[int, ShownBy]:
        """Return for some rows, by number, how many rows of the job show the same blocks; none where rows repeat none.

        Args:
            graph: The fan-out, which takes the rows.
            drawn: Their records, each with the number of its row.
        """
        if not self.repeated or not self.rows.is_file():
            return {}
        return shown_alike(drawn, self.taken(), self.row_types(graph), graph.param_types, self.repeated)

    def taken(self) -> Iterator[Record]:
        """Yield the records of the rows file that the run takes, in order."""
        return islice(self.records(), self.spec.limit)

    @property
    def rows_file(self) -> RowsFile:
        """The rows file, and how it is read."""
        return RowsFile(self.rows, self.format, self.spec.encoding)

    def records(self) -> Iterator[Record]:
        """Yield the records of the rows file, in order.

        Raises:
            UsageError: The file is gone or empty.
        """
        return read(self.rows_file)


def rows_of(spec: JobSpec) -> RowsFile:
    """Return the rows file of a job that is only looked at.

    Raises:
        UsageError: Its rows are in no file, or the format is not clear.
    """
    if spec.rows_file is None:
        what = "standard input" if isinstance(spec.rows, str | Path) else f"a {type(spec.rows).__name__} of rows"
        message = f"{what} is taken by a run alone, and this reads rows more than once and before one"
        raise SpecError((Mistake("rows", message, "write them to a JSONL file, and name it"),))
    return RowsFile(spec.rows_file, format_of(spec.rows_file, spec.format), spec.encoding)


def draft(spec: JobSpec, graphs: Mapping[ArmName, GraphSpec]) -> Manifest:
    """Return what the run of a job would be, with the sizes and the tools that are known before it; nothing is sent.

    Args:
        spec: The job; its rows are a file.
        graphs: The graph of each arm.

    Raises:
        UsageError: There is no such file, or a server of tools cannot be asked.
    """
    manifest = Manifest.begun(spec, rows_of(spec))
    manifest = manifest.with_repeated(graphs["fanout"])
    return replace(manifest, sizes=known_sizes(graphs.values()), tools=list_tools(graphs.values()))
