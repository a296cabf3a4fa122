"""What K42 is known not to do yet: a test, or (a test, one of its parameters) -> why, and whether
trying would hang the guest. Whoever fills a gap removes its line."""

APPLET = "test_an_applet_does_what_it_does_natively"
GAPS = {
    "test_python_talks_through_sockets": ("there are no sockets", False),
    "test_a_full_file_system_says_so": ("a removed file's room is free a moment later", False),
    "test_output_that_is_too_large_is_stopped": ("RLIMIT_FSIZE is not kept", False),
    "test_cpu_time_is_limited": ("RLIMIT_CPU is not kept", True),
}
