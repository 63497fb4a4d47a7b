"""Which models of a job have no known price: nobody can foresee what they cost, nor need the emulator know them."""

from __future__ import annotations

from fanwise.job.arms import arms_of
from fanwise.job.spec import JobSpec
from fanwise.pricing.rates import known_rates
from fanwise.units import now


def models_without_price(spec: JobSpec) -> tuple[str, ...]:
    """Return the models of a job's agents, the single agent's too, of which no price is known, each once.

    Args:
        spec: The job.

    Raises:
        UsageError: A graph does not exist or has mistakes.
    """
    tasks = (task for graph in arms_of(spec.graph, spec.baseline).values() for task in graph.tasks())
    models = dict.fromkeys(task.target.spec.model for task in tasks if task.target.spec is not None)
    return tuple(model for model in models if known_rates(model, now()) is None)
