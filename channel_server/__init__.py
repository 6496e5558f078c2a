"""A pure-Python, drop-in replacement for the Loomio channel server."""

__version__ = "0.1.0"

__all__ = ["__version__"]
