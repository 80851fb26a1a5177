"""What an order must not exceed."""
