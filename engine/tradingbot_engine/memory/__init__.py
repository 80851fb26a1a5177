"""The memory of the engine's container: how much there is, how much is taken, and what is given back when it is short."""
