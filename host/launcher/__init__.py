"""What ./k42 does: set up the machine, build the variants, run, test, measure, install, format."""
