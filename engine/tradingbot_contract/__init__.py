"""What operator, engine, observer and command line agree on: data and names, no behaviour of any one of them.

Everything that crosses a process boundary is declared here once: the sections of the spec that reach the engine
(:mod:`~tradingbot_contract.spec`), the document they travel in (:mod:`~tradingbot_contract.document`), the reports that come
back (:mod:`~tradingbot_contract.report`), the names of metrics (:mod:`~tradingbot_contract.metrics`) and where things are
found (:mod:`~tradingbot_contract.endpoints`). The package imports none of the programs.
"""
