"""The address of the page that is shown: to copy, and as a QR code for phones."""

import io
import socket
from urllib.parse import urlencode, urlsplit, urlunsplit

import segno
import streamlit as st

from ui.local import LOOPBACK, is_local
from ui.models import MODEL
from ui.your_face import linked_face

EVERYWHERE = (None, "", "0.0.0.0", "::")  # server.address of a server that others can reach


def show_link(brief: bool = False) -> None:
    """Offer the address of the page with its model and controls, as a text and as a QR code.

    Parameters
    ----------
    brief : bool
        Whether the button takes no more room than its words.
    """
    if st.button(
        "Copy link",
        icon=":material/qr_code_2:",
        key="link",
        type="tertiary" if brief else "secondary",
    ):
        _show_address()


@st.dialog("Link to this page", icon=":material/qr_code_2:")
def _show_address() -> None:
    address = address_of_page()
    if address is None:
        st.write("The browser has not told the address. Copy it from the address bar.")
        return
    here = urlsplit(address).hostname in LOOPBACK
    near = in_network(address) if here else None
    st.code(near or address, language=None, wrap_lines=True)
    if here and near is None:
        st.write(
            "This address is for this computer only: a phone cannot open it. To share the "
            "dashboard in your network, start it with this command, then open the Network URL "
            "that it prints. Set `FACECORE_TRAINING=off` before, or visitors may train and delete "
            "models."
        )
        command = "streamlit run dashboard.py --server.address 0.0.0.0"
        st.code(command, language="shell", wrap_lines=True)
        return
    code = draw_code(near or address)
    if code is None:
        st.write("The address is too long for a QR code.")
        return
    st.image(code, alt="QR code of the address of this page", output_format="PNG", width=400)
    st.write(
        "Point a phone's camera at the code: it opens this page with the same model and controls."
        + (" The phone must be in the same network as this computer." if near else "")
    )


def address_of_page() -> str | None:
    """Return the address of the page with its model, its controls and the face of the visit.

    Returns
    -------
    str or None
        As the visitor's browser reaches it; None where the browser did not tell.
    """
    url = st.context.url
    if not url:
        return None
    pairs = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    model = st.session_state.get(MODEL)
    if model and MODEL not in st.query_params:  # the first model, which may be another one later
        pairs.insert(0, (MODEL, model))
    face = linked_face(model)  # also where the page does not ask for it
    pairs += [(key, value) for key, value in face.items() if key not in st.query_params]
    return f"{url}?{urlencode(pairs)}" if pairs else url


def in_network(address: str) -> str | None:
    """Return an address on this computer as other computers in the network reach it.

    Parameters
    ----------
    address : str
        URL whose host is this computer.

    Returns
    -------
    str or None
        None where the server listens to this computer only, or has no network.
    """
    if is_local():
        return None
    host = st.get_option("server.address")
    if host in EVERYWHERE:
        host = _own_address()
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit(parts._replace(netloc=f"{host}{port}")) if host else None


def _own_address() -> str | None:
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # chooses the way out; nothing is sent
            return str(probe.getsockname()[0])
    except OSError:
        return None


def draw_code(address: str) -> bytes | None:
    """Draw a text as a QR code, on this computer.

    Parameters
    ----------
    address : str
        Text of the code.

    Returns
    -------
    bytes or None
        PNG, black on white with the white margin that a camera needs, in light and dark; None if
        the text is too long.
    """
    try:
        code = segno.make_qr(address, error="m")
    except segno.DataOverflowError:
        return None
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=8)
    return picture.getvalue()
