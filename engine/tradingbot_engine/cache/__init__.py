"""Caches of computed views."""
