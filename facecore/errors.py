"""The exceptions that facecore raises on purpose, each with a message for its user."""


class FacecoreError(Exception):
    """Base of every error that the command line and both apps show as one line.

    Examples
    --------
    >>> from facecore.model import load_model
    >>> try:
    ...     load_model("nobody")
    ... except FacecoreError as error:
    ...     print(str(error).partition(";")[0])
    no model 'nobody' in artifacts/
    """


class PhotoError(FacecoreError):
    """A photo cannot be used.

    Parameters
    ----------
    reason : str
        One of ``"not_an_image"``, ``"truncated"``, ``"too_large"``, ``"unsupported"``,
        ``"unreadable"``.
    message : str
        What is wrong and how to fix it, in one line.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (self.reason, str(self))


class DataError(FacecoreError):
    """A folder or ZIP of photos, a label table or a folder of crops cannot be used."""


class ResourceError(DataError):
    """The work needs more memory than there is, or the system killed a worker process."""


class ModelError(FacecoreError):
    """A stored model is missing, damaged or in a format that this version does not know."""


class ModelWarning(UserWarning):
    """A paper of a model, such as its card or a table, cannot be used; the model can."""
