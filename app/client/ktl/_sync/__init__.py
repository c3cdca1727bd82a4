# Made from ktl/_async by docs/generate; changes belong there.
"""Requests that are waited for as one stands."""
