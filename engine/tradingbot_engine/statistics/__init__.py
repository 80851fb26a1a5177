"""What a bot's equity and fills come to, in the figures that traders compare by. Pure: the same for a backtest, a report and a live bot.

A figure that is not defined (no trades, no deviation, too short a time) is None: never 0, never infinite, never NaN. Returns, drawdowns and
rates are fractions: 0.05 is 5 %. Times are seconds since the epoch.
"""
