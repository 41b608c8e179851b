@0xd1a9c2f0b7e64a3a;
# A machine that is only simulated: what an audit of it would find, and what no audit tells.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Zfs = import "/schema/zfs.capnp";
using Disks = import "/schema/disks.capnp";
using Guests = import "/schema/guests.capnp";
using Arr = import "/schema/arr.capnp";
using Jellyfin = import "/schema/jellyfin.capnp";
using Pbs = import "/schema/pbs.capnp";
using Network = import "/schema/network.capnp";
using Schedules = import "/schema/schedules.capnp";
using Services = import "/schema/services.capnp";
using Pci = import "/schema/pci.capnp";
using Packages = import "/schema/packages.capnp";
$Cxx.namespace("relab::schema");

struct World {
  format @0 :UInt32 = 1 $A.doc("Of this file.");
  host @1 :Text $A.doc("Name of the machine in the lab.");
  machineId @2 :Text $A.doc("Content of its /etc/machine-id.");
  began @3 :UInt64 $A.unit("unix milliseconds") $A.doc("The time on it at which the rehearsal begins.");

  # What an audit of it finds at that time. Coverage counts too: what is absent there does not exist.
  zfs @4 :Zfs.AuditZfs.Facts;
  disks @5 :Disks.AuditDisks.Facts;
  guests @6 :Guests.AuditGuests.Facts;
  arr @7 :Arr.AuditArr.Facts;
  jellyfin @8 :Jellyfin.AuditJellyfin.Facts;
  pbs @9 :Pbs.AuditPbs.Facts;
  network @10 :Network.AuditNetwork.Facts;
  schedules @11 :Schedules.AuditSchedules.Facts;
  services @12 :Services.AuditServices.Facts;
  pci @13 :Pci.AuditPci.Facts;
  packages @14 :Packages.AuditPackages.Facts;

  files @15 :List(File) $A.doc("What is in files that no audit reads.");
  speeds @16 :List(Speed) $A.doc("Of disks. Absent: what is usual for their kind.");
  unplugged @17 :List(Text) $A.doc("Serial numbers of disks that a person plugs in once a step asks for them.");
  templates @18 :List(Text) $A.doc("Container templates that can be downloaded: 'debian-12-standard_12.12-1_amd64.tar.zst'.");
  assumptions @19 :List(Text) $A.doc("What was taken for granted where nothing is known, in sentences.");

  struct File {
    vmid @0 :UInt32 $A.doc("Of the guest that it is in. 0: the machine itself.");
    path @1 :Text;
    text @2 :Text;
    mode @3 :UInt32 = 420 $A.doc("Permission bits; 420 is 0644.");
    uid @4 :UInt32;
    gid @5 :UInt32;
  }

  struct Speed {
    serial @0 :Text $A.doc("Of the disk.");
    read @1 :UInt64 $A.unit("bytes per second");
    write @2 :UInt64 $A.unit("bytes per second");
  }
}
