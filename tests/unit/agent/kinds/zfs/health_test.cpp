// A pool is intact by all that ZFS tells, on the true outputs of both versions.

#include "agent/kinds/zfs/health.h"

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/zfs/status.h"
#include "agent/kinds/zfs/write.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

using Audit = schema::AuditZfs::Facts;

/// As the audit would have a pool with this status.
Message<Audit> facts_of(const PoolStatus& status, const std::string& health = "ONLINE") {
  Draft<Audit> facts;
  Gaps gaps;
  const std::vector<Pool> pools = {{.imported = {.name = status.name, .guid = 1, .health = health},
                                    .properties = {},
                                    .status = status}};
  write_pools(pools, *facts, gaps);
  write_scans(pools, *facts, gaps);
  write_damaged(pools, *facts);
  SimHost host;
  const auto vdevs = place(host, status, {}, 0, gaps);
  write_vdevs(vdevs, facts->initVdevs(static_cast<unsigned>(vdevs.size())));
  facts->initCoverage();
  return std::move(facts).finish();
}

std::string concerns(const PoolStatus& status) {
  std::string all;
  for (const auto& concern : concerns_of(facts_of(status).reader())) all += concern + "\n";
  return all;
}

PoolStatus healthy() {
  return {.name = "tank",
          .state = "ONLINE",
          .data_errors = 0,
          .scans = {{.function = "scrub", .state = "finished"}},
          .vdevs = {{.depth = 0, .name = "tank", .kind = "root", .state = "ONLINE"},
                    {.depth = 1, .parent = 0, .name = "sda", .kind = "disk", .state = "ONLINE"}}};
}

}  // namespace

TEST_CASE("pool health: only degraded is what lost redundancy and nothing else", "[agent][zfs]") {
  auto status = healthy();
  CHECK_FALSE(is_only_degraded(facts_of(status).reader()));
  status.state = "DEGRADED";
  status.vdevs[1].state = "FAULTED";
  CHECK(is_only_degraded(facts_of(status).reader()));

  SECTION("data errors") { status.data_errors = 1; }
  SECTION("unknown whether there are any") { status.data_errors = std::nullopt; }
  SECTION("the last scrub left errors") { status.scans[0].errors = 3; }
  SECTION("it cannot be used at all") { status.state = "SUSPENDED"; }
  CHECK_FALSE(is_only_degraded(facts_of(status).reader()));
}

TEST_CASE("pool health: a pool without a concern is intact", "[agent][zfs]") {
  auto pool = healthy();
  CHECK(concerns(pool).empty());
  // What ZFS only proposes is none.
  pool.status = "Some supported and requested features are not enabled on the pool.";
  pool.scans.clear();
  CHECK(concerns(pool).empty());
  pool.scans = {{.function = "scrub", .state = "scanning"}};
  CHECK(concerns(pool).empty());
}

TEST_CASE("pool health: each thing by itself speaks against it", "[agent][zfs]") {
  auto pool = healthy();
  std::string why;
  SECTION("state") {
    pool.state = "DEGRADED";
    why = "the pool is DEGRADED";
  }
  SECTION("no state at all") {
    pool.state.clear();
    why = "in an unknown state";
  }
  SECTION("data errors") {
    pool.data_errors = 2;
    why = "2 data error(s)";
  }
  SECTION("errors that are not told") {
    pool.data_errors.reset();
    why = "does not tell whether there are data errors";
  }
  SECTION("ZFS's own words") {
    pool.message = "ZFS-8000-9P";
    pool.status = "One or more devices has experienced an unrecoverable error.";
    why = "ZFS-8000-9P: One or more devices";
  }
  SECTION("a disk that is away") {
    pool.vdevs[1].state = "OFFLINE";
    why = "sda is OFFLINE";
  }
  SECTION("counters") {
    pool.vdevs[1].checksum_errors = 3;
    why = "sda has 0 read, 0 write and 3 checksum error(s)";
  }
  SECTION("counters of the pool") {
    pool.vdevs[0].read_errors = 1;
    why = "tank has 1 read";
  }
  SECTION("a scrub with errors") {
    pool.scans[0].errors = 5;
    why = "the last scrub left 5 error(s)";
  }
  SECTION("a resilver that goes on") {
    pool.scans = {{.function = "resilver", .state = "scanning"}};
    why = "a resilver is scanning";
  }
  SECTION("a spare at work") {
    pool.vdevs[1].role = "spare";
    pool.vdevs[1].state = "INUSE";
    why = "sda is INUSE";
  }
  SECTION("no layout") {
    pool.vdevs.clear();
    why = "no disk of the pool";
  }

  CHECK_THAT(concerns(pool), Catch::Contains(why));
}

TEST_CASE("pool health: true outputs of damaged pools are told from those of sound ones",
          "[agent][zfs]") {
  struct Case {
    const char* name;
    bool intact;
  };
  const auto [name, intact] = GENERATE(values<Case>({{"2.1.11/zpool-status-cksum.txt", false},
                                                     {"2.1.11/zpool-status-offline.txt", false},
                                                     {"2.1.11/scrub-fatal.txt", false},
                                                     {"2.3.9/zpool-status-cksum.txt", false},
                                                     {"2.3.9/zpool-status-offline.txt", false},
                                                     {"2.3.9/scrub-fatal.txt", false},
                                                     {"2.1.11/zpool-status.txt", true},
                                                     {"2.3.9/zpool-status.txt", true}}));

  for (const auto& pool : must(parse_status_text(transcript(std::string("zfs/") + name).out))) {
    INFO(name << ": " << pool.name << ": " << concerns(pool));
    if (pool.name == "datapool") CHECK(concerns(pool).empty() == intact);
  }
}

}  // namespace relab::agent::zfs
