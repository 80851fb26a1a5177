"""Where facts go to: pages for the operator and for people, and Prometheus."""
