"""Dashboards without Grafana: every query of every panel asked of a Prometheus, and plotted on the grid where Grafana would plot it.

For people who want to see what a change of a dashboard does, and for the pictures of the documentation. It reads the JSON that is
shipped and knows of Grafana only what these dashboards use.
"""
