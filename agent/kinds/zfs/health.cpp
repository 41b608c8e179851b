// A pool with permanent errors is ONLINE, and so is one whose disks give errors that ZFS still
// repairs: each thing that ZFS tells is looked at by itself.

#include "agent/kinds/zfs/health.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/zfs/ask.h"
#include "agent/kinds/zfs/write.h"
#include "common/base/time.h"

namespace relab::agent::zfs {

namespace {

using Audit = schema::AuditZfs::Facts;

struct Concern {
  std::string words;
  /// Redundancy is lost, and no data.
  bool of_redundancy = false;
};
using Concerns = std::vector<Concern>;

bool is_well(schema::AuditZfs::Vdev::Reader vdev) {
  const auto state = view(vdev.getState());
  return state == "ONLINE" || (view(vdev.getRole()) == "spare" && state == "AVAIL");
}

void add_pool(schema::AuditZfs::Pool::Reader pool, Concerns& concerns) {
  for (const auto word : {view(pool.getHealth()), view(pool.getState())})
    if (word != "ONLINE" && concerns.empty())
      concerns.push_back(
          {fmt::format("the pool is {}", word.empty() ? "in an unknown state" : word),
           word == "DEGRADED"});
  if (!pool.getErrorsKnown())
    concerns.push_back({"ZFS does not tell whether there are data errors"});
  if (pool.getDataErrors() != 0)
    concerns.push_back(
        {fmt::format("{} data error(s) that ZFS cannot repair", pool.getDataErrors())});
  // Only what is wrong has an identifier; that features could be enabled has none.
  if (pool.getMessage().size() != 0)
    concerns.push_back(
        {fmt::format("{}: {}", view(pool.getMessage()), view(pool.getStatus())), true});
}

void add_vdev(schema::AuditZfs::Vdev::Reader vdev, Concerns& concerns) {
  const auto name =
      vdev.getSerial().size() == 0
          ? str(vdev.getName())
          : fmt::format("{} (serial {})", view(vdev.getName()), view(vdev.getSerial()));
  if (!is_well(vdev) && vdev.getDepth() != 0)
    concerns.push_back({fmt::format("{} is {}", name, view(vdev.getState())), true});
  const auto errors = vdev.getReadErrors() + vdev.getWriteErrors() + vdev.getChecksumErrors();
  if (errors != 0)
    concerns.push_back(
        {fmt::format("{} has {} read, {} write and {} checksum error(s)", name,
                     vdev.getReadErrors(), vdev.getWriteErrors(), vdev.getChecksumErrors()),
         true});
}

// No disks read that much in a second.
constexpr std::uint64_t rate_max = std::uint64_t{64} << 30U;

/// ZFS has reported the end of a scrub, without errors, that can have read nothing.
bool is_too_fast(schema::AuditZfs::Scan::Reader scan, std::uint64_t allocated) {
  if (view(scan.getFunction()) != "scrub" || view(scan.getState()) != "finished" ||
      scan.getStartedAt() == 0 || scan.getEndedAt() < scan.getStartedAt())
    return false;
  const auto seconds = (scan.getEndedAt() - scan.getStartedAt()) / 1000 + 1;
  return allocated / seconds > rate_max;
}

void add_scan(schema::AuditZfs::Scan::Reader scan, Concerns& concerns) {
  const auto function = view(scan.getFunction());
  const auto state = view(scan.getState());
  if (scan.getErrors() != 0)
    concerns.push_back({fmt::format("the last {} left {} error(s)", function, scan.getErrors())});
  if (function != "scrub" && function != "errorscrub" && state != "finished")
    concerns.push_back({fmt::format("a {} is {}", function, state), true});
}

Concerns all_concerns(Audit::Reader facts) {
  Concerns concerns;
  for (const auto pool : facts.getPools()) add_pool(pool, concerns);
  for (const auto vdev : facts.getVdevs()) add_vdev(vdev, concerns);
  for (const auto scan : facts.getScans()) add_scan(scan, concerns);
  for (const auto scan : facts.getScans())
    for (const auto pool : facts.getPools())
      if (is_too_fast(scan, pool.getAllocated()))
        concerns.push_back({fmt::format("the last scrub ended after {} s: it cannot have read {}",
                                        (scan.getEndedAt() - scan.getStartedAt()) / 1000,
                                        human_bytes(pool.getAllocated()))});
  for (const auto gap : facts.getCoverage().getProblems())
    concerns.push_back({fmt::format("not known: {}: {}", view(gap.getPart()), view(gap.getWhy()))});
  if (facts.getVdevs().size() == 0) concerns.push_back({"ZFS tells of no disk of the pool"});
  return concerns;
}

}  // namespace

Result<Message<Audit>> read_pool(Host& host, const std::string& name) {
  Draft<Audit> facts;
  RELAB_TRY(const auto versions, read_versions(host));
  RELAB_TRY(const auto imported, read_pools(host));
  const auto found = std::ranges::find(imported, name, &Imported::name);
  if (found == imported.end())
    return fail(Fault::missing, fmt::format("no pool '{}' is imported", name), "import it first");
  RELAB_TRY(auto statuses, read_status(host, versions));
  if (statuses.no_guids) return fail(*statuses.no_guids);
  const auto status = std::ranges::find(statuses.pools, name, &PoolStatus::name);
  if (status == statuses.pools.end())
    return fail(Fault::damaged, fmt::format("zpool status does not know the pool '{}'", name));
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zpool", "get", "-Hp", "all", name}}));
  RELAB_TRY(auto properties, parse_pool_properties(text));
  const std::vector<Pool> pools = {
      {.imported = *found, .properties = properties[name], .status = *status}};
  Gaps gaps;
  write_pools(pools, *facts, gaps);
  write_scans(pools, *facts, gaps);
  write_damaged(pools, *facts);
  RELAB_TRY(auto devices, BlockDevices::read(host));
  const auto vdevs = place(host, *status, std::move(devices), 0, gaps);
  write_vdevs(vdevs, facts->initVdevs(size_of(vdevs)));
  facts->setToolVersion(versions.tool);
  facts->setModuleVersion(versions.module);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

std::vector<std::string> concerns_of(Audit::Reader facts) {
  std::vector<std::string> words;
  for (auto& concern : all_concerns(facts)) words.push_back(std::move(concern.words));
  return words;
}

bool is_only_degraded(Audit::Reader facts) {
  const auto concerns = all_concerns(facts);
  return !concerns.empty() && facts.getDamaged().size() == 0 &&
         std::ranges::all_of(concerns, &Concern::of_redundancy);
}

Result<Message<PoolHealth::Facts>> PoolHealth::observe(Params::Reader params, Host& host) {
  RELAB_TRY(const auto read, read_pool(host, str(params.getPool())));
  const auto audit = read.reader();
  Draft<Facts> facts;
  facts->setPool(audit.getPools()[0]);
  facts->setVdevs(audit.getVdevs());
  facts->setScans(audit.getScans());
  facts->setDamaged(audit.getDamaged());
  facts->setToolVersion(audit.getToolVersion());
  facts->setModuleVersion(audit.getModuleVersion());
  const auto concerns = concerns_of(audit);
  facts->setIntact(concerns.empty());
  facts->setOnlyDegraded(is_only_degraded(audit));
  auto list = facts->initConcerns(size_of(concerns));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, concerns[i]);
  for (const auto scan : audit.getScans())
    if (view(scan.getFunction()) == "scrub" && view(scan.getState()) == "finished")
      facts->setScrubbedAt(std::max(facts->getScrubbedAt(), scan.getEndedAt()));
  return std::move(facts).finish();
}

}  // namespace relab::agent::zfs
