#include "controller/gates/data_pools.h"

#include <algorithm>

#include "controller/lab/hosts.h"

namespace relab::controller {

namespace {

using LabDisk = schema::Lab::Disk::Reader;

std::vector<LabDisk> disks_of(schema::Lab::Reader lab, LabPool pool) {
  std::vector<LabDisk> disks;
  for (const auto name : pool.getDisks())
    for (const auto disk : lab.getDisks())
      if (view(disk.getName()) == view(name)) disks.push_back(disk);
  return disks;
}

}  // namespace

std::vector<LabPool> data_pools(schema::Lab::Reader lab) {
  std::vector<LabPool> pools;
  for (const auto pool : lab.getPools()) {
    const auto disks = disks_of(lab, pool);
    const bool data = std::ranges::all_of(
        disks, [](LabDisk disk) { return disk.getRole() == schema::Lab::Disk::Role::DATA; });
    if (data && !disks.empty()) pools.push_back(pool);
  }
  return pools;
}

std::string host_of(schema::Lab::Reader lab, LabPool pool) {
  return std::string(lab::host_of(pool, lab));
}

std::string run_for(schema::Lab::Reader lab, const About& about) {
  for (const auto phase : lab.getPlan().getPhases())
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps())
        if (about(step.getTask())) return fmt::format("relab run {}", view(phase.getName()));
  return "give a phase a step that does it (relab kinds)";
}

std::string pool_concern(const Evidences& evidences, LabPool pool, std::uint64_t guid) {
  const auto* audit = evidences.state.last_ended(host_of(evidences.lab, pool), "auditZfs");
  if (audit == nullptr || !audit->evidence ||
      !audit->evidence->report.reader().getFacts().isAuditZfs())
    return "the audit has seen no pool of that name";
  for (const auto seen : audit->evidence->report.reader().getFacts().getAuditZfs().getPools()) {
    if (view(seen.getName()) != view(pool.getName())) continue;
    if (seen.getGuid() == guid) return {};
    return "it is of another pool than the one of that name that the audit saw";
  }
  return "the audit has seen no pool of that name";
}

std::string age_of(const Evidences& evidences, const Testimony& heard) {
  return human(evidences.now - heard.task->ordered);
}

}  // namespace relab::controller
