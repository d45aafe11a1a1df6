"""Settings of servers with which counters go wrong, in sentences for an operator."""

import asyncio

from gateway.store.redis.link import Admin, Link


async def of_memory(admin: Admin) -> list[str]:
    """Of every server that counts or may take over; where there are several, each by its place."""
    return [
        f"{_named(link)} has the maxmemory-policy {policy}: when its memory runs short it drops "
        "counters, and whoever lost his has a fresh quota. Set it to noeviction."
        for link, policy in await _settings(await admin.all_links(), "maxmemory-policy")
        if policy not in (None, "noeviction")
    ]


async def of_persistence(admin: Admin) -> list[str]:
    """Of every server that counts."""
    links = await admin.links()
    saves = dict(await _settings(links, "save"))
    return [
        f"{_named(link)} keeps nothing on disk (appendonly no, save empty): when it restarts it "
        "has lost every counter, and replicas that follow it lose theirs. Set appendonly yes."
        for link, appends in await _settings(links, "appendonly")
        if appends == "no" and saves[link] == ""
    ]


async def _settings(links: list[Link], name: str) -> list[tuple[Link, str | None]]:
    return list(
        zip(links, await asyncio.gather(*(one.setting(name) for one in links)), strict=True)
    )


def _named(link: Link) -> str:
    return "The store" if link.place is None else "The store's server {}:{}".format(*link.place)
