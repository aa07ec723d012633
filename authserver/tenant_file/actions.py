"""The Actions of a tenant file that run: Python, deployed, and bound to a trigger."""

from pathlib import Path

from authserver.actions import Source
from authserver.tenant_file.whole import TenantFile


def actions_of(path: Path, tenant_file: TenantFile) -> tuple[list[Source], list[Source]]:
    """Those of post-login and those of credentials-exchange, in their order; their code lies beside `path`."""
    deployed = {
        action.name: Source(
            action.name, path.parent / action.code, {secret.name: secret.value for secret in action.secrets}
        )
        for action in tenant_file.actions
        if action.deployed
    }

    def bound(trigger: str) -> list[Source]:
        names = [each.action_name for each in tenant_file.triggers.get(trigger, ())]  # type: ignore[call-overload] # the keys are Literals
        return [deployed[name] for name in names if name in deployed]

    return bound("post-login"), bound("credentials-exchange")
