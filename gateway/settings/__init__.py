"""Settings of one gauger process: their values, how each is written, and how they come together."""

from gateway.settings.values import Address, Settings

__all__ = ["Address", "Settings"]
