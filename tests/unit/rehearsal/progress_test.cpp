// What is to be seen of a rehearsal while it goes on.

#include "controller/rehearsal/sights.h"
#include "controller/report/pace.h"
#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

namespace {

/// Notes what steps tell of their progress.
class Watching final : public Onlooker, public controller::Narrator {
 public:
  controller::Narrator& begins(const RehearsedPhase& /*phase*/) override { return *this; }
  Result<void> passes(const Stage& /*stage*/, const controller::Engine& /*engine*/,
                      Millis /*since*/) override {
    return {};
  }
  void ends() override {}
  void agent_up(const std::string& agent, const controller::Greeting& /*greeting*/) override {
    up.insert(agent);
  }
  void agent_down(const std::string& /*agent*/, const Error& /*why*/) override {}
  void step_changed(const controller::StepRun& /*run*/) override {}
  void progress(const controller::StepRun& run, schema::Progress::Reader progress,
                Millis at) override {
    if (view(progress.getUnit()) == "bytes")
      told[run.step.path].push_back(
          {.done = progress.getDone(), .total = progress.getTotal(), .at = at});
    if (progress.getForPerson().size() != 0) asked.insert(run.step.path);
  }
  void still_waiting(const controller::Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& /*what*/) override {}
  void enrolled(const std::string& /*agent*/, const Party& /*party*/) override {}

  std::map<std::string, std::vector<controller::Pace::Sample>> told;
  std::set<std::string> asked;
  std::set<std::string> up;
};

}  // namespace

TEST_CASE("rehearsal: who looks on is told how far each step is, in real bytes", "[rehearsal]") {
  Rehearsed rehearsed({}, Rehearsed::When::later);
  Watching watching;
  must(rehearsed.rehearsal->run(watching));

  CHECK(watching.up == std::set<std::string>{"z640"});
  CHECK(watching.asked == std::set<std::string>{"0b/0b/disk"});
  for (const auto* step : {"write", "verify"}) {
    INFO(step);
    const auto& told = watching.told.at(std::string("0b/0b/") + step);
    CHECK(told.size() > 20);
    CHECK(told.size() < 200);
    controller::Pace pace;
    for (const auto& sample : told) {
      CHECK(sample.total > std::uint64_t{1} << 40U);
      CHECK(sample.done <= sample.total);
      pace.add(sample);
    }
    CHECK(told.back().done > told.back().total / 100 * 95);
    // About as fast as the disk is.
    REQUIRE(pace.rate());
    CHECK(*pace.rate() > 50e6);
    CHECK(*pace.rate() < 500e6);
  }
}

TEST_CASE("rehearsal: the longer a task takes, the rarer it is looked at", "[rehearsal]") {
  Sights sights;
  const auto begin = Instant(std::chrono::hours(1));
  const auto see = [&](unsigned second, std::string what, std::string for_person) {
    sights.add({.when = begin + std::chrono::seconds(second),
                .advance = {.done = second, .unit = "bytes", .what = std::move(what)},
                .for_person = std::move(for_person)});
  };
  for (unsigned second = 0; second < 100'000; ++second) see(second, "sending", "");
  CHECK(sights.all().size() > 40);
  CHECK(sights.all().size() < 100);
  CHECK(sights.all().back().advance.done > 98'000);
  see(100'000, "waiting", "plug it in");
  see(100'000, "sending", "");
  const auto size = sights.all().size();
  CHECK(sights.all()[size - 2].for_person == "plug it in");
  CHECK(sights.all()[size - 1].advance.what == "sending");
}

}  // namespace relab::rehearsal
