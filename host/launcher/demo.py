"""./k42 demo: a guest, a workload in it, and what can be changed meanwhile.

The workload (demo.sh) is unmodified programs, whose output depends on nothing but how many rounds
they made. At its end the same programs make as many rounds natively, and only when both have written
the same, and nothing else, "0 errors" is said. One thread carries the workload's streams; the others
ask the guest's kernel through the launcher's door (beside.py), as './k42 ctl' does from another
terminal, so that can be used meanwhile, too.
"""
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

from launcher import (beside, component, demo_display, frames, native, packages, sample_text,
                      session, variants)
from launcher.tree import Trouble, built, environment, path

PACKAGES = ("sqlite3",)
TEXT = "/srv/text"
PAGES = 2048
WORDS = {f"needle{number}": 20 + 10 * number for number in range(8)}
SEARCHES = len(WORDS)  # of a round
ROUNDS = 100000  # more than it will come to
POLICY, UPGRADE = "fcm_head", "pipe_v2"  # components that K42 ships
LEAST_CPUS = 2  # with one, no advisor has anything to do here
ADVISOR_SECONDS = 90
POLICY_SECONDS = 30
ROUND_SECONDS = 10
ATTEMPTS = 5  # to find an object while programs come and go
END_SECONDS = 60
NATIVE_SECONDS = 120
TOOLS = ("dash", "sqlite3", "seq", "xargs", "grep", "sort", "tr")


# ---- asking the guest ----

def beside_words(words):
    variables = [f"{name}={value}" for name, value in session.ENVIRONMENT.items()]
    return frames.frame(frames.RUN, struct.pack("<5I", 0, 0, 0, len(words), len(variables))
                        + frames.texts("/", *words, *variables))


class Asked:
    """A command beside the workload; `each` gets its lines as they come."""

    def __init__(self, guest, words, each=None):
        self.client, self.reader = beside.connect(guest.door.name), frames.Reader()
        if not self.client:
            raise Trouble("the guest has ended")
        self.said, self.errors, self.status, self.each = b"", b"", None, each
        self.client.sendall(beside_words(words))

    def wait(self):
        while self.status is None:
            data = self.client.recv(frames.MOST_BYTES)
            if not data:
                raise Trouble("the guest ended before a command of the demo did")
            for kind, content in self.reader.feed(data):
                self.take(kind, content)
        self.client.close()
        return self

    def take(self, kind, content):
        if kind == frames.ERRORS:
            self.errors += content
        elif kind == frames.ENDED:
            self.status = session.shell_status(*struct.unpack("<I", content))
        elif kind == frames.OUTPUT:
            self.said += content
            while self.each and b"\n" in self.said:
                line, self.said = self.said.split(b"\n", 1)
                self.each(line)

    def end(self, number):
        """Sends it a signal."""
        self.client.sendall(frames.frame(frames.SIGNAL, struct.pack("<I", number)))


def ask(guest, words):
    """What k42ctl answers; the text is held open, as a file of the host has a cache only then."""
    done = Asked(guest, ["sh", "-c", f"exec 9< {TEXT}; k42ctl {words} --json"]).wait()
    if done.status:
        raise Trouble(done.errors.decode(errors="replace").strip() or f"k42ctl {words} failed")
    return json.loads(done.said or b"{}")


class Beside:
    """A k42ctl that goes on until it is ended; each line that it says is an object of JSON."""

    def __init__(self, guest, words):
        self.said = []
        self.asked = Asked(guest, ["sh", "-c", f"exec 9< {TEXT}; exec k42ctl {words} --json"],
                           self.take)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        try:
            self.asked.wait()
        except (OSError, Trouble):
            pass

    def take(self, line):
        self.said.append(json.loads(line))

    def is_over(self):
        return not self.thread.is_alive()

    def end(self):
        """As Ctrl-C does it."""
        if not self.is_over():
            self.asked.end(signal.SIGINT)
        self.thread.join(POLICY_SECONDS)


class Watch(Beside):
    """Hooks around the text's page cache for the whole time: how many calls, and the longest."""

    def __init__(self, guest):
        self.calls = self.longest_ns = 0
        super().__init__(guest, f"watch --file {TEXT} --interval 500ms")

    def take(self, line):
        methods = [one for at in json.loads(line)["objects"] for one in at["methods"]]
        self.calls = sum(one["calls"] for one in methods)
        self.longest_ns = max([one["longest_ns"] for one in methods] + [0])


# ---- the workload ----

class Workload:
    """The script in the guest, carried by a thread of its own."""

    def __init__(self, guest, display):
        self.guest, self.display = guest, display
        self.output, self.errors, self.status, self.trouble = bytearray(), bytearray(), None, None
        with open(path("host", "launcher", "demo.sh"), "rb") as file:
            self.script = file.read()
        words = ["sh", "-s", TEXT, str(ROUNDS), "/tmp"]
        self.thread = threading.Thread(target=self.run, args=(words,), daemon=True)
        self.thread.start()

    def run(self, words):
        pieces = iter([self.script, b""])
        try:
            self.guest.start(words)
            self.status = self.guest.converse(lambda: next(pieces, b""), None, self.take)
        except Trouble as trouble:
            self.trouble = trouble

    def take(self, name, data):
        if name == "errors":
            self.errors += data
            return
        self.output += data
        for _ in range(data.count(b"\n")):
            self.display.searched(SEARCHES)

    def rounds(self):
        return self.output.count(b"\n")

    def is_over(self):
        return not self.thread.is_alive()


def natively(text, rounds):
    """What the same script writes on this machine's own kernel; None where that cannot be had."""
    with open(path("host", "launcher", "demo.sh"), "rb") as file:
        script = file.read()
    if native.is_possible():
        # The text comes before the script, whose shell reads no further than it must.
        words = ["sh", "-c", f"head -c {len(text)} > /tmp/text; exec sh -s /tmp/text {rounds} /tmp"]
        return native.run(words, text + script, packages=PACKAGES, limit=NATIVE_SECONDS).output
    if any(shutil.which(tool) is None for tool in TOOLS):
        return None
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "text"), "wb") as file:
            file.write(text)
        words = ["dash", "-s", os.path.join(folder, "text"), str(rounds), folder]
        return subprocess.run(words, input=script, stdout=subprocess.PIPE, env=environment(),
                              timeout=NATIVE_SECONDS).stdout


# ---- what happens ----

class Show:
    """The guest while the workload runs, and what was done to it."""

    def __init__(self, guest, display, workload, pace):
        self.guest, self.display, self.workload, self.pace = guest, display, workload, pace
        self.events, self.watch, self.policy, self.number = [], None, None, None

    def rest(self, seconds, until=lambda: False):
        """Shows the workload for a while; True when what was waited for came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.workload.is_over():
                raise Trouble("the workload ended by itself")
            if until():
                return True
            self.display.tick()
            time.sleep(0.1)
        return False

    def happens(self, what, act):
        """Does something, says what came of it, and watches the workload go on."""
        self.display.doing = what
        began = self.display.seconds()
        before = self.display.rate()
        try:
            came = act()
        except Trouble as trouble:
            came = f"NOT DONE: {trouble}"
        took = self.display.seconds() - began
        self.display.say(f"{began:4.0f} s  {what}: {came}")
        rounds = self.workload.rounds()
        self.rest(self.pace)
        self.rest(ROUND_SECONDS, until=lambda: self.workload.rounds() > rounds)
        after = self.display.rate(began + took)
        self.events.append((began, what, came, before, after,
                            self.watch.longest_ns if self.watch else 0))
        self.display.doing = ""

    def cache(self):
        """The text's page cache: its number and class. Found by its owners, once."""
        for _ in range(ATTEMPTS):
            objects = ask(self.guest, "objects --interface fcm")["objects"]
            for one in objects:
                if one["id"] == self.number or not self.number and TEXT in [
                        owner.get("file") for owner in one["owners"]]:
                    self.number = one["id"]
                    return one["id"], one["class"]
        raise Trouble("the text's page cache is not found")

    def swap_cache(self, class_name):
        number, before = self.cache()
        ask(self.guest, f"swap {number} {class_name} --deadline 1s")
        return before

    def classes_of(self, name):
        """The classes of a component that are current, each with the version before it."""
        told = ask(self.guest, "classes")["classes"]
        for one in told:
            if one["component"] == name and one["current"]:
                yield one["name"], max([other["version"] for other in told
                                        if other["name"] == one["name"]
                                        and other["version"] < one["version"]], default=0)

    # -- the scenes --

    def watch_text(self):
        number, class_name = self.cache()
        self.watch = Watch(self.guest)
        self.rest(10, until=lambda: self.watch.calls)
        return f"object {number}, {class_name}, the text's page cache: {self.watch.calls} calls " \
               "in the first moment"

    def decision(self, *deeds):
        """The first such thing that an advisor has done to the text's page cache, if any."""
        for one in ask(self.guest, "advisors --log")["decisions"]:
            if one["object"] == self.number and one["deed"] in deeds:
                return one
        return None

    def taken_back(self, class_name):
        """Why it is again what it was before an advisor changed it; empty if it is not."""
        back = self.decision("undone", "taken back")
        if not back or back["to"] != class_name:
            return ""
        return f"; {back['advisor']} had {back['deed']} its change: {back['reason']}"

    def advise(self):
        self.cache()
        ask(self.guest, "advisors on")
        end = time.monotonic() + ADVISOR_SECONDS
        while not (made := self.decision("changed")):
            if time.monotonic() > end:
                raise Trouble(f"no advisor saw a reason in {ADVISOR_SECONDS} s")
            self.rest(1)
        return f"{made['advisor']}: {made['reason']}: {made['from']} became {made['to']}"

    def load_policy(self):
        _, before = self.cache()
        self.policy = Beside(self.guest, f"policy run /srv/{POLICY}.k42 --on file:{TEXT} "
                                         "--stall 10s")
        self.rest(POLICY_SECONDS, until=lambda: self.policy.said or self.policy.is_over())
        if not self.policy.said or self.policy.is_over():
            raise Trouble(self.policy.asked.errors.decode(errors="replace").strip()
                          or "the policy does not serve")
        told = self.policy.said[0]
        return f"{told['component']} serves the text: {before} became {told['class']}" \
               + self.taken_back(before)

    def upgrade(self):
        told = ask(self.guest, f"upgrade /srv/{UPGRADE}.k42 --eager")
        return f"{told['converted']} pipes of {told['total']} are of version 2 now"

    def end_policy(self):
        if not self.policy:
            return
        self.policy.end()
        if self.policy.asked.status != 0:
            raise Trouble(f"{POLICY} did not end as it should: "
                          + self.policy.asked.errors.decode(errors="replace").strip())

    def undo(self):
        turned = [ask(self.guest, f"upgrade {name} {version} --eager")["converted"]
                  for name, version in list(self.classes_of(UPGRADE))]
        ask(self.guest, f"unload {UPGRADE}")
        self.end_policy()
        ask(self.guest, "advisors off")
        before = self.swap_cache("fcm.shared")
        return f"{sum(turned)} pipes are of the first version, {POLICY} has ended, " \
               f"{before} became {self.cache()[1]}"

    def go(self):
        self.rest(END_SECONDS, until=lambda: self.workload.rounds() >= 1)
        self.rest(self.pace)
        self.happens("watch an object", self.watch_text)
        self.happens("let the advisor choose", self.advise)
        self.happens("load a policy", self.load_policy)
        self.happens("upgrade a class", self.upgrade)
        self.happens("undo it all", self.undo)
        if self.watch:
            self.watch.end()


def finish(guest, workload, display):
    """Ends the workload at the end of a round."""
    Asked(guest, ["touch", "/tmp/enough"]).wait()
    end = time.monotonic() + END_SECONDS
    while not workload.is_over() and time.monotonic() < end:
        display.tick()
        time.sleep(0.1)
    display.end()
    if not workload.is_over() or workload.trouble:
        raise Trouble(f"the workload did not end: {workload.trouble or 'it goes on'}")


# ---- what came of it ----

def print_table(show):
    print(f"\n{'at':>5}  {'what':<24}{'searches a second':>20}   {'longest call so far':<21}came of it")
    for at, what, came, before, after, longest in show.events:
        print(f"{at:3.0f} s  {what:<24}{before:8.1f} then {after:6.1f}   "
              f"{f'{longest / 1e6:.2f} ms' if longest else '-':<21}{came}")


def verdict(show, workload, text):
    """Says '0 errors' only when nothing but what a native run writes was written."""
    rounds = workload.rounds()
    wanted = natively(text, rounds)
    sum_ = hashlib.sha256(bytes(workload.output)).hexdigest()[:16]
    print(f"\n{rounds} rounds of {SEARCHES} searches, output {sum_}")
    if show.watch:
        print(f"longest pause any call saw: {show.watch.longest_ns / 1e6:.2f} ms, "
              f"of {show.watch.calls:,} calls")
    wrong = [what for _, what, came, *_ in show.events if came.startswith("NOT DONE")]
    if wanted is None:
        print("no native run is possible here (as root, or with sqlite3 installed): not compared")
        return 1
    if workload.status or workload.errors or bytes(workload.output) != wanted:
        ours, theirs = bytes(workload.output).splitlines(), wanted.splitlines()
        different = sum(a != b for a, b in zip(ours, theirs)) + abs(len(ours) - len(theirs))
        print(f"ERRORS: status {workload.status}, {different} of {len(theirs)} lines differ from a "
              f"native run, {len(workload.errors.splitlines())} lines on standard error")
        print(workload.errors.decode(errors="replace")[:400], end="")
        return 1
    print(f"a native run writes the same: {hashlib.sha256(wanted).hexdigest()[:16]}")
    if wrong:
        print(f"0 errors in the workload, but not done: {', '.join(wrong)}")
        return 1
    print("0 errors")
    return 0


def prepare(folder):
    """What the guest sees as /srv."""
    text = sample_text.text(PAGES, WORDS)
    with open(os.path.join(folder, "text"), "wb") as file:
        file.write(text)
    for name in (POLICY, UPGRADE):
        component.build(path("components", name + ".c"), os.path.join(folder, name + ".k42"))
    return text


def run(asked):
    if asked.cpus < LEAST_CPUS:
        raise Trouble("the demo needs two processors: with one nobody is in anybody's way",
                      "--cpus 2 or more")
    packages.ensure(for_guest=True)
    variants.build("release", targets=variants.GUEST)
    os.makedirs(built("run"), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built("run")) as folder:
        os.chmod(folder, 0o755)
        text = prepare(folder)
        print(f"starting a guest with {asked.cpus} processors", flush=True)
        with session.Session("k42", asked.cpus, asked.mem, PACKAGES, [(folder, "/srv")],
                             f"advisors=off {asked.append}".strip(), open_door=True) as guest:
            guest.wait_until_ready()
            print("unmodified dash, xargs -P 4, grep and sqlite3 begin", flush=True)
            display = demo_display.Display()
            workload = Workload(guest, display)
            show = Show(guest, display, workload, asked.pace)
            try:
                show.go()
                finish(guest, workload, display)
            finally:
                display.end()
        print_table(show)
        return verdict(show, workload, text)
