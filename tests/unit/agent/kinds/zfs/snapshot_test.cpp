#include "agent/kinds/zfs/snapshot.h"

#include "tests/support/must.h"
#include "tests/support/sim_zfs.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

struct Machine {
  Machine() { pool.install(host); }

  Result<std::vector<Change>> plan() {
    const auto wish = must(Message<schema::ZfsSnapshot>::from_json(
        R"({"dataset": "datapool", "name": "pre-rebuild"})"));
    facts = must(ZfsSnapshot::observe(wish.reader(), host));
    return ZfsSnapshot::plan(wish.reader(), facts->reader());
  }
  void apply_all() {
    for (const auto& change : must(plan())) must(ZfsSnapshot::apply(change, host));
  }

  SimHost host;
  SimZfs pool;
  std::optional<Message<ZfsSnapshot::Facts>> facts;
};

}  // namespace

TEST_CASE("zfs snapshot: is taken of all at one moment, and held", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].what == "+ snapshot datapool@pre-rebuild, of 3 dataset(s)");

  machine.apply_all();

  CHECK(must(machine.plan()).empty());
  const auto facts = machine.facts->reader();
  CHECK(facts.getPoolGuid() == 7001);
  REQUIRE(facts.getSnapshots().size() == 3);
  for (const auto snapshot : facts.getSnapshots()) {
    CHECK(snapshot.getHeld());
    CHECK(snapshot.getGuid() != 0);
    CHECK(snapshot.getCreateTxg() == facts.getSnapshots()[0].getCreateTxg());
  }
}

TEST_CASE("zfs snapshot: one that lost a hold is held again", "[agent][zfs]") {
  Machine machine;
  machine.apply_all();
  machine.pool.held.erase("datapool/media@pre-rebuild");

  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what == "+ hold 'relab' on datapool/media@pre-rebuild");
  machine.apply_all();

  CHECK(machine.pool.held.size() == 3);
}

TEST_CASE("zfs snapshot: a dataset that was made since is no part of it", "[agent][zfs]") {
  Machine machine;
  machine.apply_all();
  machine.pool.make("datapool/new");

  const auto refused = machine.plan();

  CHECK(refused.error().fault == Fault::refused);
  CHECK(refused.error().what ==
        "datapool/new has no snapshot 'pre-rebuild', and others have one: it was made since");
}

TEST_CASE("zfs snapshot: those of two moments are none", "[agent][zfs]") {
  Machine machine;
  machine.apply_all();
  machine.pool.destroy("datapool/media@pre-rebuild");
  machine.pool.destroy("datapool@pre-rebuild");
  machine.pool.destroy("datapool/documents@pre-rebuild");
  machine.pool.snapshot_all("pre-rebuild");
  machine.pool.destroy("datapool/media@pre-rebuild");
  machine.pool.snapshot_all("later");
  CHECK(machine.plan().error().fault == Fault::refused);
}

TEST_CASE("zfs snapshot: a dataset that does not exist is told", "[agent][zfs]") {
  Machine machine;
  const auto wish =
      must(Message<schema::ZfsSnapshot>::from_json(R"({"dataset": "tank", "name": "x"})"));

  CHECK(ZfsSnapshot::observe(wish.reader(), machine.host).error().fault == Fault::missing);
}

TEST_CASE("zfs snapshot: a program that says something has not done it", "[agent][zfs]") {
  Machine machine;
  machine.host.answer("zfs snapshot -r datapool@pre-rebuild",
                      {.status = 0, .err = "cannot create snapshots: out of space\n"});
  const auto changes = must(machine.plan());

  CHECK(ZfsSnapshot::apply(changes[0], machine.host).error().what ==
        "zfs snapshot ended with 0: cannot create snapshots: out of space");
}

TEST_CASE("zfs tree: is read as it was recorded", "[agent][zfs]") {
  CHECK(must(parse_tree("tank\t1\t2\t3\toff\t-\ntank@a\t4\t5\t6\taes-256-gcm\tyes\n")) ==
        std::vector<Node>{
            {.name = "tank", .guid = 1, .create_txg = 2, .created = 3, .encrypted = false},
            {.name = "tank@a",
             .guid = 4,
             .create_txg = 5,
             .created = 6,
             .encrypted = true,
             .scratch = true}});
  CHECK_FALSE(parse_tree("tank\t1\t2\t3\toff\n"));
  CHECK_FALSE(parse_tree("tank\tx\t2\t3\toff\t-\n"));
  CHECK_FALSE(parse_tree("tank\t1\t2\t3\toff\t-"));
}

}  // namespace relab::agent::zfs
