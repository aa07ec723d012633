"""TLS: the certificate that this server shows, and whom it trusts besides the machine's authorities.

Done: RFC 9325 §3.1.1 (TLS 1.2 at least) · §4.2 (cipher suites as OpenSSL chooses them).
Left out: client certificates (RFC 8705), new certificates without a restart.
"""

import ssl
from pathlib import Path


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For a server that shows this chain (PEM) and holds its key. Raises OSError, whose text says what is wrong."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # nothing older than TLS 1.2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A wrong passphrase instead of a question: nobody sits before a server's terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise OSError(f"tls_key: {key} is not the key of the certificate in {certificate}") from None
        raise OSError(
            f"tls_cert, tls_key: {certificate} must hold a certificate in PEM, and {key} its key in PEM, not encrypted"
        ) from None
    except OSError as error:
        raise OSError(f"tls_cert, tls_key: {certificate} and {key} cannot be read: {error.strerror}") from None
    return context


def trust(authorities: Path) -> ssl.SSLContext:
    """For calls of ours: the machine's authorities and these (PEM). Raises OSError, whose text says what is wrong."""
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(authorities)
    except OSError:
        raise OSError(f"ca_file: {authorities} must hold certificates of authorities in PEM") from None
    return context
