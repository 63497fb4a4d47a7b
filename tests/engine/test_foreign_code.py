"""Whatever users' code raises, wherever it is called: its row fails and says why, all others are done, and on it goes.

Random exceptions out of random places, many rows in a run. `EXAMPLES` says how many exceptions are raised, about;
`make soak` has many.
"""

from __future__ import annotations

import json
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fanwise import Job, resume
from hastened import eager
from sample.raising import EXCEPTIONS, PLACES, PLANS, SELDOM, Failure, places, record

EXAMPLES = int(os.environ.get("EXAMPLES", "100"))
RAISING_A_RUN = 150 if EXAMPLES >= 1000 else 50
"""A run has a cost of its own, so that a soak has more rows in fewer of them."""
PATIENCE_S = 120.0
FAILURES = st.builds(
    Failure, st.sampled_from(PLACES), st.sampled_from(sorted(EXCEPTIONS)), st.sampled_from([0, 0, 0, 1, 2, 3, 5, 8])
)


async def carry_out(failures: list[Failure], channel: Any) -> None:
    PLANS.clear()
    PLANS.update({f"n{number}": failure for number, failure in enumerate(failures)})
    rows = [record(f"n{number}", number) for number in range(len(failures) + 2)]
    with tempfile.TemporaryDirectory() as folder, anyio.fail_after(PATIENCE_S):
        out = Path(folder) / "run"
        source = Path(folder) / "rows.jsonl"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        account = await Job(places, rows=source, out=out, channel=channel, grace_s=0.05).run()
        by_id = {line["id"]: line for line in account.results()}
        for row in rows:
            plan, line = PLANS.get(row["name"]), by_id.get(str(row["id"]))
            if plan is None:
                assert line is not None and line["status"] == "succeeded", line
            elif line is None:
                assert plan.place in ("row", "serializer"), plan.place
            else:
                assert line["status"] == "succeeded" or line["reason"], line
                assert line["status"] == "failed" or plan.spared >= 0 or plan.place in SELDOM, plan
        PLANS.clear()
        again = await resume(out, graph=places, retry=["failed"])
        left = [line["reason"] for line in again.results() if line["status"] != "succeeded"]
        assert not left, left[:3]
        assert len([*again.results()]) == len(rows), "what was set aside is read again"


@given(st.lists(FAILURES, min_size=RAISING_A_RUN, max_size=RAISING_A_RUN), st.sampled_from(["live", "live", "batch"]))
@settings(
    max_examples=max(EXAMPLES // RAISING_A_RUN, 1), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a run is no smaller where less is wrong
)  # fmt: skip
def test_whatever_users_code_raises_costs_its_row_alone(failures: list[Failure], channel: Any) -> None:
    with eager():
        anyio.run(partial(carry_out, failures, channel))
