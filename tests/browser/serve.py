"""Streamlit's own program, which also writes the stacks of all its threads when it gets SIGUSR1.

The handler is C code: it answers also where a thread keeps the interpreter to itself or all of them wait.
"""

import faulthandler
import signal

from streamlit.web.cli import main


def serve() -> None:
    """Run the program with the arguments that this process was given."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    main(prog_name="streamlit")


if __name__ == "__main__":
    serve()
