#include "controller/survival/fates.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/dataset.h"
#include "common/base/text.h"
#include "controller/gates/testimony.h"
#include "controller/survival/looks.h"

namespace relab::controller {

namespace {

using schema::Standing;

/// What is wanted comes out of these, and where it lies.
constexpr std::pair<const char*, const char*> sections[] = {
    {"zfs", "auditZfs"},         {"disks", "auditDisks"},         {"guests", "auditGuests"},
    {"arr", "auditArr"},         {"jellyfin", "auditJellyfin"},   {"pbs", "auditPbs"},
    {"network", "auditNetwork"}, {"schedules", "auditSchedules"}, {"services", "auditServices"}};

void keep(schema::Facts::Reader facts, HostAudit& audit) {
  if (facts.isAuditZfs()) audit.zfs = facts.getAuditZfs();
  if (facts.isAuditDisks()) audit.disks = facts.getAuditDisks();
  if (facts.isAuditGuests()) audit.guests = facts.getAuditGuests();
  if (facts.isAuditArr()) audit.arr = facts.getAuditArr();
  if (facts.isAuditJellyfin()) audit.jellyfin = facts.getAuditJellyfin();
  if (facts.isAuditPbs()) audit.pbs = facts.getAuditPbs();
  if (facts.isAuditNetwork()) audit.network = facts.getAuditNetwork();
  if (facts.isAuditSchedules()) audit.schedules = facts.getAuditSchedules();
  if (facts.isAuditServices()) audit.services = facts.getAuditServices();
}

using Preserve = schema::Preserve::Reader;
using Archived = schema::Preserve::Facts::Reader;

/// It has the path of that thing's place, and leaves nothing of it out but what may be lost.
bool covers(schema::Lab::Reader lab, Preserve params, const Thing& thing, const std::string& path) {
  if (params.getVmid() != thing.vmid || path.empty()) return false;
  const auto holds = [&](auto folder) { return is_below(path, view(folder)); };
  const auto cuts = [&](auto folder) {
    return is_below(path, view(folder)) ||
           (is_below(view(folder), path) && !is_given_up(lab, thing.host, thing.vmid, str(folder)));
  };
  return any_in(params.getPaths(), holds) && !any_in(params.getExclude(), cuts);
}

/// The archives of one host by its newest tasks: one for each name of an archive.
class Archives {
 public:
  Archives(const Evidences& evidences, std::string host, const Ground& ground,
           std::chrono::seconds max_age)
      : evidences_(evidences), host_(std::move(host)), ground_(ground), max_age_(max_age) {}

  /// Turns a loss into what was preserved; otherwise says why nothing that there is counts.
  void judge(Fate& fate, const Look& place) const {
    std::string why_not;
    for (const auto& [id, task] : evidences_.state.tasks()) {
      if (task.agent != host_ || task.arm != "preserve" || task.check) continue;
      const auto params = task.order.reader().getTask().getPreserve();
      if (!covers(evidences_.lab, params, fate.thing, fate.thing.path) || !is_newest(task, params))
        continue;
      auto heard = hear(evidences_, question(params));
      // What the newest one says: while that is open, nothing counts.
      if (heard.task != nullptr && heard.task != &task) heard.refute("it is being written anew");
      auto concern = heard.task == nullptr || !heard.finding.met()
                         ? heard.finding.why
                         : concern_of(heard, fate.thing.path);
      if (concern.empty()) concern = place_concern(fate.thing, place, params);
      if (concern.empty()) concern = lead_concern(fate.thing, heard.facts().getPreserve());
      if (concern.empty()) {
        fate.ending = Ending::preserved;
        fate.why = fmt::format("in {}/{}.tar.zst, read back {} ago", view(params.getFolder()),
                               view(params.getName()), human(evidences_.now - heard.task->ordered));
        fate.origin = origin_of(*heard.task);
        return;
      }
      why_not = fmt::format("; the archive {} does not count: {}", view(params.getName()), concern);
      fate.origin = heard.finding.origin;
    }
    fate.why += why_not;
    fate.supply = supply_for(fate.thing);
  }

 private:
  static bool same_archive(Preserve one, Preserve other) {
    return view(one.getFolder()) == view(other.getFolder()) &&
           view(one.getName()) == view(other.getName());
  }
  /// No other task has been at this archive since.
  bool is_newest(const TaskRecord& task, Preserve params) const {
    return std::ranges::none_of(evidences_.state.tasks(), [&](const auto& known) {
      const auto& other = known.second;
      return other.agent == host_ && other.arm == "preserve" && !other.check &&
             other.ordered > task.ordered &&
             same_archive(other.order.reader().getTask().getPreserve(), params);
    });
  }
  Question question(Preserve params) const {
    return {.subject = fmt::format("archive {}", view(params.getName())),
            .agent = host_,
            .arm = "preserve",
            .about =
                [folder = str(params.getFolder()),
                 name = str(params.getName())](schema::Task::Reader task) {
                  return task.isPreserve() && view(task.getPreserve().getFolder()) == folder &&
                         view(task.getPreserve().getName()) == name;
                },
            .max_age = max_age_,
            .supply = {},
            .never = "it was never written"};
  }
  /// Why an archive that has the path by its name does not have the thing; empty: it has.
  std::string place_concern(const Thing& thing, const Look& place, Preserve params) const {
    // A path that a step names has to be there, and all that its links lead to is told.
    const bool is_named =
        any_in(params.getPaths(), [&](auto path) { return view(path) == thing.path; });
    if (place.real.empty()) return thing.kept && !is_named ? place.concern : "";
    const auto named = ground_.on_host(thing.vmid, thing.path);
    if (named.empty() || named == place.real) return {};
    if (thing.vmid == 0 && covers(evidences_.lab, params, thing, place.real)) return {};
    return fmt::format("it has a link that leads to {} of the host, and not what is there",
                       place.real);
  }
  /// Why a link in the archive hides a part of the thing; empty: none does.
  std::string lead_concern(const Thing& thing, Archived facts) const {
    for (const auto lead : facts.getLeads()) {
      const auto link = str(lead.getPath());
      auto target = str(lead.getTarget());
      if (is_below(thing.path, link))
        target += thing.path.substr(link.size());
      else if (!is_below(link, thing.path))
        continue;
      const auto lot = thing.vmid == 0 ? ground_.of_host_path(target)
                                       : ground_.of_guest_path(thing.vmid, target);
      if (lot.survives || is_given_up(evidences_.lab, host_, thing.vmid, link) ||
          is_given_up(evidences_.lab, host_, thing.vmid, target))
        continue;
      return fmt::format("{} in it is a link to {}, which is not in it, and lost: {}", link, target,
                         lot.why);
    }
    if (facts.getLeadCount() > facts.getLeads().size())
      return fmt::format("{} links in it lead out of it, too many to tell", facts.getLeadCount());
    return {};
  }
  /// Why the archive does not preserve that path; empty: it does.
  std::string concern_of(const Testimony& heard, std::string_view path) const {
    const Archived facts = heard.facts().getPreserve();
    if (facts.getState() != schema::ZfsBackup::State::COMPLETE) return "it is not whole";
    if (facts.getMissing().size() != 0) return "some of its paths were not there";
    if (facts.getEntries() == 0) return "it is empty";
    if (view(facts.getSignedBy()) != hex(heard.task->evidence->signer))
      return "its manifest is not signed by the agent that wrote it";
    for (const auto changed : facts.getChanged())
      if (is_below(view(changed), path))
        return fmt::format("{} changed while it was read", view(changed));
    const auto age = evidences_.now - instant_of(facts.getWrittenAt());
    // However old it is, it is as fresh as the look that found nothing to differ from it.
    const bool same = facts.getCompared() && facts.getDifferingCount() == 0;
    if (age > max_age_ && !same)
      return fmt::format("it was written {} ago, and not compared with what is there now",
                         human(age));
    if (age < Millis(0)) return "it was written in the future: was a clock set back?";
    const auto lot = lies_on(facts);
    return lot.survives ? "" : "it is lost itself: " + lot.why;
  }
  Lot lies_on(Archived facts) const {
    if (view(facts.getFileSystem()) == "zfs")
      return ground_.of_pool(std::string(pool_of(view(facts.getDevice()))));
    Lot lot{.survives = true, .why = {}};
    for (const auto serial : split(view(facts.getDiskSerial()), ',')) {
      lot = ground_.of_disk(std::string(serial));
      if (!lot.survives) return lot;
    }
    return facts.getDiskSerial().size() == 0 ? ground_.of_disk("") : lot;
  }
  std::string supply_for(const Thing& thing) const {
    if (!thing.keep_path.empty())
      return fmt::format(
          "declare it in lab.toml with its disks as disks of data, or say with `lose = true` in "
          "[[keep]] of \"{}\" that it may be lost",
          thing.keep_path);
    if (ground_.is_virtual_machine(thing.vmid))
      return fmt::format(
          "move its disks to a pool of data, or back it up yourself and say with `lose = true` in "
          "[[keep]] of \"/\" with vmid = {} that what is here may be lost",
          thing.vmid);
    if (thing.path.empty())
      return "give it a folder that its machine sees, or say with `lose = true` in [[keep]] of "
             "\"/\" "
             "of that machine that whatever has no path there may be lost";
    for (const auto phase : evidences_.lab.getPlan().getPhases())
      for (const auto track : phase.getTracks())
        for (const auto step : track.getSteps())
          if (view(track.getAgent()) == host_ && step.getTask().isPreserve() &&
              covers(evidences_.lab, step.getTask().getPreserve(), thing, thing.path))
            return fmt::format("relab run {}", view(phase.getName()));
    return "give a phase before it a step `preserve` of that path (relab kinds preserve), or say "
           "with `lose = true` in [[keep]] that it may be lost";
  }

  const Evidences& evidences_;
  std::string host_;
  const Ground& ground_;
  std::chrono::seconds max_age_;
};

/// Where something really lies, and what is mounted below it.
class Placing {
 public:
  Placing(const Evidences& evidences, std::string host, const Ground& ground,
          std::chrono::seconds max_age)
      : evidences_(evidences), host_(std::move(host)), ground_(ground), max_age_(max_age) {}

  /// Where it really is: by the audit that found it, or else by a look at it.
  Look place_of(const Thing& thing) const {
    if (!thing.wanted || thing.path.empty() || !thing.real.empty())
      return {.real = thing.real, .concern = {}};
    return look_at(evidences_, host_, thing.vmid, thing.path, max_age_);
  }

  Lot lot_of(const Thing& thing, const Look& place) const {
    if (!thing.pool.empty())
      return thing.exported ? ground_.of_exported_pool(thing.pool) : ground_.of_pool(thing.pool);
    if (thing.path.empty() && thing.real.empty())
      return {.why = "the audit does not tell where it is"};
    if (thing.path.empty()) return with_all_below(ground_.of_host_path(thing.real), thing, place);
    auto lot = thing.vmid == 0 ? ground_.of_host_path(thing.path)
                               : ground_.of_guest_path(thing.vmid, thing.path);
    if (!lot.survives || ground_.is_virtual_machine(thing.vmid)) return lot;
    if (place.real.empty() && thing.wanted)
      return {.why = fmt::format("{}, but {}", lot.why, place.concern)};
    if (place.real.empty()) return lot;
    const auto there = ground_.of_host_path(place.real);
    if (!there.survives)
      return {.why = fmt::format("{}, but a link leads to {} of the host, {}", lot.why, place.real,
                                 there.why)};
    return with_all_below(std::move(lot), thing, place);
  }

 private:
  Lot with_all_below(Lot lot, const Thing& thing, const Look& place) const {
    if (!lot.survives || !thing.wanted) return lot;
    if (auto lost = ground_.lost_below_host(place.real)) return *lost;
    if (thing.vmid == 0 || thing.path.empty()) return lot;
    const auto lost = ground_.lost_below_guest(thing.vmid, thing.path);
    return lost ? *lost : lot;
  }

  const Evidences& evidences_;
  std::string host_;
  const Ground& ground_;
  std::chrono::seconds max_age_;
};

Finding finding_of(const Fate& fate) {
  const bool safe = fate.is_safe();
  return {.subject = fmt::format("{}, {}", fate.thing.place(), fate.thing.what),
          .standing = safe ? Standing::MET : Standing::UNMET,
          .why = fmt::format("{}: {}", name(fate.ending), fate.why),
          .supply = safe ? "" : fate.supply,
          .origin = fate.origin};
}

}  // namespace

std::string_view name(Ending ending) {
  switch (ending) {
    case Ending::survives:
      return "survives";
    case Ending::preserved:
      return "preserved";
    case Ending::lost:
      break;
  }
  return "lost";
}

Heard hear_audit(const Evidences& evidences, const std::string& host,
                 std::chrono::seconds max_age) {
  Heard all;
  for (const auto& [section, arm] : sections) {
    auto heard = hear(evidences, {.subject = fmt::format("{} of {}", section, host),
                                  .agent = host,
                                  .arm = arm,
                                  .max_age = max_age,
                                  .supply = "relab run 0a",
                                  .never = "it was never read"});
    if (heard.task != nullptr) {
      keep(heard.facts(), all.audit);
      if (auto unread = unread_in(heard.facts()); !unread.empty()) heard.refute(std::move(unread));
    }
    if (heard.finding.standing != Standing::MET) all.missing.push_back(std::move(heard.finding));
  }
  return all;
}

std::vector<Fate> fates_on(const Evidences& evidences, const std::string& host,
                           const HostAudit& audit, std::chrono::seconds max_age) {
  const Ground ground(evidences.lab, host, audit);
  const Archives archives(evidences, host, ground, max_age);
  const Placing placing(evidences, host, ground, max_age);
  std::vector<Fate> fates;
  for (auto& thing : things_on(evidences.lab, host, audit)) {
    const auto place = placing.place_of(thing);
    auto lot = placing.lot_of(thing, place);
    Fate fate{.thing = std::move(thing),
              .ending = lot.survives ? Ending::survives : Ending::lost,
              .why = std::move(lot.why)};
    if (!lot.survives) archives.judge(fate, place);
    fates.push_back(std::move(fate));
  }
  return fates;
}

Verdict data_survives(const Evidences& evidences, std::chrono::seconds max_age) {
  Verdict verdict{.condition = "data.survives"};
  for (const auto host : evidences.lab.getHosts()) {
    const auto agent = str(host.getName());
    const auto heard = hear_audit(evidences, agent, max_age);
    for (const auto& finding : heard.missing) verdict.findings.push_back(finding);
    std::size_t safe = 0;
    for (const auto& fate : fates_on(evidences, agent, heard.audit, max_age)) {
      if (!fate.thing.wanted || fate.thing.given_up) continue;
      if (fate.is_safe()) ++safe;
      if (!fate.is_safe()) verdict.findings.push_back(finding_of(fate));
    }
    verdict.findings.push_back(
        {.subject = fmt::format("what must not be lost of {}", agent),
         .standing = heard.missing.empty() ? Standing::MET : Standing::MISSING,
         .why = heard.missing.empty()
                    ? fmt::format("{} of it survive, or are preserved and were read back", safe)
                    : "the audit does not tell of everything"});
  }
  return verdict;
}

}  // namespace relab::controller
