"""What the engine tells about itself: metrics, and a log."""
