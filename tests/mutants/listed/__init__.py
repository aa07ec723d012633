"""The list of mutants, by the service whose protection they take out."""

from tests.mutants.listed.api import API
from tests.mutants.listed.authserver import AUTHSERVER
from tests.mutants.listed.client import CLIENT
from tests.mutants.listed.connections import CONNECTIONS
from tests.mutants.listed.devices import DEVICES
from tests.mutants.listed.faults import FAULTS
from tests.mutants.listed.harness import HARNESS
from tests.mutants.listed.most_telling import THE_MOST_TELLING
from tests.mutants.listed.problems import PROBLEMS
from tests.mutants.listed.recording import RECORDING
from tests.mutants.listed.registering import REGISTERING
from tests.mutants.listed.tenant_file import TENANT_FILE
from tests.mutants.listed.upstream import UPSTREAM
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    THE_MOST_TELLING
    + AUTHSERVER
    + TENANT_FILE
    + CONNECTIONS
    + UPSTREAM
    + DEVICES
    + HARNESS
    + FAULTS
    + PROBLEMS
    + RECORDING
    + REGISTERING
    + API
    + CLIENT
)

__all__ = ["MUTANTS", "THE_MOST_TELLING"]
