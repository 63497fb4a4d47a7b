"""Is a refusal about one request, or about all? Asked before rows fail by the hundred for what the account lacks.

Words of the API that are about the account are known (`api/refused.py`), as far as somebody has seen them. Besides,
where the same refusal comes for many requests in a row and none succeeds in between, no request is to blame: the run
halts. Until that is decided these requests are held, and their rows are neither done nor failed.
"""

from __future__ import annotations

from collections.abc import Callable

from fanwise.api.failures import Failure
from fanwise.dispatch.errand import Errand

MOST_ALIKE = 20
"""Different requests in a row that are refused in the same words, and none answered in between."""
TOO_LARGE = 413


class Doubts:
    """Holds errands that were refused, until it is known whether they are to blame; used by one event loop."""

    def __init__(self, fail: Callable[[Errand, Failure], None], halt: Callable[[str], None]) -> None:
        """Begin without a doubt.

        Args:
            fail: Takes an errand that is to blame.
            halt: Stops the run; errands that are held are left undone.
        """
        self._fail, self._halt = fail, halt
        self._held: list[tuple[Errand, Failure]] = []
        self._words, self._alike = ("", ""), 0

    def __len__(self) -> int:
        """Return how many errands are held."""
        return len(self._held)

    def failed(self, errand: Errand, failure: Failure) -> None:
        """Take the final failure of an errand."""
        if not _may_be_about_all(failure):
            self._fail(errand, failure)
            return
        # What has broken here says it in many words: of one exception, all its words are the same.
        said = failure.message.partition(":")[0] if failure.verdict == "broken" else failure.message
        words = failure.kind, said
        if words != self._words:
            self.release()
            self._words, self._alike = words, 0
        self._held.append((errand, failure))
        self._alike += 1
        if self._alike >= MOST_ALIKE:
            how = "failed" if failure.verdict == "broken" else "were refused"
            self._halt(
                f"{self._alike} requests in a row {how} in the same words, and none was answered since: "
                f"{failure.kind}: {failure.message}; see to it, and resume"
            )

    def answered(self) -> None:
        """Take note that a request was answered: those before it are to blame themselves."""
        if self._alike:
            self._words, self._alike = ("", ""), 0
            self.release()

    def release(self) -> None:
        """Let what is held fail: requests that were refused, and nothing else that would tell."""
        held, self._held = self._held, []
        for errand, failure in held:
            self._fail(errand, failure)


def _may_be_about_all(failure: Failure) -> bool:
    """Return whether a failure says nothing of its request: a refusal, or what has broken in this process."""
    status = failure.status or 0
    is_refusal = failure.verdict == "final" and 300 <= status < 500 and status != TOO_LARGE
    return is_refusal or failure.verdict == "broken"
