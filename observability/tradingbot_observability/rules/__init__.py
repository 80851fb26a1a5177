"""Prometheus rules: what is worth recording of a fleet, and when somebody has to be told. Typed here, rendered to YAML for the operator."""
