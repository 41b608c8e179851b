#include "controller/cli/page/phases.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/reflect/resource.h"
#include "controller/cli/page/parts.h"
#include "controller/cli/show_gate.h"
#include "controller/plan/plan.h"
#include "controller/report/task_state.h"

namespace relab::controller::cli {

namespace {

using Json = nlohmann::json;
using Phase = schema::Lab::Phase::Reader;

/// With milliseconds: steps may take less than a second.
std::string instant_text(std::uint64_t unix_ms) {
  auto text = iso8601(instant_of(unix_ms));
  text.insert(text.size() - 1, fmt::format(".{:03}", unix_ms % 1000));
  return text;
}

bool is_failure(const std::string& state) {
  static const std::set<std::string> failures = {"failed", "refused", "cancelled", "unknown",
                                                 "given_up"};
  return failures.contains(state);
}

Json texts_of(capnp::List<capnp::Text>::Reader list) {
  auto texts = Json::array();
  for (const auto text : list) texts.push_back(str(text));
  return texts;
}

void add_report(const Evidence& evidence, Json& step) {
  const auto report = evidence.report.reader();
  if (report.getStartedAt() != 0) step["started"] = instant_text(report.getStartedAt());
  if (report.getEndedAt() != 0) step["ended"] = instant_text(report.getEndedAt());
  step["mode"] = report.getMode() == schema::Mode::CHECK ? "check" : "apply";
  // What an agent did that stopped meanwhile, nobody knows.
  if (report.getOutcome() != schema::Outcome::UNKNOWN || report.getChanges().size() != 0)
    step["changes"] = texts_of(report.getChanges());
  step["log"] = texts_of(report.getLog());
  step["digest"] = hex(evidence.digest);
  if (report.getOutcome() == schema::Outcome::SUCCEEDED) return;
  const auto failure = report.getFailure();
  step["failure"] = {{"fault", str(failure.getFault())},
                     {"what", str(failure.getWhat())},
                     {"hint", str(failure.getHint())}};
}

void add_task(const TaskRecord& task, Json& step) {
  step["state"] = task_state(task);
  step["task"] = task.id.text();
  step["attempt"] = task.attempt;
  step["ordered"] = iso8601(task.ordered);
  if (task.evidence) {
    add_report(*task.evidence, step);
  } else if (!task.open()) {
    step["failure"] = {{"fault", "refused"}, {"what", task.refusal + task.abandoned}};
  } else if (step.contains("instruction")) {
    step["wait"] = {{"for", "person"}, {"why", step["instruction"]}};
  }
}

/// The last one is the step's own; what those before it did is done, too.
void add_attempts(std::vector<const TaskRecord*> attempts, Json& step) {
  if (attempts.empty()) return;
  add_task(*attempts.back(), step);
  attempts.pop_back();
  for (const auto* task : attempts) {
    Json earlier;
    add_task(*task, earlier);
    step["earlier"].push_back(std::move(earlier));
  }
}

/// A phase as its last run left it.
class PhasePage {
 public:
  PhasePage(const Evidences& evidences, Phase phase)
      : evidences_(evidences),
        phase_(phase),
        run_(evidences.state.last_run(str(phase.getName()))) {}

  Result<Json> compose() {
    RELAB_TRY(const auto plan, compile_phase(evidences_.lab, str(phase_.getName())));
    RELAB_TRY(const auto sides, judge_sides(str(phase_.getName()), evidences_));
    Json page = {{"phase", str(phase_.getName())},
                 {"title", str(phase_.getTitle())},
                 {"after", texts_of(phase_.getAfter())},
                 {"installs", texts_of(phase_.getInstalls())},
                 {"gate", to_json(sides)},
                 {"tracks", tracks(plan)}};
    if (run_ != nullptr)
      page["run"] = {{"run", run_->id.text()},
                     {"started", iso8601(run_->started)},
                     {"ended", run_->ended ? Json(iso8601(*run_->ended)) : Json()},
                     {"check", run_->check},
                     {"track", run_->track}};
    page["state"] = state(sides);
    return page;
  }

 private:
  Json tracks(const PhasePlan& plan) {
    auto list = Json::array();
    for (unsigned i = 0; i < phase_.getTracks().size(); ++i) {
      const auto track = phase_.getTracks()[i];
      auto steps = Json::array();
      for (const auto& planned : plan.tracks.at(i)) steps.push_back(step(planned));
      block_behind_failures(steps);
      list.push_back({{"track", str(track.getName())},
                      {"title", str(track.getTitle())},
                      {"agent", str(track.getAgent())},
                      {"steps", std::move(steps)}});
    }
    return list;
  }

  Json step(const PlannedStep& planned) {
    auto json = step_json(planned);
    json["state"] = "never";
    if (!planned.instruction.empty()) json["instruction"] = planned.instruction;
    if (planned.destructive)
      json["destroys"] = Json::array({reflect::resource_of(planned.task->reader())});
    if (run_ != nullptr) add_attempts(attempts_at(evidences_.state, run_->id, planned.path), json);
    states_.insert(json["state"].get<std::string>());
    if (json.contains("wait")) states_.insert("person");
    return json;
  }

  static void block_behind_failures(Json& steps) {
    bool failed = false;
    for (auto& step : steps) {
      if (failed && step["state"] == "never") step["state"] = "blocked";
      failed = failed || is_failure(step["state"].get<std::string>());
    }
  }

  std::string state(const GateSides& sides) const {
    if (states_.empty()) return "empty";
    if (phase_complete(phase_, evidences_).met() && sides.proof.open) return "complete";
    if (std::ranges::any_of(states_, is_failure)) return "failed";
    if (states_.contains("person")) return "person";
    if (run_ != nullptr && !run_->ended) return "running";
    // All of it has run, and not shown what it must.
    if (run_ != nullptr && !run_->check && run_->track.empty() && !states_.contains("never"))
      return "unmet";
    return sides.entry.open ? "ready" : "closed";
  }

  const Evidences& evidences_;
  Phase phase_;
  const RunRecord* run_;
  /// Of all steps.
  std::set<std::string> states_;
};

/// What would supply what one side of the gate lacks, each once.
Json supplies(const Json& side) {
  auto next = Json::array();
  std::set<std::string> told;
  for (const auto& condition : side["conditions"])
    for (const auto& finding : condition["findings"]) {
      if (finding["met"].get<bool>() || !finding.contains("supply")) continue;
      const auto command = finding["supply"].get<std::string>();
      if (told.insert(command).second)
        next.push_back({{"command", command},
                        {"why", fmt::format("for {}", condition["condition"].get<std::string>())}});
    }
  return next;
}

/// What the first phase that is not complete needs.
Json verdict_on(const Json& phase) {
  const auto name = phase["phase"].get<std::string>();
  const auto state = phase["state"].get<std::string>();
  const auto run = Json::array({{{"command", "relab run " + name}, {"why", ""}}});
  if (state == "failed")
    return {{"state", "failed"},
            {"sentence", fmt::format("Phase {} has failed steps.", name)},
            {"next", run}};
  if (state == "person")
    return {{"state", "person"},
            {"sentence", fmt::format("Phase {} waits for a person.", name)},
            {"next", Json::array({{{"command", ""}, {"why", "See what is asked for below."}}})}};
  if (state == "running")
    return {
        {"state", "running"},
        {"sentence", fmt::format("Phase {} is under way.", name)},
        {"next", Json::array({{{"command", "relab watch"}, {"why", "to see how it gets on"}}})}};
  if (state == "unmet")
    return {{"state", "unmet"},
            {"sentence", fmt::format("Phase {} has run, and has not shown what it must.", name)},
            {"next", supplies(phase["gate"]["proof"])}};
  if (state == "ready")
    return {
        {"state", "ready"}, {"sentence", fmt::format("Phase {} may begin.", name)}, {"next", run}};
  if (state == "empty")
    return {{"state", "problem"},
            {"sentence",
             fmt::format("Phase {} has no steps in lab.toml: nothing goes beyond it.", name)},
            {"next", Json::array()}};
  return {{"state", "closed"},
          {"sentence", fmt::format("The gate of phase {} is shut.", name)},
          {"next", supplies(phase["gate"]["entry"])}};
}

}  // namespace

Result<Json> phases_json(const Evidences& evidences) {
  auto phases = Json::array();
  for (const auto phase : evidences.lab.getPlan().getPhases()) {
    RELAB_TRY(auto page, PhasePage(evidences, phase).compose());
    phases.push_back(std::move(page));
  }
  return phases;
}

Json verdict_json(const Json& phases) {
  const auto open =
      std::ranges::find_if(phases, [](const auto& phase) { return phase["state"] != "complete"; });
  if (open != phases.end()) return verdict_on(*open);
  return {{"state", "done"},
          {"sentence", "Every phase is complete, and has shown what it must."},
          {"next", Json::array()}};
}

}  // namespace relab::controller::cli
