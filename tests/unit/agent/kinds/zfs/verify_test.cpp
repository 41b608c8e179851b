#include "agent/kinds/zfs/verify.h"

#include "agent/kinds/zfs/backup.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"
#include "tests/support/sim_drill.h"

namespace relab::agent::zfs {

namespace {

constexpr const char* stream_path = "/mnt/usb/copy.zfs";
constexpr const char* manifest_path = "/mnt/usb/copy.manifest";

/// With a good copy on the disk.
struct Machine {
  Machine() {
    pool.install(host);
    add_usb_disk(host);
    scratch.install(host);
    const auto copy = must(Message<schema::ZfsBackup>::from_json(
        R"({"dataset": "datapool", "snapshot": "daily", "folder": "/mnt/usb", "name": "copy"})"));
    const auto seen = must(ZfsBackup::observe(copy.reader(), host));
    for (const auto& change : must(ZfsBackup::plan(copy.reader(), seen.reader())))
      must(ZfsBackup::apply(change, host));
  }

  Message<schema::ZfsBackupVerify> wish() const {
    return must(Message<schema::ZfsBackupVerify>::from_json(
        R"({"dataset": "datapool", "snapshot": "daily", "folder": "/mnt/usb", "name": "copy")" +
        more + "}"));
  }
  /// As the agent does it.
  Result<Message<ZfsBackupVerify::Facts>> verify(Host& hands) {
    const auto params = wish();
    RELAB_TRY(const auto facts, ZfsBackupVerify::observe(params.reader(), hands));
    RELAB_TRY(intentions, ZfsBackupVerify::intends(params.reader(), facts.reader()));
    return ZfsBackupVerify::attempt(params.reader(), facts.reader(),
                                    {.host = hands, .rescue = host});
  }
  Result<Message<ZfsBackupVerify::Facts>> verify() { return verify(host); }
  std::string stream() { return must(host.read_file(stream_path)); }

  SimHost host;
  SimZfs pool;
  SimDrill scratch = SimDrill(pool);
  std::string more = R"(, "key": "datapool-key")";
  std::vector<std::string> intentions;
};

}  // namespace

TEST_CASE("zfs verify: a good copy is read back, received, opened and compared", "[agent][zfs]") {
  Machine machine;

  const auto found = must(machine.verify());

  const auto facts = found.reader();
  CHECK(machine.intentions.size() == 2);
  CHECK(facts.getReadBack());
  CHECK(facts.getRecords() == 12);
  CHECK(facts.getPoolGuid() == 7001);
  CHECK(facts.getDrill().getDone());
  REQUIRE(facts.getDrill().getDatasets().size() == 3);
  const auto documents = facts.getDrill().getDatasets()[1];
  CHECK(view(documents.getDataset()) == "datapool/documents");
  CHECK(documents.getConfigFiles() == 1);
  CHECK(documents.getSampled() == 1);
  CHECK(documents.getBytes() == 10);
  CHECK(machine.scratch.is_clean());
}

TEST_CASE("zfs verify: every block of a volume is compared", "[agent][zfs]") {
  Machine machine;
  machine.pool.volumes["datapool/media"] = 5;
  std::string why;
  SECTION("it is the same") {
    const auto found = must(machine.verify());

    const auto volume = found.reader().getDrill().getDatasets()[2];
    CHECK(view(volume.getDataset()) == "datapool/media");
    CHECK(volume.getWhyNot().size() == 0);
    CHECK(volume.getBytes() == 8192 + 4096);
    return;
  }
  SECTION("other bytes") {
    machine.scratch.received_volume = 6;
    why = "has not the content of datapool/media@daily";
  }
  SECTION("it cannot be read, whatever the exit code") {
    machine.scratch.volume_sender = {.err = "warning: cannot send: Input/output error\n"};
    why = "Input/output error";
  }
  SECTION("it cannot be read") {
    machine.scratch.volume_sender = {.status = 1};
    why = "ended with 1";
  }
  SECTION("more than a stream") {
    machine.scratch.volume_sender = {.out = "more"};
    why = "bytes behind the end of the stream";
  }

  const auto refuted = machine.verify();

  REQUIRE_FALSE(refuted);
  CHECK_THAT(refuted.error().what, Catch::Contains(why));
  CHECK(machine.scratch.is_clean());
}

TEST_CASE("zfs verify: one bit anywhere, or any cut, is no copy", "[agent][zfs]") {
  Machine machine;
  machine.more = R"(, "drill": false)";
  const auto whole = machine.stream();

  for (std::size_t at = 0; at < whole.size(); at += 131) {
    INFO(at);
    auto changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    machine.host.file(stream_path, changed);
    CHECK(machine.verify().error().what.find("are not what was written") != std::string::npos);
    machine.host.file(stream_path, whole.substr(0, at));
    CHECK(machine.verify().error().fault == Fault::refused);
  }
  machine.host.file(stream_path, whole + "x");
  CHECK_FALSE(machine.verify());
  machine.host.file(stream_path, whole);
  CHECK(must(machine.verify()).reader().getReadBack());
}

TEST_CASE("zfs verify: a manifest that was made to fit does not help", "[agent][zfs]") {
  Machine machine;
  machine.more = R"(, "drill": false)";
  auto manifest = must(machine.host.read_file(manifest_path));
  std::string from;
  std::string to;
  SECTION("of another pool") {
    from = "\"7001\"";
    to = "\"7002\"";
  }
  SECTION("written on another disk") {
    from = "USB1";
    to = "USB2";
  }
  SECTION("no manifest at all") {
    from = manifest;
    to = "{}";
  }
  SECTION("other digests") {
    from = "\"digest\"";
    to = "\"digests\"";
  }
  REQUIRE(manifest.find(from) != std::string::npos);
  manifest.replace(manifest.find(from), from.size(), to);
  machine.host.file(manifest_path, manifest);

  CHECK(machine.verify().error().fault == Fault::refused);
}

TEST_CASE("zfs verify: what does not come back as it was is no copy, and nothing of it is left",
          "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("a file") {
    machine.scratch.received_letter = "derr";
    why = "letter.txt (its bytes)";
  }
  SECTION("another key") {
    machine.scratch.key = "another";
    why = "Incorrect key provided";
  }
  SECTION("a dataset is missing") {
    machine.scratch.lost = "datapool/media";
    why = "1 of 3 snapshots were not received";
  }
  SECTION("receive fails") {
    machine.scratch.receives = {.status = 1, .err = "cannot receive: checksum mismatch\n"};
    why = "checksum mismatch";
  }
  SECTION("receive has words, and success") {
    machine.scratch.receives = {.status = 0, .err = "cannot mount: something\n"};
    why = "zfs receive ended with 0";
  }

  const auto refuted = machine.verify();

  REQUIRE_FALSE(refuted);
  CHECK_THAT(refuted.error().what, Catch::Contains(why));
  CHECK(machine.scratch.is_clean());
}

TEST_CASE("zfs verify: what receive stumbles over is located", "[agent][zfs]") {
  Machine machine;
  machine.scratch.receives = {.status = 1, .err = "cannot receive: checksum mismatch\n"};
  auto changed = machine.stream();
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  machine.host.file(stream_path, changed);

  CHECK_THAT(machine.verify().error().what, Catch::Contains("are not what was written"));
  CHECK(machine.scratch.is_clean());
}

TEST_CASE("zfs verify: a drill without room, or without a key, is not called one", "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("room") {
    machine.scratch.available = 1000;
    why = "below datapool, and there are 1000 B";
  }
  SECTION("key") {
    machine.more.clear();
    why = "no key is named";
  }

  const auto found = must(machine.verify());

  CHECK(found.reader().getReadBack());
  CHECK_FALSE(found.reader().getDrill().getDone());
  CHECK_THAT(str(found.reader().getDrill().getWhy()), Catch::Contains(why));
  CHECK(machine.intentions.at(1).starts_with("would not receive it"));
}

TEST_CASE("zfs verify: where the living pool is closed there is nothing to compare with",
          "[agent][zfs]") {
  Machine machine;
  machine.pool.key_loaded = false;

  const auto found = must(machine.verify());

  for (const auto row : found.reader().getDrill().getDatasets())
    CHECK_THAT(str(row.getWhyNot()), Catch::Contains("its key is not loaded"));
}

TEST_CASE("zfs verify: what a drill left is removed, and nothing else of that name",
          "[agent][zfs]") {
  Machine machine;
  machine.scratch.made = true;
  SECTION("left by a drill") {
    machine.pool.leave_scratch("daily");
    CHECK(must(machine.verify()).reader().getDrill().getDone());
    CHECK(machine.scratch.is_clean());
  }
  SECTION("somebody's own") {
    machine.scratch.mark = GENERATE("-\t-", "yes\tinherited from datapool");
    CHECK(machine.verify().error().fault == Fault::conflict);
    CHECK(machine.scratch.made);
  }
}

TEST_CASE("zfs verify: what a drill left is no reason against the next one", "[agent][zfs]") {
  Machine machine;
  machine.scratch.made = true;
  machine.scratch.available = 1000;
  machine.pool.leave_scratch("daily");
  SECTION("its room is enough") {
    machine.scratch.held = 1 << 20;
    CHECK(must(machine.verify()).reader().getDrill().getDone());
  }
  SECTION("it is not, and is removed nevertheless") {
    const auto found = must(machine.verify());
    CHECK_FALSE(found.reader().getDrill().getDone());
    CHECK(found.reader().getReadBack());
  }
  CHECK(machine.scratch.is_clean());
}

TEST_CASE("zfs verify: a scratch that stays is told, however good the copy is", "[agent][zfs]") {
  Machine machine;
  machine.scratch.busy = true;

  const auto left = machine.verify();

  CHECK_THAT(left.error().what, Catch::Contains("the scratch could not be removed"));
  CHECK(left.error().fault == Fault::busy);
}

TEST_CASE("zfs verify: whatever fails on the way, there is no success and no scratch",
          "[agent][zfs]") {
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  for (std::size_t n = 0;; ++n) {
    Machine machine;
    FaultyHost host(machine.host, n, how);
    const auto found = machine.verify(host);
    if (host.calls().size() <= n) break;
    if (!host.failed()) continue;
    // Without it there is no udev, and what it would tell is looked for.
    if (host.calls()[n] == "status /run/udev/data") continue;
    INFO(static_cast<int>(how) << " of " << host.calls()[n]);
    CHECK((!found || !found->reader().getDrill().getDone()));
    CHECK(machine.scratch.is_clean());
  }
}

}  // namespace relab::agent::zfs
