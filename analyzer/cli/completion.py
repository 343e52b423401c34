"""`mustfree completion`: the script that teaches a shell our commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
      bash:  eval "$(mustfree completion bash)"      in ~/.bashrc
      zsh:   eval "$(mustfree completion zsh)"       in ~/.zshrc
      fish:  mustfree completion fish | source       in ~/.config/fish/config.fish
    """
    script = get_completion_class(shell)
    assert script is not None, "click knows these shells"
    click.echo(_source(script(context.find_root().command, {}, "mustfree", "_MUSTFREE_COMPLETE")))


def _source(script: click.shell_completion.ShellComplete) -> str:
    # BashComplete.source() would start bash to ask for its version; the text needs no check.
    return script.source_template % script.source_vars()
