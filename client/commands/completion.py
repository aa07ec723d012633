"""`completion`: for bash, zsh and fish; and the account names that are completed.

`python -m client` is three words, and a shell completes by the first: that would be every Python program. So what
`completion` prints is a function, `client`, that calls this program from any directory, and the completion for it.
"""

import os
import re
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import client
from client.errors import ClientError
from client.program import ALIAS
from client.settings import Settings, env_name
from client.store import accounts, drawers

HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+:-]*")
VARIABLE = "_CLIENT_COMPLETE"
"""By this typer knows that a shell asks."""

FUNCTION = """\
{name}() {{
    env {call} "$@"
}}
"""
# Bash splits words at @ and :, the program does not. So it gets the whole line, and what it answers is cut to the
# part after the last of these characters, which is all that bash replaces.
BASH = (
    FUNCTION
    + """\
_{name}_completion() {{
    local IFS=$'\\n' line="${{COMP_LINE:0:COMP_POINT}}" words last
    IFS=$' \\t' read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    last="${{words[-1]}}"
    COMPREPLY=( $(env COMP_WORDS="$line" COMP_CWORD=$((${{#words[@]}} - 1)) {variable}=complete_bash \\
        {call} 2>/dev/null) )
    COMPREPLY=( "${{COMPREPLY[@]#"${{last%"${{last##*[@:=]}}"}}"}}" )
}}
complete -o default -F _{name}_completion {name}
"""
)
ZSH = (
    FUNCTION
    + """\
_{name}_completion() {{
    eval $(env _TYPER_COMPLETE_ARGS="${{words[1,$CURRENT]}}" {variable}=complete_zsh {call} 2>/dev/null)
}}
(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit; }}
compdef _{name}_completion {name}
"""
)
FISH = """\
function {name}
    env {call} $argv
end
complete --command {name} --no-files --arguments "(env {variable}=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args \
_TYPER_COMPLETE_ARGS=(commandline -cp) {call} 2>/dev/null)"
"""


class Shell(StrEnum):
    bash = "bash"
    zsh = "zsh"
    fish = "fish"


SCRIPTS = {Shell.bash: BASH, Shell.zsh: ZSH, Shell.fish: FISH}


def completion(
    shell: Annotated[Shell, typer.Argument(help="Whose script to print.")],
    name: Annotated[str, typer.Option(help="What to call the function.")] = "client",
) -> None:
    """Print a shell function with completion, for bash, zsh or fish.

    The function, `client`, works in any directory and completes commands, options and account names.
    For your start-up file: eval "$(python -m client completion bash)"; fish: python -m client completion fish | source
    """
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii() or name[0] in "-0123456789":
        raise typer.BadParameter(f"{name!r} cannot be the name of a function.", param_hint="--name")
    home = Path(client.__file__).parents[1]
    call = f"{ALIAS}={name} PYTHONPATH={shlex.quote(str(home))} {shlex.quote(sys.executable)} -m client"
    typer.echo(SCRIPTS[shell].format(name=name, variable=VARIABLE, call=call), nl=False)


def init() -> None:
    """Teach typer the shells. It does so by itself only with its own --install-completion."""
    from typer import completion as of_typer

    of_typer.get_completion_inspect_parameters()


def account_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Emails (or subs) of those who are logged in. Quiet about everything that is wrong.

    They come from servers and end up on a command line, by way of `eval` in zsh: so none that a shell could act upon.
    """
    given = {name: value for name, value in ctx.params.items() if name in ("token_dir", "token_store") and value}
    if value := os.environ.get(env_name("token_dir")):
        given.setdefault("token_dir", value)
    try:
        settings = Settings(**given)
        people = [account.tokens.identity for store in drawers(settings) for account in accounts(store, settings)]
    except (ClientError, OSError):
        return []
    names = {str(identity.get("email") or identity["sub"]) for identity in people}
    return sorted(name for name in names if name.startswith(incomplete) and HARMLESS.fullmatch(name))
