"""Categories of cases that the framework does not serve yet: reported as pending, never as passed."""

PENDING = {
    "background": "work after the response",
    "compression": "content coding of responses",
    "static_files": "files of a directory",
    "streaming": "bodies in chunks",
}
