"""Layers of networks that run in NumPy, so that threads can share the weights.

The functions that go back split a difference between two outputs of a layer among its inputs, by
the rescale rule of DeepLIFT (Shrikumar, Greenside and Kundaje 2017): multipliers times differences
have the same sum before and after a layer.
"""

import cv2
import numpy as np
from numpy.lib.stride_tricks import as_strided

Layer = tuple[np.ndarray, np.ndarray]  # rows of a window to channels, and what is added
NOTHING = 1e-6  # for a smaller difference the multiplier is the gradient
COLOUR = np.array([122.782, 117.001, 104.298], dtype=np.float32)  # mean of the networks' photos
COLOURS = 3  # channels of a picture
RANGE = 256  # levels that are 1 for the networks


def centre(face: np.ndarray) -> np.ndarray:
    """Return colours as the networks of dlib-models read them, around the mean of their photos.

    Parameters
    ----------
    face : ndarray of shape (n, n, 3), uint8
        RGB.

    Returns
    -------
    ndarray of shape (n, n, 3), float32
        In (-0.5, 0.6).
    """
    return np.asarray((face - COLOUR) / np.float32(RANGE))


def convolve(x: np.ndarray, layer: Layer, stride: int = 1) -> np.ndarray:
    """Convolve a picture, without a border around it.

    Parameters
    ----------
    x : ndarray of shape (n, n, channels), float32
        The picture, C-contiguous.
    layer : tuple of ndarray
        Weights of shape (side * side * channels, outputs), by row, column and channel of the
        window, and biases of shape (outputs,); float32.
    stride : int
        Pixels between two windows, at least 1.

    Returns
    -------
    ndarray of shape (m, m, outputs), float32
        With m = (n - side) // stride + 1.
    """
    weights, bias = layer
    channels = x.shape[2]
    side = round((len(weights) / channels) ** 0.5)
    n = (len(x) - side) // stride + 1
    down, right, one = x.strides
    # the pixels of a row of a window lie side by side, with all their channels
    windows = as_strided(
        x, (n, n, side, side * channels), (down * stride, right * stride, down, one)
    )
    # the view costs nothing; reshape copies it once, so that one matrix product does the rest
    y = windows.reshape(n * n, -1) @ weights
    y += bias
    return np.asarray(y.reshape(n, n, -1))


def edge(x: np.ndarray) -> np.ndarray:
    """Put a border of zeros, one pixel wide, around a picture.

    Parameters
    ----------
    x : ndarray of shape (n, n, channels)
        The picture.

    Returns
    -------
    ndarray of shape (n + 2, n + 2, channels), float32
        With the picture in its middle.
    """
    wide = np.zeros((len(x) + 2, len(x) + 2, x.shape[2]), dtype=np.float32)
    wide[1:-1, 1:-1] = x
    return wide


def halve(x: np.ndarray) -> np.ndarray:
    """Average each 2 x 2 pixels; an odd last row and column are left out.

    Parameters
    ----------
    x : ndarray of shape (n, n, channels)
        The picture.

    Returns
    -------
    ndarray of shape (n // 2, n // 2, channels)
        In the dtype of `x`.
    """
    end = len(x) // 2 * 2
    # sums of whole rows, then of what lies side by side in them: a third of the time of a mean
    rows = x[:end:2, :end] + x[1:end:2, :end]
    rows = rows[:, ::2] + rows[:, 1::2]
    return np.asarray(rows * rows.dtype.type(0.25))


def rectify(x: np.ndarray) -> None:
    """Set what is below 0 to 0, in place.

    Parameters
    ----------
    x : ndarray of shape (n, n, channels), float32
        The picture, C-contiguous.
    """
    flat = x.reshape(len(x), -1)
    cv2.threshold(flat, 0, 0, cv2.THRESH_TOZERO, dst=flat)  # an eighth of the time of np.maximum


def convolve_back(
    multipliers: np.ndarray, layer: Layer, shape: tuple[int, ...], stride: int = 1
) -> np.ndarray:
    """Return the multipliers of what went into `convolve`.

    Parameters
    ----------
    multipliers : ndarray of shape (m, m, outputs), float32
        Of what came out of it.
    layer : tuple of ndarray
        Weights and biases, as `convolve` takes them.
    shape : tuple of int
        Shape of what went in: height, width and channels.
    stride : int
        Pixels between two windows, at least 1.

    Returns
    -------
    ndarray of that shape, float32
    """
    m, channels = len(multipliers), shape[2]
    side = round((len(layer[0]) / channels) ** 0.5)
    each, end = multipliers.reshape(m * m, -1), stride * (m - 1) + 1
    if channels == COLOURS:  # NumPy is quick along rows of pixels, and along many channels
        planes = (layer[0] @ each.T).reshape(side, side, channels, m, m)
        total = np.zeros((channels, *shape[:2]), dtype=np.float32)
        for i in range(side):
            for j in range(side):
                total[:, i : i + end : stride, j : j + end : stride] += planes[i, j]
        return total.transpose(1, 2, 0)
    total = np.zeros(shape, dtype=np.float32)
    # one row of the window after the other: all of them at once would not fit in a core's cache
    for i, weights in enumerate(layer[0].reshape(side, side * channels, -1)):
        row = (each @ weights.T).reshape(m, m, side, channels)
        for j in range(side):
            total[i : i + end : stride, j : j + end : stride] += row[:, :, j]
    return total


def halve_back(multipliers: np.ndarray, side: int) -> np.ndarray:
    """Return the multipliers of what went into `halve`.

    Parameters
    ----------
    multipliers : ndarray of shape (side // 2, side // 2, channels), float32
        Of what came out of it.
    side : int
        Width and height of what went in, in pixels.

    Returns
    -------
    ndarray of shape (side, side, channels), float32
    """
    end = side // 2 * 2
    total = np.zeros((side, side, multipliers.shape[2]), dtype=np.float32)
    total[:end, :end] = multipliers.repeat(2, axis=0).repeat(2, axis=1) * np.float32(0.25)
    return total


def rectify_back(multipliers: np.ndarray, x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the multipliers of what went into `rectify`.

    Parameters
    ----------
    multipliers : ndarray of shape (n, n, channels), float32
        Of what came out of it.
    x, other : ndarray of shape (n, n, channels), float32
        What went in, of the two pictures that are compared.

    Returns
    -------
    ndarray of shape (n, n, channels), float32
    """
    before = x - other
    after = np.maximum(x, 0) - np.maximum(other, 0)
    share = (x > 0).astype(np.float32)
    np.divide(after, before, out=share, where=np.abs(before) > NOTHING)
    return np.asarray(share * multipliers)
