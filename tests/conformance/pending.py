"""Categories of cases that the framework does not serve yet: reported as pending, never as passed."""

PENDING = {
    "auth": "bearer tokens and API keys",
    "background": "work after the response",
    "compression": "content coding of responses",
    "rate_limit": "limits of requests per time",
    "static_files": "files of a directory",
    "streaming": "bodies in chunks",
}
