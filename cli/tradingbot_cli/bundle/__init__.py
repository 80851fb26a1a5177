"""``tradingbot support-bundle``: what somebody needs who is to help, in one archive, and no secret in it.

Invariant: nothing reaches the archive that has not gone through :mod:`.redaction`, and no Secret is ever asked for.
"""
