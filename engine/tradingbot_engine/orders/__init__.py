"""Orders and fills as values, and how they are named. Words are those of FIX and ccxt."""
