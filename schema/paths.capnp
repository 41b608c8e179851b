@0xd1a9c2f0b7e64a3b;
# Where paths that must not be lost really lie.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct PathCheck {
  # Looks, and changes nothing.
  paths @0 :List(Place) $A.example("[{ path = \"/srv/photos\" }]")
      $A.doc("What to look for. Absent: all that [[keep]] names of this host and its guests, and does not give up.");

  struct Place {
    path @0 :Text $A.required $A.pattern("^(/|(/(?![.]{1,2}(/|$))[^/]+)+)$") $A.example("\"/srv/photos\"")
        $A.doc("File or folder there.");
    vmid @1 :UInt32 $A.range(least = 100, greatest = 999999999) $A.example("110")
        $A.doc("The container that has it, by Proxmox's number. Absent: the host itself.");
  }

  struct Facts {
    places @0 :List(Found);
    # In the order of the parameters.
  }

  struct Found {
    path @0 :Text;
    vmid @1 :UInt32;
    real @2 :Text;
    # As this machine sees it, every link followed; empty: see why.
    why @3 :Text;
    # What hides it, or that nothing is there; empty: it was found.
  }
}
