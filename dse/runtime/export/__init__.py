"""Exported files: the formats, what is noted in them, and whether they compute what they should.

Importing this package imports neither torch nor the runtimes; its functions do.
"""
