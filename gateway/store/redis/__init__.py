"""Counters in Redis or Valkey, shared by all gateways."""

from gateway.store.redis.address import Kind, read_address
from gateway.store.redis.cluster_store import ClusterStore
from gateway.store.redis.counters import RedisStore

__all__ = ["ClusterStore", "RedisStore", "is_cluster"]


def is_cluster(url: str) -> bool:
    """Raises `SettingsError` for a bad `url`."""
    return read_address(url).kind is Kind.CLUSTER
