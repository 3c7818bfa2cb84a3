"""The units that are shipped: systemd-analyze finds no fault in them, and little that a broken program could do."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

EXPOSURE_MAX = 20  # of 100

if shutil.which("systemd-analyze") is None:
    print("systemd-analyze is not there: skipped")
    sys.exit(77)

units = sorted(pathlib.Path(sys.argv[1]).glob("*.service"))
assert units, f"no units in {sys.argv[1]}"
with tempfile.TemporaryDirectory() as folder:
    for unit in units:
        # An instance of it, with a program that is there.
        text, count = re.subn(r"(?m)^ExecStart=/usr/bin/weft( |$).*", "ExecStart=/bin/true", unit.read_text())
        assert count == 1, f"{unit}: one ExecStart= with /usr/bin/weft is expected"
        copy = pathlib.Path(folder) / unit.name.replace("@.", "@test.")
        copy.write_text(text)
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, timeout=120)
        assert said.returncode == 0 and copy.name not in said.stderr, said.stderr
        said = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", copy],
                              capture_output=True, text=True, timeout=120)
        assert said.returncode == 0, said.stdout + said.stderr
        print(f"{unit.name}: {said.stdout.strip().splitlines()[-1]}")
