"""`lamina COMMAND ...`: finds the command, and ends the same way for all of them."""

import argparse
import importlib
import os
import sys
import traceback
from typing import NoReturn

from lamina.common import ranks
from lamina.common.names import suggest
from lamina.common.notice import note
from lamina.common.own_code import own_place

COMMANDS = {  # a module of this room each; loaded when it is asked for
    "train": "train a net that a YAML file describes, or go on with a run",
    "evaluate": "say how good a run is, and what it gets wrong",
    "predict": "say what a run takes pictures, or the rows of a table, to be",
    "generate": "let a run that has learned a text write on, or answer",
    "words": "say which words a run has found to be near another one",
    "plots": "draw the learning curves of runs",
    "lr": "find a learning rate for a configuration",
    "sweep": "run many trials from one file",
    "compare": "say which of several runs are the best, in a table",
    "experiments": "run the experiments of the book, the notes and the README again",
    "play": "write a page in which a net runs as one draws",
    "report": "write all that is known of a run, or of several, as a page",
    "doctor": "say what is wrong with a run, if anything",
    "profile": "say where the time of a training step goes",
    "draw": "draw a net, or an expression, with its values and gradients",
    "export": "write a net, or its weights, for other programs",
    "import": "read a net, or weights, of another program",
    "digits": "draw digits into .npy files, as many as the disk holds",
    "check": "check the gradients of layers, or mark an exercise",
    "exercise": "write an exercise: a layer, or what else there is, with gaps",
    "grade": "mark a folder of exercises, each in a process of its own",
}


class Options(argparse.Namespace):
    """What a command has been called with."""

    def __init__(self, parser: argparse.ArgumentParser):
        super().__init__()
        self._parser = parser

    def error(self, said: str) -> NoReturn:
        """End with the usage, what is wrong, and exit status 2."""
        self._parser.error(said)

    def refuse(self, why: str, *names: str) -> None:
        """End with an error if one of these is given, which would be passed over without a word: an
        option, "--code", or what is called otherwise in the options, "runs"."""
        for name in names:
            key = name.lstrip("-").replace("-", "_")
            given = getattr(self, key)
            if given != self._parser.get_default(key) and given != []:
                texts = [given] if isinstance(given, str) else given
                said = name if name.startswith("-") else " ".join(map(str, texts))
                self.error(f"{said}: {why}; leave it out")


def main(arguments: list[str] | None = None, program: str | None = None) -> int:
    """Run a command; returns its exit status, 2 for a mistake of the user.

    A command is a module with `add_arguments(parser)` and `run(options) -> int`; its docstring is
    its description, `EPILOG` may follow. Options that would have no effect beside others are
    refused (`options.refuse`), which a test looks for. It may list other `user_errors()` than
    OSError and ValueError: these are said in one line, anything else is a bug, which shows its
    traceback.
    """
    _show_everything()
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if arguments[0] == "--version":
        from lamina import __version__

        print(f"lamina {__version__}")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        note(f"lamina: there is no command {name}{suggest(name, COMMANDS)}")
        return 2
    command, program = (
        importlib.import_module(f"lamina.commands.{name}"),
        program or f"lamina {name}",
    )
    parser = argparse.ArgumentParser(
        prog=program,
        description=command.__doc__,
        epilog=getattr(command, "EPILOG", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if started := ranks.launched():
        if started[0]:
            ranks.hush()
        if not getattr(command, "SPREADS", False):
            many = f"a launcher of MPI has started {started[1]} of it; start one without it"
            note(f"{program}: is for one process, and {many}")
            return 2
    command.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    guarded = getattr(command, "guarded", list)
    options = parser.parse_args(guarded(rest), Options(parser))
    status, said = ranks.leave(*_ended(command, options, program), program)
    if said:
        note(said)
    return status


def _show_everything() -> None:
    """What the terminal has no characters for, such as half of the name of a file, is written as an
    escape: hours of training do not end in a UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _ended(command, options, program: str) -> tuple[int, str]:
    """The exit status of the command, and what there is to say of an error."""
    try:
        status = command.run(options)
        sys.stdout.flush()  # here, where a reader that has gone is no surprise
        return status, ""
    except BrokenPipeError:  # whoever reads it has seen enough, as in | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return getattr(options, "status", 0), ""
    except KeyboardInterrupt:
        if ranks.several():
            return 130, f"{program}: stopped at once"
        print(f"{program}: stopped at once{getattr(command, 'STOPPED', '')}")
        return 130, ""
    except SystemExit as error:  # of own code; the other ranks would wait for this one
        place = own_place(error)
        if not (place or ranks.several()):
            raise
        status = error.code if isinstance(error.code, int) else 1
        at = f"{place}: " if place else ""
        return status or 1, f"{program}: {at}was ended by sys.exit({error.code!r})"
    except Exception as error:
        trace, said = f"{traceback.format_exc()}\n", str(error)
        if not isinstance(error, _user_errors(command)):
            if ranks.is_lost(error):
                return 2, f"{program}: another rank cannot be reached any more"
            if not (place := own_place(error)):  # a bug; Python's own status 1 is "not healthy"
                return 2, trace.rstrip("\n")
            said = f"{place}: {type(error).__name__}: {error}; --debug shows the traceback"
        said = said.removeprefix(f"{program.split()[-1]}: ")
        return 2, f"{trace if options.debug else ''}{program}: {said}"


def _user_errors(command) -> tuple:
    return getattr(command, "user_errors", lambda: (OSError, ValueError))()


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        ["usage: lamina COMMAND ...", "", *lines, "", "lamina COMMAND --help says what it takes."]
    )
