"""Task plans: a DAG written flat as data, checked all at once, compiled to a graph, and frozen as ordinary Python."""

from .checking import CheckedPlan, check_plan
from .compiling import compile_plan
from .filetree import FrozenSources
from .freezing import freeze_plan
from .joining import join
from .limits import PlanLimits
from .offer import Offer
from .taskplan import Condition, Give, PlannedTask, TaskPlan, read_plan

__all__ = (
    "CheckedPlan",
    "Condition",
    "FrozenSources",
    "Give",
    "Offer",
    "PlanLimits",
    "PlannedTask",
    "TaskPlan",
    "check_plan",
    "compile_plan",
    "freeze_plan",
    "join",
    "read_plan",
)  # fmt: skip
