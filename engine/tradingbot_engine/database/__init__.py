"""The journal: a SQLite file on the bot's volume, reached through a pool of connections."""
