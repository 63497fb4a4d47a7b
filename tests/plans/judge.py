"""Another judge of task plans, on the agents of `planning`: written from the rules of the page, with types of its own.

A type is a text (`str`, `Topic`), `("opt", T)`, `("list", T)` or `("lit", values)`.
"""

from __future__ import annotations

import re
from typing import Any

RECORDS: dict[str, dict[str, Any]] = {
    "Ticket": {
        "id": "int", "subject": "str", "body": "str", "history": "str", "owner": ("opt", "str"),
        "tags": ("list", "str"),
    },
    "Topic": {"label": ("lit", ("bug", "bill", "other")), "confidence": "float", "note": ("opt", "str")},
    "Found": {"parts": ("list", "str"), "topics": ("list", "Topic")},
    "Answer": {"text": "str"},
    "Settled": {"done": "bool"},
}  # fmt: skip
SIGNATURES: dict[str, tuple[dict[str, Any], set[str], Any]] = {
    "classify": ({"subject": "str", "body": "str"}, set(), "Topic"),
    "split": ({"body": "str", "history": "str"}, set(), "Found"),
    "research": ({"question": "str", "label": "str"}, {"label"}, "str"),
    "research-topic": ({"topic": "str"}, set(), "Answer"),
    "draft": ({"facts": ("list", "str"), "label": "str"}, set(), "Answer"),
    "settle": ({"facts": ("list", ("opt", "str")), "topic": ("opt", "Topic")}, set(), "Settled"),
    "gather": ({"answers": ("list", ("opt", "Answer")), "sure": ("opt", "str"), "done": "bool"}, set(), "Answer"),
    "plain": ({"task": "str"}, set(), "str"),
}  # fmt: skip
"""Parameters, those with a default, and the answer."""
BLOCKS = {"handbook/refunds", "handbook/tone", "note"}
FORBIDDEN = {"row", "item", "print", "each", "if"}
"""Of the names that the test draws."""


class WrongError(Exception):
    """The plan is refused."""


def is_opt(tp: Any) -> bool:
    return isinstance(tp, tuple) and tp[0] == "opt"


def opt(tp: Any) -> Any:
    return tp if is_opt(tp) else ("opt", tp)


def fit(tp: Any, wanted: Any) -> bool:
    if is_opt(wanted):
        return fit(tp[1] if is_opt(tp) else tp, wanted[1])
    if is_opt(tp):
        return False
    if isinstance(tp, tuple) and tp[0] == "list":
        return isinstance(wanted, tuple) and wanted[0] == "list" and fit(tp[1], wanted[1])
    if isinstance(tp, tuple):
        return wanted == "str" or wanted == tp
    return tp == wanted or (tp, wanted) in {("int", "float"), ("bool", "int"), ("bool", "float")}


class Judge:
    """Judges one plan."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.tasks = {task["name"]: task for task in plan["tasks"]}
        self.types: dict[str, Any] = {}
        self.reads: dict[str, set[str]] = {name: set() for name in self.tasks}
        self.on_way: list[str] = []

    def accepts(self) -> bool:
        try:
            self.judge()
        except WrongError:
            return False
        return True

    def need(self, condition: object) -> None:
        if not condition:
            raise WrongError

    def judge(self) -> None:
        self.need(self.tasks and len(self.tasks) == len(self.plan["tasks"]))
        for name in self.tasks:
            self.need(re.fullmatch("[a-z][a-z0-9_]{0,40}", name) and name not in FORBIDDEN)
            self.task(name)
        self.need(any("row" in names for names in self.reads.values()))
        base, *path = self.plan["returns"].split(".")
        self.need(base in self.tasks)
        tp = self.types[base]
        for part in path:
            tp = self.field(tp, part)
        seen, left = set[str](), [base]
        while left:
            name = left.pop()
            if name in self.tasks and name not in seen:
                seen.add(name)
                left += self.reads[name]
        self.need(seen == set(self.tasks))

    def field(self, tp: Any, name: str) -> Any:
        self.need(isinstance(tp, str) and name in RECORDS.get(tp, {}))
        return RECORDS[tp][name]

    def task(self, name: str) -> Any:
        """The type of a task, which is None too where something on its way is."""
        if name in self.types:
            return self.types[name]
        self.need(name in self.tasks and name not in self.on_way)
        self.on_way.append(name)
        task, missing = self.tasks[name], {"item": False, "row": False}
        item = self.loop(name, task, missing)
        self.condition(name, task, missing)
        self.need(task["agent"] in SIGNATURES)
        params, optional, output = SIGNATURES[task["agent"]]
        seen: list[str] = []
        for give in task["gives"]:
            parameter, text = give["parameter"], give["reference"]
            if text.startswith("block:"):
                self.need(parameter == "context" and text[6:] in BLOCKS and text not in seen)
                seen.append(text)
                continue
            self.need(parameter in params and parameter not in seen)
            seen.append(parameter)
            tp, is_missing = self.value(name, text, item)
            if not fit(tp, params[parameter]):
                self.need(is_opt(tp) and fit(tp[1], params[parameter]))
                is_missing = True
            where = "item" if text.split(".")[0] == "item" else "row"
            missing[where] = missing[where] or is_missing
        self.need(set(params) - optional <= set(seen))
        tp = opt(output) if missing["item"] else output
        if task.get("over") is not None:
            tp = ("list", opt(tp) if task.get("need") is not None else tp)
        self.types[name] = opt(tp) if missing["row"] or task.get("when") is not None else tp
        self.on_way.pop()
        return self.types[name]

    def loop(self, name: str, task: dict[str, Any], missing: dict[str, bool]) -> Any:
        bounds = [task.get("need"), task.get("most")]
        self.need(all(bound is None or bound >= 1 for bound in bounds))
        if task.get("over") is None:
            self.need(bounds == [None, None])
            return None
        self.need(None in bounds or bounds[0] <= bounds[1])
        tp, is_missing = self.value(name, task["over"], None)
        if is_opt(tp):
            tp, is_missing = tp[1], True
        self.need(isinstance(tp, tuple) and tp[0] == "list")
        missing["row"] = missing["row"] or is_missing
        return tp[1]

    def condition(self, name: str, task: dict[str, Any], missing: dict[str, bool]) -> None:
        when = task.get("when")
        if when is None:
            return
        tp, is_missing = self.value(name, when["reference"], None)
        value, is_order = when["value"], when["compare"] not in ("==", "!=")
        missing["row"] = missing["row"] or is_missing
        if value is None:
            self.need(is_opt(tp) and not is_order)
            return
        inner = tp[1] if is_opt(tp) else tp
        if isinstance(value, bool):
            self.need(not is_order and inner in ("bool", "int", "float"))
        elif isinstance(value, str):
            is_known = isinstance(inner, tuple) and inner[0] == "lit" and (is_order or value in inner[1])
            self.need(inner == "str" or is_known)
        else:
            self.need(inner == "float" or (inner == "int" and (is_order or isinstance(value, int))))

    def value(self, name: str, text: str, item: Any) -> tuple[Any, bool]:
        """What a reference of a task leads to, and whether something on the way may be missing."""
        base, *path = text.split(".")
        if base == "item":
            self.need(item is not None)
            tp = item
        else:
            self.reads[name].add(base)
            tp = "Ticket" if base == "row" else self.task(base)
        is_missing = False
        for part in path:
            if is_opt(tp):
                tp, is_missing = tp[1], True
            tp = self.field(tp, part)
        return tp, is_missing
