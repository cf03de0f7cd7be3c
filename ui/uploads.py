"""Photos that visitors upload: once taken over, the server lets go of the files."""

from collections.abc import Sequence

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile


def let_go(photos: Sequence[UploadedFile]) -> None:
    """Take photos out of the server's memory at once; else they would stay until the visit ends.

    Parameters
    ----------
    photos : sequence of UploadedFile
        Of this visit. The widget that holds them must get another key in the next run.
    """
    context = get_script_run_ctx()
    if context and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for photo in photos:
            context.uploaded_file_mgr.remove_file(context.session_id, photo.file_id)
