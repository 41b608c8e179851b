@0xd1a9c2f0b7e64a42;
# Probes that succeed only if what they look for is so: everything else is a failure, with what was found.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct MountCheck {
  # Whether something is mounted where it should be.
  path @0 :Text $A.required $A.limit("mounts") $A.pattern("^(/|(/[^/]+)+)$") $A.example("\"/datapool/media\"")
      $A.doc("The mount point itself; a folder on a mounted file system is none.");
  source @1 :Text $A.example("\"datapool/media\"")
      $A.doc("What must be mounted there: a dataset, a device. Absent: anything.");
  type @2 :Text $A.pattern("^[a-z0-9._-]+$") $A.example("\"zfs\"")
      $A.doc("The type that the file system must have. Absent: any.");
  access @3 :Access $A.doc("Whether it must be possible to write to it. Absent: either.");
  free @4 :UInt64 $A.unit("bytes") $A.example("\"100GB\"")
      $A.doc("The least room that must be left on it. Absent: any.");
  patience @5 :UInt32 $A.unit("seconds") $A.range((least = 0, greatest = 86400)) $A.example("\"30s\"")
      $A.doc("How long it may take until it is so. Absent: it must be so at once.");

  enum Access {
    unset @0;
    readWrite @1 $A.doc("Mounted so that it can be written to.");
    readOnly @2 $A.doc("Mounted so that nothing can be written to it.");
  }

  struct Facts {
    path @0 :Text;
    mounted @1 :Bool $A.doc("It is a mount point.");
    source @2 :Text $A.doc("What is seen there: of several mounts on one point, the last one.");
    type @3 :Text;
    readOnly @4 :Bool $A.doc("Nothing can be written to it.");
    size @5 :UInt64 $A.unit("bytes");
    free @6 :UInt64 $A.unit("bytes") $A.volatile;
  }
}

struct TcpProbe {
  # What becomes of a TCP connection from this agent's machine to an address.
  address @0 :Text $A.required $A.pattern("^[0-9A-Fa-f.:]+$") $A.example("\"10.42.30.5\"")
      $A.doc("IPv4 or IPv6 address; no name, so that no answer of a name server can be taken for one of the network.");
  port @1 :UInt16 $A.required $A.range((least = 1, greatest = 65535)) $A.example("8096")
      $A.doc("Port of it.");
  expect @2 :Expected $A.doc("What must become of it. Absent: it is accepted.");
  control @3 :Text $A.pattern("^[0-9A-Fa-f.:]+$") $A.example("\"10.42.30.1\"")
      $A.doc("Address that must accept a connection right before and right after. Needed where the connection must fail, best another port of the same machine: only this tells a firewall from a broken network.");
  controlPort @4 :UInt16 $A.range((least = 0, greatest = 65535)) $A.example("53")
      $A.doc("Port of the control; needed with it.");
  timeout @5 :UInt32 = 5 $A.unit("seconds") $A.range((least = 1, greatest = 120)) $A.example("\"5s\"")
      $A.doc("How long is waited for an answer before it counts as none.");
  patience @6 :UInt32 $A.unit("seconds") $A.range((least = 0, greatest = 86400)) $A.example("\"30s\"")
      $A.doc("How long it may take until it is so. Absent: it must be so at once.");

  enum Expected {
    unset @0;
    open @1 $A.doc("The connection is accepted.");
    refused @2 $A.doc("It is refused by a packet that resets it: nothing listens, or a firewall says no.");
    silent @3 $A.doc("Nothing answers.");
    blocked @4 $A.doc("It is refused, or nothing answers. That the machine cannot be reached at all proves no firewall, and is a failure.");
  }

  struct Facts {
    address @0 :Text;
    port @1 :UInt16;
    outcome @2 :Outcome;
    words @3 :Text $A.doc("Of the operating system.");
    control @4 :Outcome $A.doc("Of the control, the worse one of both times. 'unset' if none was asked for.");
    tries @5 :UInt32 $A.volatile $A.doc("How many times it was looked.");
  }

  enum Outcome {
    unset @0;
    open @1 $A.doc("Accepted.");
    refused @2 $A.doc("Refused.");
    silent @3 $A.doc("No answer in time.");
    unreachable @4 $A.doc("No way to that host, said by a machine on the way or, for a neighbour, by this one.");
    noNetwork @5 $A.doc("This machine itself could not even try: no route, no address.");
  }
}

struct HttpProbe {
  # One request to an HTTP server, and whether its answer is the right one.
  url @0 :Text $A.required $A.pattern("^https?://[!-~]+$") $A.example("\"http://10.42.30.5:8096/health\"")
      $A.doc("What is asked for. Proxies of the machine's environment are not used.");
  status @1 :UInt16 = 200 $A.range((least = 100, greatest = 599)) $A.example("200")
      $A.doc("The status that the answer must have. Redirects are not followed.");
  text @2 :Text $A.example("\"Healthy\"")
      $A.doc("What must stand in the answer's body, within its first MiB. Absent: anything.");
  authority @3 :Text $A.limit("paths") $A.pattern("^(/[^/]+)+$") $A.example("\"/etc/ssl/certs/lab.pem\"")
      $A.doc("File with the certificates of the authorities that are trusted. Absent: those of the machine. TLS is always verified.");
  fingerprint @4 :Text $A.pattern("^[0-9A-F]{2}(:[0-9A-F]{2}){31}$") $A.example("\"A1:B2:...\"")
      $A.doc("SHA-256 of the server's own certificate, as Proxmox shows it: exactly that one is trusted, whoever made it.");
  timeout @5 :UInt32 = 10 $A.unit("seconds") $A.range((least = 1, greatest = 600)) $A.example("\"10s\"")
      $A.doc("How long one request may take altogether.");
  patience @6 :UInt32 $A.unit("seconds") $A.range((least = 0, greatest = 86400)) $A.example("\"2m\"")
      $A.doc("How long it may take until it is so. Absent: it must be so at once.");

  struct Facts {
    url @0 :Text;
    answered @1 :Bool $A.doc("There was a whole answer, over TLS that was verified if it is https.");
    status @2 :UInt16 $A.doc("Of the answer; 0 if there was none.");
    error @3 :Text $A.doc("Why there was no answer.");
    exitCode @4 :UInt16 $A.doc("Of curl.");
    found @5 :Bool $A.doc("The text stands in the body.");
    size @6 :UInt64 $A.unit("bytes") $A.volatile $A.doc("Of the body.");
    fingerprint @7 :Text $A.doc("SHA-256 of the server's certificate. Empty unless one was to be compared.");
    peer @8 :Text $A.doc("The address that answered.");
    tries @9 :UInt32 $A.volatile $A.doc("How many times it was looked.");
  }
}

struct DnsProbe {
  # One question to a name server, and whether its answer is the right one.
  name @0 :Text $A.required $A.pattern("^[A-Za-z0-9_]([A-Za-z0-9_.:-]{0,252})$") $A.example("\"jellyfin.lab.example\"")
      $A.doc("What is asked for; for PTR, an address.");
  type @1 :Type $A.doc("Of the records that are asked for. Absent: A.");
  server @2 :Text $A.required $A.pattern("^[0-9A-Fa-f.:]+$") $A.example("\"10.42.10.1\"")
      $A.doc("Address of the name server that is asked.");
  expected @3 :List(Text) $A.example("[\"10.42.30.5\"]")
      $A.doc("Exactly the answers that must come, in any order. Absent: at least one, whichever.");
  none @4 :Bool
      $A.doc("Whether the server must say that there is no such name, or no such record of it: for a name that is to be blocked. No answer at all never counts as that, nor one that only points to other servers.");
  patience @5 :UInt32 $A.unit("seconds") $A.range((least = 0, greatest = 86400)) $A.example("\"30s\"")
      $A.doc("How long it may take until it is so. Absent: it must be so at once.");

  enum Type {
    unset @0;
    a @1 $A.doc("IPv4 addresses.");
    aaaa @2 $A.doc("IPv6 addresses.");
    ptr @3 $A.doc("The name of an address.");
    txt @4 $A.doc("Texts.");
    cname @5 $A.doc("The name that it stands for.");
    mx @6 $A.doc("Who takes its mail.");
    srv @7 $A.doc("Who serves it.");
  }

  struct Facts {
    name @0 :Text;
    type @1 :Type;
    server @2 :Text;
    status @3 :Text $A.doc("Of the answer: 'NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED' and so on. Empty: there was none.");
    answers @4 :List(Text) $A.doc("The values of the records of that type, sorted.");
    error @5 :Text $A.doc("Why there was no answer, or none of its own.");
    tries @6 :UInt32 $A.volatile $A.doc("How many times it was looked.");
  }
}

struct CommandProbe {
  # A command that the agent's role lists: an order can only name it.
  command @0 :Text $A.required $A.limit("commands") $A.pattern("^[a-z0-9][a-z0-9-]{0,62}$") $A.example("\"pve-cluster-status\"")
      $A.doc("The name under which the manifest of the role has the command with all its arguments.");
  exitCode @1 :UInt16 $A.range((least = 0, greatest = 255)) $A.example("0")
      $A.doc("The status that it must end with. Absent: 0.");
  text @2 :Text $A.example("\"Quorate: Yes\"")
      $A.doc("What must stand in what it prints. Absent: anything, or nothing.");
  timeout @3 :UInt32 = 60 $A.unit("seconds") $A.range((least = 1, greatest = 3600)) $A.example("\"1m\"")
      $A.doc("How long it may take.");
  patience @4 :UInt32 $A.unit("seconds") $A.range((least = 0, greatest = 86400)) $A.example("\"30s\"")
      $A.doc("How long it may take until it is so. Absent: it must be so at once.");

  struct Facts {
    command @0 :Text;
    argv @1 :List(Text) $A.doc("What the role has under that name.");
    exitCode @2 :UInt16 $A.doc("What it ended with; 128 and the signal's number if one ended it.");
    found @3 :Bool $A.doc("The text stands in what it printed.");
    output @4 :List(Text) $A.doc("The first lines that it printed, without what looks like a secret.");
    tries @5 :UInt32 $A.volatile $A.doc("How many times it was looked.");
  }
}
