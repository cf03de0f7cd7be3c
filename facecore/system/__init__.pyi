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
    lives,
    note_of,
    this_process,
)
from .paths import (
    expand_home,
    expand_one,
    expand_patterns,
    file_key,
    find_twins,
    is_hidden,
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
    describe_seconds,
    describe_share,
    escape_markdown,
    show_hidden,
    with_minus,
)
from .threads import (
    on_one_thread,
)
from .workers import (
    in_parallel,
    within_memory,
)

__all__ = [
    "NoLocksError",
    "apps_dir",
    "describe_seconds",
    "describe_share",
    "escape_markdown",
    "expand_home",
    "expand_one",
    "expand_patterns",
    "file_key",
    "find_twins",
    "hold",
    "holding",
    "in_parallel",
    "is_held",
    "is_here",
    "is_hidden",
    "let_go",
    "lives",
    "lock",
    "note_of",
    "on_cluster",
    "on_one_thread",
    "progress_to",
    "rename",
    "reserve_array",
    "scratch_folder",
    "sha256",
    "show_hidden",
    "start_dashboard",
    "start_site",
    "step",
    "sweep",
    "this_process",
    "track",
    "try_file",
    "try_folder",
    "with_minus",
    "within_memory",
    "write_atomically",
    "write_json",
]
