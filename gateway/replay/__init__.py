"""The engine under a simulated clock: recorded traffic in, decisions out.

The same dialects, admission and settlement as live. Only the clock and the model API are simulated.
"""
