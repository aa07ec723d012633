"""The image's health check: exit status 0 when HEALTH_URL answers 200.

Needs no curl and imports none of the services, because it runs every few seconds. HEALTH_CA_FILE: whom to trust
beside the system's authorities, when the URL is https.
"""

import os
import ssl
import sys
import urllib.request


def main() -> int:
    url = os.environ.get("HEALTH_URL", "http://localhost:9000/readyz")
    trust = ssl.create_default_context()
    if ca_file := os.environ.get("HEALTH_CA_FILE"):
        trust.load_verify_locations(ca_file)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),  # this is about the container itself, whatever proxy it may use for others
        urllib.request.HTTPSHandler(context=trust),
    )
    try:
        with opener.open(url, timeout=4) as answer:
            return 0 if answer.status == 200 else 1
    except OSError as problem:  # urllib's errors and ssl's are all of this kind
        sys.stdout.write(f"{url}: {problem}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
