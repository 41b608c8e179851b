@0xd1a9c2f0b7e64a26;
# Jellyfin servers: configuration, libraries, hardware acceleration.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditJellyfin {
  struct Facts {
    coverage @0 :Coverage;
    servers @1 :List(Server);
    libraries @2 :List(Library);
    # One row for each folder of each library.
    devices @3 :List(Device);
    # Devices that are passed to what a server runs in, as configured.
  }

  struct Server {
    place @0 :Text;
    # "this machine", or the container of this host that it runs in.
    vmid @1 :UInt32;
    # 0: this machine.
    container @2 :Text;
    # The Docker container's name; empty: it runs without Docker.
    image @3 :Text;
    running @4 :Bool;
    unit @5 :Text;
    configPath @6 :Text;
    # Configuration directory as the server sees it; empty: not found, see the problems.
    dataPath @7 :Text;
    # Data directory (database, library definitions) as the server sees it.
    hostConfigPath @8 :Text;
    # As this machine sees it; empty: it does not.
    hostDataPath @9 :Text;
    cachePath @10 :Text;
    # As configured; empty: the usual one.
    metadataPath @11 :Text;
    version @12 :Text;
    # That ran last, by its own configuration, or by the image; empty: neither tells.
    serverName @13 :Text;
    port @14 :UInt16;
    # 0: no network.xml, or it does not tell: then 8096.
    httpsPort @15 :UInt16;
    # 0: HTTPS is off.
    publishedPort @16 :UInt16;
    # In Docker: the port outside; 0: not published, or it shares the network of its place.
    baseUrl @17 :Text;
    acceleration @18 :Text;
    # none, vaapi, qsv, nvenc ...; empty: no encoding.xml, then it is none.
    vaapiDevice @19 :Text;
    qsvDevice @20 :Text;
    hardwareEncoding @21 :Bool;
    tonemapping @22 :Bool;
    vppTonemapping @23 :Bool;
    lowPowerH264 @24 :Bool;
    lowPowerHevc @25 :Bool;
    allowHevc @26 :Bool;
    allowAv1 @27 :Bool;
    decodingCodecs @28 :List(Text);
    transcodingPath @29 :Text;
    # As configured; empty: the usual one.
    placeConfigPath @30 :Text;
    # Configuration directory as the place sees it; empty: in Docker, and in none of its mounts.
    placeDataPath @31 :Text;
  }

  struct Library {
    place @0 :Text;
    vmid @1 :UInt32;
    container @2 :Text;
    name @3 :Text;
    type @4 :Text;
    # movies, tvshows, music ...; empty: mixed.
    path @5 :Text;
    # As the server sees it; empty: the library has no folder.
    placePath @6 :Text;
    # As the place sees it; empty: in Docker, and in none of its mounts.
    hostPath @7 :Text;
    # As this machine sees it; empty: it does not, or nothing is there.
  }

  struct Device {
    place @0 :Text;
    vmid @1 :UInt32;
    container @2 :Text;
    key @3 :Text;
    # dev0, mp0, lxc.mount.entry or lxc.cgroup2.devices.allow of the guest; "docker" for a device of a Docker container.
    what @4 :Text;
  }
}
