"""What judging takes besides the exchanges: who is registered, and which codes are bait.

Left out: looking anything up while exchanges are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authserver.rules.scopes import IDENTITY_SCOPES
from authserver.tenant_file import ClientModel, TenantFile
from authserver.testing.recorded import Recorded


@dataclass(frozen=True, slots=True)
class Known:
    """`baits`: fingerprints of codes that the application got in a spoiled callback, and the rule that each tests."""

    file: TenantFile
    baits: Mapping[str, str] = field(default_factory=dict)

    def client(self, client_id: str | None) -> ClientModel | None:
        """As it is registered; None for a stranger."""
        return next((each for each in self.file.clients if each.client_id == client_id), None)

    def scopes_of(self, audience: Any) -> frozenset[str] | None:
        """What may be asked for at this API; None when there is no such one."""
        for api in self.file.resourceServers:
            if api.identifier == audience:
                return frozenset((*IDENTITY_SCOPES, *(scope.value for scope in api.scopes)))
        return None


def parameters(exchange: Recorded) -> dict[str, Any]:
    """Query and body; what stands there twice is a list."""
    return {**exchange.query, **exchange.body}


def has_arrived(exchange: Recorded) -> bool:
    """Whether the client got the answer that the rooms gave: nothing spoiled it, and it came to its end."""
    return exchange.status != 0 and exchange.is_complete and exchange.fault is None
