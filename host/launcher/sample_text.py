"""Text to be searched: the same on each machine."""
import random

LINE_BYTES = 64


def text(pages, words):
    """Pages of lines, in which each of the words stands in as many lines as the number beside it."""
    draw = random.Random(42)
    lines = ["%012d lorem ipsum dolor sit amet consectetur adipi" % draw.getrandbits(36)
             for _ in range(pages * 4096 // LINE_BYTES)]
    places = iter(draw.sample(range(len(lines)), sum(words.values())))
    for word, times in words.items():
        for _ in range(times):
            at = next(places)
            lines[at] = lines[at].replace("lorem", word)
    return "".join(f"{line:<{LINE_BYTES - 1}.{LINE_BYTES - 1}}\n" for line in lines).encode()
