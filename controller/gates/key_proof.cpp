#include "controller/gates/key_proof.h"

#include <set>

#include "controller/gates/data_pools.h"

namespace relab::controller {

namespace {

/// A pool that lab.toml says is not encrypted needs no key, if the audit says so, too.
Finding plain_pool(const Evidences& evidences, LabPool pool, std::chrono::seconds max_age) {
  auto heard = hear(evidences, {.subject = fmt::format("key of {}", view(pool.getName())),
                                .agent = host_of(evidences.lab, pool),
                                .arm = "auditZfs",
                                .max_age = max_age,
                                .supply = "relab run 0a",
                                .never = "the audit has seen no pool of that name"});
  if (heard.task == nullptr) return heard.finding;
  bool seen = false;
  for (const auto row : heard.facts().getAuditZfs().getDatasets()) {
    const auto name = view(row.getName());
    if (name.substr(0, name.find('/')) != view(pool.getName())) continue;
    seen = true;
    if (view(row.getEncryption()) == "off") continue;
    heard.refute(fmt::format("lab.toml says that it is not encrypted, and {} is", name));
    return heard.finding;
  }
  if (seen)
    heard.confirm("it is not encrypted");
  else
    heard.refute("the audit has seen no dataset of it");
  return heard.finding;
}

/// The datasets of the pool that have keys of their own, as the audit saw them; the pool itself
/// where it saw none.
std::set<std::string> encryption_roots(const Evidences& evidences, LabPool pool) {
  const auto name = str(pool.getName());
  std::set<std::string> roots = {name};
  const auto* audit = evidences.state.last_ended(host_of(evidences.lab, pool), "auditZfs");
  if (audit == nullptr || !audit->evidence ||
      !audit->evidence->report.reader().getFacts().isAuditZfs())
    return roots;
  for (const auto row : audit->evidence->report.reader().getFacts().getAuditZfs().getDatasets()) {
    const auto root = str(row.getEncryptionRoot());
    if (root == name || root.starts_with(name + "/")) roots.insert(root);
  }
  return roots;
}

Finding key_of(const Evidences& evidences, LabPool pool, const std::string& root,
               std::chrono::seconds max_age) {
  const About about = [root](schema::Task::Reader task) {
    return task.isZfsKeyCheck() && view(task.getZfsKeyCheck().getDataset()) == root;
  };
  auto heard = hear(evidences, {.subject = fmt::format("key of {}", root),
                                .agent = host_of(evidences.lab, pool),
                                .arm = "zfsKeyCheck",
                                .about = about,
                                .max_age = max_age,
                                .supply = run_for(evidences.lab, about),
                                .never = "it was never tried"});
  if (heard.task == nullptr) return heard.finding;
  const auto facts = heard.facts().getZfsKeyCheck();
  auto concern = facts.getProven() ? pool_concern(evidences, pool, facts.getPoolGuid())
                                   : "the key does not open it: " + str(facts.getWords());
  if (concern.empty()) concern = secret_concern(evidences, *heard.task);
  if (!concern.empty())
    heard.refute(std::move(concern));
  else
    heard.confirm(fmt::format("it opened the pool's master key {} ago", age_of(evidences, heard)));
  return heard.finding;
}

}  // namespace

Verdict key_proven(const Evidences& evidences, std::chrono::seconds max_age) {
  return for_each_pool("key.proven", evidences, [&](LabPool pool) {
    if (!pool.getEncrypted()) return plain_pool(evidences, pool, max_age);
    Finding finding;
    for (const auto& root : encryption_roots(evidences, pool)) {
      finding = key_of(evidences, pool, root, max_age);
      if (!finding.met()) break;
    }
    return finding;
  });
}

}  // namespace relab::controller
