"""What decides when to trade: the interface, the ones that are built in, and how others are found."""
