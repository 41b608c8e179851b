#include "controller/gates/pool_proofs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "common/reflect/union.h"
#include "controller/gates/data_pools.h"
#include "controller/gates/later_word.h"
#include "controller/gates/later_write.h"
#include "controller/gates/testimony.h"
#include "controller/gates/trials.h"
#include "controller/survival/members.h"

namespace relab::controller {

namespace {

/// The kinds that prove a copy: in a file, and in another pool.
constexpr std::array proving_arms = {"zfsBackupVerify", "zfsPoolBackupVerify"};

About verifies(LabPool pool) {
  return [name = str(pool.getName())](schema::Task::Reader task) {
    if (task.isZfsBackupVerify()) return view(task.getZfsBackupVerify().getDataset()) == name;
    return task.isZfsPoolBackupVerify() && view(task.getZfsPoolBackupVerify().getDataset()) == name;
  };
}

/// Of the verification that ended last.
std::string newest_arm(const Evidences& evidences, LabPool pool) {
  std::string newest = proving_arms[0];
  std::uint64_t closed = 0;
  for (const auto* arm : proving_arms) {
    const auto* task =
        evidences.state.last_ended(host_of(evidences.lab, pool), arm, verifies(pool));
    if (task == nullptr || task->closed <= closed) continue;
    closed = task->closed;
    newest = arm;
  }
  return newest;
}

/// What the newest verification says of a pool's copy.
Testimony hear_verification(const Evidences& evidences, LabPool pool, const std::string& what,
                            std::chrono::seconds max_age) {
  const auto about = verifies(pool);
  return hear(evidences, {.subject = fmt::format("{} of {}", what, view(pool.getName())),
                          .agent = host_of(evidences.lab, pool),
                          .arm = newest_arm(evidences, pool),
                          .about = about,
                          .max_age = max_age,
                          .supply = run_for(evidences.lab, about),
                          .never = "no copy of it was ever read back"});
}

/// Why no installation may rely on a disk with these serials; empty: it may.
std::string disk_concern(schema::Lab::Reader lab, std::string_view serials) {
  if (serials.empty()) return "the disk that has the copy told no serial number";
  for (const auto serial : split(serials, ',')) {
    const auto disk = disk_with_serial(lab, serial);
    if (!disk)
      return fmt::format("the copy lies on the disk {}, which lab.toml does not know", serial);
    if (disk->getRole() != schema::Lab::Disk::Role::BACKUP)
      return fmt::format("the copy lies on {} ({}), one of the lab's own disks",
                         view(disk->getName()), serial);
  }
  return {};
}

/// The task that wrote a copy, or why there is none. Where no report tells of it, since its agent
/// died just then, it is the one that found it written.
Result<const TaskRecord*> writer_of(const Evidences& evidences, LabPool pool,
                                    const std::string& arm, const About& about) {
  const auto* written = evidences.state.last_ended(host_of(evidences.lab, pool), arm, about);
  if (written == nullptr || !written->evidence)
    return fail(Fault::missing, "no task of this lab has written that copy");
  const auto report = written->evidence->report.reader();
  if (report.getOutcome() != schema::Outcome::SUCCEEDED ||
      reflect::member_of(capnp::toDynamic(report.getFacts())) != arm)
    return fail(Fault::conflict, "the last task that was to write that copy did not succeed");
  const TaskRecord* writer = nullptr;
  for (const auto& [id, task] : evidences.state.tasks())
    if (task.agent == written->agent && has_written(task, arm) &&
        about(task.order.reader().getTask()) &&
        (writer == nullptr || task.ordered >= writer->ordered))
      writer = &task;
  return writer == nullptr ? written : writer;
}

/// The manifest is the one that the agent reported when it wrote the copy.
std::string manifest_concern(const Evidences& evidences, LabPool pool, const TaskRecord& verify) {
  const auto params = verify.order.reader().getTask().getZfsBackupVerify();
  const auto facts = verify.evidence->report.reader().getFacts().getZfsBackupVerify();
  const auto written = writer_of(evidences, pool, "zfsBackup", [&](schema::Task::Reader task) {
    const auto copy = task.getZfsBackup();
    return view(copy.getDataset()) == view(params.getDataset()) &&
           view(copy.getFolder()) == view(params.getFolder()) &&
           view(copy.getName()) == view(params.getName());
  });
  if (!written) return written.error().what;
  const auto report = (*written)->evidence->report.reader();
  if (view(report.getFacts().getZfsBackup().getManifestDigest()) != view(facts.getManifestDigest()))
    return "its manifest is not the one that was written with it";
  if (view(facts.getSignedBy()) != hex((*written)->evidence->signer))
    return "its manifest is not signed by the agent that wrote it";
  return {};
}

/// The copy in a pool is the one that the agent reported when it wrote it, in that very pool.
std::string snapshots_concern(const Evidences& evidences, LabPool pool, const TaskRecord& verify) {
  const auto params = verify.order.reader().getTask().getZfsPoolBackupVerify();
  const auto facts = verify.evidence->report.reader().getFacts().getZfsPoolBackupVerify();
  const auto written = writer_of(evidences, pool, "zfsPoolBackup", [&](schema::Task::Reader task) {
    const auto copy = task.getZfsPoolBackup();
    return view(copy.getDataset()) == view(params.getDataset()) &&
           view(copy.getTarget()) == view(params.getTarget());
  });
  if (!written) return written.error().what;
  const auto copy = (*written)->evidence->report.reader().getFacts().getZfsPoolBackup();
  if (copy.getState() != schema::ZfsBackup::State::COMPLETE || facts.getCopyDigest().size() == 0 ||
      view(copy.getCopyDigest()) != view(facts.getCopyDigest()) ||
      copy.getTargetPoolGuid() != facts.getTargetPoolGuid())
    return "its pool and its snapshots are not those that were written";
  if (facts.getConcerns().size() != 0)
    return fmt::format("its pool is not intact: {}", view(facts.getConcerns()[0]));
  return {};
}

std::string writing_concern(const Evidences& evidences, LabPool pool, const TaskRecord& verify) {
  return verify.arm == "zfsPoolBackupVerify" ? snapshots_concern(evidences, pool, verify)
                                             : manifest_concern(evidences, pool, verify);
}

/// When the snapshot of the copy was taken, by the clock of its machine: of several datasets, the
/// last.
template <typename Verified>
Instant taken_at(Verified facts, std::string_view snapshot) {
  std::uint64_t taken = 0;
  for (const auto row : facts.getSnapshots())
    if (view(row.getName()) == snapshot) taken = std::max(taken, row.getCreatedAt());
  return instant_of(taken);
}

/// Writing, reading back and receiving terabytes takes days; a copy that is older than that is the
/// one of another time.
constexpr auto copy_age_max = std::chrono::days(30);

/// The datasets of which the copy has that snapshot.
template <typename Verified>
std::set<std::string> copied_in(Verified facts, std::string_view snapshot) {
  std::set<std::string> copied;
  for (const auto row : facts.getSnapshots())
    if (view(row.getName()) == snapshot) copied.insert(str(row.getDataset()));
  return copied;
}

std::string snapshot_of(const TaskRecord& verify) {
  const auto task = verify.order.reader().getTask();
  return task.isZfsBackupVerify() ? str(task.getZfsBackupVerify().getSnapshot())
                                  : str(task.getZfsPoolBackupVerify().getSnapshot());
}

template <typename Verified>
std::string copy_concern(const Evidences& evidences, LabPool pool, const TaskRecord& task,
                         Verified facts) {
  if (!facts.getReadBack() || facts.getState() != schema::ZfsBackup::State::COMPLETE)
    return "it was not read back to its end";
  if (facts.getSnapshots().size() == 0) return "it has no snapshot";
  if (auto concern = disk_concern(evidences.lab, view(facts.getDiskSerial())); !concern.empty())
    return concern;
  if (auto concern = writing_concern(evidences, pool, task); !concern.empty()) return concern;
  const auto snapshot = snapshot_of(task);
  const auto taken = taken_at(facts, snapshot);
  if (is_ahead(evidences.now, taken))
    return "its snapshot was taken in the future: was a clock set back?";
  if (evidences.now - taken > copy_age_max)
    return fmt::format("its snapshot was taken {} ago, which is more than {}: name a new one",
                       human(evidences.now - taken), human(copy_age_max));
  if (auto concern =
          later_write(evidences, {.pool = str(pool.getName()), .name = snapshot, .at = taken});
      !concern.empty())
    return concern;
  if (auto concern = left_out(evidences, pool, task, copied_in(facts, snapshot)); !concern.empty())
    return concern;
  return pool_concern(evidences, pool, facts.getPoolGuid());
}

std::string drill_concern(schema::ZfsBackupVerify::Drill::Reader drill, std::string_view what,
                          std::set<std::string> copied) {
  if (!drill.getDone())
    return fmt::format("it was not {} for practice{}{}", what,
                       drill.getWhy().size() == 0 ? "" : ": ", view(drill.getWhy()));
  if (drill.getDatasets().size() == 0) return "nothing of it was compared";
  for (const auto row : drill.getDatasets())
    if (row.getWhyNot().size() != 0)
      return fmt::format("{} was not compared: {}", view(row.getDataset()), view(row.getWhyNot()));
  for (const auto row : drill.getDatasets()) copied.erase(str(row.getDataset()));
  if (!copied.empty()) return fmt::format("{} was not compared", *copied.begin());
  if (!any_in(drill.getDatasets(), [](auto row) {
        return row.getConfigFiles() + row.getSampled() + row.getBytes() != 0;
      }))
    return "not one byte of it was compared";
  return {};
}

/// "12 snapshots in 3.1 GiB on USB1", "12 snapshots in the pool 'usbpool' on USB1"
std::string where_is(schema::Facts::Reader verified) {
  const auto place =
      verified.isZfsPoolBackupVerify()
          ? fmt::format("the pool '{}'", view(verified.getZfsPoolBackupVerify().getTargetPool()))
          : human_bytes(verified.getZfsBackupVerify().getBytes());
  return with_facts(verified, [&](auto facts) {
    return fmt::format("{} snapshots in {} on {}", facts.getSnapshots().size(), place,
                       view(facts.getDiskSerial()));
  });
}

}  // namespace

Verdict backup_verified(const Evidences& evidences, std::chrono::seconds max_age) {
  return for_each_pool("backup.verified", evidences, [&](LabPool pool) {
    auto heard = hear_verification(evidences, pool, "copy", max_age);
    if (heard.task == nullptr) return heard.finding;
    auto concern = with_facts(heard.facts(), [&](auto facts) {
      return copy_concern(evidences, pool, *heard.task, facts);
    });
    if (!concern.empty())
      heard.refute(std::move(concern));
    else
      heard.confirm(fmt::format(
          "{}, taken {} ago, read back {} ago", where_is(heard.facts()),
          with_facts(heard.facts(),
                     [&](auto facts) {
                       return human(evidences.now - taken_at(facts, snapshot_of(*heard.task)));
                     }),
          age_of(evidences, heard)));
    return heard.finding;
  });
}

Verdict backup_drilled(const Evidences& evidences, std::chrono::seconds max_age) {
  return for_each_pool("backup.drilled", evidences, [&](LabPool pool) {
    auto heard = hear_verification(evidences, pool, "restore", max_age);
    if (heard.task == nullptr) return heard.finding;
    const auto* const what = heard.facts().isZfsPoolBackupVerify() ? "opened" : "received";
    auto concern = with_facts(heard.facts(), [&](auto facts) {
      return drill_concern(facts.getDrill(), what, copied_in(facts, snapshot_of(*heard.task)));
    });
    // That it was not tried at all; what a trial found is no matter of taste.
    const bool tried =
        with_facts(heard.facts(), [](auto facts) { return facts.getDrill().getDone(); });
    const auto trouble = tried ? std::string() : failed_trial(evidences, *heard.task);
    heard.finding.excusable = !tried && trouble.empty();
    if (!trouble.empty()) concern += fmt::format("; the last trial of it failed: {}", trouble);
    // A copy keeps the key that its pool had when it was written.
    if (concern.empty()) concern = secret_concern(evidences, *heard.task);
    if (!concern.empty())
      heard.refute(std::move(concern));
    else
      heard.confirm(with_facts(heard.facts(), [&](auto facts) {
        return fmt::format("{} datasets {} and compared by ZFS {}, {} ago",
                           facts.getDrill().getDatasets().size(), what,
                           view(facts.getModuleVersion()), age_of(evidences, heard));
      }));
    return heard.finding;
  });
}

Verdict pools_intact(const Evidences& evidences, std::chrono::seconds max_age) {
  return for_each_pool("pools.intact", evidences, [&](LabPool pool) {
    const About about = [name = str(pool.getName())](schema::Task::Reader task) {
      return task.isPoolHealth() && view(task.getPoolHealth().getPool()) == name;
    };
    auto heard = hear(evidences, {.subject = fmt::format("health of {}", view(pool.getName())),
                                  .agent = host_of(evidences.lab, pool),
                                  .arm = "poolHealth",
                                  .about = about,
                                  .max_age = max_age,
                                  .supply = run_for(evidences.lab, about),
                                  .never = "it was never looked at"});
    if (heard.task == nullptr) return heard.finding;
    const auto facts = heard.facts().getPoolHealth();
    std::vector<std::string> concerns;
    for (const auto concern : facts.getConcerns()) concerns.push_back(str(concern));
    auto other = pool_concern(evidences, pool, facts.getPool().getGuid());
    if (other.empty()) other = member_concern(evidences.lab, pool, facts.getVdevs());
    if (other.empty()) other = scrub_concern(evidences, pool, *heard.task);
    // That redundancy is lost, and nothing else.
    heard.finding.excusable = facts.getOnlyDegraded() && other.empty();
    if (concerns.empty() && !other.empty()) concerns.push_back(std::move(other));
    if (!facts.getIntact() || !concerns.empty())
      heard.refute(fmt::format("{}", fmt::join(concerns, "; ")));
    else
      heard.confirm(fmt::format("nothing speaks against it, {} ago; scrubbed {} ago",
                                age_of(evidences, heard),
                                human(evidences.now - instant_of(facts.getScrubbedAt()))));
    return heard.finding;
  });
}

}  // namespace relab::controller
