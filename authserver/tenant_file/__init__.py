"""The tenant file: registered facts as YAML, in the vocabulary of Auth0's deploy file; ours, or an export of Auth0's.

Done: auth0-deploy-cli's YAML format, as far as this server plays it; Auth0's bulk-import JSON for users.
Left out: its directory format, `!include`, and all that runs JavaScript.

A mistake is answered with the line that it stands on and with what was expected there. Sections and members that
neither this server nor Auth0 knows are mistakes, too: a typo in a security setting must not pass as a comment.
"""

from authserver.tenant_file.bulk_users import with_users
from authserver.tenant_file.credentials import credentials
from authserver.tenant_file.findings import Finding
from authserver.tenant_file.models import (
    ActionModel,
    ClientModel,
    ConnectionModel,
    DatabaseModel,
    PermissionModel,
    ResourceServerModel,
    SourceModel,
    UserModel,
)
from authserver.tenant_file.nodes import TenantFileError
from authserver.tenant_file.reading import Besides, Reading, read_tenant, read_tenant_file
from authserver.tenant_file.whole import TenantFile

__all__ = [
    "ActionModel",
    "Besides",
    "ClientModel",
    "ConnectionModel",
    "DatabaseModel",
    "Finding",
    "PermissionModel",
    "Reading",
    "ResourceServerModel",
    "SourceModel",
    "TenantFile",
    "TenantFileError",
    "UserModel",
    "credentials",
    "read_tenant",
    "read_tenant_file",
    "with_users",
]
