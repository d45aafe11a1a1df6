"""Scenarios beside policies: traffic made up, run on a simulated clock, held to what is expected.

The engine is that of `gateway.replay`, so what passes here passes the very code that serves.
"""
