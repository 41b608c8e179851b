// A scrub that is waited for to its end.

#include "agent/kinds/zfs/scrub.h"

#include "agent/kinds/carry_out.h"
#include "tests/support/must.h"
#include "tests/support/sim_scrub.h"

namespace relab::agent::zfs {

namespace {

struct Bench {
  Bench() {
    host.program("lsblk", Output{.out = R"({"blockdevices": []})"});
    pool.install(host);
  }
  Work work() {
    Draft<schema::Order> order;
    order->setMode(schema::Mode::APPLY);
    order->initTask().initZfsScrub().setPool("tank");
    const auto message = std::move(order).finish();
    return carry_out(message.reader(), {.host = host, .rescue = host},
                     [](const auto& /*facts*/) { return Result<void>(); });
  }
  std::string failure() { return work().failure.sentence(); }

  SimHost host;
  SimScrub pool;
};

}  // namespace

TEST_CASE("scrub: it is started, waited for, and done", "[agent][zfs]") {
  Bench bench;

  const auto work = bench.work();

  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == std::vector<std::string>{"+ scrub of tank, which never had one"});
  const auto facts = work.facts->reader().getZfsScrub();
  CHECK(facts.getRecent());
  CHECK(view(facts.getState()) == "finished");
  CHECK(facts.getPoolGuid() == 4711);
  CHECK(instant_of(facts.getEndedAt()) <= bench.host.now());
  REQUIRE_FALSE(bench.host.advances().empty());
  CHECK(bench.host.advances().front().done == 50);
}

TEST_CASE("scrub: one that ended lately will do, and one that is at work is waited for",
          "[agent][zfs]") {
  Bench bench;
  bench.pool.function = "scrub";
  SECTION("lately") {
    bench.pool.state = "finished";
    bench.pool.ended = bench.host.now() - std::chrono::hours(24);
    const auto work = bench.work();
    CHECK(work.outcome == schema::Outcome::SUCCEEDED);
    CHECK(work.changes.empty());
  }
  SECTION("too long ago") {
    bench.pool.state = "finished";
    bench.pool.ended = bench.host.now() - std::chrono::hours(24 * 8);
    CHECK(bench.work().changes ==
          std::vector<std::string>{"+ scrub of tank, the last one is too old"});
  }
  SECTION("in the future") {
    bench.pool.state = "finished";
    bench.pool.ended = bench.host.now() + std::chrono::hours(1);
    CHECK_FALSE(bench.work().changes.empty());
  }
  SECTION("at work") {
    bench.pool.state = "scanning";
    bench.pool.refusal = "cannot scrub tank: currently scrubbing; use 'zpool scrub -s' to cancel";
    const auto work = bench.work();
    CHECK(work.outcome == schema::Outcome::SUCCEEDED);
    CHECK(work.changes == std::vector<std::string>{"the scrub of tank is waited for"});
  }
  SECTION("paused") {
    bench.pool.state = "paused";
    CHECK(bench.work().outcome == schema::Outcome::SUCCEEDED);
  }
}

TEST_CASE("scrub: what was not scrubbed to its end is no success", "[agent][zfs]") {
  Bench bench;
  std::string why;
  SECTION("cancelled") {
    bench.pool.comes_to = "canceled";
    why = "somebody stopped the scrub of tank";
  }
  SECTION("paused") {
    bench.pool.comes_to = "paused";
    why = "somebody stopped the scrub of tank";
  }
  SECTION("refused") {
    bench.pool.refusal = "cannot scrub tank: pool is currently unavailable";
    why = "pool is currently unavailable";
  }
  SECTION("a resilver") {
    bench.pool.function = "resilver";
    why = "it is scrubbed after that";
  }
  SECTION("stopped") {
    bench.pool.looks_until_end = 1000;
    bench.host.stop_at(bench.host.now() + std::chrono::minutes(1));
    why = "cancelled";
  }

  const auto failure = bench.failure();

  CHECK(failure.find(why) != std::string::npos);
  INFO(failure);
  CHECK(bench.work().outcome != schema::Outcome::SUCCEEDED);
}

TEST_CASE("scrub: of a pool that may only be read none is begun: it would never end",
          "[agent][zfs]") {
  Bench bench;
  bench.pool.read_only = true;
  CHECK_THAT(bench.failure(), Catch::Contains("tank is imported to be read only"));
  CHECK(bench.pool.function == "none");

  // One that there was before will do.
  bench.pool.function = "scrub";
  bench.pool.state = "finished";
  bench.pool.ended = bench.host.now() - std::chrono::hours(24);
  CHECK(bench.work().outcome == schema::Outcome::SUCCEEDED);
}

TEST_CASE("scrub: errors that it found are told", "[agent][zfs]") {
  Bench bench;
  bench.pool.errors = 3;

  const auto work = bench.work();

  CHECK(work.facts->reader().getZfsScrub().getErrors() == 3);
  CHECK(work.facts->reader().getZfsScrub().getConcerns().size() != 0);
}

}  // namespace relab::agent::zfs
