#include "agent/kinds/archive/stored.h"

#include <fmt/format.h>

namespace relab::agent::archive {

namespace {

/// What came from the disk.
struct Found {
  std::uint64_t bytes = 0;
  std::string digest = {};
  Result<Contents> contents;
};

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
  Found finish() {
    const auto bytes = hash_.bytes();
    return {.bytes = bytes,
            .digest = hex(hash_.finish()),
            .contents = failure_ ? Result<Contents>(fail(*failure_)) : contents_.finish()};
  }

 private:
  Host& host_;
  std::uint64_t total_;
  crypto::Blake2b hash_;
  ContentsReader contents_;
  std::optional<Error> failure_;
};

/// Empty: it is what the manifest says.
std::string judge(const Found& found, schema::ArchiveManifest::Reader manifest) {
  if (found.bytes != manifest.getBytes())
    return fmt::format("it has {} bytes, and its manifest says {}", found.bytes,
                       manifest.getBytes());
  if (found.digest != view(manifest.getDigest())) return "its bytes are not what was written";
  if (!found.contents) return found.contents.error().what;
  if (found.contents->entries != entries_of(manifest))
    return "its entries are not those that its manifest has";
  return {};
}

/// One manifest that may be the archive's.
struct Claim {
  std::optional<SignedManifest> text = {};
  std::optional<Message<schema::ArchiveManifest>> manifest = {};
  /// Why there is none.
  std::string conflict = {};
};

Result<Claim> read_claim(Host& host, const Beside& beside) {
  auto read = read_beside(host, beside, manifest_payload, manifest_size_max);
  if (!read && read.error().fault != Fault::damaged && read.error().fault != Fault::missing)
    return fail(read.error());
  auto manifest = read ? read_manifest(read->text)
                       : Result<Message<schema::ArchiveManifest>>(fail(read.error()));
  Claim claim;
  if (manifest) {
    claim.text = std::move(*read);
    claim.manifest = std::move(*manifest);
  } else {
    claim.conflict = !read && read.error().fault == Fault::missing
                         ? "it has no manifest"
                         : "its manifest cannot be read: " + manifest.error().sentence();
  }
  return claim;
}

/// What is not there before the newer archive is whole, and gone once it has its place.
Result<bool> may_be_newer(Host& host, const ArchiveName& newer) {
  RELAB_TRY(const bool has_manifest, is_there(host, newer.beside().manifest()));
  if (!has_manifest) return false;
  RELAB_TRY(const bool has_file, is_there(host, newer.file()));
  return !has_file;
}

void take(Claim claim, Stored& stored) {
  stored.conflict = std::move(claim.conflict);
  if (!claim.manifest) return;
  stored.digest = str(claim.manifest->reader().getDigest());
  stored.manifest_digest = claim.text->digest;
  stored.signed_by = claim.text->signed_by;
  stored.manifest = std::move(claim.manifest);
}

Result<void> read_whole(Host& host, const ArchiveName& name, Stored& stored) {
  RELAB_TRY(auto own, read_claim(host, name.beside()));
  RELAB_TRY(const bool may_be, may_be_newer(host, name.newer()));
  Claim newer;
  if (may_be) {
    RELAB_TRY(newer, read_claim(host, name.newer().beside()));
  }
  if (!own.manifest && !newer.manifest) {
    take(std::move(own), stored);
    return {};
  }
  ReadingBack reading(host, stored.bytes);
  auto read = host.read_through(name.file(), reading);
  if (!read && read.error().fault != Fault::damaged) return read;
  const auto found = reading.finish();
  const auto judged = [&](const Claim& claim) {
    if (!claim.manifest) return claim.conflict;
    return read ? judge(found, claim.manifest->reader())
                : "it cannot be read: " + read.error().what;
  };
  own.conflict = judged(own);
  stored.unsettled = !own.conflict.empty() && newer.manifest && judged(newer).empty();
  take(stored.unsettled ? std::move(newer) : std::move(own), stored);
  if (found.contents) stored.content_bytes = found.contents->bytes;
  return {};
}

/// What an attempt left that is to take the place of this archive.
Result<void> find_leftovers(Host& host, const ArchiveName& newer, Stored& stored) {
  std::vector<Path> found;
  for (const auto& path : {newer.part(), newer.file()}) {
    RELAB_TRY(const bool there, is_there(host, path));
    if (there) found.push_back(path);
  }
  // What stands beside it is the archive's own while it has not been settled.
  RELAB_TRY(const auto beside,
            stored.unsettled ? newer.beside().unfinished(host) : newer.beside().found(host));
  found.insert(found.end(), beside.begin(), beside.end());
  for (const auto& path : found) stored.leftovers.push_back(path.string());
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
  if (stored.there) {
    RELAB_TRY(const auto status, host.status(name.file()));
    stored.bytes = status.size;
    RELAB_TRY(stored.conflict, no_own_file(host, name.file()));
    if (stored.conflict.empty()) RELAB_CHECK(read_whole(host, name, stored));
  }
  RELAB_CHECK(find_leftovers(host, name.newer(), stored));
  return stored;
}

}  // namespace relab::agent::archive
