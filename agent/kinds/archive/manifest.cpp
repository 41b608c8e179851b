#include "agent/kinds/archive/manifest.h"

#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

using Manifest = schema::ArchiveManifest;

constexpr std::uint32_t version_now = 1;
constexpr std::size_t digest_digits = 64;

}  // namespace

std::string manifest_text(const Message<Manifest>& manifest) { return manifest.to_json() + "\n"; }

Result<Message<Manifest>> read_manifest(std::string_view text) {
  auto manifest = Message<Manifest>::from_json(text);
  if (!manifest)
    return fail(Fault::damaged, fmt::format("it is no manifest: {}", manifest.error().what));
  const auto reader = manifest->reader();
  if (reader.getVersion() != version_now)
    return fail(Fault::unsupported,
                fmt::format("the manifest is of version {}, and this relab reads version {}",
                            reader.getVersion(), version_now));
  if (reader.getBytes() == 0 || reader.getEntries().size() == 0 ||
      reader.getDigest().size() != digest_digits)
    return fail(Fault::damaged, "the manifest is of an empty archive");
  return std::move(*manifest);
}

void write_entries(const std::vector<Entry>& entries, capnp::List<Manifest::Entry>::Builder list) {
  fill(list, entries, [](auto row, const Entry& entry) {
    row.setPath(entry.path);
    row.setType(entry.type);
    row.setMode(entry.mode);
    row.setUid(entry.uid);
    row.setGid(entry.gid);
    row.setBytes(entry.bytes);
    row.setModified(entry.modified);
    row.setTarget(entry.target);
    row.setDigest(entry.digest);
    row.setMore(entry.more);
  });
}

std::vector<Entry> entries_of(Manifest::Reader manifest) {
  std::vector<Entry> entries;
  entries.reserve(manifest.getEntries().size());
  for (const auto row : manifest.getEntries())
    entries.push_back({.path = str(row.getPath()),
                       .type = str(row.getType()),
                       .mode = row.getMode(),
                       .uid = row.getUid(),
                       .gid = row.getGid(),
                       .bytes = row.getBytes(),
                       .modified = row.getModified(),
                       .target = str(row.getTarget()),
                       .digest = str(row.getDigest()),
                       .more = str(row.getMore())});
  return entries;
}

std::string difference(const Entry& is, const Entry& should_be) {
  if (is.type != should_be.type)
    return fmt::format("a {} instead of a {}", is.type, should_be.type);
  std::vector<std::string> what;
  if (is.bytes != should_be.bytes || is.digest != should_be.digest) what.emplace_back("content");
  if (is.target != should_be.target) what.emplace_back("target");
  if (is.uid != should_be.uid || is.gid != should_be.gid) what.emplace_back("owner");
  if (is.mode != should_be.mode) what.emplace_back("mode");
  if (is.modified != should_be.modified) what.emplace_back("time");
  if (is.more != should_be.more) what.emplace_back("ACL or attributes");
  return fmt::format("{}", fmt::join(what, ", "));
}

std::vector<std::string> restore_by_hand(const std::string& archive) {
  const auto text = fmt::format(
      "Check the archive: b2sum -l 256 {0} prints what stands under `digest`.\n"
      "Look into it: tar --zstd --list --verbose --file={0}\n"
      "Restore all of it below a folder: tar --zstd --extract --numeric-owner --same-permissions "
      "--acls --xattrs --xattrs-include='*' --file={0} --directory=/some/folder\n"
      "Restore one path in place: the same with --directory=/ and ./its/path behind it, as "
      "--list shows it.\n",
      archive);
  std::vector<std::string> list;
  for (const auto line : lines(text)) list.emplace_back(line);
  return list;
}

}  // namespace relab::agent::archive
