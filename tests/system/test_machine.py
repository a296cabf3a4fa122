"""What /proc tells of the machine is true: mounts, processors, where their time went."""
QUICK_CPUS = (1, 2)


def test_each_file_system_is_mounted_once(machine):
    done = machine.sh("cut -d' ' -f2 /proc/mounts | sort | uniq -d; mount -t proc proc /proc; echo $?")
    assert b"already mounted" in done.errors and done.output == b"32\n"


def test_processors_are_described(machine):
    lines = machine.sh("cat /proc/cpuinfo").output.decode().splitlines()
    assert len([line for line in lines if line.startswith("processor")]) == machine.cpus
    flags = next(line for line in lines if line.startswith("flags")).split()
    assert {"fpu", "sse2", "syscall", "nx", "lm"} <= set(flags) and "-" not in flags
    assert [line for line in lines if line.startswith("model name")][0].split(":")[1].strip()


def ticks(text):
    """user, system and idle of each line that begins with `cpu`; the first is the sum."""
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    return [(int(line[1]), int(line[3]), int(line[4])) for line in lines]


def test_time_goes_to_programs_the_kernel_and_nobody(machine):
    done = machine.sh("cat /proc/stat; i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done; "
                      "cat /proc/stat; sleep 1; cat /proc/stat")
    length = machine.cpus + 1
    all_three = ticks(done.output.decode())
    begin, busy, idle = (all_three[n * length:][:length] for n in range(3))
    assert len(all_three) == 3 * length
    assert busy[0][0] > begin[0][0], "a loop in a program is the program's time"
    assert idle[0][2] > busy[0][2], "a sleep is nobody's time"
    for line in (begin, busy, idle):
        assert abs(sum(map(sum, line[1:])) - sum(line[0])) <= 3 * machine.cpus


def test_the_kernel_s_lines_are_kept(machine):
    done = machine.sh("dmesg | head -n 1; busybox dmesg | head -n 1; dmesg -c | wc -l; dmesg | wc -l; "
                      "setpriv --reuid=1234 --clear-groups dmesg -C; echo $?")
    first, same, kept, left, refused = done.output.decode().splitlines()
    assert first == same and ("machine: " in first or int(kept) > 500)
    assert int(kept) > 2 and left == "0" and refused == "1"
    assert b"not permitted" in done.errors


def test_an_idle_machine_uses_little_memory(machine):
    lines = machine.sh("cat /proc/meminfo").output.decode().splitlines()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    used = kib["MemTotal"] - kib["MemFree"] - kib["Cached"]
    assert kib["Cached"] > 10000 and 0 < used < 32 << 10
