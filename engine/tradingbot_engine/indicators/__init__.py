"""Indicators that take one price at a time: the same code in replay and live."""
