"""A secret that must be found nowhere, and the search for it in files, outputs and the memory of processes."""

import base64
import os
import pathlib
import secrets

# What a sanitizer maps as its shadow is larger, and is no memory of the program.
REGION_MAX = 1 << 28


class Canary:
    def __init__(self):
        self.text = f"canary-{secrets.token_hex(16)}"
        plain = self.text.encode()
        self.forms = {"plain": plain, "reversed": plain[::-1], "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode(),
                      "UTF-16": self.text.encode("utf-16-le")}
        # In base64 it depends on what stands before it: of three ways to begin, what is the same after each.
        for skipped in range(3):
            whole = plain[skipped:len(plain) - (len(plain) - skipped) % 3]
            self.forms[f"base64, {skipped}"] = base64.b64encode(whole)

    def found_in(self, content):
        """The forms in which it is in there."""
        return [name for name, form in self.forms.items() if form in content]

    def files_with_it(self, folder):
        """All below the folder, with their forms; names of files count, too."""
        found = {}
        for path in pathlib.Path(folder).rglob("*"):
            forms = self.found_in(path.name.encode())
            if path.is_file():
                forms += self.found_in(path.read_bytes())
            if forms:
                found[str(path.relative_to(folder))] = forms
        return found

    def in_memory_of(self, pid):
        """How often it is in the memory of the process, in clear."""
        count = 0
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
                addresses, rights = line.split()[:2]
                start, end = (int(address, 16) for address in addresses.split("-"))
                if rights[0] != "r" or end - start > REGION_MAX or "[v" in line:
                    continue
                try:
                    count += os.pread(memory.fileno(), end - start, start).count(self.forms["plain"])
                except OSError:
                    continue  # guard pages, and what the kernel keeps to itself
        return count


def about(pid):
    """The arguments and the environment of a process."""
    return b"".join(pathlib.Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
