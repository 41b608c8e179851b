// Whether successes are doubted where they should be.

#include "controller/rehearsal/truth.h"

#include <set>

#include "controller/plan/plan.h"
#include "controller/rehearsal/set.h"
#include "tests/support/rehearsed.h"

namespace relab::rehearsal {

namespace {

/// Steps of a phase of which the machine says that they are not so.
std::set<std::string> untrue_steps(const Rehearsed& done, const std::string& phase) {
  std::set<std::string> untrue;
  const auto plan = must(controller::compile_phase(done.lab.reader(), phase));
  for (const auto& track : plan.tracks)
    for (const auto& step : track)
      if (!lie_of(step.task->reader(), *done.rehearsal->set().system("z640")).empty())
        untrue.insert(step.path.substr(step.path.rfind('/') + 1));
  return untrue;
}

}  // namespace

TEST_CASE("truth: what was done is so, until its disk fails", "[rehearsal]") {
  const Rehearsed done;
  REQUIRE(done.phase("0b").complete());
  CHECK(untrue_steps(done, "0b") == std::set<std::string>{});

  must(done.rehearsal->set().system("z640")->storage().fail_disk("NAAB0001"));

  CHECK(untrue_steps(done, "0b") == std::set<std::string>{"disk", "keep", "keep-tunnel", "keep-pbs",
                                                          "keep-jellyfin", "keep-arr", "write",
                                                          "verify"});
}

TEST_CASE("truth: a copy that was cut off is none, and a disk that is away has none",
          "[rehearsal]") {
  const Rehearsed done;
  REQUIRE(done.phase("0b").complete());
  auto& machine = *done.rehearsal->set().system("z640");
  const agent::Path copy = "/mnt/usb/datapool-pre-rebuild.zfs";
  const auto whole = must(machine.host().read_file(copy, std::size_t{64} << 20U));

  machine.host().file(copy, whole.substr(0, whole.size() - 1));
  CHECK(untrue_steps(done, "0b") == std::set<std::string>{"write", "verify"});
  machine.host().file(copy, whole);
  CHECK(untrue_steps(done, "0b") == std::set<std::string>{});

  must(machine.storage().pull("NAAB0001"));
  CHECK(untrue_steps(done, "0b").contains("write"));
}

}  // namespace relab::rehearsal
