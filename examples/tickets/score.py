"""How right a reply is: `fanwise compare ... --labels rows/labels.jsonl --score examples/tickets/score.py:refund`."""

from graph import Reply, Ticket


def refund(output: Reply, row: Ticket, label: str) -> float:
    """Return 1 where a refund is promised to whom it is due, and to nobody else."""
    is_due = label == "billing" and "charged twice" in row.body
    return float((output.refund_usd > 0) == is_due)
