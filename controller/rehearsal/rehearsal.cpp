#include "controller/rehearsal/rehearsal.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/file.h"
#include "controller/lab/lab.h"
#include "controller/plan/plan.h"
#include "controller/rehearsal/faults.h"
#include "controller/rehearsal/parcels.h"
#include "controller/rehearsal/roles.h"
#include "controller/rehearsal/set.h"
#include "controller/rehearsal/truth.h"
#include "controller/secrets/uses.h"

namespace relab::rehearsal {

namespace {

/// A machine that lost its power, until its agent answers again.
constexpr auto restart = Millis(std::chrono::seconds(90));

std::set<std::string> secret_names(schema::Lab::Reader lab) {
  std::set<std::string> names;
  for (const auto& [name, users] : controller::secret_users(lab)) names.insert(name);
  return names;
}

/// Agents that have something to do, and that no step brings.
std::set<std::string> agents_brought_by_people(schema::Lab::Reader lab) {
  std::set<std::string> needed;
  std::set<std::string> brought;
  for (const auto& name : controller::phase_names(lab)) {
    const auto plan = controller::compile_phase(lab, name);
    if (!plan) continue;
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        needed.insert(step.agent);
        if (!step.brings.empty()) brought.insert(step.brings);
      }
  }
  std::erase_if(needed, [&](const auto& agent) { return brought.contains(agent); });
  return needed;
}

/// The role that suits what runs in a guest.
std::string role_for(schema::Lab::Guest::Reader guest) {
  using Kind = schema::Lab::Service::Kind;
  for (const auto service : guest.getServices()) {
    switch (service.getKind()) {
      case Kind::PBS:
        return "pbs";
      case Kind::WIREGUARD:
        return "wireguard";
      case Kind::JELLYFIN:
        return "jellyfin";
      case Kind::SONARR:
      case Kind::RADARR:
      case Kind::PROWLARR:
      case Kind::QBITTORRENT:
      case Kind::SABNZBD:
        return "arr";
      case Kind::OLLAMA:
      case Kind::OPEN_WEBUI:
      case Kind::DOCKER:
        return "trillian";
      case Kind::VAULT:
        return "vault";
      case Kind::PROMETHEUS:
      case Kind::GRAFANA:
      case Kind::PVE_EXPORTER:
        return "monitoring";
      case Kind::UNSET:
      case Kind::NODE_EXPORTER:
      case Kind::CADDY:
        break;
    }
  }
  return "admin";
}

Result<std::string> role_manifest(const std::string& role) {
  const auto& all = role_manifests();
  const auto found = all.find(role);
  if (found != all.end()) return found->second;
  return fail(Fault::missing, fmt::format("relab knows no role '{}'", role));
}

}  // namespace

Rehearsal::Rehearsal(Setting setting) : setting_(std::move(setting)) {}
Rehearsal::~Rehearsal() = default;

Result<std::unique_ptr<Rehearsal>> Rehearsal::make(Setting setting) {
  std::error_code ignored;
  if (std::filesystem::exists(setting.folder, ignored))
    return fail(Fault::conflict, fmt::format("{} is there already", setting.folder.string()),
                "name another folder: a rehearsal is never put into an old one");
  std::unique_ptr<Rehearsal> rehearsal(new Rehearsal(std::move(setting)));
  RELAB_CHECK(rehearsal->open());
  return rehearsal;
}

Result<void> Rehearsal::open() {
  const auto lab = setting_.lab.reader();
  RELAB_TRY(set_, Set::make(lab, setting_.worlds));
  faults_ = std::make_unique<Faults>(
      setting_.faults,
      Faults::Listeners{.strike = [this](const FaultWish& wish) { return set_->strike(wish); },
                        .met = [this](const FaultWish& wish) { return set_->met(wish); },
                        .fall = [this](const std::string& agent,
                                       Instant when) { stage_->falls(agent, when, restart); },
                        .success = [this](const std::string& agent,
                                          schema::Order::Reader order) { doubt(agent, order); },
                        .failure = [this](const std::string& what) { set_->step_failed(what); }});
  for (const auto& wish : setting_.faults) {
    RELAB_CHECK(set_->check(wish));
    RELAB_CHECK(check_step(wish, lab));
  }
  RELAB_CHECK(make_private_folder(setting_.folder));
  RELAB_TRY(auto parcels, make_parcels(setting_.folder / "packages"));
  RELAB_TRY(stage_,
            Stage::make({.lab = str(lab.getName()),
                         .begin = setting_.begin,
                         .folder = setting_.folder,
                         .secrets = secret_names(lab),
                         .parcels = std::move(parcels),
                         .fate = faults_.get(),
                         .reached = [this](const std::string& agent, const std::string& endpoint) {
                           return set_->is_reached(agent, endpoint);
                         }}));
  return enrol_hosts();
}

Result<void> Rehearsal::enrol_hosts() {
  const auto lab = setting_.lab.reader();
  RELAB_TRY(const auto manifest, role_manifest("proxmox"));
  for (const auto host : lab.getHosts()) {
    const auto name = str(host.getName());
    RELAB_TRY(auto endpoint, lab::agent_endpoint(lab, name));
    RELAB_CHECK(stage_->enrol({.name = name,
                               .endpoint = std::move(endpoint),
                               .role = manifest,
                               .machine = set_->machine(name)}));
  }
  set_->on_agent([this, lab](const agent::sim::StartedAgent& agent) -> Result<void> {
    RELAB_TRY(auto endpoint, lab::agent_endpoint(lab, agent.name));
    RELAB_TRY(auto role, role_manifest(agent.role));
    RELAB_TRY(auto keys, crypto::Keys::from(agent.keys.secret().view()));
    return stage_->place({.name = agent.name,
                          .endpoint = std::move(endpoint),
                          .role = std::move(role),
                          .machine = set_->inside(agent),
                          .keys = std::move(keys)});
  });
  return enrol_guests();
}

Result<void> Rehearsal::enrol_guests() {
  const auto lab = setting_.lab.reader();
  const auto wanted = agents_brought_by_people(lab);
  for (const auto guest : lab.getGuests()) {
    const auto name = str(guest.getName());
    auto* machine = wanted.contains(name) ? set_->inside(name) : nullptr;
    if (machine == nullptr) continue;
    const auto role = role_for(guest);
    RELAB_TRY(auto endpoint, lab::agent_endpoint(lab, name));
    RELAB_TRY(auto manifest, role_manifest(role));
    RELAB_CHECK(stage_->enrol({.name = name,
                               .endpoint = std::move(endpoint),
                               .role = std::move(manifest),
                               .machine = *machine}));
    assumptions_.push_back(
        fmt::format("an agent with the role '{}' is enrolled in {}, by a person", role, name));
  }
  return {};
}

void Rehearsal::doubt(const std::string& agent, schema::Order::Reader order) {
  auto* system = set_->system(agent);
  if (system == nullptr || order.getMode() != schema::Mode::APPLY) return;
  if (auto lie = lie_of(order.getTask(), *system); !lie.empty())
    lies_.push_back({Trouble::Kind::untrue, str(order.getStep()), std::move(lie)});
}

void Rehearsal::doubt(const RehearsedPhase& phase) {
  if (!phase.complete()) return;
  std::set<std::string> looked_at;
  for (const auto& verdict : phase.proof.verdicts)
    if (verdict.condition == "pools.intact")
      for (const auto& finding : verdict.findings) looked_at.insert(finding.subject);
  const auto lab = setting_.lab.reader();
  for (const auto pool : lab.getPools()) {
    const auto name = str(pool.getName());
    if (!looked_at.contains("health of " + name)) continue;
    for (const auto host : lab.getHosts()) {
      const auto* there = set_->system(str(host.getName()))->storage().pools().pool(name);
      if (there != nullptr && there->health != "ONLINE")
        lies_.push_back({Trouble::Kind::untrue,
                         fmt::format("what phase {} must show: pools.intact", phase.name),
                         fmt::format("{} is {} by now", name, there->health),
                         "look at it once more as the last step of the phase: pool_health"});
    }
  }
}

/// What waits for a phase that is not done is not begun: nobody waives anything in a rehearsal.
bool Rehearsal::may_come_next(schema::Lab::Phase::Reader phase) const {
  return std::ranges::all_of(phases_, [&](const auto& before) {
    return before.complete() ||
           !any_in(phase.getAfter(), [&](auto name) { return view(name) == before.name; });
  });
}

Result<void> Rehearsal::run(Onlooker& onlooker) {
  const auto lab = setting_.lab.reader();
  faults_->begin();
  for (const auto& name : controller::phases_in_order(lab)) {
    RELAB_TRY(const auto plan, controller::compile_phase(lab, name));
    RehearsedPhase phase{.name = name, .title = plan.title, .steps = plan.step_count()};
    bool next = false;
    for (const auto candidate : lab.getPlan().getPhases()) {
      if (view(candidate.getName()) != name) continue;
      phase.installs = candidate.getInstalls().size() != 0;
      next = may_come_next(candidate) && !phase.installs;
    }
    if (next && phase.steps != 0) {
      auto ended = stage_->run(setting_.lab, name, onlooker.begins(phase),
                               [&](const controller::Engine& engine, Millis since) {
                                 return onlooker.passes(*stage_, engine, since);
                               });
      onlooker.ends();
      if (!ended) return fail(ended.error());
      phase.end = *std::move(ended);
      RELAB_CHECK(set_->trouble());
    } else {
      RELAB_TRY(phase.end.gate, controller::judge_entry(name, stage_->evidences(lab)));
    }
    RELAB_TRY(phase.proof, controller::judge_proof(name, stage_->evidences(lab)));
    doubt(phase);
    phases_.push_back(std::move(phase));
  }
  return {};
}

Course Rehearsal::course() const {
  auto course = course_of(setting_.lab.reader(), stage_->book().state(), setting_.begin);
  for (auto& bar : course.bars)
    bar.person = bar.person ||
                 faults_->asked().contains(fmt::format("{}/{}/{}", bar.phase, bar.track, bar.step));
  return course;
}

std::vector<std::string> Rehearsal::faults_left() const {
  std::vector<std::string> all;
  for (const auto& [fault, why] : faults_->left()) all.push_back(fault);
  return all;
}

std::vector<std::string> Rehearsal::faults_met() const {
  std::vector<std::string> all;
  for (const auto& [fault, step] : faults_->came_about())
    all.push_back(fmt::format(
        "{}: {}{}", fault, step.empty() ? std::string("from the beginning on") : "in " + step,
        fault.starts_with("agent:")
            ? "; what the agent had done by then is done, and is in no report: of it, nothing is "
              "among the changes"
            : ""));
  return all;
}

std::vector<Request> Rehearsal::requests() const {
  std::vector<Request> all;
  const auto& state = stage_->book().state();
  for (const auto& phase : phases_) {
    const auto* run = state.last_run(phase.name);
    const auto plan = controller::compile_phase(setting_.lab.reader(), phase.name);
    if (run == nullptr || !plan) continue;
    std::set<std::string> ordered;
    for (const auto* task : state.tasks_of(run->id)) ordered.insert(task->step);
    for (const auto& track : plan->tracks)
      for (const auto& step : track) {
        const auto asked = faults_->asked().find(step.path);
        if (!step.instruction.empty() && ordered.contains(step.path))
          all.push_back({.step = step.path, .agent = step.agent, .what = step.instruction});
        else if (asked != faults_->asked().end())
          all.push_back({.step = step.path, .agent = step.agent, .what = asked->second});
        std::set<std::string> told;
        for (const auto& given : phase.end.approvals) {
          if (given.path != step.path) continue;
          auto what =
              fmt::format("Approve of what it destroys: {}", fmt::join(given.victims, "; "));
          if (told.insert(what).second)
            all.push_back({.step = step.path,
                           .agent = step.agent,
                           .what = std::move(what),
                           .command = "relab approve " + phase.name});
        }
      }
  }
  return all;
}

std::vector<std::string> Rehearsal::assumptions() const {
  std::vector<std::string> all;
  for (const auto& world : setting_.worlds)
    for (const auto sentence : world.reader().getAssumptions()) all.push_back(str(sentence));
  for (const auto& sentence : set_->usual_speeds()) all.push_back(sentence);
  all.insert(all.end(), assumptions_.begin(), assumptions_.end());
  all.emplace_back("every secret that the plan names is stored, and is the right one");
  all.emplace_back(
      "people do what they are asked for, and approve of what is to be destroyed, within five "
      "minutes");
  all.emplace_back(
      "programs run where systemd starts them, and are well: their own configuration is not read");
  return all;
}

}  // namespace relab::rehearsal
