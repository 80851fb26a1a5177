"""Who fills orders and knows what the bot owns: the port, and the paper broker behind it."""
