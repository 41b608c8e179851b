// The copy is good or bad, and the evidence is of something else, too old, forged or replayed.

#include "tests/falsify/scene.h"

namespace relab::falsify {

namespace {

using controller::fixed_keys;
using std::chrono::hours;

constexpr auto verified = "backup.verified";

/// Where the copy has turned bad since, and the agent has said so.
struct Refuted : FileBench {
  Refuted() {
    host.file(stream_file, std::string(stream.size(), '\0'));
    verify();
    REQUIRE_FALSE(gate().open);
  }
  /// What was found when it was good, as if it had been found for the last order.
  controller::ReportParts good_words() const { return {.task = last_task(), .facts = good_facts}; }
};

}  // namespace

TEST_CASE("falsify: evidence that does not count", "[falsify]") {
  struct Case {
    std::string name;
    std::string says;
    std::function<void(FileBench&)> act;
  };
  const auto cases = std::vector<Case>{
      {"a day and an hour old", "older than",
       [](FileBench& bench) { bench.records.now += hours(25); }},
      {"from the future, since the clock was set back", "was the clock set back?",
       [](FileBench& bench) { bench.records.now -= hours(1); }},
      {"of an agent that was forgotten", "no agent 'pve' is enrolled",
       [](FileBench& bench) { bench.records.remove("pve"); }},
      {"of an agent with other keys", "of another machine than the one that is enrolled now",
       [](FileBench& bench) { bench.records.enrol("pve", fixed_keys(8)); }},
      {"of another machine with the same keys", "of another machine than the one",
       [](FileBench& bench) {
         bench.records.enrol("pve", bench.agent_keys, "ffffffffffffffffffffffffffffffff");
       }},
      {"of a machine that took its place in between", "of another machine than the one",
       [](FileBench& bench) {
         bench.machine_id = "ffffffffffffffffffffffffffffffff";
         bench.verify();
       }},
      {"with facts of another kind", "the report carries the facts of another kind",
       [](FileBench& bench) { bench.report_of_last({.facts = R"({"ping": {}})"}); }},
      {"of a pool that the audit does not know by then", "the audit has seen no pool",
       [](FileBench& bench) { bench.audit("otherpool"); }},
      {"of another pool than the audit knows by then", "another pool than the one of that name",
       [](FileBench& bench) { bench.audit("datapool", "7009"); }},
      {"of a copy that somebody wrote anew", "its manifest is not the one that was written with it",
       [](FileBench& bench) {
         for (const auto& file : must(bench.host.list("/mnt/usb")))
           bench.host.remove("/mnt/usb/" + file);
         bench.host.at(bench.host.now() + hours(1));
         bench.must_run("zfsBackup", FileBench::params());
       }},
      {"of a copy that was to be written anew, in vain", "did not succeed",
       [](FileBench& bench) {
         for (const auto& file : must(bench.host.list("/mnt/usb")))
           bench.host.remove("/mnt/usb/" + file);
         bench.pool.sends = [](const std::string&) { return agent::Output{.status = 1}; };
         bench.run("zfsBackup", FileBench::params());
       }},
  };
  for (const auto& way : cases) {
    DYNAMIC_SECTION(way.name) {
      FileBench bench;
      way.act(bench);
      CHECK_FALSE(bench.gate().open);
      CHECK_THAT(bench.concern(verified), Catch::Contains(way.says));
    }
  }
}

TEST_CASE("falsify: good words about a copy that is bad by then", "[falsify]") {
  Refuted bench;
  const auto good = [&](const controller::ReportParts& parts, const crypto::Keys& keys) {
    return bench.records.report(parts, keys);
  };
  SECTION("replayed") { must(bench.records.receive(bench.good_report)); }
  SECTION("for the last order, by a stranger") {
    CHECK_FALSE(good(bench.good_words(), fixed_keys(9)));
  }
  SECTION("for the last order, by another agent of the lab") {
    bench.records.enrol("other", fixed_keys(8), "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    CHECK_FALSE(good(bench.good_words(), fixed_keys(8)));
  }
  SECTION("for an order that was never given") {
    auto words = bench.good_words();
    words.task = controller::task_number(99);
    CHECK_FALSE(good(words, bench.agent_keys));
  }
  SECTION("for another run") {
    auto words = bench.good_words();
    words.run = RunId{.bytes = {9}};
    CHECK_FALSE(good(words, bench.agent_keys));
  }
  SECTION("edited behind the signature") {
    auto edited = bench.good_report;
    edited[edited.size() / 2] ^= 1;
    CHECK_FALSE(bench.records.receive(edited));
  }
  CHECK_FALSE(bench.gate().open);
  CHECK_THAT(bench.concern(verified), Catch::Contains("are not what was written"));
}

}  // namespace relab::falsify
