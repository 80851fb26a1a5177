"""What an installation gives to Prometheus and Grafana: PodMonitors, rules and dashboards, made where a cluster can use them.

It is a part of the operator that bots don't depend on: whatever goes wrong in it is told, counted, and tried again later.
"""
