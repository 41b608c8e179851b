"""One way to be false, and how the gate has to answer."""

import dataclasses
import typing

BOOKWORM, TRIXIE = ("bookworm",), ("trixie",)
# In whichever suite RELAB_WAYS asks for it: what differs little from another way.
SELDOM = ()


@dataclasses.dataclass(frozen=True)
class Way:
    """`false` and `mend` are shell inside of the machine; `edit` changes the text of lab.toml; `act`, `then` and `undo` are
    for what is neither, and are given the test. After `false`, `edit` and `act`, the phases of `runs` are run, then comes
    `then`; and the gate has to stay shut and to say `says` of `condition`."""

    name: str
    says: str
    false: str = ""
    mend: str = ""
    edit: typing.Callable = None
    act: typing.Callable = None
    then: typing.Callable = None
    undo: typing.Callable = None
    runs: tuple = ("reading",)
    condition: str = "backup.verified"
    gate: str = "1"
    # What the last of the runs has to say, where the gate tells only that it failed.
    run_says: str = ""
    suites: tuple = BOOKWORM + TRIXIE
    # Not empty: no gate is judged at all, and these are the words.
    refuses: str = ""
