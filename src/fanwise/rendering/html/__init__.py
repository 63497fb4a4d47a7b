"""The account as one HTML file without scripts: drawn by Vega, written by Jinja, read anywhere."""

from .notebook import notebook
from .page import page

__all__ = ("notebook", "page")
