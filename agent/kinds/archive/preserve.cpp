#include "agent/kinds/archive/preserve.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/archive/writing.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/target.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

using Params = schema::Preserve;
using Facts = schema::Preserve::Facts;
using State = schema::ZfsBackup::State;

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

void set_all(capnp::List<capnp::Text>::Builder list, const std::vector<std::string>& all) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, all[i]);
}

void write_stored(const Stored& stored, Facts::Builder facts) {
  set_all(facts.initLeftovers(size_of(stored.leftovers)), stored.leftovers);
  facts.setBytes(stored.bytes);
  facts.setDigest(stored.digest);
  facts.setManifestDigest(stored.manifest_digest);
  facts.setSignedBy(stored.signed_by);
  facts.setContentBytes(stored.content_bytes);
  if (!stored.manifest) return;
  const auto manifest = stored.manifest->reader();
  facts.setWrittenAt(manifest.getWrittenAt());
  facts.setEntries(manifest.getEntries().size());
  facts.setDatabases(manifest.getDatabases());
  facts.setChanged(manifest.getChanged());
}

tl::unexpected<Error> refuse(std::string why, std::string hint) {
  return fail(Fault::refused, std::move(why), std::move(hint));
}

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
  set_all(facts->initMissing(size_of(missing)), missing);
  write_target(target, *facts);
  if (!target.mounted) return std::move(facts).finish();
  RELAB_TRY(const auto stored, read_stored(host, wish.name));
  write_stored(stored, *facts);
  if (!stored.there) return std::move(facts).finish();
  const auto other = other_than(stored, wish.source, std::string(trim(machine)), target.serial);
  facts->setState(other.empty() ? State::COMPLETE : State::OTHER);
  facts->setConflict(other);
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
  if (facts.getState() == State::COMPLETE) return changes;
  RELAB_CHECK(check_ground(params, facts));
  Change write{.what = fmt::format("+ {}, of {} in {}{}", wish.name.file().string(),
                                   fmt::join(wish.source.paths, ", "), wish.source.title(),
                                   wish.stop.empty() ? ""
                                                     : fmt::format("; {} stopped meanwhile",
                                                                   fmt::join(wish.stop, ", "))),
               .how = words_of(wish)};
  write.how.insert(write.how.begin(), "write");
  changes.push_back(std::move(write));
  return changes;
}

Result<void> Preserve::apply(const Change& change, const Hands& hands) {
  auto how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  if (how[0] == "remove") return hands.host.remove_file(how[1]);
  how.erase(how.begin());
  return write_archive(hands, archive::wish_of(how));
}

}  // namespace relab::agent::archive
