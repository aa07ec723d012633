"""The way to the control API."""

import ssl
from typing import Any

import httpx2

from authserver.testing.handle.errors import HarnessError


class Connection:
    """One connection to a server whose harness is on, in this process or in a container."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/") + "/"
        # Reading the machine's authorities takes 30 ms and is needed for https alone.
        verify: ssl.SSLContext | bool = self.url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.http = httpx2.Client(trust_env=False, timeout=30, verify=verify)
        self._headers = {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of the answer. Raises HarnessError."""
        response = self.http.request(method, f"{self.url}_testing/{path}", json=body, headers=self._headers)
        if response.is_error:
            try:
                said = response.json()["error_description"]
            except (ValueError, KeyError, TypeError):
                said = response.text[:200]
            raise HarnessError(f"{method} {path}: {response.status_code} {said}")
        return response.json() if response.content else None

    def close(self) -> None:
        """Give the connection back."""
        self.http.close()
