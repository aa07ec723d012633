"""notes: a resource server that checks scopes.

It knows an issuer URL and nothing else about the authorization server. `create_app` builds the application,
`python -m api` serves it.
"""

from api.app import create_app
from api.settings import Settings

__all__ = ["Settings", "create_app"]
