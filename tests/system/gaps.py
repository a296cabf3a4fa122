"""What K42 is known not to do yet: a test, or (a test, one of its parameters) -> why, and whether
trying would hang the guest. Whoever fills a gap removes its line."""

APPLET = "test_an_applet_does_what_it_does_natively"
GAPS = {
    (APPLET, "ionice"): ("there is no ioprio_set", False),
    (APPLET, "unshare"): ("there are no name spaces", False),
    "test_a_fork_bomb_stops_at_its_limit": ("RLIMIT_NPROC is not kept", True),
    "test_memory_that_is_not_to_be_had_is_refused": ("RLIMIT_AS is not kept", False),
    "test_a_full_file_system_says_so": ("tmpfs has no size", False),
    "test_output_that_is_too_large_is_stopped": ("RLIMIT_FSIZE is not kept", False),
    "test_cpu_time_is_limited": ("RLIMIT_CPU is not kept", True),
}
