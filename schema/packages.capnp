@0xd1a9c2f0b7e64a31;
# Operating system, Proxmox version and package sources.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditPackages {
  struct Facts {
    coverage @0 :Coverage;
    system @1 :System;
    hardware @2 :Hardware;
    proxmox @3 :Proxmox;
    kernels @4 :List(Kernel);
    # Kernels in /boot; none in a container.
    packageCounts @5 :List(PackageCount);
    # How many packages dpkg knows in each state; other states than "install ok installed" deserve a look.
    packages @6 :List(Package);
    # Packages that the lab depends on (Proxmox, ZFS, kernels, Docker, GPU drivers), those on hold and those half-way.
    sources @7 :List(Source);
    ignoredSources @8 :List(Text);
    # Files in /etc/apt/sources.list.d that apt passes over for their name.
    pins @9 :List(Pin);
    indexes @10 :UInt32 $A.doc("Package indexes that apt has; 0 if it never fetched any.");
    lastUpdate @11 :UInt64 $A.doc("When apt last changed its indexes, Unix time in milliseconds; 0 if unknown.") $A.unit("unix ms") $A.volatile;
    rebootRequired @12 :Bool $A.doc("An installed package asks for a restart.");
    rebootPackages @13 :List(Text);
    # The packages that ask for it.
  }

  struct System {
    hostname @0 :Text;
    os @1 :Text $A.doc("'debian', 'ubuntu' and so on.");
    osVersion @2 :Text;
    codename @3 :Text;
    description @4 :Text;
    kernel @5 :Text $A.doc("Release of the running kernel.");
    architecture @6 :Text;
    uptime @7 :UInt64 $A.unit("seconds") $A.volatile;
    bootMode @8 :Text $A.doc("'efi' or 'bios'; in a container, that of its host.");
    secureBoot @9 :Text $A.doc("'on', 'off', or empty if it cannot be told.");
  }

  struct Hardware {
    vendor @0 :Text;
    product @1 :Text;
    firmware @2 :Text $A.doc("Version of the BIOS.");
    cpu @3 :Text;
    sockets @4 :UInt32 $A.doc("0 if the processor does not tell.");
    cores @5 :UInt32 $A.doc("0 if the processor does not tell.");
    threads @6 :UInt32;
    memory @7 :UInt64 $A.doc("Usable by the system.") $A.unit("bytes");
    errorCorrection @8 :Text $A.doc("Of the memory: 'none', 'single-bit', 'multi-bit' and so on, or the driver's own word; empty if unknown.");
    errorCorrectionSource @9 :Text $A.doc("'edac' (the driver sees it at work) or 'dmi' (the firmware claims it).");
    correctedErrors @10 :UInt64 $A.doc("Since the start, as the driver counts; 0 without a driver.");
    uncorrectedErrors @11 :UInt64;
  }

  struct Proxmox {
    virtualEnvironment @0 :Text $A.doc("Version of pve-manager as pveversion tells; empty if there is none.");
    repositoryId @1 :Text;
    backupServer @2 :Text $A.doc("Version of the package proxmox-backup-server; empty if it is not installed.");
  }

  struct Kernel {
    release @0 :Text;
    running @1 :Bool;
  }

  struct PackageCount {
    status @0 :Text $A.doc("Wish, error flag and state, as dpkg writes them.");
    count @1 :UInt32;
  }

  struct Package {
    name @0 :Text;
    version @1 :Text;
    status @2 :Text;
  }

  struct Source {
    file @0 :Text;
    line @1 :UInt32 $A.volatile;
    enabled @2 :Bool;
    types @3 :Text $A.doc("'deb', 'deb-src' or both.");
    uris @4 :Text $A.doc("Passwords blanked out.");
    suites @5 :Text;
    components @6 :Text;
    signedBy @7 :Text $A.doc("Key file; 'embedded' for a key in the entry itself, empty for any key of the machine.");
    options @8 :Text $A.doc("All other options.");
  }

  struct Pin {
    file @0 :Text;
    packages @1 :Text;
    pin @2 :Text;
    priority @3 :Text;
  }
}
