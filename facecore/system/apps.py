"""Start the dashboard and the upload site, from a checkout or as installed."""

import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from facecore.errors import DataError

WORKERS, THREADS = 2, 16  # of the site, as docs/web.md has them


def apps_dir() -> Path:
    """Return the folder of ``dashboard.py``, ``pages``, ``ui`` and ``webapp``.

    Returns
    -------
    Path
        In a checkout its top folder. A wheel carries the apps inside the library, since their
        names would be too common beside other people's packages.

    Raises
    ------
    DataError
        The library was installed without the apps.

    Examples
    --------
    >>> (apps_dir() / "dashboard.py").is_file()
    True
    """
    library = Path(__file__).resolve().parents[1]
    for folder in (library / "_apps", library.parent):
        if (folder / "dashboard.py").is_file():
            return folder
    raise DataError(f"no apps beside {library}; install facecore again from its wheel or checkout")


def start_dashboard(options: Sequence[str] = ()) -> int:
    """Run the dashboard until it is stopped.

    Parameters
    ----------
    options : sequence of str
        Passed on to Streamlit, such as ``["--server.port", "8502"]``.

    Returns
    -------
    int
        Exit code of Streamlit, on Windows. On other systems Streamlit takes the place of this
        process.

    Raises
    ------
    DataError
        Streamlit, Plotly or segno is not installed, or the apps are not there.
    """
    _need("dashboard", "streamlit", "plotly", "segno")
    return _run(["-m", "streamlit", "run", str(apps_dir() / "dashboard.py"), *options])


def start_site(host: str = "127.0.0.1", port: int = 8000) -> int:
    """Run the upload site until it is stopped: with gunicorn, on Windows with waitress.

    Without ``FACECORE_SECRET_KEY`` it gets a random key, which is forgotten when it stops.

    Parameters
    ----------
    host : str
        Address to listen on. The default is reached from this computer only.
    port : int
        Port to listen on, from 1 to 65,535.

    Returns
    -------
    int
        Exit code of the server, on Windows. On other systems the server takes the place of this
        process.

    Raises
    ------
    DataError
        Flask or another package of the site is not installed, or the apps are not there.
    """
    windows = sys.platform == "win32"
    server = "waitress" if windows else "gunicorn"
    _need("web", "flask", "flask_wtf", "flask_limiter", "flask_bootstrap", "markdown_it", server)
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if windows:
        options = [
            f"--listen={where}",
            f"--threads={THREADS}",
            "--no-clear-untrusted-proxy-headers",
        ]
        options += [
            "--call",
            "webapp:create_app",
        ]  # webapp.proxies itself trusts what it is told to
    else:
        options = [f"--bind={where}", f"--workers={WORKERS}", f"--threads={THREADS}"]
        options += ["--worker-class=webapp.worker.Worker", "webapp:create_app()"]
    paths = filter(None, [str(apps_dir()), os.environ.get("PYTHONPATH")])
    settings = {"PYTHONPATH": os.pathsep.join(paths)}
    if not os.environ.get("FACECORE_SECRET_KEY"):
        settings["FACECORE_SECRET_KEY"] = secrets.token_hex()
        print(
            "FACECORE_SECRET_KEY is not set: forms that are open when the site stops must be "
            "loaded again",
            file=sys.stderr,
        )
    print(f"the site is at http://{where}/ (Ctrl-C stops it)", file=sys.stderr)
    return _run(["-m", server, *options], settings)


def _need(extra: str, *packages: str) -> None:
    if missing := [name for name in packages if find_spec(name) is None]:
        raise DataError(
            f"{', '.join(missing)} is not installed; in a checkout: pip install '.[{extra}]', "
            f"with a wheel: pip install 'FILE.whl[{extra}]'"
        )


def _run(arguments: Sequence[str], settings: dict[str, str] | None = None) -> int:
    command, env = [sys.executable, *arguments], os.environ | (settings or {})
    if sys.platform != "win32":
        # The server takes the place of this process, so that whoever stops it stops the server.
        sys.stderr.flush()
        os.execve(command[0], command, env)
    return subprocess.run(command, env=env, check=False).returncode
