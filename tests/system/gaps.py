"""What K42 is known not to do yet: a test, or (a test, one of its parameters) -> why, and whether
trying would hang the guest. Whoever fills a gap removes its line."""

APPLET = "test_an_applet_does_what_it_does_natively"
GAPS = {}
