"""Caches of what is expensive to compute: bounded in entries, bytes and age, and measured."""
