#include "agent/kinds/zfs/pool_backup.h"

#include <algorithm>

#include "agent/kinds/zfs/pool_copy.h"
#include "agent/kinds/zfs/pool_send.h"
#include "tests/support/must.h"
#include "tests/support/sim_pools.h"

namespace relab::agent::zfs {

namespace {

using State = schema::ZfsBackup::State;

struct Machine {
  Machine() {
    pool.snapshot_all("pre");
    pool.install(host);
    second.install(host);
  }

  Message<schema::ZfsPoolBackup> wish() const {
    return must(Message<schema::ZfsPoolBackup>::from_json(
        R"({"dataset": "datapool", "snapshot": "pre", "target": ")" + target + "\"}"));
  }
  Message<ZfsPoolBackup::Facts> look() {
    const auto params = wish();
    return must(ZfsPoolBackup::observe(params.reader(), host));
  }
  Result<std::vector<Change>> plan() {
    const auto params = wish();
    RELAB_TRY(const auto facts, ZfsPoolBackup::observe(params.reader(), host));
    return ZfsPoolBackup::plan(params.reader(), facts.reader());
  }
  Result<void> apply_all() {
    RELAB_TRY(const auto changes, plan());
    for (const auto& change : changes) RELAB_CHECK(ZfsPoolBackup::apply(change, host));
    return {};
  }
  bool has(const std::string& name) {
    auto& nodes = second.nodes();
    return std::ranges::find(nodes, name, &Node::name) != nodes.end();
  }
  /// How often a command that begins so was run.
  long ran(const std::string& begin) const {
    return std::ranges::count_if(host.ran(),
                                 [&](const std::string& line) { return line.starts_with(begin); });
  }
  std::uint64_t guid_of(const std::string& name) const {
    for (const auto& node : pool.nodes())
      if (node.name == name) return node.guid;
    return 0;
  }

  SimHost host;
  SimZfs pool;
  SimPools second = SimPools(pool);
  std::string target = "usbpool/copy";
};

}  // namespace

TEST_CASE("zfs pool backup: has every snapshot of every dataset, by its GUID", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].what == "+ usbpool/copy, 2 snapshot(s) of datapool");
  CHECK(changes[1].what == "+ usbpool/copy/documents, 2 snapshot(s) of datapool/documents");
  CHECK(machine.look().reader().getEstimate() == 54000);

  must(machine.apply_all());

  CHECK(must(machine.plan()).empty());
  const auto seen = machine.look();
  const auto facts = seen.reader();
  CHECK(facts.getState() == State::COMPLETE);
  CHECK(facts.getReceived().size() == 6);
  CHECK(facts.getTargetPoolGuid() == 8001);
  CHECK(view(facts.getTargetHealth()) == "ONLINE");
  CHECK(view(facts.getDiskSerial()) == "USB1");
  CHECK(facts.getCopyDigest().size() == 64);
  CHECK(facts.getEstimate() == 0);
  CHECK(machine.has("usbpool/copy/media@daily"));
  REQUIRE_FALSE(machine.host.advances().empty());
  CHECK(machine.host.advances().back().what == "sending datapool/media@pre");
}

TEST_CASE("zfs pool backup: is sent raw, and mounted nowhere by itself", "[agent][zfs]") {
  Machine machine;
  machine.second.volumes = {"datapool/media"};

  must(machine.apply_all());

  CHECK(machine.ran("zfs send -w -p datapool@daily") == 1);
  CHECK(machine.ran("zfs send -w -p -i @daily datapool@pre") == 1);
  CHECK(machine.ran("zfs receive -s -u -o readonly=on -o canmount=noauto -x mountpoint "
                    "usbpool/copy/documents") == 2);
  CHECK(machine.ran("zfs receive -s -u -o readonly=on -o volmode=none usbpool/copy/media") == 2);
  for (const auto& line : machine.host.ran()) CHECK(line.find("receive -F") == std::string::npos);
}

TEST_CASE("zfs pool backup: other snapshots of the same names make it another copy",
          "[agent][zfs]") {
  Machine machine;
  must(machine.apply_all());
  for (const auto* name : {"datapool@pre", "datapool/documents@pre", "datapool/media@pre"})
    machine.pool.destroy(name);
  machine.pool.snapshot_all("pre");

  CHECK_THAT(machine.plan().error().what,
             Catch::Contains("usbpool/copy@pre is another snapshot than datapool@pre"));
}

TEST_CASE("zfs pool backup: what was pruned since stays in the copy, and is no obstacle",
          "[agent][zfs]") {
  Machine machine;
  must(machine.apply_all());
  for (const auto* name : {"datapool@daily", "datapool/documents@daily", "datapool/media@daily"})
    machine.pool.destroy(name);
  CHECK(machine.look().reader().getState() == State::COMPLETE);
  machine.pool.snapshot_all("later");

  const auto later = must(Message<schema::ZfsPoolBackup>::from_json(
      R"({"dataset": "datapool", "snapshot": "later", "target": "usbpool/copy"})"));
  const auto seen = must(ZfsPoolBackup::observe(later.reader(), machine.host));
  const auto changes = must(ZfsPoolBackup::plan(later.reader(), seen.reader()));
  REQUIRE(changes.size() == 3);
  for (const auto& change : changes) must(ZfsPoolBackup::apply(change, machine.host));

  CHECK(machine.ran("zfs send -w -p -i @pre datapool@later") == 1);
  CHECK(must(ZfsPoolBackup::observe(later.reader(), machine.host)).reader().getState() ==
        State::COMPLETE);
}

TEST_CASE("zfs pool backup: a stream cut anywhere is no snapshot, and goes on", "[agent][zfs]") {
  for (std::size_t cut = 0; cut < 5900; cut += 211) {
    Machine machine;
    machine.second.cut = cut;
    INFO(cut);

    CHECK(machine.apply_all().error().fault == Fault::damaged);
    CHECK_FALSE(machine.has("usbpool/copy@daily"));
    const auto facts = machine.look();
    CHECK(facts.reader().getState() == State::NONE);
    CHECK(facts.reader().getInterrupted().size() == machine.second.tokens.size());
    must(machine.apply_all());

    CHECK(machine.look().reader().getState() == State::COMPLETE);
  }
}

TEST_CASE("zfs pool backup: an interrupted snapshot goes on by its token", "[agent][zfs]") {
  Machine machine;
  machine.second.cut = 2000;
  CHECK_FALSE(machine.apply_all());
  CHECK(must(machine.plan())[0].what ==
        "+ usbpool/copy, 2 snapshot(s) of datapool, going on where it was interrupted");

  must(machine.apply_all());

  CHECK(machine.ran("zfs send -t 1-") == 1);
  CHECK(machine.ran("zfs send -w -p datapool@daily") == 1);
  CHECK(machine.look().reader().getState() == State::COMPLETE);
}

TEST_CASE("zfs pool backup: an end that was not good is none, whatever was received",
          "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("send says it in words only, as 2.1 does") {
    machine.second.sender = {.err = "warning: cannot send 'datapool@daily': I/O error\n"};
    why = "zfs send ended with 0: warning: cannot send";
  }
  SECTION("send says nothing, as 2.3 does") {
    machine.second.sender = {.status = 141};
    why = "zfs send ended with 141";
  }
  SECTION("receive") {
    machine.second.receiver = {.status = 1, .err = "cannot receive: I/O error\n"};
    why = "zfs receive ended with 1: cannot receive: I/O error";
  }
  SECTION("receive with words and success") {
    machine.second.receiver = {.err = "cannot mount something\n"};
    why = "zfs receive ended with 0: cannot mount something";
  }

  const auto failed = machine.apply_all();

  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().what, Catch::Contains(why));
}

TEST_CASE("zfs pool backup: what is encrypted is there raw or not at all", "[agent][zfs]") {
  Machine machine;
  machine.second.decrypts = true;
  CHECK_THAT(machine.apply_all().error().what, Catch::Contains("the stream has it decrypted"));

  // A decrypted copy has the same GUIDs.
  CHECK_THAT(machine.plan().error().what,
             Catch::Contains("usbpool/copy@daily is not encrypted, unlike datapool@daily"));
}

TEST_CASE("zfs pool backup: whatever else has its name is left alone", "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("an empty dataset") {
    machine.second.make("usbpool/copy", true);
    why = "usbpool/copy is there, and nothing of it is a copy";
  }
  SECTION("a dataset with snapshots of its own") {
    machine.second.make("usbpool/copy", true);
    machine.second.snapshot("usbpool/copy@mine", 5);
    why = "usbpool/copy is there, and nothing of it is a copy";
  }
  SECTION("a snapshot of the same name") {
    machine.second.make("usbpool/copy", true);
    machine.second.snapshot("usbpool/copy@daily", 5);
    why = "usbpool/copy@daily is another snapshot than datapool@daily";
  }
  SECTION("a dataset in the way of another") {
    must(machine.apply_all());
    machine.pool.snapshot_all("more");
    machine.second.make("usbpool/copy/other", true);
    why = "usbpool/copy/other has no original";
  }
  SECTION("a later snapshot by somebody else") {
    must(machine.apply_all());
    machine.second.destroy("usbpool/copy/media@pre");
    machine.second.snapshot("usbpool/copy/media@mine", 5);
    why = "usbpool/copy/media@mine is newer than all that its original shares with it";
  }
  SECTION("without an older snapshot") {
    must(machine.apply_all());
    machine.second.destroy("usbpool/copy/media@daily");
    why = "it has usbpool/copy/media@pre, and lacks older ones";
  }
  SECTION("a drill's scratch") {
    machine.second.make("usbpool/copy", true);
    machine.second.nodes().back().scratch = true;
    why = "usbpool/copy is of a drill, which removes it";
  }
  SECTION("another receive was interrupted") {
    machine.second.make("usbpool/copy", true);
    const auto* const other = GENERATE("datapool@gone", "datapool@pre", "datapool/media@pre");
    machine.second.tokens["usbpool/copy"] = machine.guid_of(other);
    why = "('zfs receive -A usbpool/copy' forgets it)";
  }
  const auto before = machine.second.nodes();

  const auto refused = machine.plan();

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
  CHECK(machine.second.nodes() == before);
}

TEST_CASE("zfs pool backup: needs another pool that is whole, with room", "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("the same pool") {
    machine.target = "datapool/copy";
    why = "datapool/copy lies in the pool 'datapool' itself";
  }
  SECTION("a pool itself") {
    machine.target = "usbpool";
    why = "'usbpool' is a whole pool";
  }
  SECTION("not imported") {
    machine.second.imported = false;
    why = "the pool 'usbpool' is not imported";
  }
  SECTION("not whole") {
    machine.second.health = GENERATE("DEGRADED", "FAULTED", "UNAVAIL", "SUSPENDED");
    why = "the pool 'usbpool' is " + machine.second.health;
  }
  SECTION("read-only") {
    machine.second.readonly = "on";
    why = "the pool 'usbpool' is imported read-only";
  }
  SECTION("too little room") {
    machine.second.available = 55000;
    why = "may be needed for usbpool/copy";
  }

  const auto refused = machine.plan();

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
  CHECK(machine.ran("zfs receive") == 0);
}

TEST_CASE("zfs pool backup: what it is to lie below has to be there", "[agent][zfs]") {
  Machine machine;
  machine.target = "usbpool/none/copy";

  const auto missing = machine.plan();

  CHECK(missing.error().fault == Fault::missing);
  CHECK(missing.error().hint == "create it: zfs create -o canmount=off usbpool/none");
}

TEST_CASE("zfs pool backup: a pool that was swapped since is not written to", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  machine.second.guid = 8002;

  CHECK(ZfsPoolBackup::apply(changes[0], machine.host).error().fault == Fault::conflict);
  CHECK(machine.ran("zfs receive") == 0);
}

TEST_CASE("zfs pool backup: what a drill left in the original is not copied", "[agent][zfs]") {
  Machine machine;
  machine.pool.leave_scratch("pre");

  must(machine.apply_all());

  CHECK(machine.look().reader().getState() == State::COMPLETE);
  CHECK_FALSE(machine.has("usbpool/copy/relab-drill"));
}

TEST_CASE("zfs pool backup: a file on a disk of the lab is no disk for backups", "[agent][zfs]") {
  Machine machine;
  machine.second.device = "/datapool/image";

  CHECK(machine.look().reader().getDiskSerial().size() == 0);
}

TEST_CASE("zfs pool backup: a copy is known by its pool and its snapshots", "[agent][zfs]") {
  const std::vector<Node> snapshots = {{.name = "tank/vm@daily", .guid = 12},
                                       {.name = "tank@pre", .guid = 11},
                                       {.name = "tank@daily", .guid = 10}};

  // printf '7001\n@daily 10\n@pre 11\nvm@daily 12\n' | b2sum -l 256
  CHECK(copy_digest(7001, "tank", snapshots) ==
        "49ed4d32e083819568125ed8672e551379e10420b024ab1e7e15c6cecc6f808c");
  CHECK(copy_digest(7002, "tank", snapshots) != copy_digest(7001, "tank", snapshots));
}

TEST_CASE("zfs pool backup: what an interrupted receive was of is read", "[agent][zfs]") {
  CHECK(guid_in_token("resume token contents:\nnvlist version: 0\n\tfromguid = 0x4b229ee8073fd30a\n"
                      "\ttoguid = 0x1529ad6f98ec58ef\n\ttoname = datapool/documents@big\n") ==
        0x1529ad6f98ec58ef);
  CHECK(guid_in_token("\ttoguid = 0x\n") == 0);
  CHECK(guid_in_token("\ttoguid = 0x12g\n") == 0);
  CHECK(guid_in_token("") == 0);
}

TEST_CASE("zfs pool backup: a stream of anything else is not what was sent", "[agent][zfs]") {
  const Node node{.name = "tank@daily", .guid = 7, .encrypted = true};
  const Substream good{
      .to_name = "tank@daily", .to_guid = 7, .from_guid = 3, .features = SendStreamBuilder::raw};
  const auto check = [&](const Substream& part, bool resumed = false) {
    return check_sent({.substreams = {part}},
                      {.snapshot = node, .from_guid = 3, .resumed = resumed})
        .has_value();
  };
  auto resumed = good;
  resumed.features |= static_cast<std::uint64_t>(Feature::resuming);
  CHECK(check(good));
  CHECK(check(resumed, true));

  CHECK_FALSE(check(resumed));
  CHECK_FALSE(check(good, true));
  auto other = good;
  SECTION("of another snapshot") { other.to_guid = 8; }
  SECTION("on another one") { other.from_guid = 0; }
  SECTION("decrypted") { other.features = 0; }
  SECTION("redacted") { other.features |= static_cast<std::uint64_t>(Feature::redacted); }
  CHECK(check(other) == (other == good));
  CHECK_FALSE(check_sent({}, {.snapshot = node}));
  CHECK_FALSE(check_sent({.substreams = {good, good}}, {.snapshot = node, .from_guid = 3}));
}

}  // namespace relab::agent::zfs
