"""The explorer: a local page on which one turns the decisions of a space.

Each move is answered with all that comes of it: drawing, cost, latency, code.
"""
