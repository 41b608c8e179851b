// The copy is as it should be, and what is around it is not: its disk, its pool, the zfs that wrote
// it, the drill.

#include "tests/falsify/parts.h"
#include "tests/falsify/scene.h"

namespace relab::falsify {

namespace {

constexpr auto root_mount = "22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw\n";
constexpr auto usb_mount = "40 22 8:81 / /mnt/usb rw,relatime shared:9 - ext4 /dev/sdf1 rw\n";
constexpr auto no_serial = "the disk that has the copy told no serial number";

void mount(FileBench& bench, const std::string& lines) {
  bench.host.file("/proc/self/mountinfo", root_mount + lines);
}

void usb_disk_is(FileBench& bench, const std::string& serial) {
  bench.host.program("lsblk", agent::Output{.out = fmt::format(R"({{"blockdevices": [
        {{"kname": "sdf", "type": "disk", "serial": "{}", "size": 4000}},
        {{"kname": "sdf1", "type": "part", "pkname": "sdf", "fstype": "ext4"}}]}})",
                                                               serial)});
}

/// The good one, somewhere on the disk of the system, with a link to it in its place.
void link_away(FileBench& bench, const std::string& file) {
  bench.host.file("/root/good", must(bench.host.read_file(file)));
  bench.host.remove(file);
  bench.host.link(file, "/root/good");
}

Way<FileBench> drilled(const std::string& name, const std::string& says,
                       std::function<void(FileBench&)> lie) {
  return {.name = name, .says = says, .lie = std::move(lie), .condition = "backup.drilled"};
}

/// It is asked for a copy, and nothing of it is there afterwards.
Way<FileBench> written_by(const std::string& name, const std::string& says,
                          agent::Output (*send)(std::string stream)) {
  return {.name = name, .says = "there is no copy /mnt/usb/copy.zfs", .lie = [=](FileBench& bench) {
            for (const auto& file : must(bench.host.list("/mnt/usb")))
              bench.host.remove("/mnt/usb/" + file);
            bench.pool.sends = send;
            const auto work = bench.run("zfsBackup", FileBench::params());
            CHECK(work.outcome == schema::Outcome::FAILED);
            CHECK_THAT(work.failure.what, Catch::Contains(says));
            CHECK(must(bench.host.list("/mnt/usb")).empty());
          }};
}

}  // namespace

TEST_CASE("falsify: the good copy lies elsewhere", "[falsify]") {
  try_all<FileBench>({
      {"a folder by the copy's name", "it is no file",
       [](FileBench& bench) {
         bench.host.remove(stream_file);
         bench.host.directory(stream_file);
       }},
      {"a link to a good one on the system's disk", "it is no file",
       [](FileBench& bench) { link_away(bench, stream_file); }},
      {"its manifest is a link", "its manifest cannot be read",
       [](FileBench& bench) { link_away(bench, manifest_file); }},
      {"its signature is a link", "its manifest cannot be read",
       [](FileBench& bench) { link_away(bench, signature_file); }},
      {"something is mounted over it", "something else is mounted over it",
       [](FileBench& bench) {
         mount(bench, usb_mount + fmt::format("41 40 0:20 /good {} rw - zfs rpool/ROOT/pve-1 rw\n",
                                              stream_file));
       }},
      {"something is mounted over its manifest", "its manifest cannot be read",
       [](FileBench& bench) {
         mount(bench, usb_mount + fmt::format("41 40 0:20 /good {} rw - zfs rpool/ROOT/pve-1 rw\n",
                                              manifest_file));
       }},
      {"in the folder, and no disk is mounted there", "nothing is mounted on /mnt/usb",
       [](FileBench& bench) { mount(bench, ""); }},
      {"a disk is mounted above the folder only", "nothing is mounted on /mnt/usb",
       [](FileBench& bench) { mount(bench, "40 22 8:81 / /mnt rw - ext4 /dev/sdf1 rw\n"); }},
      {"in memory", "the copy was written on the disk 'USB1', and this is ''",
       [](FileBench& bench) { mount(bench, "40 22 0:44 / /mnt/usb rw - tmpfs tmpfs rw\n"); }},
      {"in memory, and its manifest says so", no_serial,
       [](FileBench& bench) {
         mount(bench, "40 22 0:44 / /mnt/usb rw - tmpfs tmpfs rw\n");
         bench.tell({{"diskSerial", ""}});
       }},
      {"over something else that is mounted there, too", "and this is ''",
       [](FileBench& bench) {
         mount(bench, usb_mount + std::string("41 40 0:44 / /mnt/usb rw - tmpfs tmpfs rw\n"));
       }},
      {"a dataset of the very pool", no_serial,
       [](FileBench& bench) {
         mount(bench, "40 22 0:45 / /mnt/usb rw - zfs datapool/documents rw\n");
         bench.tell({{"diskSerial", ""}});
       }},
      {"another disk with the same label", "the copy was written on the disk 'USB1', and this is",
       [](FileBench& bench) { usb_disk_is(bench, "USB2"); }},
      {"another disk, and its manifest knows it", "the disk USB2, which lab.toml does not know",
       [](FileBench& bench) {
         usb_disk_is(bench, "USB2");
         bench.tell({{"diskSerial", "USB2"}});
       }},
      {"the disk that is to be installed on", "the copy lies on os1 (OS1), one of the lab's own",
       [](FileBench& bench) {
         usb_disk_is(bench, "OS1");
         bench.tell({{"diskSerial", "OS1"}});
       }},
      {"a disk of the pool", "the copy lies on data1 (DATA1), one of the lab's own",
       [](FileBench& bench) {
         usb_disk_is(bench, "DATA1");
         bench.tell({{"diskSerial", "DATA1"}});
       }},
      {"a disk without a serial number", no_serial,
       [](FileBench& bench) {
         usb_disk_is(bench, "");
         bench.tell({{"diskSerial", ""}});
       }},
      {"a disk that does not give it any more", "Input/output error",
       [](FileBench& bench) {
         bench.host.broken(stream_file,
                           {.fault = Fault::damaged, .what = "copy.zfs: Input/output error"});
       }},
  });
}

TEST_CASE("falsify: the pool is not the one that was copied", "[falsify]") {
  try_all<FileBench>({
      {"another one of the same name", "another pool",
       [](FileBench& bench) { bench.pool.pool_guid = 7002; }},
      {"a dataset that was made since", "datapool/new has no snapshot 'pre': it was made since",
       [](FileBench& bench) { bench.pool.make("datapool/new"); }},
      {"a dataset whose snapshot is gone", "datapool/documents has no snapshot 'pre'",
       [](FileBench& bench) { bench.pool.destroy("datapool/documents@pre"); }},
      {"snapshots that were destroyed and taken anew", "other snapshots of the same names",
       [](FileBench& bench) {
         for (const auto* name : {"datapool@pre", "datapool/documents@pre", "datapool/media@pre"})
           bench.pool.destroy(name);
         bench.pool.snapshot_all("pre");
       }},
      {"an older snapshot is gone", "other snapshots of the same names",
       [](FileBench& bench) { bench.pool.destroy("datapool/documents@daily"); }},
      {"a dataset is gone", "other snapshots of the same names",
       [](FileBench& bench) {
         for (const auto* end : {"", "@daily", "@pre"})
           bench.pool.destroy(std::string("datapool/media") + end);
       }},
  });
}

TEST_CASE("falsify: a zfs that lies leaves no copy behind", "[falsify]") {
  using agent::Output;
  try_all<FileBench>({
      written_by("it sends nothing and ends with 0", "the stream is empty",
                 [](std::string) { return Output{}; }),
      written_by("it stops in the middle and ends with 0", "the stream stops at byte",
                 [](std::string it) { return Output{.out = it.substr(0, it.size() / 2)}; }),
      written_by("it stops between two datasets and ends with 0", "4 of 6 snapshots are not in it",
                 [](std::string) {
                   auto parts = Parts(agent::SimZfs());
                   return Output{.out = parts.without("datapool/media@daily").stream()};
                 }),
      written_by("it sends all and fails", "zfs send ended with 1",
                 [](std::string it) { return Output{.status = 1, .out = it}; }),
      written_by("it sends all and was killed", "zfs send ended with 141",
                 [](std::string it) { return Output{.status = 141, .out = it}; }),
      written_by("it sends all and warns, with exit code 0", "zfs send ended with 0: warning",
                 [](std::string it) { return Output{.out = it, .err = "warning: something\n"}; }),
      written_by("it sends an old stream", "which was not to be sent",
                 [](std::string) {
                   auto other = agent::SimZfs();
                   other.make("datapool/shift");
                   other.snapshot_all("pre");
                   return Output{.out = Parts(other).stream()};
                 }),
      written_by("it sends decrypted", "is encrypted, and the stream has it decrypted",
                 [](std::string) {
                   auto pool = agent::SimZfs();
                   pool.snapshot_all("pre");
                   return Output{.out = pool.stream(0)};
                 }),
      written_by("it sends a word of warning before the stream", "no ZFS send stream",
                 [](std::string it) { return Output{.out = "warning\n" + it}; }),
  });
}

TEST_CASE("falsify: a copy that was not restored, or not to what it was", "[falsify]") {
  try_all<FileBench>({
      drilled("nobody wanted it restored", "it was not received for practice",
              [](FileBench& bench) { bench.verification = R"(, "drill": false)"; }),
      drilled("no key is named", "no key is named to open what is received",
              [](FileBench& bench) { bench.verification = ""; }),
      drilled("there is no room for it", "it needs ",
              [](FileBench& bench) { bench.scratch.available = 100; }),
      drilled("a key that does not open it", "Incorrect key provided",
              [](FileBench& bench) { bench.scratch.key = "another"; }),
      drilled("the stored key is another one", "Incorrect key provided",
              [](FileBench& bench) { bench.host.secret("datapool-key", "another"); }),
      drilled("it cannot be received", "checksum mismatch",
              [](FileBench& bench) {
                bench.scratch.receives = {.status = 1,
                                          .err = "cannot receive: checksum mismatch\n"};
              }),
      drilled("receiving warns, with exit code 0", "something is odd",
              [](FileBench& bench) {
                bench.scratch.receives = {.err = "warning: something is odd\n"};
              }),
      drilled("a file comes back with other bytes", "letter.txt (its bytes)",
              [](FileBench& bench) { bench.scratch.received_letter = "derr"; }),
      drilled("a file comes back shorter", "letter.txt",
              [](FileBench& bench) { bench.scratch.received_letter = "dea"; }),
      drilled("a volume comes back with other bytes", "has not the content of",
              [](FileBench& bench) {
                bench.pool.volumes["datapool/media"] = 5;
                bench.scratch.received_volume = 6;
              }),
      drilled("a volume cannot be read, with exit code 0", "Input/output error",
              [](FileBench& bench) {
                bench.pool.volumes["datapool/media"] = 5;
                bench.scratch.volume_sender = {.err = "Input/output error\n"};
              }),
      drilled("a dataset does not come back", "snapshots were not received",
              [](FileBench& bench) { bench.scratch.lost = "datapool/media"; }),
      drilled("the living pool is locked", "its key is not loaded",
              [](FileBench& bench) { bench.pool.key_loaded = false; }),
  });
}

}  // namespace relab::falsify
