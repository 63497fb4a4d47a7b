"""The account as one HTML file without scripts: drawn by Vega, written by Jinja, read anywhere."""

from .page import page

__all__ = ("page",)
