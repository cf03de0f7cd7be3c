"""Progress, temporary folders, safe writing, texts of others, clusters, starting the apps."""

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
from .paths import (
    expand_home,
    expand_one,
    expand_patterns,
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
from .text import (
    escape_markdown,
    show_hidden,
)

__all__ = [
    "apps_dir",
    "escape_markdown",
    "expand_home",
    "expand_one",
    "expand_patterns",
    "lock",
    "on_cluster",
    "progress_to",
    "reserve_array",
    "scratch_folder",
    "sha256",
    "show_hidden",
    "start_dashboard",
    "start_site",
    "step",
    "sweep",
    "track",
    "write_atomically",
    "write_json",
]
