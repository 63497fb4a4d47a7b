"""A local Messages API: a real HTTP server for the real SDK, with its own cache, clock and bill.

It imports nothing of the client side but the bottom layer, so that one mistake cannot stand on
both sides of a test.
"""

from .answers import Answer, ToolCall
from .emulator import Emulator
from .server import EmulatorSettings

__all__ = ("Answer", "Emulator", "EmulatorSettings", "ToolCall")
