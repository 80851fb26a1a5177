"""Where the operator learns how engines are: from their observers, asked directly."""
