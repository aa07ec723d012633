"""Actions: the tenant's own Python, run on login, silent login, refresh, device approval and client credentials.

Done: Auth0's triggers post-login and credentials-exchange, with its `event` and `api` objects; the older rule and hook
signatures, adapted.
Left out: redirects, further factors and caches in Actions (asking for one fails the login and says so); JavaScript.

An Action sees facts that it cannot change and an `api` that writes down what it wants. Nothing that it says can touch
the protocol's own claims. It runs outside any transaction; what it wrote down takes effect with the answer, or never.
"""

from authserver.actions.legacy import UnauthorizedError
from authserver.actions.loading import Action, ActionError, Actions, Source, load

__all__ = ["Action", "ActionError", "Actions", "Source", "UnauthorizedError", "load"]
