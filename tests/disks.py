"""Disks that lack something, and workers that are killed, in the processes that a test starts."""

import errno
import os
from pathlib import Path

import pytest

NO_LOCKS = [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EIO]


def break_call(patch: pytest.MonkeyPatch, folder: Path, call: str, number: int) -> None:
    """Make a function of the system fail with an error number; the folder gets a file for that."""
    name = call.partition(".")[0]
    pytest.importorskip(name, reason="Windows has no such call")
    code = f"""
import os, {name}
def _fail(*given, **options):
    raise OSError({number}, os.strerror({number}))
{call} = _fail
"""
    _run_at_start(patch, folder, code)

    def _fail(*given, **options):
        raise OSError(number, os.strerror(number))

    patch.setattr(call, _fail)


def kill_workers(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let each worker process kill itself where it computes a checksum."""
    code = """
import hashlib, os, signal, sys
def _die(*given, **options):
    os.kill(os.getpid(), signal.SIGKILL)
if any("popen_loky" in part for part in sys.orig_argv):
    hashlib.sha256 = _die
"""
    _run_at_start(patch, folder, code)


def _run_at_start(patch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """Let Python run some code whenever it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "sitecustomize.py", "a", encoding="utf-8") as file:
        file.write(code)
    before = os.environ.get("PYTHONPATH")
    paths = [str(folder), *([before] if before else [])]
    patch.setenv("PYTHONPATH", os.pathsep.join(dict.fromkeys(paths)))
