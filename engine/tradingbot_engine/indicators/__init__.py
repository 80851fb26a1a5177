"""Indicators that take one bar at a time: the same code in replay and live.

Each has `value`, None until it is known; none is ever NaN. They agree with TA-Lib from the first value on, save where that says 0 for
what can't be known. None drifts: windows are folded without ever subtracting (:mod:`.sliding`), and averages without a window forget
their rounding as they forget their prices.
"""
