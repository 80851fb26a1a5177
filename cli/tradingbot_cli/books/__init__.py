"""A bot's orders and equity, from where they are to where a person sees them: a cluster's engines, or a data folder on this machine."""
