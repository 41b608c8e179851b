// A run that is shown while it goes on.

#include <algorithm>
#include <fmt/format.h>

#include "controller/cli/run_part.h"

namespace relab::controller::cli {

namespace {

constexpr auto look_interval = Millis(5000);

bool waits_for(schema::Lab::Phase::Reader phase, std::string_view before) {
  return any_in(phase.getAfter(), [&](auto name) { return view(name) == before; });
}

}  // namespace

std::vector<std::string> PartRunner::open_conditions(const std::string& phase) const {
  std::vector<std::string> open;
  for (const auto candidate : lab_.reader().getPlan().getPhases()) {
    if (!waits_for(candidate, phase)) continue;
    const auto gate = gate_of(str(candidate.getName()));
    if (!gate || gate->open) continue;
    std::vector<std::string> names;
    for (const auto& verdict : gate->verdicts)
      if (!verdict.met()) names.push_back(verdict.condition);
    open.push_back(fmt::format("{}: {}", view(candidate.getName()), fmt::join(names, ", ")));
  }
  return open;
}

void PartRunner::redraw(const Going& going, Instant begun) {
  const auto now = now_of_system().steady;
  if (now - looked_ >= look_interval) {
    looked_ = now;
    going.show->tell_open_conditions(open_conditions(going.record.phase));
  }
  going.show->redraw(going.driver.engine(), now - begun, now);
}

}  // namespace relab::controller::cli
