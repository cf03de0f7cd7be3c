"""Disks that lack something, in this process and in those that it starts."""

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
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "sitecustomize.py", "a", encoding="utf-8") as file:
        file.write(code)  # Python runs it when it starts
    before = os.environ.get("PYTHONPATH")
    paths = [str(folder), *([before] if before else [])]
    patch.setenv("PYTHONPATH", os.pathsep.join(dict.fromkeys(paths)))

    def _fail(*given, **options):
        raise OSError(number, os.strerror(number))

    patch.setattr(call, _fail)
