"""What ./k42 demo shows while it runs: on a terminal a picture that is drawn anew, elsewhere a line
a second, and each thing that happens on a line of its own."""
import sys
import time

BARS = " ▁▂▃▄▅▆▇█"
WIDTH = 60  # seconds, a column each
RATE_SECONDS = 6
UP, CLEAR_LINE, CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"


class Display:
    """Not for two threads at a time, but for `searched`, which only counts."""

    def __init__(self, out=None):
        self.out = out or sys.stdout
        self.live = self.out.isatty()
        self.begin, self.moments, self.rates = time.monotonic(), [], []
        self.height, self.second = 0, 0
        self.doing = ""

    def seconds(self):
        return time.monotonic() - self.begin

    def searched(self, searches):
        self.moments.append((self.seconds(), searches))

    def rate(self, since=None):
        """Searches a second, of the last seconds or since a moment."""
        now = self.seconds()
        since = max(0, now - RATE_SECONDS) if since is None else since
        done = sum(count for at, count in list(self.moments) if at >= since)
        return done / (now - since) if now > since else 0

    def tick(self):
        """To be called often; shows something once a second."""
        if self.seconds() < self.second + 1:
            return
        self.second = int(self.seconds())
        self.rates = [*self.rates, self.rate()][-WIDTH:]
        if self.live:
            self.draw()
        else:
            self.say(f"{self.second:4} s  {self.rates[-1]:6.1f} searches a second"
                     + (f"  ({self.doing})" if self.doing else ""))

    def draw(self):
        most = max([*self.rates, 1])
        bars = "".join(BARS[round(rate / most * (len(BARS) - 1))] for rate in self.rates)
        lines = [f"  {bars}", f"  {self.rates[-1]:.1f} searches a second, {self.second} s"
                 + (f"; {self.doing}" if self.doing else "")]
        back = UP.format(self.height) if self.height else ""
        self.out.write(back + "".join(f"\r{line}{CLEAR_LINE}\n" for line in lines) + CLEAR_BELOW)
        self.out.flush()
        self.height = len(lines)

    def say(self, text):
        """A line that stays, above the picture."""
        if self.height:
            self.out.write(UP.format(self.height) + "\r" + CLEAR_BELOW)
            self.height = 0
        self.out.write(text + "\n")
        self.out.flush()
        if self.live and self.rates:
            self.draw()

    def end(self):
        """What is written from now on stands below."""
        if self.height:
            self.out.write(UP.format(self.height) + "\r" + CLEAR_BELOW)
            self.height = 0
            self.out.flush()
