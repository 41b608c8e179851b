@0xd1a9c2f0b7e64a41;
# What every machine has: files, folders, packages, their sources, and units of systemd.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
$Cxx.namespace("relab::schema");

struct Rights {
  # Of a file or folder, in numbers.
  uid @0 :UInt32;
  gid @1 :UInt32;
  mode @2 :UInt32 $A.doc("Permission bits.");
}

struct File {
  # One regular file with exactly this content. It is replaced as a whole: who reads it has the old content or the new one.
  path @0 :Text $A.required $A.resource("path") $A.limit("paths") $A.pattern("^(/[^/]+)+$") $A.example("\"/etc/jellyfin/network.xml\"")
      $A.doc("The file; its folder exists already, and no part of the path is a symbolic link.");
  content @1 :Text $A.example("\"option = 1\\n\"")
      $A.doc("All that is in the file, at most 256 KiB. Absent: the file is empty, unless its content is a secret.");
  secret @2 :Text $A.secret $A.pattern("^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$") $A.example("\"wireguard-key\"")
      $A.doc("Name of the secret that is the content, instead of `content`. Neither it, nor how it differs, nor a digest is told.");
  owner @3 :Text = "root" $A.pattern("^([a-z_][a-z0-9_.-]{0,31}|[0-9]{1,10})$") $A.example("\"jellyfin\"")
      $A.doc("User who owns it, by name or number.");
  group @4 :Text = "root" $A.pattern("^([a-z_][a-z0-9_.-]{0,31}|[0-9]{1,10})$") $A.example("\"jellyfin\"")
      $A.doc("Group that it belongs to, by name or number.");
  mode @5 :Text = "0644" $A.pattern("^[0-7]{3,4}$") $A.example("\"0640\"")
      $A.doc("Permission bits, octal. Those of a secret are best '0600'.");

  struct Facts {
    path @0 :Text $A.doc("The file that was looked at.");
    there @1 :Bool $A.doc("There is a regular file of that name.");
    obstacle @2 :Text $A.doc("Why nothing is written there: a symbolic link, a folder, a device. Empty: nothing speaks against it.");
    holds @3 :Bool $A.doc("Its content is the one that was ordered.");
    digest @4 :Text $A.doc("SHA-256 of its content, as sha256sum tells it. Empty if it is not there, or its content is a secret.");
    size @5 :UInt64 $A.unit("bytes") $A.doc("0 if its content is a secret.");
    rights @6 :Rights $A.doc("As they are.");
    wanted @7 :Rights $A.doc("As ordered, in numbers of this machine.");
    difference @8 :List(Text) $A.doc("From what is there to what was ordered, the first lines of it, without what looks like a secret.");
  }
}

struct Directory {
  # One folder with this owner and mode. What is in it stays as it is, and nothing is ever removed.
  path @0 :Text $A.required $A.resource("path") $A.limit("paths") $A.pattern("^(/[^/]+)+$") $A.example("\"/srv/media\"")
      $A.doc("The folder; no part of the path is a symbolic link.");
  owner @1 :Text = "root" $A.pattern("^([a-z_][a-z0-9_.-]{0,31}|[0-9]{1,10})$") $A.example("\"jellyfin\"")
      $A.doc("User who owns it, by name or number.");
  group @2 :Text = "root" $A.pattern("^([a-z_][a-z0-9_.-]{0,31}|[0-9]{1,10})$") $A.example("\"jellyfin\"")
      $A.doc("Group that it belongs to, by name or number.");
  mode @3 :Text = "0755" $A.pattern("^[0-7]{3,4}$") $A.example("\"0750\"")
      $A.doc("Permission bits, octal.");
  parents @4 :Bool
      $A.doc("Whether the folders above it are made, too, for root and with 0755. Absent: no; they must be there.");

  struct Facts {
    path @0 :Text $A.doc("The folder that was looked at.");
    there @1 :Bool $A.doc("There is a folder of that name.");
    obstacle @2 :Text $A.doc("What is in the way: a symbolic link, a file, a device. Empty: nothing.");
    missing @3 :List(Text) $A.doc("The folders above it that are not there, from the top.");
    rights @4 :Rights $A.doc("As they are.");
    wanted @5 :Rights $A.doc("As ordered, in numbers of this machine.");
  }
}

struct Packages {
  # Packages of Debian that are installed afterwards, by dpkg's own word. Nothing else is removed for them.
  packages @0 :List(Wanted) $A.required $A.resource("dpkg")
      $A.doc("The packages; at least one.");
  from @1 :Text $A.limit("paths") $A.pattern("^(/[^/]+)+$") $A.example("\"/mnt/usb/packages\"")
      $A.doc("Folder with the .deb files of exactly these packages; nothing is fetched then, and what they depend on is installed already or is named as well. Absent: they come from the sources of apt.");
  refresh @2 :Bool
      $A.doc("Whether the lists of all sources are read anew before anything is installed. Absent: no.");
  removeOk @3 :List(Text) $A.limit("packages") $A.pattern("^[a-z0-9][a-z0-9+.-]+$") $A.example("[\"exim4-base\"]")
      $A.doc("Packages that may be removed if the others need it. Absent: none; the task is refused if anything would be removed.");
  lockWait @4 :UInt32 = 600 $A.unit("seconds") $A.range((least = 0, greatest = 7200)) $A.example("\"10m\"")
      $A.doc("How long another program may hold dpkg's or apt's lock before the task fails.");

  struct Wanted {
    name @0 :Text $A.required $A.limit("packages") $A.pattern("^[a-z0-9][a-z0-9+.-]+$") $A.example("\"jellyfin\"")
        $A.doc("Name of the package.");
    version @1 :Text $A.pattern("^[0-9][A-Za-z0-9.+:~-]*$") $A.example("\"10.10.7+deb12\"")
        $A.doc("Exactly this version. Absent: any, and one that is installed is not upgraded.");
  }

  struct Facts {
    packages @0 :List(Package) $A.doc("Those that were ordered, in that order, as dpkg has them.");
    interrupted @1 :Text $A.doc("What dpkg itself finds to be wrong (`dpkg --audit`), the first line. Empty: nothing.");
    steps @2 :List(Step) $A.doc("What apt would do, by its own simulation. Empty if there is nothing to be done.");
    obstacle @3 :Text $A.doc("Why apt cannot do it. Empty: it can, or there is nothing to be done.");
    files @4 :List(Text) $A.doc("The .deb files that it comes from.");
  }

  struct Package {
    name @0 :Text;
    status @1 :Text $A.doc("As dpkg abbreviates it: 'ii' is installed, 'rc' is removed but for its configuration. Empty: dpkg does not know it.");
    version @2 :Text;
    held @3 :Bool $A.doc("It is on hold: apt leaves it as it is.");
  }

  struct Step {
    verb @0 :Text $A.doc("'Inst', 'Conf', 'Remv' or 'Purg'.");
    package @1 :Text;
    version @2 :Text $A.doc("The one that it comes to; of a removal, the one that it has.");
  }
}

struct AptRepository {
  # A source of packages with the key that signs it, both in files of their own, whose lists are read at once.
  name @0 :Text $A.required $A.resource("repository") $A.limit("paths /etc/apt/sources.list.d/*.sources /etc/apt/keyrings/*.asc /etc/apt/keyrings/*.relab") $A.pattern("^[a-z0-9][a-z0-9_-]{0,62}$") $A.example("\"jellyfin\"")
      $A.doc("Its files are /etc/apt/sources.list.d/NAME.sources and, in /etc/apt/keyrings, NAME.asc and, for what its lists were read with, NAME.relab. Files of these names that relab did not make are not replaced.");
  uris @1 :List(Text) $A.required $A.pattern("^(https?|file)://?[!-~]+$|^file:/[!-~]*$") $A.example("[\"https://repo.jellyfin.org/debian\"]")
      $A.doc("Where it is.");
  suites @2 :List(Text) $A.required $A.pattern("^[A-Za-z0-9./_-]+$") $A.example("[\"bookworm\"]")
      $A.doc("Which of what is there; a path with a slash at its end for a repository without components.");
  components @3 :List(Text) $A.pattern("^[A-Za-z0-9./_-]+$") $A.example("[\"main\"]")
      $A.doc("Absent: none, for a suite that ends with a slash.");
  architectures @4 :List(Text) $A.pattern("^[a-z0-9-]+$") $A.example("[\"amd64\"]")
      $A.doc("Absent: those of this machine.");
  key @5 :Text $A.example("\"-----BEGIN PGP PUBLIC KEY BLOCK-----...\"")
      $A.doc("The public key that signs it, in ASCII armour.");
  fingerprint @6 :Text $A.required $A.pattern("^[0-9A-F]{40}$|^[0-9A-F]{64}$") $A.example("\"4918AABC486CA052358D778D49023CD01DE21A7B\"")
      $A.doc("Fingerprint of the one primary key that the key holds.");
  disable @7 :List(Text) $A.limit("paths") $A.pattern("^/etc/apt/sources[.]list([.]d/[A-Za-z0-9_.-]+[.](sources|list))?$") $A.example("[\"/etc/apt/sources.list.d/pve-enterprise.sources\"]")
      $A.doc("Other files with sources that are switched off: 'Enabled: no' in each of their paragraphs, or, in files of the older form, a '#' before each line. One that is not there is off.");

  struct Facts {
    there @0 :Bool $A.doc("The file with the source is there.");
    source @1 :Bool $A.doc("It says what was ordered.");
    key @2 :Bool $A.doc("The file with the key is there, and holds the key that was ordered.");
    fingerprints @3 :List(Text) $A.doc("Of the primary keys in the ordered key, by the word of gpg.");
    enabled @4 :List(Text) $A.doc("The files of `disable` that have a source which is not off.");
    listed @5 :Bool $A.doc("apt has lists of each part of it, read without a complaint with this source and this key.");
    difference @6 :List(Text) $A.doc("From the source that is there to the one that was ordered.");
  }
}

struct Unit {
  # One unit of systemd: whether it starts by itself, and whether it runs, for longer than a moment.
  name @0 :Text $A.required $A.resource("unit") $A.limit("units") $A.pattern("^[A-Za-z0-9_:.\\\\][A-Za-z0-9_:.@\\\\-]*[.](service|socket|timer|mount|automount|path|target)$") $A.example("\"jellyfin.service\"")
      $A.doc("The unit, with its suffix.");
  starts @1 :Starts $A.doc("Whether it starts by itself. Absent: that stays as it is.");
  state @2 :State $A.doc("Whether it runs. Absent: that stays as it is.");
  restartFor @3 :List(Text) $A.pattern("^(/[^/]+)+$") $A.example("[\"/etc/jellyfin/network.xml\"]")
      $A.doc("Files that it has read when it started: it is restarted if one of them was written, or put in place of another, since. Only for a unit that is to be active.");
  settle @4 :UInt32 = 5 $A.unit("seconds") $A.range((least = 1, greatest = 600)) $A.example("\"10s\"")
      $A.doc("How long it must stay active, without having been restarted, to count as running, or inactive to count as stopped.");

  enum Starts {
    unset @0;
    enabled @1 $A.doc("It starts with the machine, or with what wants it.");
    disabled @2 $A.doc("It starts only when it is asked for.");
    masked @3 $A.doc("It cannot be started at all.");
  }
  enum State {
    unset @0;
    active @1 $A.doc("It runs.");
    inactive @2 $A.doc("It does not run. Refused while an active timer, socket or path would start it, unless it is masked.");
  }

  struct Facts {
    name @0 :Text;
    load @1 :Text $A.doc("'loaded', 'not-found', 'masked', 'error' and so on.");
    unitFile @2 :Text $A.doc("'enabled', 'disabled', 'static', 'masked' and so on.");
    active @3 :Text $A.doc("'active', 'inactive', 'failed', 'activating' and so on.");
    sub @4 :Text $A.doc("What that is for a unit of its type: 'running', 'exited', 'auto-restart'.");
    reload @5 :Bool $A.doc("Its files were changed since systemd has read them.");
    steady @6 :Bool $A.doc("It was as ordered all the time that it was watched: active, in one and the same run, or inactive.");
    unsteady @7 :Text $A.doc("What happened while it was watched. Empty: nothing, or it was not watched.");
    newer @8 :List(Text) $A.doc("The files, out of those that were given, that are newer than its start.");
    absent @9 :List(Text) $A.doc("The files, out of those that were given, that are not there.");
    result @10 :Text $A.doc("How it ended last: 'success', 'exit-code', 'signal' and so on.");
    exitCode @11 :Int32 $A.doc("Of its main process, when that ended last.");
    log @12 :List(Text) $A.volatile $A.doc("The last lines of its log, without what looks like a secret, if it is not as it was ordered.");
  }
}
