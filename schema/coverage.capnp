@0xd1a9c2f0b7e64a12;
# How much of a section of the audit was really read: an empty list is never mistaken for a look that did not happen.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct Coverage {
  absent @0 :Text;
  # Not empty: the whole section does not exist on this machine, and why ("no zpool on this machine").
  parts @1 :List(Gap);
  # Parts of the section that do not exist here, each with the reason (Docker without docker installed).
  problems @2 :List(Gap);
  # Parts that exist, or may exist, and could not be read. One of these keeps the gate shut.
}

struct Gap {
  part @0 :Text;
  # What is missing, by its own name: "smart of /dev/sda", "guest 112".
  why @1 :Text;
  # What happened, in a sentence: the command, its exit status and its own words.
}
