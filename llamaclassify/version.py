"""The version, in one place: read by the build and sent as the client's user agent."""

__version__ = "0.1.0"
