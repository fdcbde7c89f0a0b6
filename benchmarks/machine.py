"""The machine that a benchmark runs on, as results name it."""

import os
import pathlib
import re


def machine():
    """What a result in seconds holds for."""
    return f"{re.search(r'model name.*: (.*)', pathlib.Path('/proc/cpuinfo').read_text())[1]}, {os.cpu_count()} cores"
