"""`python -m authserver doctor`: the examination as a command."""

import json
import sys

from pydantic import Field

from authserver.doctor.examine import examine
from authserver.doctor.report import as_json, lines
from authserver.settings import Settings


class Doctor(Settings):
    """Look at a running set-up from every side, host and containers: which would fail, and the line that mends it.

    Exit status 0 when every side works, 1 when one would fail.
    """

    api_url: str = Field(default="http://localhost:8000", description="Where this machine reaches the API.")
    as_json: bool = Field(default=False, description="One JSON object instead of sentences.")

    def cli_cmd(self) -> None:
        sides = examine(self, self.api_url)
        told = json.dumps(as_json(sides), indent=2) if self.as_json else "\n".join(lines(sides))
        sys.stdout.write(told + "\n")
        if any(side.fails for side in sides):
            raise SystemExit(1)
