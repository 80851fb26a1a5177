"""The command ``tradingbot``: runs a manifest on this machine, without a cluster, with the programs that a cluster would run.

It uses the operator's pure modules to read the manifest and to write the engine's document, and starts engine and observer as child
processes. Whatever ends it, ends them.
"""
