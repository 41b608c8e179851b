"""What the lints share: the files of the project, and a way to end with findings."""

import pathlib
import subprocess
import sys

SOURCES = (".cpp", ".h")


def files(root):
    """Every file of the project below root, as relative paths; asks git where there is one."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z", "-co", "--exclude-standard"],
                            capture_output=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        hidden = lambda path: any(part.startswith(".") or part == "build" for part in path.parts)
        every = (path.relative_to(root) for path in pathlib.Path(root).rglob("*"))
        names = [str(path) for path in every if not hidden(path)]
    return sorted(pathlib.PurePath(name) for name in names
                  if pathlib.Path(root, name).is_file())


def finish(what, looked_at, findings):
    """Ends the process: findings, or nothing to look at, are failures."""
    for finding in findings:
        print(finding)
    if not looked_at:
        sys.exit(f"{what}: there was nothing to look at")
    if findings:
        sys.exit(f"{what}: {len(findings)} findings")
    print(f"{what}: {looked_at} files, no findings")


if __name__ == "__main__":
    print(*(path for path in files(sys.argv[1]) if path.suffix in sys.argv[2:]), sep="\n")
