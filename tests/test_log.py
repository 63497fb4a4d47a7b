"""Events go to the standard logger `fanwise`, with the fields of their context."""

from __future__ import annotations

import logging

import pytest

from fanwise.log import bound, log


def test_an_event_has_its_fields_and_those_of_its_context(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="fanwise"):
        with bound(run="abc"):
            log.info("task failed", row=3)
        log.warning("budget spent")
    inside, outside = (record.getMessage() for record in caplog.records)
    assert inside.startswith("event='task failed' run='abc' row=3 ")
    assert "level='info'" in inside
    assert "abc" not in outside
    assert caplog.records[1].levelno == logging.WARNING


def test_an_event_below_the_level_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="fanwise"):
        log.info("task failed")
    assert not caplog.records
