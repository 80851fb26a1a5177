"""What a bot keeps: its journal, and its history of judged news; in files on its own volume, or in a schema of its own in a Postgres."""
