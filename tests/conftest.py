"""A share of a file's tests, for runs that are cut into shards: K42_SHARD=2/5 runs the second fifth,
every fifth test from the second on, so that what is slow is spread."""
import os


def pytest_collection_modifyitems(config, items):
    shard, _, shards = os.environ.get("K42_SHARD", "1/1").partition("/")
    mine = items[int(shard) - 1::int(shards)]
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = mine
