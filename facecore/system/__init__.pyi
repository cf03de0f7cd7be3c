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
    NoLocksError,
    lock,
    rename,
    sha256,
    try_file,
    try_folder,
    write_atomically,
    write_json,
)
from .holds import (
    hold,
    holding,
    is_held,
    is_here,
    let_go,
    note_of,
    this_process,
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
from .workers import (
    in_parallel,
    within_memory,
)

__all__ = [
    "NoLocksError",
    "apps_dir",
    "hold",
    "holding",
    "in_parallel",
    "is_held",
    "is_here",
    "let_go",
    "lock",
    "note_of",
    "on_cluster",
    "progress_to",
    "rename",
    "reserve_array",
    "scratch_folder",
    "sha256",
    "start_dashboard",
    "start_site",
    "step",
    "sweep",
    "this_process",
    "track",
    "try_file",
    "try_folder",
    "within_memory",
    "write_atomically",
    "write_json",
]
