"""The same packages as a newer version, so that there is something to upgrade to."""

import pathlib
import re
import subprocess
import tempfile


def newer(files, folder, edit=lambda tree: None):
    """The programs in them say the new version, too: it is as long as the old one, and nothing else in them looks like that.

    `edit` may change what is in the folder of a package.
    """
    made = []
    for file in map(pathlib.Path, files):
        old = file.name.split("_")[1]
        front, last = re.fullmatch(r"(.*\.)(\d)", old).groups()
        new = front + str((int(last) + 1) % 10)
        with tempfile.TemporaryDirectory() as unpacked:
            tree = pathlib.Path(unpacked) / "package"
            subprocess.run(["dpkg-deb", "-R", str(file), str(tree)], check=True)
            control = tree / "DEBIAN/control"
            control.write_text(control.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
            for program in (tree / "usr/bin").glob("relab*"):
                content = program.read_bytes()
                assert old.encode() in content, f"{program.name} in {file.name} does not say that it is {old}"
                program.write_bytes(content.replace(old.encode(), new.encode()))
            edit(tree)
            target = pathlib.Path(folder) / file.name.replace(old, new)
            subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", str(tree), str(target)], stdout=subprocess.DEVNULL, check=True)
            made.append(target)
    return made
