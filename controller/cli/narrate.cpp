#include "controller/cli/narrate.h"

#include <fmt/format.h>

namespace relab::controller::cli {

namespace {

/// Of what a task does at the moment; enough to know the program.
constexpr std::size_t doing_max = 60;

std::string heading(Wait wait) {
  switch (wait) {
    case Wait::agent:
      return "parked";
    case Wait::person:
      return "PLEASE";
    case Wait::evidence:
    case Wait::approval:
    case Wait::nothing:
    case Wait::nobody:
      break;
  }
  return "waiting";
}

}  // namespace

void LineNarrator::agent_up(const std::string& agent, const Greeting& greeting) {
  out_.note(fmt::format("agent {} is there: version {}, role {}", agent, greeting.version,
                        greeting.role));
}

void LineNarrator::agent_down(const std::string& agent, const Error& why) {
  out_.note(fmt::format("agent {} is gone: {}", agent, why.what));
}

void LineNarrator::step_changed(const StepRun& run) {
  if (run.wait == Wait::nobody) return;
  if (run.wait != Wait::nothing)
    return out_.note(fmt::format("{:10} {}: {}", heading(run.wait), run.step.path, run.why));
  if (run.state == StepState::waiting || run.state == StepState::accepted) return;
  if (run.state == StepState::ordered && run.attempt < 2) return;
  out_.note(fmt::format("{:10} {}{}", name(run.state), run.step.path,
                        run.why.empty() ? "" : ": " + run.why));
}

void LineNarrator::progress(const StepRun& run, schema::Progress::Reader progress, Millis at) {
  const auto what = Printer::harmless(str(progress.getWhat()));
  auto& doing = doing_[run.step.path];
  if (view(progress.getUnit()) != "bytes") {
    doing = {.what = what, .pace = {}};
    return;
  }
  if (doing.what != what) doing = {.what = what, .pace = {}};
  doing.pace.add({.done = progress.getDone(), .total = progress.getTotal(), .at = at});
}

void LineNarrator::still_waiting(const Engine& engine, Millis since) {
  std::map<std::string, unsigned> alike;
  for (const auto& track : engine.tracks())
    for (const auto& run : track)
      if (!run.ended()) {
        auto doing = std::string();
        if (const auto known = doing_.find(run.step.path); known != doing_.end())
          doing = known->second.what.substr(0, doing_max) + known->second.pace.text();
        if (!run.why.empty()) doing = run.why;
        ++alike[fmt::format("{}{}{}", name(run.state), doing.empty() ? "" : ": ", doing)];
      }
  out_.note(fmt::format("after {}, still:", human(since)));
  for (const auto& [what, count] : alike) out_.note(fmt::format("  {} step(s) {}", count, what));
}

void LineNarrator::enrolled(const std::string& agent, const Party& party) {
  out_.note(fmt::format("agent '{}' is enrolled: {}, role {}", agent,
                        crypto::fingerprint(party.sign_key), party.agent_role));
}

void LineNarrator::warn(const std::string& what) { out_.note("warning: " + what); }

}  // namespace relab::controller::cli
