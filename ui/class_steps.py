"""What the faces of a class have in common, how they differ, and who resembles whom."""

import hashlib

import numpy as np
import plotly.express as px
import streamlit as st

from facecore.evaluation import wilson
from facecore.model import (
    ClassSpace,
    average_faces,
    describe_eigenface,
    draw_eigenface,
    face_distances,
    fit_class_space,
    paint_signed,
    recognise_left_out,
    to_image,
)
from ui.cells import write_cells
from ui.class_faces import YourClass
from ui.live_face import MOST, REACH, show_live_face
from ui.look import SHADES_ON_DARK, is_dark, show, show_picture, tidy
from ui.recipe import show_recipe
from ui.text import as_is, as_is_in_figure

PAIRED = 90  # pixels that each of two pictures side by side is wide, at least
AVERAGE = -1  # in place of the number of a face


def show_average(klass: YourClass) -> None:
    """Show the average of the faces, and how each differs from it.

    Parameters
    ----------
    klass : YourClass
        At least two faces.
    """
    faces = klass.crops
    mean = average_faces(faces)
    differences = faces.reshape(len(faces), -1) - mean.reshape(-1)
    left, right = st.columns([2, 3], gap="medium")
    with left.container(width=420):
        show_picture(to_image(mean.reshape(-1)), "The average of all faces", "The average")
    with right:
        st.markdown(
            f"A picture is a row of numbers: {mean.size:,} pixels, each from 0 (black) to 255 "
            f"(white). The average has in each pixel the average of the {len(faces)} numbers that "
            "the faces have there. It is blurred, because eyes and mouths do not lie in exactly "
            "the same places.\n\n"
            "Take the average away from a face, and what is left makes it different from the "
            "others. All these differences together add up to zero."
        )
    st.header("Differences from the average")
    most = float(np.abs(differences).max())
    grid = st.grid("auto", min_column_width=130, gap="small")
    for face, row, title in zip(faces, differences, klass.titles, strict=True):
        with grid.cell():
            show_picture(face, f"{title}")
            show_picture(paint_signed(row, most), f"What makes {title} differ from the average")
            st.caption(as_is(title))
    st.caption(
        "Orange: brighter than the average. Blue: darker. White: the same. All on one scale; the "
        f"strongest colour is a difference of {most:.0f} grey levels."
    )


def show_eigenfaces(klass: YourClass) -> None:
    """Show the eigenfaces of the class, and why there are not more.

    Parameters
    ----------
    klass : YourClass
        At least two faces.
    """
    space = fit_class_space(klass.crops)
    count, found = len(klass.faces), len(space.pixels.components)
    st.markdown(
        "An eigenface is a direction in which these faces differ: a pattern that one adds to the "
        "average, or takes away. The first is the pattern along which they differ most, the second "
        "comes next, and so on."
    )
    st.markdown(
        f"**{count} faces give at most {count - 1} eigenfaces.** Who knows the differences of "
        f"{count - 1} faces from the average knows that of the last one too, because all together "
        "they add up to zero. Two faces differ along one line, three lie in one plane."
        + (
            ""
            if found == count - 1
            else f" Here there are {found}: some faces are mixtures of others."
        )
    )
    shares = space.pixels.variance / max(space.pixels.total_variance, 1e-12)
    grid = st.grid("auto", min_column_width=150, gap="small")
    for i in range(found):
        row = draw_eigenface(space, i)
        words = describe_eigenface(row).words
        with grid.cell():
            show_picture(paint_signed(row), f"Eigenface {i + 1} of this class: {words}")
            st.caption(f"**{i + 1}** {words}, {shares[i]:.0%} of the differences")
    st.caption(
        "Orange: where adding the eigenface brightens the face. Blue: where it darkens it. Its "
        "words are computed from where it changes most, and suit upright faces. The share says how "
        "much of all squared differences from the average lies along it."
    )


def show_sliders(klass: YourClass) -> None:
    """Show a face that is mixed from the class's eigenfaces, with a slider for each.

    Parameters
    ----------
    klass : YourClass
        At least two faces.
    """
    space, titles = fit_class_space(klass.crops), klass.titles
    weights = _weights(space, klass.crops)
    options = [AVERAGE, *range(len(titles))]
    names = {AVERAGE: "The average"} | {i: _numbered(titles, i) for i in range(len(titles))}
    who = st.selectbox(
        "Set the sliders to",
        options,
        1,
        format_func=lambda i: names.get(i, ""),
        width=280,
        key="class_who",
    )
    who = who if who in options else AVERAGE
    start = np.zeros(weights.shape[1]) if who == AVERAGE else weights[who]
    digest = hashlib.sha256(klass.crops.tobytes()).hexdigest()[:16]
    show_live_face(
        space,
        digest,
        np.zeros(weights.shape[1]),
        f"class_live_{digest}_{who}",
        weights=start[:MOST].round(2).tolist(),
        compare="Average",
        reach=max(REACH, float(np.ceil(np.abs(weights).max()))),
    )
    st.caption(
        "The face is the average plus so many standard deviations of each eigenface of this class. "
        "One standard deviation is how far the faces of the class usually lie from the average."
    )
    if weights.shape[1] > MOST:
        share = space.pixels.variance[:MOST].sum() / space.pixels.total_variance
        st.caption(
            f"The sliders are the first {MOST} of {weights.shape[1]} eigenfaces, which hold "
            f"{share:.0%} of the differences; the others are left at zero."
        )
    if who != AVERAGE:
        st.header(f"Recipe of {as_is(names[who])}")
        show_recipe(space, klass.faces[who].crop, "this class")


def _say_rest(unnamed: int, single: int) -> str:
    """Return what became of the faces that could not be recognised."""
    parts = []
    if unnamed:
        parts.append(f"Without a name, so they took no part: {unnamed}. ")
    if single:
        parts.append(f"The only photo of its name, which could only be a wrong answer: {single}. ")
    return "".join(parts)


def _weights(space: ClassSpace, faces: np.ndarray) -> np.ndarray:
    """Return how much each face has of each eigenface, in standard deviations."""
    coordinates = space.pixels.coordinates(faces.reshape(len(faces), -1))
    return np.asarray(coordinates / np.sqrt(space.pixels.variance))


def _numbered(titles: list[str], i: int) -> str:
    """Return a title that tells two photos of one name apart."""
    return f"{titles[i]} (photo {i + 1})" if titles.count(titles[i]) > 1 else titles[i]


def show_nearest(klass: YourClass) -> None:
    """Show for each face the one that it is most like, in face space and in pixels.

    Parameters
    ----------
    klass : YourClass
        At least two faces.
    """
    faces, titles = klass.crops, klass.titles
    used = _pick_eigenfaces(len(fit_class_space(faces).pixels.components), "class_used")
    in_space, in_pixels = face_distances(faces, used), face_distances(faces)
    near, near_pixels = _nearest(in_space), _nearest(in_pixels)
    pairs = np.triu(np.ones_like(in_space, dtype=bool), 1)
    rows, columns = np.nonzero(pairs)
    order = np.argsort(in_space[pairs], kind="stable")
    names = [_numbered(titles, i) for i in range(len(titles))]
    alike, unlike = ((rows[k], columns[k]) for k in (order[0], order[-1]))
    st.markdown(
        f"Most alike: **{as_is(names[alike[0]])}** and **{as_is(names[alike[1]])}**, "
        f"{in_space[alike]:.1f} grey levels apart. Least alike: **{as_is(names[unlike[0]])}** and "
        f"**{as_is(names[unlike[1]])}**, {in_space[unlike]:.1f}."
    )
    grid = st.grid("auto", min_column_width=300, gap="small", border=True)
    for i, name in enumerate(names):
        with grid.cell():
            with st.grid(2, min_column_width=PAIRED, gap="xsmall"):
                show_picture(faces[i], name)
                alt = f"{names[near[i]]}, the nearest to {name}"
                show_picture(faces[near[i]], alt)
            other = (
                ""
                if near[i] == near_pixels[i]
                else f" In pixels it is {as_is(names[near_pixels[i]])}."
            )
            st.caption(
                f"**{as_is(name)}** is nearest to **{as_is(names[near[i]])}**: "
                f"{in_space[i, near[i]]:.1f}; in pixels {in_pixels[i, near[i]]:.1f}.{other}"
            )
    changed = int((near != near_pixels).sum())
    st.caption(
        "A distance says by how many grey levels the pixels of two faces differ, as a root mean "
        "square. In face space only what the eigenfaces keep is compared: here each face is "
        f"{used} numbers in place of {faces[0].size:,}. With all eigenfaces the distances are "
        "those of the pixels. "
        f"For {changed} of {len(faces)} faces the nearest is another one than "
        "in pixels. Near means alike in light and pose too, not only in the person."
    )
    with st.expander("All distances", icon=":material/grid_on:"):
        _show_matrix(in_space, names)


def _nearest(distances: np.ndarray) -> np.ndarray:
    alone = distances + np.diag(np.full(len(distances), np.inf))
    return np.asarray(alone.argmin(axis=1))


def _pick_eigenfaces(most: int, key: str) -> int:
    if most < 2:
        return most
    if st.session_state.get(key, 1) > most:
        del st.session_state[key]  # a face was removed
    return st.slider(
        "Eigenfaces used",
        1,
        most,
        most,
        key=key,
        help="Of this class, the first ones. With few, only what differs most counts.",
    )


def _show_matrix(distances: np.ndarray, names: list[str]) -> None:
    colours = SHADES_ON_DARK if is_dark() else "Blues_r"
    figure = px.imshow(
        distances, color_continuous_scale=colours, labels={"color": "grey levels"}, zmin=0
    )
    if len(names) <= 15:
        texts = np.array([[f"{one:.0f}" for one in row] for row in distances])
        write_cells(figure, texts, (0, float(distances.max())), colours)
    axis = {
        "tickvals": list(range(len(names))),
        "ticktext": [as_is_in_figure(name) for name in names],
    }
    figure.update_xaxes(axis, side="bottom")
    figure.update_yaxes(axis)
    figure.update_traces(hovertemplate="%{z:.1f} grey levels<extra></extra>")
    tidy(figure, 120 + 30 * len(names))
    show(figure, "Distances between all faces; dark is near", "class-distances")


def show_recognition(klass: YourClass) -> None:
    """Show how many faces are recognised by eigenfaces that do not know them.

    Parameters
    ----------
    klass : YourClass
        At least two faces.
    """
    faces, names = klass.crops, klass.names
    pairs = {name for name in names if name and names.count(name) > 1}
    unnamed, single = names.count(""), sum(bool(n) and names.count(n) == 1 for n in names)
    if not pairs:
        st.info(
            "Two or more photos of the same person are needed here. Give both the same name in the "
            "step Faces, or try five synthetic people with two pictures each.",
            icon=":material/group:",
        )
        return
    taking_part = len(names) - unnamed
    used = _pick_eigenfaces(max(1, taking_part - 2), "class_recognise")
    found = recognise_left_out(faces, names, used)
    right, count = sum(one.right for one in found), len(found)
    low, high = wilson(right, count)
    guessed = sum(one.chance for one in found)
    st.markdown(
        "Each photo in turn is left out. The average and the eigenfaces are computed from the "
        "others, and the left-out photo gets the name of the one that is nearest."
    )
    st.markdown(f"**{right} of {count} recognised.** Guessing would get about {guessed:.1f} right.")
    st.caption(
        f"With so few photos this can be luck: on more photos of this kind the share could well be "
        f"anything from {low:.0%} to {high:.0%} (95% interval). "
        f"{_say_rest(unnamed, single)}Photos taken one after the other share light and pose, "
        "which makes this easier than recognising somebody tomorrow."
    )
    grid = st.grid("auto", min_column_width=300, gap="small", border=True)
    for one in found:
        with grid.cell():
            with st.grid(2, min_column_width=PAIRED, gap="xsmall"):
                show_picture(faces[one.face], names[one.face])
                show_picture(faces[one.nearest], names[one.nearest])
            icon = ":material/check_circle:" if one.right else ":material/cancel:"
            verdict = "recognised" if one.right else f"taken for **{as_is(names[one.nearest])}**"
            st.caption(f"{icon} **{as_is(names[one.face])}** {verdict}")
