"""Settings of servers with which counters go wrong, in sentences for an operator."""

from gateway.store.redis.link import Admin, Link


async def dangers(admin: Admin) -> list[str]:
    """Of every server that counts; where there are several, each by its place."""
    links = await admin.links()
    found = []
    for link in links:
        name = "The store" if link.place is None else "The store's {}:{}".format(*link.place)
        found += await _of(link, name)
    return found


async def _of(link: Link, name: str) -> list[str]:
    policy = await link.setting("maxmemory-policy")
    if policy and policy != "noeviction":
        return [
            f"{name}: its maxmemory-policy is {policy}. When its memory runs short it drops "
            "counters, and whoever lost his has a fresh quota. Set it to noeviction."
        ]
    return []
