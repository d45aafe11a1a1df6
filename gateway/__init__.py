"""gauger: a rate-limiting and abuse-prevention gateway for model APIs."""

__version__ = "0.1.0"
