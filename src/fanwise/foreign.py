"""Users' code: whatever it raises, wherever it is called, is an outcome of its row and not the end of the run.

Exceptions of every kind are caught there, `SystemExit` and `KeyboardInterrupt` among them; what is not the
code's own, an interrupt by the user or a cancellation by us, is let through.
"""

from __future__ import annotations

import signal
import threading
from pathlib import PurePath

from .errors import NoFormError

MOST_CHARS = 2_000
"""Of the words of an exception that are kept."""


class Stopped(BaseException):
    """A signal came while a file of the user's was being loaded, which holds the event loop."""


def let_through(error: BaseException) -> None:
    """Raise an exception again that came while users' code ran and is not its own: Ctrl-C where nobody handles it."""
    if isinstance(error, Stopped) or (isinstance(error, KeyboardInterrupt) and _is_by_signal(error)):
        raise error


def reason(error: BaseException) -> str:
    """Return an exception as text, `ValueError: no such thing`: cut, and with nothing that cannot be written down.

    This is the one place that words what users' code raises: an exception of a type of theirs may have no words, or
    words that cannot be kept. Ours that says of a value what is wrong with it stands for itself.
    """
    if isinstance(error, NoFormError):
        return _writable(str(error))
    kind = type(error).__name__
    try:
        words = str(error)
    except BaseException as second:  # its own `__str__` is users' code too
        let_through(second)
        words = f"its text cannot be had: {type(second).__name__}"
    return _writable(f"{kind}: {words}" if words else kind)


def shown(value: object) -> str:
    """Return the `repr` of a value of users' types; its type alone where there is none."""
    try:
        text = repr(value)
    except BaseException as error:
        let_through(error)
        text = f"a {type(value).__name__}"
    return _writable(text)


def _writable(text: str) -> str:
    text = text if len(text) <= MOST_CHARS else f"{text[:MOST_CHARS]}..."
    return text.encode("utf-8", "backslashreplace").decode("utf-8")  # half a surrogate pair is no UTF-8


def _is_by_signal(error: KeyboardInterrupt) -> bool:
    """Return whether a signal has raised it: by Python's own handler, or by that of a loop's runner."""
    if threading.current_thread() is not threading.main_thread():
        return False  # signals are handled on the main thread alone
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        return True
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    return frame is not None and PurePath(frame.tb_frame.f_code.co_filename).match("asyncio/runners.py")
