"""``bayesbench completion``: commands, options, ids and files, completed by the shell."""

from __future__ import annotations

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from .completing import COMPLETE
from .output import example, write

__all__ = ["answer", "completion"]

PROGRAM = "bayesbench"


class Bash(BashComplete):
    """As click does it, but bash breaks words at ``=``, which stands inside ours."""

    source_template = BashComplete.source_template.replace(
        "    return 0\n",
        "    # what goes on after the sign is one word with it\n"
        "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace\n\n    return 0\n",
    )
    _whole = _current = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Words before the last one, and that one, put together again."""
        args, current = super().get_completion_args()
        words = [""]
        for word in (*args, current):
            if word == "=" or words[-1].endswith("="):
                words[-1] += word
            else:
                words.append(word)
        *args, whole = words[1:] or [""]
        self._current = "" if current == "=" else current
        option = whole.startswith("-") and "=" in whole
        self._whole = whole.partition("=")[2] if option else whole
        return args, whole

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The part of it that takes the place of bash's own last word."""
        behind = len(self._whole) - len(self._current)
        if item.type != "plain" or not item.value.startswith(self._whole):
            behind = 0
        return super().format_completion(CompletionItem(item.value[behind:], type=item.type))


class _WholeWords(ShellComplete):
    """Shells whose word is all of ``--option=value``: what takes its place must be, too."""

    _option = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """As click does it; keeps the option in front of the value."""
        args, incomplete = super().get_completion_args()
        name, sign, _ = incomplete.partition("=")
        self._option = name + sign if sign and name.startswith("-") else ""
        return args, incomplete

    def format_completion(self, item: CompletionItem[str]) -> str:
        """With the option in front of it."""
        value = f"{self._option}{item.value}" if item.type == "plain" else item.value
        return super().format_completion(CompletionItem(value, type=item.type, help=item.help))


class Zsh(_WholeWords, ZshComplete):
    """As click does it, without a space after ``=``."""

    source_template = ZshComplete.source_template.replace(
        "        compadd -U -V unsorted -a completions\n",
        "        local -a pairs=(${(M)completions:#*=}) others=(${completions:#*=})\n"
        "        if (( $#pairs )); then compadd -U -V unsorted -S '' -a pairs; fi\n"
        "        if (( $#others )); then compadd -U -V unsorted -a others; fi\n",
    )


class Fish(_WholeWords, FishComplete):
    """As click does it, but a comma may stand in what is completed, and in its help."""

    source_template = FishComplete.source_template.replace(
        'string split "," $completion', 'string split --max 1 "," $completion'
    )


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@click.command(
    epilog=example(
        'eval "$(bayesbench completion bash)"      # a line of ~/.bashrc',
        'eval "$(bayesbench completion zsh)"       # a line of ~/.zshrc, after compinit',
        "bayesbench completion fish > ~/.config/fish/completions/bayesbench.fish",
    )
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def completion(shell: str) -> None:
    """Print the script that makes a SHELL complete commands, options, ids and files.

    Ids are those of --posterior where it stands before, of the campaign's posterior, or of the
    bundled one. bash needs to be 4.4 or newer.
    """
    from .app import app

    write(SHELLS[shell](app, {}, PROGRAM, COMPLETE).source())


def answer(app: click.Command, instruction: str) -> int:
    """Say what may come next on a command line that a shell has put into the environment.

    Parameters
    ----------
    app : click.Command
        The root command.
    instruction : str
        ``bash_complete``, ``zsh_complete`` or ``fish_complete``.

    Returns
    -------
    int
        1 where nothing can be said. That is no error to print: it would stand in the middle of
        the line that is being typed.
    """
    shell, _, task = instruction.partition("_")
    if shell not in SHELLS or task != "complete":
        return 1
    try:
        write(SHELLS[shell](app, {}, PROGRAM, COMPLETE).complete() + "\n")
    except Exception:  # whatever is half typed may fail in any way
        return 1
    return 0
