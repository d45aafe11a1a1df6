"""Writes down what a live gauger decides, and on what grounds, for `gauger backtest` to read."""

from gateway.recording.journal import Recording
from gateway.recording.rotation import Rotation

__all__ = ["Recording", "Rotation"]
