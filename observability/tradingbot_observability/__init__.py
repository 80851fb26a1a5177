"""What people see of a fleet: Grafana dashboards, Prometheus rules, and a preview of the dashboards without Grafana.

A program of development time: it writes the files that the operator ships. Series are named through the tables of those who export
them, so a metric that is renamed breaks an import here and not a panel at three in the morning.
"""
