"""What dse's speed is, beside other ways to the same result: ``python -m benchmarks [NAME...]``.

Every figure is a ratio of two things timed in turn in one run, so that whatever else the machine
does falls on both. Nothing is asserted about time: a benchmark prints, a person judges.
"""
