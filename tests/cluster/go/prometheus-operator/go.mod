module tradingbot.test/prometheus-operator

go 1.25.0

// Only for the definitions of its resources, which lie among its examples; nothing of it is built.
require github.com/prometheus-operator/prometheus-operator v0.85.0
