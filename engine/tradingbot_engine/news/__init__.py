"""News for strategies: read, judged, and delivered when the market gets to its time."""
