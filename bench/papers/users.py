"""Many users: shell scripts of Unix commands, at the same time, in the manner of SDET.

Each user runs one script, of some hundred commands on files of his own; as many as there are
processors, and twice as many. Counted in instructions of one script on one processor, and by the
clock with more; beside Linux in the same emulator, by turns. Both must write the same.
"""
import plots
from guests import calm, guest
from rows import row

NAME = "users"
KERNELS = ("k42", "linux")
USER = r"""mkdir -p /tmp/home/$1 && cd /tmp/home/$1 || exit 1
step=0
while [ $step -lt ROUNDS ]; do
    step=$((step + 1))
    mkdir -p work/src work/old
    seq 1 300 | sed 's/.*/line & of user/' > work/src/main.c
    cp work/src/main.c work/src/copy.c
    for part in 1 2 3 4 5 6; do head -n $((part * 40)) work/src/main.c > work/src/part$part.c; done
    grep -c 7 work/src/*.c > work/counts
    sort -r work/src/main.c | uniq | wc -l
    awk '{ sum += $2 } END { print sum }' work/src/main.c
    diff work/src/main.c work/src/part6.c | tail -n 1
    tar -cf work/all.tar -C work src && tar -tf work/all.tar | wc -l
    find work -name '*.c' | sort | head -n 3
    ls -l work/src | wc -l
    mv work/src/part1.c work/old/ && ln -s ../old/part1.c work/src/part1.c
    cat work/src/part1.c | tr a-z A-Z | cksum
    chmod 600 work/counts; test -s work/counts && echo kept
    rm -r work
done
"""
CROWD = """cat > /tmp/user.sh << 'END'
{user}END
for user in $(seq {users}); do sh /tmp/user.sh $user > /tmp/out.$user & done; wait
"""
CHECK = "cat /tmp/out.* | cksum; rm -r /tmp/home /tmp/out.*"


def crowd(one, users, rounds):
    """Nanoseconds of the guest's clock for a script, and the checksum of what they wrote."""
    took, lines = one.timed(CROWD.format(user=USER.replace("ROUNDS", str(rounds)), users=users),
                            after=CHECK)
    return took / users / rounds, lines[-1]


def measured(kernel, cpus, users, rounds, repeated, counting=False):
    with guest(cpus, counting, kernel, memory="1G") as one:
        crowd(one, users, 1)
        return [crowd(one, users, rounds) for _ in range(repeated)]


def both(cpus, users, rounds, turns, repeated, counting=False):
    """Costs by kernel, the kernels in turn."""
    seen = {kernel: [] for kernel in KERNELS}
    for _ in range(turns):
        for kernel in KERNELS:
            seen[kernel] += measured(kernel, cpus, users, rounds, repeated, counting)
    if len({sum_ for costs in seen.values() for _, sum_ in costs}) != 1:
        raise AssertionError(f"the kernels' users wrote different things: {seen}")
    return {kernel: calm([cost for cost, _ in costs]) if counting else [cost for cost, _ in costs]
            for kernel, costs in seen.items()}


def observe(asked, note):
    rounds, repeated = (1, 1) if asked.quick else (4, 3)
    counted = both(1, 1, rounds, 1, repeated, counting=True)
    found = [row(NAME, "a script", kernel, "instructions", costs, peer="linux",
                 theirs=counted["linux"]) for kernel, costs in counted.items()]
    for cpus in () if asked.quick else asked.cpus or (1, 2, 4):
        for users in (cpus, 2 * cpus):
            seen = both(cpus, users, rounds, 2, repeated)
            rates = {kernel: [3.6e12 / cost for cost in costs] for kernel, costs in seen.items()}
            found += [row(NAME, f"throughput, {users} users", kernel, "scripts an hour", rate,
                          cpus=cpus, peer="linux", theirs=rates["linux"], more_is_better=True)
                      for kernel, rate in rates.items()]
    return found


def draw(found, folder):
    rates = [one for one in found if one["name"].startswith("throughput")]
    if not rates:
        return []
    lines = [(f"{kernel}, {times} a CPU",
              [(one["cpus"], one["value"], one["low"], one["high"]) for one in rates
               if one["variant"] == kernel and one["name"].split()[1] == str(times * one["cpus"])])
             for kernel in KERNELS for times in (1, 2)]
    return [plots.lines(folder, "papers-users",
                        [plots.Panel("Users with shell scripts", "emulated CPUs",
                                     "scripts an hour", lines)])]
