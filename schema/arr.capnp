@0xd1a9c2f0b7e64a25;
# The arr stack: where each application runs and keeps its data. API keys and passwords are never part of it.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditArr {
  struct Facts {
    coverage @0 :Coverage;
    apps @1 :List(App);
    paths @2 :List(DataPath);
    # Root folders, download folders and Docker mounts of the applications above.
  }

  struct App {
    app @0 :Text;
    # sonarr, radarr, lidarr, readarr, whisparr, prowlarr, bazarr, jackett, overseerr, jellyseerr, qbittorrent, sabnzbd,
    # transmission, deluge, nzbget.
    place @1 :Text;
    # "this machine", or the container of this host that it runs in.
    vmid @2 :UInt32;
    # 0: this machine.
    container @3 :Text;
    # The Docker container's name; empty: it runs without Docker.
    image @4 :Text;
    running @5 :Bool;
    unit @6 :Text;
    # The systemd unit that starts it; empty: none was seen.
    configFile @7 :Text;
    # As the place sees it; empty: not found, see the problems.
    dataPath @8 :Text;
    # Data directory as the application itself sees it (in Docker: inside its container).
    hostPath @9 :Text;
    # Data directory as this machine sees it; empty: this machine does not see it.
    port @10 :UInt16;
    # As configured; 0: the file does not tell, then it is the application's usual one. In Docker: inside the container.
    sslPort @11 :UInt16;
    # 0: not in use.
    publishedPort @12 :UInt16;
    # In Docker: the port outside; 0: not published, or the container shares the network of its place.
    bindAddress @13 :Text;
    urlBase @14 :Text;
    instanceName @15 :Text;
    branch @16 :Text;
    version @17 :Text;
    # As its package or image tells; empty: neither does.
    networkMode @18 :Text;
    # In Docker: "bridge", "host", "container:..." (behind a VPN container, for instance).
  }

  struct DataPath {
    app @0 :Text;
    place @1 :Text;
    vmid @2 :UInt32;
    container @3 :Text;
    purpose @4 :Text;
    # "root folder", "downloads", "incomplete downloads", "mount" ...
    path @5 :Text;
    # As the application sees it.
    placePath @6 :Text;
    # As the place sees it; empty: in Docker, and in none of its mounts.
    hostPath @7 :Text;
    # As this machine sees it; empty: it does not, or nothing is there.
    readOnly @8 :Bool;
    # Of mounts.
  }
}
