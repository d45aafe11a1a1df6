"""Counters in Redis or Valkey, shared by all gateways."""

from gateway.store.redis.counters import RedisStore

__all__ = ["RedisStore"]
