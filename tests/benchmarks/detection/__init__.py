"""How soon campaigns are seen, how much leaks until then, and what it costs honest accounts.

    python -m tests.benchmarks.detection --policies policies --corpora DIR

The protocol: 14 simulated days, the first seven for the policies to learn in, campaigns from the
eighth, one campaign to a run, several seeds, honest accounts counted by account-days.
"""
