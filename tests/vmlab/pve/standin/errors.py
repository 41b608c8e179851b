"""Failures as Proxmox's commands report them."""


class Died(Exception):
    """Perl's `die`: the text on standard error, and an exit status that is only known not to be 0."""

    def __init__(self, text, status=255):
        super().__init__(text)
        self.text = text
        self.status = status


class BadRequest(Died):
    """What the option parser refuses; the usage of the command follows."""

    def __init__(self, text="Parameter verification failed.", errors=None):
        # Each entry ends its own line, and those of a nested format bring a line end along: hence blank lines.
        lines = "".join(f"{name}: {message}\n" for name, message in sorted((errors or {}).items()))
        super().__init__(f"400 {text}\n{lines}")
        self.errors = errors or {}


class NotImitated(Died):
    """Proxmox has it and the stand-in does not: said in its own words, so that no test takes it for Proxmox's."""

    def __init__(self, what):
        super().__init__(f"pve-standin: {what} is not imitated", 3)
