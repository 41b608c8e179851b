#include "controller/gates/key_proof.h"

#include <set>

#include "controller/gates/data_pools.h"

namespace relab::controller {

namespace {

/// The datasets of the pool that have keys of their own.
std::set<std::string> roots_in(schema::AuditZfs::Facts::Reader audit, const std::string& pool) {
  std::set<std::string> roots;
  for (const auto row : audit.getDatasets()) {
    const auto root = str(row.getEncryptionRoot());
    if (root == pool || root.starts_with(pool + "/")) roots.insert(root);
  }
  return roots;
}

/// As the audit saw them; with the pool itself, of which lab.toml says that it is one.
std::set<std::string> encryption_roots(const Evidences& evidences, LabPool pool) {
  const auto name = str(pool.getName());
  std::set<std::string> roots;
  const auto* audit = evidences.state.last_ended(host_of(evidences.lab, pool), "auditZfs");
  if (audit != nullptr && audit->evidence &&
      audit->evidence->report.reader().getFacts().isAuditZfs())
    roots = roots_in(audit->evidence->report.reader().getFacts().getAuditZfs(), name);
  roots.insert(name);
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

/// The first key that is not proven, or the last one.
Finding keys_of(const Evidences& evidences, LabPool pool, const std::set<std::string>& roots,
                std::chrono::seconds max_age) {
  Finding finding;
  for (const auto& root : roots) {
    finding = key_of(evidences, pool, root, max_age);
    if (!finding.met()) break;
  }
  return finding;
}

/// A pool whose own dataset is not encrypted, by lab.toml: the audit must say so, too; what is
/// encrypted below it needs its keys.
Finding plain_pool(const Evidences& evidences, LabPool pool, std::chrono::seconds max_age) {
  const auto name = str(pool.getName());
  auto heard = hear(evidences, {.subject = fmt::format("key of {}", name),
                                .agent = host_of(evidences.lab, pool),
                                .arm = "auditZfs",
                                .max_age = max_age,
                                .supply = "relab run 0a",
                                .never = "the audit has seen no pool of that name"});
  if (heard.task == nullptr) return heard.finding;
  const auto audit = heard.facts().getAuditZfs();
  const auto roots = roots_in(audit, name);
  bool seen = false;
  for (const auto row : audit.getDatasets()) {
    const auto dataset = str(row.getName());
    if (dataset.substr(0, dataset.find('/')) != name) continue;
    seen = true;
    const bool is_plain = view(row.getEncryption()) == "off";
    if (is_plain || (dataset != name && roots.contains(str(row.getEncryptionRoot())))) continue;
    heard.refute(fmt::format("lab.toml says that it is not encrypted, and {} is", dataset));
    return heard.finding;
  }
  if (!seen) heard.refute("the audit has seen no dataset of it");
  if (seen && !roots.empty()) return keys_of(evidences, pool, roots, max_age);
  if (seen) heard.confirm("it is not encrypted");
  return heard.finding;
}

}  // namespace

Verdict key_proven(const Evidences& evidences, std::chrono::seconds max_age) {
  return for_each_pool("key.proven", evidences, [&](LabPool pool) {
    if (!pool.getEncrypted()) return plain_pool(evidences, pool, max_age);
    return keys_of(evidences, pool, encryption_roots(evidences, pool), max_age);
  });
}

}  // namespace relab::controller
