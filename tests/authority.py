"""A certificate authority for the length of a test run, and a server's certificate from it."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class Authority:
    """`context` trusts it and nobody else; `options` let a server show its certificate."""

    directory: Path

    def __post_init__(self) -> None:
        self.certificate, self.key, self.itself = (self.directory / name for name in ("cert.pem", "key.pem", "ca.pem"))
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        self.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())
        self.itself.write_bytes(authority.cert_pem.bytes())
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(self.context)
        self.options = ("--tls-cert", str(self.certificate), "--tls-key", str(self.key))
