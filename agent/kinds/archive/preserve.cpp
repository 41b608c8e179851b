#include "agent/kinds/archive/preserve.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/archive/drift.h"
#include "agent/kinds/archive/leads.h"
#include "agent/kinds/archive/manifest.h"
#include "agent/kinds/archive/writing.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/target.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

using Params = schema::Preserve;
using Facts = schema::Preserve::Facts;
using State = schema::ZfsBackup::State;

constexpr std::size_t told_max = 200;
constexpr std::size_t leads_max = 1000;

std::vector<std::string> texts(const capnp::List<capnp::Text>::Reader& list) {
  std::vector<std::string> all;
  for (const auto text : list) all.push_back(str(text));
  return all;
}

ArchiveWish wish_of(Params::Reader params, const std::string& serial) {
  return {.source = {.vmid = params.getVmid(),
                     .paths = texts(params.getPaths()),
                     .exclude = texts(params.getExclude())},
          .name = {.folder = str(params.getFolder()), .name = str(params.getName())},
          .stop = texts(params.getStop()),
          .disk_serial = serial};
}

/// Why the archive is not the one that was asked for; empty if it is.
std::string other_than(const Stored& stored, const Source& source, const std::string& machine,
                       const std::string& serial) {
  if (!stored.conflict.empty()) return stored.conflict;
  const auto manifest = stored.manifest->reader();
  if (manifest.getVmid() != source.vmid)
    return manifest.getVmid() == 0 ? "it is of this machine itself"
                                   : fmt::format("it is of container {}", manifest.getVmid());
  if (view(manifest.getMachineId()) != machine) return "it is of another machine";
  if (texts(manifest.getPaths()) != source.paths || texts(manifest.getExclude()) != source.exclude)
    return "it is of other paths";
  if (view(manifest.getDiskSerial()) != serial)
    return fmt::format("it was written on the disk '{}', and this is '{}'",
                       view(manifest.getDiskSerial()), serial);
  return {};
}

void write_stored(const Stored& stored, Facts::Builder facts) {
  set_texts(facts.initLeftovers(size_of(stored.leftovers)), stored.leftovers);
  facts.setBytes(stored.bytes);
  facts.setDigest(stored.digest);
  facts.setManifestDigest(stored.manifest_digest);
  facts.setSignedBy(stored.signed_by);
  facts.setContentBytes(stored.content_bytes);
  facts.setUnsettled(stored.unsettled);
  if (!stored.manifest) return;
  const auto manifest = stored.manifest->reader();
  facts.setWrittenAt(manifest.getWrittenAt());
  facts.setEntries(manifest.getEntries().size());
  facts.setDatabases(manifest.getDatabases());
  facts.setChanged(manifest.getChanged());
}

void write_drift(std::vector<std::string> drift, Facts::Builder facts) {
  facts.setCompared(true);
  facts.setDifferingCount(drift.size());
  drift.resize(std::min(drift.size(), told_max));
  set_texts(facts.initDiffering(size_of(drift)), drift);
}

void write_leads(std::vector<Lead> leads, Facts::Builder facts) {
  facts.setLeadCount(leads.size());
  leads.resize(std::min(leads.size(), leads_max));
  auto rows = facts.initLeads(size_of(leads));
  for (unsigned i = 0; i < rows.size(); ++i) {
    rows[i].setPath(leads[i].path);
    rows[i].setTarget(leads[i].target);
  }
}

tl::unexpected<Error> refuse(std::string why, std::string hint) {
  return fail(Fault::refused, std::move(why), std::move(hint));
}

/// Why a whole archive is not what it would be if it were written now; empty: it is.
std::string stale(Facts::Reader facts) {
  std::vector<std::string> why;
  if (const auto count = facts.getDifferingCount(); count != 0)
    why.push_back(fmt::format("{} of {} entries differ{}, first {}", count, facts.getEntries(),
                              count == 1 ? "s" : "", view(facts.getDiffering()[0])));
  if (const auto changed = facts.getChanged(); changed.size() != 0)
    why.push_back(changed.size() == 1
                      ? fmt::format("{} changed while it was read", view(changed[0]))
                      : fmt::format("{} and {} more changed while they were read", view(changed[0]),
                                    changed.size() - 1));
  return fmt::format("{}", fmt::join(why, "; "));
}

std::string stopped_words(const ArchiveWish& wish) {
  return wish.stop.empty() ? "" : fmt::format("; {} stopped meanwhile", fmt::join(wish.stop, ", "));
}

Change change_of(std::string verb, const ArchiveWish& wish, std::string what) {
  Change change{.what = std::move(what), .how = words_of(wish)};
  change.how.insert(change.how.begin(), std::move(verb));
  return change;
}

bool writes(const Change& change) { return change.how[0] == "write" || change.how[0] == "anew"; }

Result<void> check_ground(Params::Reader params, Facts::Reader facts) {
  const auto folder = str(params.getFolder());
  if (!facts.getMounted())
    return refuse(fmt::format("nothing is mounted on {}: what is written there is lost with the "
                              "system",
                              folder),
                  "mount the disk that takes backups there, or name a dataset of a pool of data");
  if (facts.getMissing().size() != 0)
    return refuse(fmt::format("there is no {} in {}", fmt::join(texts(facts.getMissing()), ", "),
                              view(facts.getPlace())),
                  "take it out of `paths`, or find where it is now");
  return {};
}

}  // namespace

Result<Message<Facts>> Preserve::observe(Params::Reader params, Host& host) {
  if (params.getPaths().size() == 0) return fail(Fault::invalid, "no path is named");
  RELAB_TRY(const auto target, read_target(host, str(params.getFolder())));
  const auto wish = wish_of(params, target.serial);
  RELAB_TRY(const auto machine, host.read_file("/etc/machine-id"));
  RELAB_TRY(const auto missing, missing_of(host, wish.source));
  if (missing.empty()) RELAB_CHECK(check_links(host, wish.source));
  Draft<Facts> facts;
  facts->setPlace(wish.source.title());
  set_texts(facts->initMissing(size_of(missing)), missing);
  write_target(target, *facts);
  if (!target.mounted) return std::move(facts).finish();
  RELAB_TRY(const auto stored, read_stored(host, wish.name));
  write_stored(stored, *facts);
  if (!stored.there) return std::move(facts).finish();
  const auto other = other_than(stored, wish.source, std::string(trim(machine)), target.serial);
  facts->setState(other.empty() ? State::COMPLETE : State::OTHER);
  facts->setConflict(other);
  if (!other.empty() || !missing.empty()) return std::move(facts).finish();
  RELAB_TRY(auto drift, drift_of(host, wish.source, stored.manifest->reader())
                            .during("comparing the archive with what is there now"));
  write_drift(std::move(drift), *facts);
  RELAB_TRY(auto leads, leads_of(host, wish.source, entries_of(stored.manifest->reader()))
                            .during("looking where the links in the archive lead to"));
  write_leads(std::move(leads), *facts);
  return std::move(facts).finish();
}

Result<std::vector<Change>> Preserve::plan(Params::Reader params, Facts::Reader facts) {
  const auto wish = wish_of(params, str(facts.getDiskSerial()));
  if (facts.getState() == State::OTHER)
    return refuse(fmt::format("{} is there, and is not the archive that was asked for: {}",
                              wish.name.file().string(), view(facts.getConflict())),
                  "give the archive another name, or take that file away");
  std::vector<Change> changes;
  for (const auto leftover : facts.getLeftovers())
    changes.push_back(
        {.what = fmt::format("- {}, of an attempt that did not come to its end", str(leftover)),
         .how = {"remove", str(leftover)}});
  if (facts.getState() == State::COMPLETE) {
    if (facts.getUnsettled())
      changes.push_back(
          {.what = fmt::format("~ the manifest of {} gets its name", wish.name.file().string()),
           .how = {"settle", wish.name.folder.string(), wish.name.name}});
    if (const auto why = stale(facts); !why.empty())
      changes.push_back(change_of("anew", wish,
                                  fmt::format("~ archive anew: {}, in {}{}", why,
                                              wish.name.file().string(), stopped_words(wish))));
    return changes;
  }
  RELAB_CHECK(check_ground(params, facts));
  changes.push_back(change_of(
      "write", wish,
      fmt::format("+ {}, of {} in {}{}", wish.name.file().string(),
                  fmt::join(wish.source.paths, ", "), wish.source.title(), stopped_words(wish))));
  return changes;
}

Result<std::vector<Change>> Preserve::left(Params::Reader params, Facts::Reader before,
                                           Facts::Reader now) {
  RELAB_TRY(const auto done, plan(params, before));
  RELAB_TRY(auto changes, plan(params, now));
  // It is as it was a moment ago. Had that to be as it is now, a file that is written to all the
  // time would let no archive ever be done.
  if (std::ranges::any_of(done, writes))
    std::erase_if(changes, [](const Change& change) { return change.how[0] == "anew"; });
  return changes;
}

Result<void> Preserve::apply(const Change& change, const Hands& hands) {
  auto how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  const auto verb = how[0];
  how.erase(how.begin());
  if (verb == "remove") return hands.host.remove_file(how[0]);
  if (verb == "settle") return settle(hands.host, {.folder = how.at(0), .name = how.at(1)});
  if (verb == "anew") return replace_archive(hands, archive::wish_of(how));
  return write_archive(hands, archive::wish_of(how));
}

}  // namespace relab::agent::archive
