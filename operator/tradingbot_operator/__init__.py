"""The operator: turns TradingBot resources into pods, and decides what to do about sick ones.

Two halves. *Pure*, which judge and know no framework, network or clock: :mod:`resource` (what users write), :mod:`bot_status` (what
they read), :mod:`schema` (the CRD), :mod:`names`, :mod:`desired` (children), :mod:`drift`, :mod:`health`, :mod:`remediation`,
:mod:`status`, :mod:`plan`. *Shell*, which gathers and acts: :mod:`kube`, :mod:`cache`, :mod:`metrics_sources`, :mod:`observe`,
:mod:`act`, :mod:`queue`, :mod:`reconciler`, :mod:`handlers`. The shell imports the pure half, never the other way round.
"""
