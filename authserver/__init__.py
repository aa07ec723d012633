"""Understudy's authorization server: OAuth 2.0 and OpenID Connect, small and exact.

    from authserver import create_app, Settings

Importing this package imports nothing heavy; the names below load when they are used.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from authserver.app import create_app
    from authserver.settings import Settings

__all__ = ["Settings", "create_app"]


def __getattr__(name: str) -> object:
    if name == "create_app":
        from authserver.app import create_app

        return create_app
    if name == "Settings":
        from authserver.settings import Settings

        return Settings
    raise AttributeError(f"module 'authserver' has no attribute {name!r}")
