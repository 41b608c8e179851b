// What a rehearsal found that a person should know.

#include <fmt/format.h>
#include <set>

#include "controller/rehearsal/contradictions.h"
#include "controller/rehearsal/rehearsal.h"
#include "controller/rehearsal/set.h"
#include "controller/rehearsal/side_by_side.h"
#include "controller/survival/losses.h"

namespace relab::rehearsal {

namespace {

void add_steps(const controller::State& state, const RehearsedPhase& phase,
               std::vector<Trouble>& troubles) {
  const auto* run = state.last_run(phase.name);
  if (run == nullptr) return;
  std::map<std::string, const controller::TaskRecord*> last;
  for (const auto* task : state.tasks_of(run->id)) {
    auto& known = last[task->step];
    if (known == nullptr || known->attempt <= task->attempt) known = task;
  }
  for (const auto& [step, task] : last) {
    if (!task->refusal.empty()) {
      troubles.push_back({Trouble::Kind::failed, step, "its agent refused it: " + task->refusal});
      continue;
    }
    if (!task->evidence) continue;
    const auto report = task->evidence->report.reader();
    if (report.getOutcome() == schema::Outcome::SUCCEEDED) continue;
    troubles.push_back({Trouble::Kind::failed, step, str(report.getFailure().getWhat()),
                        str(report.getFailure().getHint())});
  }
}

void add_waits(const RehearsedPhase& phase, std::vector<Trouble>& troubles) {
  for (const auto& waiting : phase.end.waiting)
    troubles.push_back(
        {Trouble::Kind::waits, waiting.path,
         fmt::format("waits for {}: {}", controller::name(waiting.wait), waiting.why)});
}

/// Not that another phase is not complete: that phase says why itself.
void add_unmet(const std::string& where, const controller::Gate& gate,
               std::vector<Trouble>& troubles) {
  for (const auto& verdict : gate.verdicts) {
    if (verdict.passes() || verdict.condition == "phase.complete") continue;
    for (const auto& finding : verdict.findings)
      if (!finding.met())
        troubles.push_back({.kind = Trouble::Kind::unmet,
                            .where = fmt::format("{}: {}", where, verdict.condition),
                            .what = fmt::format("{}: {}", finding.subject, finding.why),
                            .hint = finding.supply});
  }
}

controller::Gate only(controller::Gate gate, std::string_view condition) {
  std::erase_if(gate.verdicts, [&](const auto& one) { return one.condition != condition; });
  return gate;
}

/// What a new installation takes away, where the plan has one.
void add_losses(schema::Lab::Reader lab, const controller::Evidences& evidences,
                std::vector<Trouble>& troubles) {
  std::set<std::string> installed;
  for (const auto phase : lab.getPlan().getPhases())
    for (const auto host : phase.getInstalls()) installed.insert(str(host));
  for (const auto& host : installed) {
    for (const auto& [where, what] : controller::undecided_losses(evidences, host))
      troubles.push_back({Trouble::Kind::lost, where, what,
                          "name it in [[keep]] and have a step preserve it, or give it up there: "
                          "lose = true"});
  }
}

/// Devices of a pool that do not work, or that read, wrote or held something wrongly; ZFS has pools
/// ONLINE in which a spare or a cache is gone, or of which a disk was repaired time and again.
std::string vdev_concern(const agent::sim::Pool& pool) {
  std::vector<std::string> concerns;
  for (std::size_t i = 1; i < pool.vdevs.size(); ++i) {
    const auto& vdev = pool.vdevs[i];
    const bool is_group = std::ranges::any_of(
        pool.vdevs, [&](const auto& other) { return &other != &vdev && other.parent == i; });
    const auto errors = vdev.read_errors + vdev.write_errors + vdev.checksum_errors;
    const bool is_well =
        vdev.state.empty() || vdev.state == "ONLINE" || vdev.state == "AVAIL" || vdev.state == "-";
    if (is_group || (is_well && errors == 0)) continue;
    concerns.push_back(errors == 0 ? fmt::format("{} is {}", vdev.name, vdev.state)
                                   : fmt::format("{} is {}, with {} error(s) so far", vdev.name,
                                                 vdev.state, errors));
  }
  return fmt::format("{}", fmt::join(concerns, "; "));
}

}  // namespace

/// Pools that are not well when it is over, whether a gate asks or not.
void Rehearsal::add_pools(std::vector<Trouble>& troubles) const {
  for (const auto host : setting_.lab.reader().getHosts())
    for (const auto& pool : set_->system(str(host.getName()))->storage().pools().all()) {
      if (!pool.imported) continue;
      const auto errors = pool.data_errors.value_or(0);
      auto words = vdev_concern(pool);
      if (errors != 0)
        words = fmt::format("with {} data error(s) that ZFS cannot repair{}{}", errors,
                            words.empty() ? "" : "; ", words);
      if (pool.health == "ONLINE" && words.empty()) continue;
      troubles.push_back(
          {Trouble::Kind::unwell, "pool " + pool.name,
           fmt::format("is {} at the end{}{}", pool.health, words.empty() ? "" : ", ", words)});
    }
}

/// Disks that have failed by then, but for those whose pool says so itself: what a copy was read
/// back from, say.
void Rehearsal::add_disks(std::vector<Trouble>& troubles) const {
  const auto lab = setting_.lab.reader();
  const auto is_of_pool = [&](std::string_view serial) {
    return any_in(lab.getDisks(), [&](auto disk) {
      return view(disk.getSerial()) == serial && any_in(lab.getPools(), [&](auto pool) {
               return any_in(pool.getDisks(),
                             [&](auto name) { return view(name) == view(disk.getName()); });
             });
    });
  };
  for (const auto& serial : set_->failed_disks())
    if (!is_of_pool(serial))
      troubles.push_back({Trouble::Kind::unwell, "disk " + serial,
                          "has failed by the end, and what was written on it is gone with it: "
                          "evidence that rests on it is of a disk that was well"});
  for (const auto& serial : set_->pulled_disks())
    if (!is_of_pool(serial))
      troubles.push_back({Trouble::Kind::unwell, "disk " + serial,
                          "was pulled out, and nobody has plugged it in again: evidence that rests "
                          "on it is of a disk that was there"});
}

std::vector<Trouble> Rehearsal::troubles() const {
  auto troubles = lies_;
  troubles.insert(troubles.end(), setting_.known.begin(), setting_.known.end());
  for (auto& trouble : contradictions(setting_.lab.reader(), setting_.worlds))
    troubles.push_back(std::move(trouble));
  bool beyond = false;
  for (const auto& phase : phases_) {
    if (phase.steps == 0 && !beyond)
      troubles.push_back({Trouble::Kind::missing, "phase " + phase.name,
                          "has no steps in lab.toml: nothing goes beyond it"});
    else if (phase.installs && !beyond)
      troubles.push_back({Trouble::Kind::missing, "phase " + phase.name,
                          "installs a machine anew, which a rehearsal cannot play yet: nothing "
                          "goes beyond its gate"});
    add_steps(stage_->book().state(), phase, troubles);
    add_waits(phase, troubles);
    // What is wrong behind the first phase that stays open follows from that one.
    if (!beyond)
      add_unmet("gate of phase " + phase.name, phase.end.gate, troubles);
    else if (phase.installs)
      add_unmet("gate of phase " + phase.name, only(phase.end.gate, "data.survives"), troubles);
    if (!beyond && phase.steps != 0 && phase.end.ran)
      add_unmet("what phase " + phase.name + " must show", phase.proof, troubles);
    beyond = beyond || !phase.complete();
  }
  add_pools(troubles);
  add_disks(troubles);
  for (const auto& [address, names] : set_->shared_addresses())
    troubles.push_back({Trouble::Kind::clashes, "address " + address,
                        names + " both have it by the end: who is answered is a matter of chance"});
  add_losses(setting_.lab.reader(), stage_->evidences(setting_.lab.reader()), troubles);
  for (auto& trouble : side_by_side(setting_.lab.reader(), stage_->book().state(), course()))
    troubles.push_back(std::move(trouble));
  for (const auto& command : set_->unknown())
    troubles.push_back({Trouble::Kind::not_played, command,
                        "the simulation does not know how a real machine would answer"});
  for (const auto& [fault, why] : faults_->left())
    troubles.push_back(
        {Trouble::Kind::missing, "fault '" + fault + "'", "never came about: " + why});
  return troubles;
}

}  // namespace relab::rehearsal
