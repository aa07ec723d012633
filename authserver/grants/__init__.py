"""Grants: one room for each grant_type, each exchange readable top to bottom.

The order is always the same (security cases, A.2): find the artefact, whose is it, what must be proved, is the person
still welcome, build and sign the answer, and only then spend in one short transaction. Who lost the race or came
twice loses the family too; who could not prove possession changes nothing.
"""

from collections.abc import Callable

from authserver.grants import authorization_code, client_credentials, device_code, refresh_token
from authserver.messages import TokenRequest, TokenResponse
from authserver.store.registered import Client
from authserver.tenant import Tenant

Exchange = Callable[[TokenRequest, Client, Tenant], TokenResponse]

GRANTS: dict[str, Exchange] = {
    authorization_code.GRANT_TYPE: authorization_code.exchange,
    refresh_token.GRANT_TYPE: refresh_token.exchange,
    client_credentials.GRANT_TYPE: client_credentials.exchange,
    device_code.GRANT_TYPE: device_code.exchange,
}

__all__ = ["GRANTS"]
