"""The list of mutants, by the service whose protection they take out."""

from tests.mutants.listed.api import API
from tests.mutants.listed.authserver import AUTHSERVER
from tests.mutants.listed.client import CLIENT
from tests.mutants.listed.devices import DEVICES
from tests.mutants.listed.most_telling import THE_MOST_TELLING
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = THE_MOST_TELLING + AUTHSERVER + API + CLIENT + DEVICES

__all__ = ["MUTANTS", "THE_MOST_TELLING"]
