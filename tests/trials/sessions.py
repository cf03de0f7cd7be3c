"""Many visitors of the dashboard at once: every page, and a photo of their own.

    python tests/trials/sessions.py [--sessions N] [--waves W] [--seed S] [--json FILE]

The real server, and clients that speak its protocol as a browser does: each visitor opens every
page in an order of their own, and uploads a photo that is theirs alone. No page may show an
exception; the answer must be that of the visitor's own photo, and no other visitor's file may
appear anywhere.
All of it happens in waves; memory after a wave, with its visitors gone, must not keep growing.
"""

import argparse
import random
import re
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import websocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

REPO = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

from trials.report import calmed, told  # noqa: E402

from benchmarks.chromium import serve_dashboard  # noqa: E402
from benchmarks.figures import publish  # noqa: E402
from facecore.face.images import to_png  # noqa: E402
from facecore.model.predict import predict_photo  # noqa: E402
from facecore.model.store import load_model  # noqa: E402
from facecore.model.synth import make_photo  # noqa: E402

MODEL, PATIENCE, MOST_GROWTH = "classic", 240, 0.1
LIVE = "Live prediction"


class Visitor:
    """A browser's side of one session.

    Parameters
    ----------
    address : str
        Of the server, such as ``http://localhost:8501``.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE) as answer:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        self.link = websocket.create_connection(
            address.replace("http", "ws") + "/_stcore/stream", subprotocols=["streamlit"],
            cookie=self.cookie, timeout=PATIENCE,
        )  # fmt: skip
        self.known: dict[str, ForwardMsg] = {}
        self.session, self.pages = "", {}
        self.elements: list[Any] = []

    def open(self, page: str = "", states: Sequence[Any] = ()) -> None:
        """Open a page, or run it again with other states of its widgets, until it is done."""
        message = BackMsg()
        message.rerun_script.page_script_hash = self.pages.get(page, "")
        for state in states:
            message.rerun_script.widget_states.widgets.append(state)
        self.link.send_binary(message.SerializeToString())
        self.elements = []
        while (received := self._receive()).WhichOneof("type") != "script_finished":
            kind = received.WhichOneof("type")
            if kind == "new_session":
                self.session = received.new_session.initialize.session_id or self.session
                self._learn(received.new_session.app_pages)
            elif kind == "navigation":
                self._learn(received.navigation.app_pages)
            elif kind == "delta" and received.delta.WhichOneof("type") == "new_element":
                self.elements.append(received.delta.new_element)

    def upload(self, name: str, data: bytes) -> Any:
        """Send a file; returns the state of the page's chooser that holds it."""
        chooser = next(
            e.file_uploader for e in self.elements if e.WhichOneof("type") == "file_uploader"
        )
        message = BackMsg()
        message.file_urls_request.request_id = name
        message.file_urls_request.file_names.append(name)
        message.file_urls_request.session_id = self.session
        self.link.send_binary(message.SerializeToString())
        while (received := self._receive()).WhichOneof("type") != "file_urls_response":
            pass
        (urls,) = received.file_urls_response.file_urls
        edge = "edge-of-a-part"
        body = (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: image/png\r\n\r\n".encode()
            + data
            + f"\r\n--{edge}--\r\n".encode()
        )
        request = urllib.request.Request(
            self.address + urls.upload_url, body, method="PUT",
            headers={"Content-Type": f"multipart/form-data; boundary={edge}", "Cookie": self.cookie,
                     "X-Xsrftoken": self.cookie.split("=", 1)[1]},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=PATIENCE):
            pass
        info = UploadedFileInfo(name=name, size=len(data), file_id=urls.file_id, file_urls=urls)
        state = BackMsg().rerun_script.widget_states.widgets.add()
        state.id = chooser.id
        state.file_uploader_state_value.CopyFrom(FileUploaderState(uploaded_file_info=[info]))
        return state

    @property
    def text(self) -> str:
        """All that the page says, as its messages hold it."""
        return "\n".join(str(element) for element in self.elements)

    @property
    def exceptions(self) -> list[str]:
        """What the page shows of errors that nobody caught."""
        return [e.exception.message for e in self.elements if e.WhichOneof("type") == "exception"]

    def close(self) -> None:
        """Leave."""
        self.link.close()

    def _learn(self, pages: Any) -> None:
        self.pages |= {page.page_name: page.page_script_hash for page in pages}

    def _receive(self) -> ForwardMsg:
        message = ForwardMsg.FromString(self.link.recv())
        if message.WhichOneof("type") == "ref_hash":  # one that was sent before
            return self.known[message.ref_hash]
        if message.hash:
            self.known[message.hash] = message
        return message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=4, metavar="N", help="at once (4)")
    parser.add_argument("--waves", type=int, default=3, metavar="W", help="one after another (3)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args(arguments)
    return publish(lambda: told(*run(options.sessions, options.waves, options.seed)), options.json)


def run(sessions: int, waves: int, seed: int) -> tuple[dict[str, Any], list[str]]:
    """Send waves of visitors.

    Parameters
    ----------
    sessions, waves, seed : int

    Returns
    -------
    figures : dict
    problems : list of str
        Empty when every promise was kept.
    """
    model = load_model(MODEL)
    photos: list[bytes] = []
    said: list[str] = []
    number = 0
    while len(photos) < sessions:  # as many as can be told from each other
        photo = to_png(make_photo(model, model.labels[number % 2], number))
        faces = predict_photo(photo, model).faces
        text = f"Distance from face space {faces[0].distance:.3f}" if len(faces) == 1 else ""
        if text and text not in said:
            photos.append(photo)
            said.append(text)
        number += 1
    problems: list[str] = []
    times: dict[str, list[float]] = defaultdict(list)
    memories = []
    with (
        tempfile.TemporaryDirectory() as models,
        serve_dashboard({"FACECORE_ARTIFACTS": models}) as (address, process),
    ):
        (Path(models) / MODEL).symlink_to(REPO / "artifacts" / MODEL, target_is_directory=True)

        def visit(task: tuple[int, int]) -> None:
            number, wave = task

            def foreign(page: str, visitor: Visitor) -> list[str]:
                others = set(re.findall(r"visitor-\d+-", visitor.text)) - {mine}
                return [f"{page}: shows {other}" for other in others]

            mine, chance = f"visitor-{number}-", random.Random(f"{seed} {wave} {number}")
            with closing(Visitor(address)) as visitor:
                visitor.open()
                pages = [*visitor.pages]
                chance.shuffle(pages)
                for page in pages:
                    begun = time.perf_counter()
                    visitor.open(page)
                    times[page or "home"].append(time.perf_counter() - begun)
                    problems.extend(f"{page}: {text}" for text in visitor.exceptions)
                    problems.extend(foreign(page, visitor))
                    if page != LIVE:
                        continue
                    state = visitor.upload(f"{mine}.png", photos[number])
                    begun = time.perf_counter()
                    visitor.open(page, [state])
                    times["answer to a photo"].append(time.perf_counter() - begun)
                    problems.extend(f"{page}: {text}" for text in visitor.exceptions)
                    if said[number] not in visitor.text:
                        problems.append(f"{page}: not the answer to the own photo")
                    problems.extend(foreign(page, visitor))

        for wave in range(waves):
            with ThreadPoolExecutor(sessions) as pool:
                list(pool.map(visit, [(number, wave) for number in range(sessions)]))
            memories.append(memory(process.pid))
    growth = memories[-1] / memories[-2] - 1 if waves > 1 else 0.0
    if growth > MOST_GROWTH:
        problems.append(f"memory grew by {growth:.0%} in the last wave: {memories} MB")
    figures: dict[str, Any] = {
        "sessions_at_once": sessions, "waves": waves,
        "pages_opened": sum(map(len, times.values())), "problems": len(problems),
        "memory_after_waves_mb": ", ".join(map(str, memories)),
    }  # fmt: skip
    for page, seconds in sorted(times.items()):
        p50, p99 = np.percentile(seconds, [50, 99])
        figures[page.replace(" ", "_")] = f"p50 {p50:.2f} s, p99 {p99:.2f} s"
    return figures, problems


def memory(pid: int) -> int:
    """Return the resident memory of the server in MB, when it has calmed down."""

    def read() -> int:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) // 1024

    found: int = calmed(read, float)
    return found


if __name__ == "__main__":
    sys.exit(main())
