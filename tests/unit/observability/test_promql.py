from __future__ import annotations

import pytest

from tradingbot_observability.promql import metric_names

EXPRESSIONS = {
    "up": {"up"},
    'up{job="tradingbot"} == 1': {"up"},
    "sum by (namespace, bot) (rate(errors_total[5m]))": {"errors_total"},
    "sum(rate(errors_total[5m])) by (namespace)": {"errors_total"},
    "sum without (pod) (a)": {"a"},
    "count(a) / on (namespace, bot) group_left (phase) b": {"a", "b"},
    'a{code=~"5..|0", reason!="Fine"} > bool 0.05 * 14.4': {"a"},
    "a and on (namespace) b unless ignoring (pod) c or d": {"a", "b", "c", "d"},
    'label_replace(a == 1, "namespace", "$1", "bot_namespace", "(.+)")': {"a"},
    "histogram_quantile(0.95, sum by (le) (rate(wait_seconds_bucket[$__rate_interval])))": {"wait_seconds_bucket"},
    'rate(a{namespace=~"$namespace", bot="${bot:raw}"}[[[interval]]])': {"a"},
    "time() - max_over_time(a[1h:5m] offset 1d)": {"a"},
    "level:metric:sum{objective='latency'} > 1e-3": {"level:metric:sum"},
    "absent(up == 1) or vector(1)": {"up"},
    '{__name__=~"a|b:c:d", pod="x"}': {"a", "b:c:d"},
    "a # not b\n+ c": {"a", "c"},
    "topk(10, a) + 0x1F + Inf": {"a"},
    "sum by(le)(a)": {"a"},
    "quantile_over_time(0.5, a[3d])": {"a"},
    "a @ end() == bool NaN": {"a"},
    "vector(0.05)": set(),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_what_an_expression_reads_is_told_from_all_other_words(expression: str) -> None:
    assert metric_names(expression) == EXPRESSIONS[expression]


def test_a_pattern_of_names_can_not_be_checked() -> None:
    with pytest.raises(ValueError, match="name the metrics"):
        metric_names('{__name__=~"tradingbot_.+"}')
