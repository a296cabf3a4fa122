"""What a command does natively, on this machine's own Linux (host/launcher/native.py)."""
from launcher.native import is_possible, run  # noqa: F401
