"""Where facts come from: the system's view of the engine's process, the engine's own pages, and the mounted document."""
