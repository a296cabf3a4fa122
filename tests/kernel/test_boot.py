"""Boots the kernel in an emulator: with several numbers of processors, with features switched off,
with a module beside it; and how it ends, well or badly."""
import os
import re
import shutil
import subprocess
import sys

import pytest

ROOT = os.environ.get("K42_ROOT", os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
sys.path.insert(0, os.path.join(ROOT, "host"))

from launcher import bochs, iso, qemu  # noqa: E402

BUILD = os.environ.get("K42_BUILD", os.path.join(ROOT, "build", "release"))
RELEASE = os.path.join(BUILD, "kernel", "k42.elf")
DEBUG = os.path.join(os.path.dirname(BUILD), "debug", "kernel", "k42.elf")
LIMIT = 120  # seconds, for a guest that hangs
SUITE_TIMEOUT_SECONDS = 600
only_long = pytest.mark.skipif(os.environ.get("K42_LONG") != "1", reason="only with --long")
# What the emulated processor has, each of which can be switched off.
FEATURES = ["nx", "smep", "smap", "umip", "fsgsbase", "huge-pages"]


def boot(append, cpus=2, kernel=RELEASE, **more):
    ended = qemu.Guest(kernel, cpus=cpus, append=append, **more).run(LIMIT, capture=True)
    assert not ended.timed_out, ended.text
    return ended


def checks_pass(ended, cpus):
    assert ended.status == 0, ended.text
    assert f"test=boot on {cpus} CPUs: " in ended.text and ", 0 failed" in ended.text
    return True


@pytest.mark.parametrize("cpus", [1, 2, 4, 8])
def test_the_checks_in_the_kernel_pass(cpus):
    assert checks_pass(boot("test=boot", cpus), cpus)


@pytest.mark.skipif(not os.path.exists(DEBUG), reason="the debug variant is not built")
def test_the_checks_pass_in_the_debug_build():
    assert checks_pass(boot("test=boot", 4, DEBUG), 4)


def test_64_processors_start():
    assert "machine: 64 CPUs" in boot("exit", 64).text


def features_of(ended):
    line = next(line for line in ended.text.splitlines() if line.startswith("machine: "))
    return line.split(", ")[3:]


def test_the_kernel_uses_what_the_processor_has():
    assert set(FEATURES) <= set(features_of(boot("exit")))


@pytest.mark.parametrize("feature", FEATURES)
def test_the_kernel_does_without_each_feature(feature):
    ended = boot("test=boot no-" + feature)
    assert checks_pass(ended, 2) and feature not in features_of(ended)


def test_the_clock_can_be_measured_without_an_hpet():
    assert checks_pass(boot("test=boot no-hpet"), 2)


def test_the_kernel_runs_on_a_plain_processor():
    ended = boot("test=boot", processor="qemu64")
    assert checks_pass(ended, 2) and "smap" not in features_of(ended)


@pytest.mark.parametrize("memory", ["32M", "6G"])
def test_little_and_much_memory_will_do(memory):
    assert checks_pass(boot("test=boot", memory=memory), 2)


def test_one_processor_can_be_asked_for():
    assert checks_pass(boot("test=boot one-cpu", 4), 1)


def test_a_module_is_kept_out_of_free_memory(tmp_path):
    module = tmp_path / "module"
    module.write_bytes(b"module" * 100000)
    ended = boot("test=boot", initrd=str(module))
    assert checks_pass(ended, 2) and "boot module: 600000 bytes" in ended.text


MENU = """serial --unit=0
terminal_output serial
multiboot2 /boot/k42.elf {options}
module2 /boot/{module} module
boot
"""


def make_disc(folder, options, module=None):
    """A disc from which GRUB boots the kernel by Multiboot2, with a module."""
    grub = folder / "disc" / "boot" / "grub"
    grub.mkdir(parents=True)
    shutil.copy(RELEASE, grub.parent)
    if module:
        shutil.copy(module, grub.parent / "module")
    name = "module" if module else "grub/grub.cfg"
    (grub / "grub.cfg").write_text(MENU.format(options=options, module=name))
    disc = folder / "disc.iso"
    subprocess.run(["grub-mkrescue", "-o", disc, folder / "disc"], check=True,
                   stderr=subprocess.DEVNULL)
    return str(disc)


def test_grub_boots_it_by_multiboot2(tmp_path):
    ended = boot("", kernel=None, disc=make_disc(tmp_path, qemu.options("test=boot")))
    assert checks_pass(ended, 2) and "boot module: " in ended.text


def test_a_second_machine_boots_it_with_x2apic_tsc_deadline_and_pcid(tmp_path):
    said = bochs.run(make_disc(tmp_path, "test=boot"), tmp_path, LIMIT)
    assert "test=boot on 2 CPUs: " in said and ", 0 failed" in said
    machine = next(line for line in said.splitlines() if "machine: 2 CPUs" in line)
    assert all(name in machine for name in ("x2apic", "tsc-deadline", "pcid", "steady-tsc"))


@only_long
def test_counters_that_differ_between_processors_are_made_to_agree(tmp_path):
    said = bochs.run(make_disc(tmp_path, "test=boot skew-tsc=1000000000"), tmp_path, LIMIT)
    assert "test=boot on 2 CPUs: " in said and ", 0 failed" in said, said
    assert "differs" not in said


def started_from_memory(said, times, size):
    assert said.count("starting another kernel") == times, said
    assert said.count(f"boot module: {size} bytes") == said.count("machine: ") == times + 1, said
    return True


@pytest.mark.parametrize("cpus, memory, times", [(1, "128M", 1), (4, "512M", 3), (2, "6G", 1)])
def test_the_kernel_starts_itself_from_memory(cpus, memory, times):
    ended = boot(f"test=fast_reboot then=boot times={times}", cpus, memory=memory, initrd=RELEASE)
    assert checks_pass(ended, cpus)
    assert started_from_memory(ended.text, times, os.path.getsize(RELEASE))


def kernel_as_module(folder, options):
    stripped = str(folder / "stripped")
    subprocess.run(["objcopy", "--strip-debug", RELEASE, stripped], check=True)
    return stripped, make_disc(folder, qemu.options(options), stripped)


def test_it_starts_itself_from_memory_on_a_machine_with_uefi(tmp_path):
    kernel, disc = kernel_as_module(tmp_path, "test=fast_reboot then=boot times=2")
    ended = boot("", kernel=None, disc=disc, more=["-bios", iso.FIRMWARE])
    assert checks_pass(ended, 2)
    assert started_from_memory(ended.text, 2, os.path.getsize(kernel))


@only_long
def test_it_starts_itself_from_memory_on_the_second_machine(tmp_path):
    kernel, disc = kernel_as_module(tmp_path, "test=fast_reboot then=boot times=2")
    said = bochs.run(disc, tmp_path, LIMIT)
    assert "test=boot on 2 CPUs: " in said and ", 0 failed" in said, said
    assert started_from_memory(said, 2, os.path.getsize(kernel))


def test_the_account_of_boot_time_adds_up():
    lines = [line.split() for line in boot("exit boot-times").text.splitlines()
             if line.startswith("boot time:")]
    spent = [int(line[-2]) for line in lines]
    assert len(spent) > 4 and lines[-1][2] == "all"
    assert abs(sum(spent[:-1]) - spent[-1]) <= len(spent)


def test_a_check_that_does_not_exist_fails():
    ended = boot("test=nonesuch")
    assert ended.status == 1
    assert "no check has that name; there are" in ended.text and "\n  test=boot" in ended.text


def test_power_off_ends_the_machine():
    assert boot("test=power_off").status == 0


def test_a_panic_shows_every_cpu_and_fails():
    ended = boot("test=panic", 4)
    assert ended.status == 101
    lines = ended.text.splitlines()
    assert any(line.startswith("panic: ") for line in lines)
    # First the one that panics, which may be any: a thread's check goes where there is room.
    shown = [line for line in lines if line.startswith("CPU ")]
    assert sorted(shown) == [f"CPU {i}:" for i in range(4)] and shown[1:] == sorted(shown[1:])
    assert " kernel_main+0x" in ended.text and "secondary" in ended.text


def test_a_cpu_that_takes_no_interrupts_is_shown_in_a_panic():
    ended = boot("test=halted", 2)
    assert ended.status == 101 and " halt_for_ever+0x" in ended.text


def test_a_fault_shows_where_it_happened():
    ended = boot("test=fault")
    assert ended.status == 101
    assert "panic: page fault: write of 0x8, which is not mapped" in ended.text
    assert "  rip " in ended.text and " a_write_to_nothing_ends_the_machine+0x" in ended.text


def test_an_overflow_of_the_stack_is_a_double_fault_on_its_own_stack():
    ended = boot("test=overflow")
    assert ended.status == 101
    assert "panic: double fault" in ended.text and "overflow_stack" in ended.text


def test_the_newest_events_are_shown_in_order():
    lines = boot("test=flight").text.splitlines()
    shown = lines[lines.index("last events:") + 1:]
    tids = [line.split("tid=")[1].split()[0] for line in shown if "task:exec" in line]
    assert tids == [str(n) for n in range(1000 - len(tids), 1000)] and len(tids) > 10
    # On whichever CPU that was: threads move.
    assert re.search(r"CPU [01]: task:clone tid=1 child=2\b", "\n".join(shown))
