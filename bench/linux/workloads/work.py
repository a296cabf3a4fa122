"""What programs in Python do much of, with a result that does not depend on the machine:
work.py TIMES"""
import collections
import functools
import heapq
import json
import re
import sys


class Record:
    """Objects with methods and attributes, in a list that is gone through."""

    def __init__(self, kind, number, following=None):
        self.kind, self.number, self.following = kind, number, following

    def copy(self):
        return Record(self.kind, self.number, self.following)

    def step(self, by):
        self.number = (self.number * 7 + by) % 1009
        return self.following.number if self.following else 0


def objects(times):
    head = None
    for number in range(100):
        head = Record("even" if number % 2 == 0 else "odd", number, head)
    total = 0
    for turn in range(times):
        one = head
        while one:
            total += one.step(turn) if one.kind == "even" else one.copy().step(total % 11)
            one = one.following
    return total


def bodies(times):
    """Floating point."""
    places = [[float(i), i * 0.5, -float(i), 0.0, 0.01 * i, 0.0] for i in range(5)]
    for _ in range(times):
        for i, one in enumerate(places):
            for other in places[i + 1:]:
                dx, dy, dz = one[0] - other[0], one[1] - other[1], one[2] - other[2]
                pull = 0.001 / (dx * dx + dy * dy + dz * dz + 1.0) ** 1.5
                for axis, distance in enumerate((dx, dy, dz)):
                    one[3 + axis] -= distance * pull
                    other[3 + axis] += distance * pull
        for one in places:
            for axis in range(3):
                one[axis] += 0.001 * one[3 + axis]
    return int(sum(map(sum, places)) * 1e6)


@functools.lru_cache(maxsize=None)
def ways(rest, largest):
    """Calls that go deep."""
    if rest == 0:
        return 1
    return sum(ways(rest - coin, coin) for coin in range(1, min(rest, largest) + 1))


def texts(times):
    words = [f"word{n * 7919 % 997}" for n in range(2000)]
    total = 0
    for turn in range(times):
        counts = collections.Counter(words)
        found = re.findall(r"word(\d)\d*7\b", " ".join(words))
        kept = json.loads(json.dumps({"counts": counts, "found": found}))
        total += len(kept["counts"]) + len(found) + hash_of(sorted(words)[turn % len(words)])
        words = words[1:] + [words[0].upper().lower()]
    return total


def hash_of(word):
    return functools.reduce(lambda sum_, letter: (sum_ * 31 + ord(letter)) % 65521, word, 0)


def containers(times):
    queue, seen = [], {}
    for n in range(times):
        heapq.heappush(queue, (n * 7919 % 10007, n))
        seen[n * 31 % 5003] = seen.get(n % 97, 0) + 1
        if len(queue) > 500:
            heapq.heappop(queue)
    return sum(key * value for key, value in seen.items()) + len(set(queue))


def main(times):
    total = 0
    for turn in range(times):
        ways.cache_clear()
        total += objects(60) + bodies(150) + texts(2) + containers(5000) + ways(60, 60) + turn
    print("done", total)


if __name__ == "__main__":
    main(int(sys.argv[1]))
