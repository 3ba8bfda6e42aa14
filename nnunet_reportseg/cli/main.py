"""``reportseg``: registers the commands and turns the project's errors into a message and exit code 2.

Modules of commands import what is heavy inside the command, so that ``reportseg --help`` does not wait for torch.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence

import typer

from nnunet_reportseg.cli import (
    audit,
    check,
    convert,
    demo,
    embed,
    env,
    evaluate,
    implants,
    info,
    parse,
    phantom,
    predict,
    train,
)
from nnunet_reportseg.cli.nnunet_command import NnunetCommand
from nnunet_reportseg.refusals import REFUSALS, refuse

# Options that a command does not know go on to nnU-Net's own command.
HAND_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


app = typer.Typer(
    name="reportseg",
    help="Segmentation that reads the radiology report: a plugin for nnU-Net v2.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # half of the time of --help goes into importing what draws its frames
    context_settings={"max_content_width": 120},
)
app.command("env")(env.command)
app.command("check", cls=NnunetCommand)(check.command)
app.add_typer(convert.app, name="convert")
app.command("embed", cls=NnunetCommand)(embed.command)
app.command("train", cls=NnunetCommand, context_settings=HAND_ON)(train.command)
app.command("predict", cls=NnunetCommand)(predict.command)
app.command("evaluate", cls=NnunetCommand)(evaluate.command)
app.command("audit", cls=NnunetCommand)(audit.command)
app.command("info")(info.command)
app.command("parse")(parse.command)
app.command("phantom")(phantom.command)
app.command("implants")(implants.command)
app.command("demo", cls=NnunetCommand)(demo.command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: What to run instead of ``sys.argv[1:]``.

    Raises:
        SystemExit: Always, with 0 on success and 2 for an error that the user can put right.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    # Reports and file names hold characters that the terminal's encoding may lack; Python does the same for stderr.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in (["predict"], ["audit"]):
        given = predict.spread_folds(given)
    try:
        app(args=given)
    except REFUSALS as error:
        refuse(error, error)
    except OSError as error:
        if error.errno is None:  # made by a library, not by the operating system
            raise
        where = "" if error.filename is None else f"file {error.filename}: "  # a full disk shows while writing
        refuse(f"{where}{error.strerror}. Fix: check the path, its rights and the free space", error)


if __name__ == "__main__":
    main()
