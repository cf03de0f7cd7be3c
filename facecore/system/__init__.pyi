"""Progress, temporary folders, safe writing, clusters, starting the apps."""

from .apps import (
    apps_dir,
    start_dashboard,
    start_site,
)
from .cluster import (
    on_cluster,
)
from .files import (
    lock,
    sha256,
    write_atomically,
    write_json,
)
from .progress import (
    progress_to,
    step,
    track,
)
from .scratch import (
    reserve_array,
    scratch_folder,
    sweep,
)

__all__ = [
    "apps_dir",
    "lock",
    "on_cluster",
    "progress_to",
    "reserve_array",
    "scratch_folder",
    "sha256",
    "start_dashboard",
    "start_site",
    "step",
    "sweep",
    "track",
    "write_atomically",
    "write_json",
]
