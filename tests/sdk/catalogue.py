"""The harness's catalogue of wrong tokens, put before SDKs that check access tokens."""

import http.client
import urllib.parse

from house import API
from verdicts import OTHERWISE

ORDER = {"audience": API, "scope": "read:notes", "subject": "auth0|alice", "client_id": "native-app"}


def expected(sdk, wrong):
    """Wrong token → verdict, as `verdicts.py` has it."""
    assert set(OTHERWISE[sdk]) <= {each["name"] for each in wrong}
    return {each["name"]: OTHERWISE[sdk].get(each["name"], ("refused",))[0] for each in wrong}


def found(url, wrong):
    """The same as it is: each token is sent to an API that wants `read:notes`."""
    return {each["name"]: _verdict(status(url, each["token"]), each["statuses"]) for each in wrong}


def status(url, token):
    """Of the answer alone: a megabyte may be refused before all of it has been sent."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("GET", parts.path, headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        return 431
    finally:
        connection.close()


def _verdict(answered, right):
    if answered == 200:
        return "accepted"
    return "refused" if answered in right else "fails" if answered == 500 else f"answers {answered}"
