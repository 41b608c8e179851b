#include "agent/kinds/archive/stored.h"

#include <fmt/format.h>

namespace relab::agent::archive {

namespace {

class ReadingBack final : public Sink {
 public:
  ReadingBack(Host& host, std::uint64_t total) : host_(host), total_(total) {}

  Result<void> take(ByteView piece) override {
    hash_.add(piece);
    // What the digests say of it is better, and comes at the end.
    if (!failure_)
      if (auto taken = contents_.take(piece); !taken) failure_ = std::move(taken).error();
    host_.progress({.done = hash_.bytes(),
                    .total = total_,
                    .unit = "bytes",
                    .what = "reading the archive back"});
    return {};
  }
  /// Empty: it is what the manifest says.
  std::string judge(schema::ArchiveManifest::Reader manifest, Contents& found) {
    if (hash_.bytes() != manifest.getBytes())
      return fmt::format("it has {} bytes, and its manifest says {}", hash_.bytes(),
                         manifest.getBytes());
    if (hex(hash_.finish()) != view(manifest.getDigest()))
      return "its bytes are not what was written";
    auto contents = failure_ ? Result<Contents>(fail(*failure_)) : contents_.finish();
    if (!contents) return contents.error().what;
    if (contents->entries != entries_of(manifest))
      return "its entries are not those that its manifest has";
    found = std::move(*contents);
    return {};
  }

 private:
  Host& host_;
  std::uint64_t total_;
  crypto::Blake2b hash_;
  ContentsReader contents_;
  std::optional<Error> failure_;
};

Result<void> read_back(Host& host, const ArchiveName& name, Stored& stored) {
  ReadingBack reading(host, stored.manifest->reader().getBytes());
  auto read = host.read_through(name.file(), reading);
  if (!read && read.error().fault != Fault::damaged) return read;
  Contents contents;
  stored.conflict = read ? reading.judge(stored.manifest->reader(), contents)
                         : "it cannot be read: " + read.error().what;
  stored.content_bytes = contents.bytes;
  return {};
}

Result<void> read_manifest_of(Host& host, const ArchiveName& name, Stored& stored) {
  const auto read = read_beside(host, name.beside(), manifest_payload, manifest_size_max);
  if (!read && read.error().fault != Fault::damaged && read.error().fault != Fault::missing)
    return fail(read.error());
  auto manifest = read ? read_manifest(read->text)
                       : Result<Message<schema::ArchiveManifest>>(fail(read.error()));
  if (!manifest) {
    stored.conflict = !read && read.error().fault == Fault::missing
                          ? "it has no manifest"
                          : "its manifest cannot be read: " + manifest.error().sentence();
    return {};
  }
  stored.digest = str(manifest->reader().getDigest());
  stored.manifest_digest = read->digest;
  stored.signed_by = read->signed_by;
  stored.manifest = std::move(*manifest);
  return {};
}

}  // namespace

Result<Stored> read_stored(Host& host, const ArchiveName& name) {
  Stored stored;
  RELAB_TRY(const bool has_part, is_there(host, name.part()));
  if (has_part) stored.leftovers.push_back(name.part().string());
  RELAB_TRY(stored.there, is_there(host, name.file()));
  // The archive gets its name last.
  RELAB_TRY(const auto remains,
            stored.there ? name.beside().unfinished(host) : name.beside().found(host));
  for (const auto& path : remains) stored.leftovers.push_back(path.string());
  if (!stored.there) return stored;
  RELAB_TRY(const auto status, host.status(name.file()));
  stored.bytes = status.size;
  RELAB_TRY(stored.conflict, no_own_file(host, name.file()));
  if (!stored.conflict.empty()) return stored;
  RELAB_CHECK(read_manifest_of(host, name, stored));
  if (stored.manifest) RELAB_CHECK(read_back(host, name, stored));
  return stored;
}

}  // namespace relab::agent::archive
