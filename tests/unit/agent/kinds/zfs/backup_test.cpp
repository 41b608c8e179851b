#include "agent/kinds/zfs/backup.h"

#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/backup_write.h"
#include "tests/support/must.h"
#include "tests/support/sim_zfs.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

using State = schema::ZfsBackup::State;

constexpr const char* stream_path = "/mnt/usb/copy.zfs";
constexpr const char* manifest_path = "/mnt/usb/copy.manifest";
constexpr const char* signature_path = "/mnt/usb/copy.manifest.dsse";

struct Machine {
  Machine() {
    pool.install(host);
    add_usb_disk(host);
  }

  Message<schema::ZfsBackup> wish = must(Message<schema::ZfsBackup>::from_json(
      R"({"dataset": "datapool", "snapshot": "daily", "folder": "/mnt/usb", "name": "copy"})"));

  Message<schema::ZfsBackup::Facts> look() { return must(ZfsBackup::observe(wish.reader(), host)); }
  Result<std::vector<Change>> plan() { return ZfsBackup::plan(wish.reader(), look().reader()); }
  Result<void> apply_all() {
    RELAB_TRY(const auto changes, plan());
    for (const auto& change : changes) RELAB_CHECK(ZfsBackup::apply(change, host));
    return {};
  }
  /// What `zfs send` prints instead, with this exit status and these words.
  void send(std::string out, int status = 0, std::string err = "") {
    pool.sends = [=](const std::string&) {
      return Output{.status = status, .out = out, .err = err};
    };
  }
  bool has(const Path& path) { return host.status(path).has_value(); }
  /// Nothing by the name of the copy, finished or not.
  bool is_clean() { return must(host.list("/mnt/usb")).empty(); }

  SimHost host;
  SimZfs pool;
};

}  // namespace

TEST_CASE("zfs backup: is written whole, with a manifest that tells what it is", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what.starts_with("+ /mnt/usb/copy.zfs, about "));

  must(machine.apply_all());

  CHECK(must(machine.plan()).empty());
  const auto seen = machine.look();
  const auto facts = seen.reader();
  CHECK(facts.getState() == State::COMPLETE);
  CHECK(facts.getBytes() == machine.pool.stream().size());
  CHECK(view(facts.getDiskSerial()) == "USB1");
  const auto manifest = must(read_manifest(must(machine.host.read_file(manifest_path))));
  CHECK(manifest.reader().getPoolGuid() == 7001);
  CHECK(view(manifest.reader().getDigest()) == view(facts.getDigest()));
  CHECK(manifest.reader().getSnapshots().size() == 3);
  CHECK(manifest.reader().getRestore().size() > 3);
  CHECK(must(machine.host.read_file(stream_path)) == machine.pool.stream());
  CHECK(must(machine.host.list("/mnt/usb")) ==
        std::vector<std::string>{"copy.head.dsse", "copy.manifest", "copy.manifest.dsse",
                                 "copy.zfs"});
  CHECK(facts.getSignedBy().size() == 64);
  CHECK(facts.getHeadBeside());
  REQUIRE_FALSE(machine.host.advances().empty());
  CHECK(machine.host.advances().back().done == machine.pool.stream().size());
}

TEST_CASE("zfs backup: a sender that failed leaves no copy, whatever its exit status",
          "[agent][zfs]") {
  Machine machine;
  const auto whole = machine.pool.stream();
  struct Case {
    std::string out;
    int status;
    std::string err;
  };
  const auto failing = GENERATE_COPY(
      // As 2.1 ends on a full disk or an unreadable block: with success.
      Case{whole.substr(0, whole.size() / 2), 0,
           "warning: cannot send 'datapool@daily': I/O error\n"},
      // A perfect stream, and words.
      Case{whole, 0, "warning: cannot send 'datapool/media@daily': I/O error\n"},
      // As 2.3 ends: without a word.
      Case{whole.substr(0, whole.size() / 2), 141, ""}, Case{whole, 141, ""}, Case{whole, 1, ""},
      // Nobody says anything.
      Case{whole.substr(0, whole.size() - 312), 0, ""}, Case{whole.substr(0, 1000), 0, ""},
      Case{"", 0, ""}, Case{whole + "x", 0, ""}, Case{"\nnot a stream at all\n", 0, ""});
  machine.send(failing.out, failing.status, failing.err);

  CHECK(machine.apply_all().error().fault == Fault::damaged);

  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: a stream cut anywhere is no copy", "[agent][zfs]") {
  Machine machine;
  const auto whole = machine.pool.stream();

  for (std::size_t size = 0; size < whole.size(); size += 97) {
    machine.send(whole.substr(0, size));
    INFO(size);
    CHECK_FALSE(machine.apply_all());
    CHECK(machine.is_clean());
  }
}

TEST_CASE("zfs backup: what only bears the mark of a drill is not left out silently",
          "[agent][zfs]") {
  Machine machine;
  machine.pool.mark("datapool/media");

  const auto refused = ZfsBackup::observe(machine.wish.reader(), machine.host).error();

  CHECK_THAT(refused.what, Catch::Contains("datapool/media bears the mark of a drill"));
  CHECK(refused.hint == "take the mark off it: zfs inherit -r relab:drill datapool/media");
}

TEST_CASE("zfs backup: what a drill left is neither missed nor copied", "[agent][zfs]") {
  Machine machine;
  machine.pool.leave_scratch("daily");

  CHECK(machine.look().reader().getSnapshots().size() == 3);
  const auto refused = machine.apply_all();

  CHECK(refused.error().fault == Fault::conflict);
  CHECK(refused.error().hint == "remove it: zfs destroy -r datapool/relab-drill");
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: what is encrypted is in it raw or not at all", "[agent][zfs]") {
  Machine machine;
  machine.send(machine.pool.stream(SendStreamBuilder::compressed));

  CHECK(machine.apply_all().error().what ==
        "datapool@daily is encrypted, and the stream has it decrypted");
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: a perfect stream without one dataset is no copy", "[agent][zfs]") {
  Machine machine;
  SimZfs less;
  less.destroy("datapool/media@daily");
  machine.send(less.stream());

  CHECK(machine.apply_all().error().what ==
        "the stream is whole, and 1 of 3 snapshots are not in it: datapool/media@daily");
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: other snapshots of the same names are no copy", "[agent][zfs]") {
  Machine machine;
  SimZfs other;
  other.destroy("datapool/media@daily");
  other.destroy("datapool/documents@daily");
  other.destroy("datapool@daily");
  other.snapshot_all("daily");
  machine.send(other.stream());

  CHECK(machine.apply_all().error().what.find("which was not to be sent") != std::string::npos);
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: a dataset without the snapshot is not passed over", "[agent][zfs]") {
  Machine machine;
  machine.pool.make("datapool/new");

  const auto seen = ZfsBackup::observe(machine.wish.reader(), machine.host);

  CHECK(seen.error().fault == Fault::conflict);
  CHECK(seen.error().what ==
        "datapool/new has no snapshot 'daily': it was made since, and would not be copied");
}

TEST_CASE("zfs backup: needs a disk of its own, with room", "[agent][zfs]") {
  Machine machine;

  SECTION("nothing is mounted") {
    machine.host.file("/proc/self/mountinfo", "22 1 0:20 / / rw shared:1 - zfs rpool/ROOT rw\n");
    CHECK(machine.plan().error().what ==
          "nothing is mounted on /mnt/usb: the copy would fill the disk of the system");
  }
  SECTION("a dataset of the pool itself is mounted") {
    machine.host.file("/proc/self/mountinfo",
                      "22 1 0:20 / / rw shared:1 - zfs rpool/ROOT rw\n"
                      "23 22 0:21 / /mnt/usb rw shared:2 - zfs datapool/media rw\n");
    CHECK(machine.plan().error().what == "/mnt/usb lies on the pool 'datapool' itself");
  }
  SECTION("there is too little room") {
    machine.host.file_system("/mnt/usb", {.size = 1000, .free = 1000});
    CHECK(machine.plan().error().what.find("may be needed on /mnt/usb, and 1000 B are free") !=
          std::string::npos);
  }
  CHECK(machine.plan().error().fault == Fault::refused);
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: a disk that fills up all the same leaves no copy", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  machine.host.file_system("/mnt/usb", {.size = 5000, .free = 5000});

  const auto written = ZfsBackup::apply(changes[0], machine.host);

  CHECK(written.error().fault == Fault::busy);
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: a disk that was swapped since is not written to", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  machine.host.program("lsblk", Output{.out = R"({"blockdevices": [
    {"kname": "sdf", "type": "disk", "serial": "USB2", "size": 4000},
    {"kname": "sdf1", "type": "part", "pkname": "sdf", "fstype": "ext4"}]})"});

  CHECK(ZfsBackup::apply(changes[0], machine.host).error().fault == Fault::conflict);
  CHECK(machine.is_clean());
}

TEST_CASE("zfs backup: what has its name and is another is left alone", "[agent][zfs]") {
  Machine machine;
  must(machine.apply_all());
  const auto text = must(machine.host.read_file(manifest_path));
  std::string why;

  SECTION("without a manifest") {
    must(machine.host.remove_file(manifest_path));
    why = "it has no manifest";
  }
  SECTION("a link to a good one") {
    machine.host.file("/root/good.zfs", machine.pool.stream());
    machine.host.remove(stream_path);
    machine.host.link(stream_path, "/root/good.zfs");
    why = "it is no file";
  }
  SECTION("a good one that is mounted over it") {
    machine.host.file("/proc/self/mountinfo",
                      must(machine.host.read_file("/proc/self/mountinfo")) +
                          "50 40 8:1 /root/good.zfs /mnt/usb/copy.zfs rw - ext4 /dev/sda1 rw\n");
    why = "something else is mounted over it";
  }
  SECTION("with a manifest that is a link") {
    machine.host.file("/root/copy.manifest", text);
    machine.host.remove(manifest_path);
    machine.host.link(manifest_path, "/root/copy.manifest");
    why = "copy.manifest: it is no file";
  }
  SECTION("of another size") {
    machine.host.file(stream_path, machine.pool.stream() + "more");
    why = "bytes, and its manifest says";
  }
  SECTION("of another pool of the same name") {
    machine.pool.pool_guid = 7002;
    why = "it is a copy of another pool named 'datapool'";
  }
  SECTION("of older snapshots of the same names") {
    for (const auto* name : {"datapool", "datapool/documents", "datapool/media"})
      machine.pool.destroy(std::string(name) + "@daily");
    machine.pool.snapshot_all("daily");
    why = "it is a copy of other snapshots of the same names";
  }
  SECTION("with a manifest that was changed") {
    auto changed = text;
    const auto at = changed.find(view(machine.look().reader().getDigest()));
    REQUIRE(at != std::string::npos);
    changed[at] = changed[at] == '0' ? '1' : '0';
    machine.host.file(manifest_path, changed);
    why = "it signs another text";
    if (GENERATE(false, true)) {
      must(machine.host.remove_file(signature_path));
      machine.host.file(signature_path, must(machine.host.sign(manifest_payload, changed)));
      why = "its manifest cannot be read: the manifest's digest is not that of its chunks";
    }
  }
  SECTION("with a signature that was made up") {
    auto forged = must(machine.host.read_file(signature_path));
    const auto at = forged.find("\"sig\":\"") + 10;
    forged[at] = forged[at] == 'A' ? 'B' : 'A';
    machine.host.file(signature_path, forged);
    why = "the signature does not fit the bytes";
  }
  SECTION("without a signature") {
    must(machine.host.remove_file(signature_path));
    why = "nobody has signed /mnt/usb/copy.manifest";
  }
  SECTION("with the signature of something else") {
    machine.host.file(signature_path, must(machine.host.sign("a report", text)));
    why = "it signs a 'a report'";
  }

  const auto refused = machine.plan();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK(refused.error().what.find(why) != std::string::npos);
  CHECK(machine.has(stream_path));
}

TEST_CASE("zfs backup: where no head of the ledger is known, none stands beside it",
          "[agent][zfs]") {
  Machine machine;
  machine.host.show_head("");

  must(machine.apply_all());

  CHECK_FALSE(machine.look().reader().getHeadBeside());
  CHECK(must(machine.plan()).empty());
}

TEST_CASE("zfs backup: what a killed attempt left is taken away, and it begins anew",
          "[agent][zfs]") {
  Machine machine;
  machine.host.file("/mnt/usb/copy.zfs.part", "half");
  machine.host.file(manifest_path, "{}");

  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].what == "- /mnt/usb/copy.zfs.part, of an attempt that did not come to its end");
  must(machine.apply_all());

  CHECK(machine.look().reader().getState() == State::COMPLETE);
  CHECK_FALSE(machine.has("/mnt/usb/copy.zfs.part"));
}

TEST_CASE("zfs backup: what a killed attempt left is room for the next one", "[agent][zfs]") {
  Machine machine;
  SECTION("enough") {
    machine.host.file("/mnt/usb/copy.zfs.part", std::string(500'000, 'x'));
    machine.host.file_system("/mnt/usb", {.size = 500'100, .free = 100});
    CHECK(must(machine.plan()).size() == 2);
  }
  SECTION("too little all the same") {
    machine.host.file("/mnt/usb/copy.zfs.part", std::string(500, 'x'));
    machine.host.file_system("/mnt/usb", {.size = 600, .free = 100});
    CHECK_THAT(machine.plan().error().what,
               Catch::Contains("600 B are free, with what an attempt"));
    CHECK(machine.has("/mnt/usb/copy.zfs.part"));
  }
}

TEST_CASE("zfs backup: sizes are read as both versions print them", "[agent][zfs]") {
  for (const auto* version : {"2.1.11", "2.3.9"})
    CHECK(must(parse_estimate(transcript(std::string("zfs/") + version + "/send-nvP-Rw.txt").out)) >
          20000000);
  CHECK_FALSE(parse_estimate("full\tdatapool@daily\t72816\n"));
  CHECK_FALSE(parse_estimate(""));
}

}  // namespace relab::agent::zfs
