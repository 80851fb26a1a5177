"""What holds for every test: none is judged by the time that it takes, because machines are slow for reasons of their own."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("project", deadline=None)
settings.load_profile("project")
