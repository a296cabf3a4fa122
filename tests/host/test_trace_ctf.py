"""babeltrace2 reads what trace writes, without a complaint, and finds as many events as were counted."""
import collections
import errno
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
EMITTER = os.path.join(BUILD, "tests", "test_trace")

DATA, METADATA = 0xC1FC1FC1, 0x75D11D57
DATA_HEADER = struct.Struct("<I16sIQQQQQQQII")
METADATA_HEADER = struct.Struct("<I16sIIIBBBBB")

# More than is emitted: nothing can be lost, however slow the machine is.
ROOMY = ["1048576", "8"]
# Less than is emitted by far.
TIGHT = ["4096", "2"]

Counts = collections.namedtuple("Counts", "result recorded discarded overwritten read")


def emit(mode, destination, rounds, sizes=(), **more):
    done = subprocess.run([EMITTER, mode, destination, str(rounds), *sizes], capture_output=True,
                          text=True, timeout=120, **more)
    assert done.returncode == 0, done.stderr
    return Counts(*map(int, done.stdout.split()))


def babeltrace(directory, *options):
    done = subprocess.run(["babeltrace2", *options, directory], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def names(lines):
    return collections.Counter(re.search(r" ([a-z0-9]+:[a-z_]+): \{", line)[1] for line in lines)


def packets(directory):
    """The header of each packet, by stream."""
    for name in sorted(os.listdir(directory)):
        if name.startswith("stream_"):
            with open(os.path.join(directory, name), "rb") as file:
                content = file.read()
            at = 0
            while at < len(content):
                header = DATA_HEADER.unpack_from(content, at)
                assert header[0] == DATA
                yield name, header
                at += header[7] // 8


def lost(directory):
    """What the last packet of each stream says was lost."""
    last = {name: header[8] for name, header in packets(directory)}
    return sum(last.values())


@pytest.fixture
def directory(tmp_path):
    return str(tmp_path / "trace")


def test_snapshot_is_read_without_a_complaint(directory):
    counts = emit("snapshot", directory, 1000, ROOMY)
    lines, complaints = babeltrace(directory)
    assert complaints == ""
    assert len(lines) == counts.recorded


def test_stream_is_read_without_a_complaint(directory):
    counts = emit("stream", directory, 1000, ROOMY)
    lines, complaints = babeltrace(directory)
    assert complaints == ""
    assert counts.overwritten == counts.discarded == 0
    assert len(lines) == counts.recorded == counts.read


def test_each_event_is_found_as_often_as_it_was_emitted(directory):
    emit("stream", directory, 500, ROOMY)
    assert names(babeltrace(directory)[0]) == {
        "test:all": 500, "test:nothing": 500, "test:number": 500 + 5 * 500, "test:bytes": 1,
        "k42:mark": 1, "test:unloaded": 1}


def test_fields_have_their_names_types_and_values(directory):
    emit("snapshot", directory, 1, ROOMY)
    lines = babeltrace(directory)[0]
    line = next(line for line in lines if "test:all" in line)
    assert ("{ small = 255, medium = 65535, large = 4294967295, huge = 18446744073709551615, "
            'below = -5, address = 0xABCDEF, text = "text \\"quoted\\"", data_length = 3, '
            "data = [ [0] = 1, [1] = 2, [2] = 3 ] }") in line
    assert any('k42:mark' in line and 'text = "the end"' in line for line in lines)


def test_event_of_an_unloaded_component_stays_readable(directory):
    emit("snapshot", directory, 1, ROOMY)
    assert any("test:unloaded" in line and "value = 117901063" in line
               for line in babeltrace(directory)[0])


def test_times_are_the_time_of_day(directory):
    before = time.time()
    emit("snapshot", directory, 10, ROOMY)
    after = time.time()
    for line in babeltrace(directory, "--clock-seconds")[0]:
        assert before - 60 < float(re.match(r"\[(\d+\.\d+)\]", line)[1]) < after + 60


@pytest.mark.parametrize("mode", ["stream", "stop"])
def test_lossy_stream_tells_of_every_loss(directory, mode):
    counts = emit(mode, directory, 20000, TIGHT)
    lines, complaints = babeltrace(directory)
    assert len(lines) == counts.read
    assert lost(directory) == counts.discarded + counts.overwritten > 0
    told = [line for line in complaints.splitlines()
            if not re.match(r"WARNING: Tracer (may have )?discarded", line)]
    assert told == []


@pytest.mark.parametrize("mode", ["stream", "stop"])
def test_packets_of_a_stream_follow_one_another(directory, mode):
    emit(mode, directory, 20000, TIGHT)
    ends, sequences, losses = {}, {}, {}
    for name, header in packets(directory):
        begin, end, _, _, discarded, sequence = header[4:10]
        assert ends.get(name, 0) <= begin <= end
        assert sequences.get(name, -1) + 1 == sequence
        assert losses.get(name, 0) <= discarded
        ends[name], sequences[name], losses[name] = end, sequence, discarded


def test_snapshot_of_an_overwritten_buffer_holds_the_newest_events(directory):
    counts = emit("snapshot", directory, 20000, TIGHT)
    lines, complaints = babeltrace(directory)
    assert complaints == "" or "discarded" in complaints
    assert 0 < len(lines) < counts.recorded
    assert any("k42:mark" in line for line in lines)


def test_full_disk_leaves_a_trace_that_can_be_read(directory):
    counts = emit("full", directory, 20000, ROOMY)
    lines, complaints = babeltrace(directory)
    assert counts.result == -errno.EFBIG
    assert counts.read + counts.overwritten == counts.recorded
    assert len(lines) == counts.read
    assert complaints == ""


def unpack(received, directory):
    """Makes a directory of what came through a descriptor: docs/trace.md has the same lines."""
    os.mkdir(directory)
    at = 0
    while at < len(received):
        if struct.unpack_from("<I", received, at)[0] == METADATA:
            header = METADATA_HEADER.unpack_from(received, at)
            name, begin, size = "metadata", at + METADATA_HEADER.size, header[4] // 8
        else:
            header = DATA_HEADER.unpack_from(received, at)
            assert header[0] == DATA
            name, begin, size = f"stream_{header[3]}", at, header[7] // 8
        with open(os.path.join(directory, name), "ab") as file:
            file.write(received[begin:at + size])
        at += size


@pytest.mark.parametrize("kind", ["socket", "pipe"])
def test_stream_through_a_descriptor_is_whole(directory, kind):
    if kind == "socket":
        ours, theirs = (end.detach() for end in socket.socketpair())
    else:
        ours, theirs = os.pipe()
    received = []

    def collect():
        with open(ours, "rb") as file:
            received.append(file.read())

    collector = threading.Thread(target=collect)
    collector.start()
    done = subprocess.Popen(["bash", "-c", f'exec "$@" 3>&{theirs} {theirs}>&-', "bash", EMITTER,
                             "fd", "-", "1000", *ROOMY], stdout=subprocess.PIPE, text=True,
                            pass_fds=[theirs])
    os.close(theirs)
    counts = Counts(*map(int, done.communicate(timeout=120)[0].split()))
    collector.join()
    unpack(received[0], directory)
    lines, complaints = babeltrace(directory)
    assert counts.result == 0
    assert complaints == ""
    assert len(lines) == counts.recorded == counts.read
