"""dpkg and apt over a root of their own, with packages that are made for the purpose: nothing of the machine's is touched."""

import shutil
import subprocess

ABOUT = "Architecture: all\nMaintainer: T <t@example.org>\nDescription: nothing\n"
HEAD = "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n"


class PackageRoot:
    def __init__(self, folder, tools):
        """In this folder, with one package that is installed already; the tools work on it."""
        self.folder = folder
        root = folder / "root"
        for name in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial",
                     "etc/apt/preferences.d", "etc/apt/sources.list.d", "var/log/apt", "etc/apt/apt.conf.d", "tmp"):
            (root / name).mkdir(parents=True)
        self.status = root / "var/lib/dpkg/status"
        self.status.write_text(f"Package: relab-test-old\nStatus: install ok installed\nVersion: 1\n{ABOUT}\n")
        (root / "var/lib/dpkg/available").touch()
        for name in ("relab-test-old.list", "relab-test-old.md5sums"):
            (root / "var/lib/dpkg/info" / name).touch()
        dpkg = f"--root={root} --force-not-root --force-bad-path --force-script-chrootless --log=/dev/null"
        conf = root / "apt.conf"
        options = "".join(f'"{option}";' for option in dpkg.split())
        conf.write_text(f'Dir "{root}/";\nDir::State::status "{self.status}";\nDir::Bin::Methods "/usr/lib/apt/methods";\n'
                        f'Dir::Bin::Solvers "/usr/lib/apt/solvers";\nDir::Bin::Planners "/usr/lib/apt/planners";\n'
                        f'Dir::Bin::dpkg "/usr/bin/dpkg";\nDir::Log "{root}/var/log/apt";\nAPT::Sandbox::User "root";\n'
                        f'DPkg::Path "/usr/sbin:/usr/bin:/sbin:/bin";\nDPkg::Options {{ {options} }};\n')
        for name, command in (("dpkg-query", f"dpkg-query --admindir={root}/var/lib/dpkg"), ("dpkg", f"dpkg {dpkg}"),
                              ("dpkg-deb", "dpkg-deb"), ("apt-get", f"env APT_CONFIG={conf} apt-get")):
            tools.replace(name, f'{HEAD}exec {command} "$@"\n', 0o755)

    def make_package(self, into, name, version, more="", scripts=()):
        """Puts NAME_VERSION_all.deb there."""
        tree = self.folder / "tree"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: {version}\n{ABOUT}{more}")
        for script in scripts:
            (tree / "DEBIAN" / script).write_text(scripts[script])
            (tree / "DEBIAN" / script).chmod(0o755)
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", tree, into / f"{name}_{version}_all.deb"], check=True,
                       capture_output=True)
        shutil.rmtree(tree)
