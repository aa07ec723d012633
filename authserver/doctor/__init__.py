"""Doctor: looks at a running set-up from every side, and says which side would fail and the line that mends it.

Done: OpenID Connect Discovery §4.3 and RFC 8414 §3.3 (the issuer in the metadata is the one that was asked) · RFC 6749
§3.1.2.3 (whether a redirect URI is registered), asked without leaving a trace.
Left out: mending anything.

Two addresses, one identity: a browser on the host and a program in a container reach the same server under different
addresses, and must agree on one issuer. Each side is asked by the same code (`dial`), here and inside each container
(`docker exec`), and `compose` reads from the Docker engine what is really running, not what a file says.
"""
