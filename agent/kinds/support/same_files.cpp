#include "agent/kinds/support/same_files.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <random>
#include <set>

#include "common/crypto/chunks.h"

namespace relab::agent {

namespace {

constexpr std::uint64_t config_size_max = std::uint64_t{1} << 20U;
constexpr std::array config_endings = {
    ".conf",    ".cfg",  ".cnf", ".ini", ".json", ".xml", ".yaml", ".yml", ".toml", ".env",
    ".service", ".list", ".db",  ".sh",  ".key",  ".crt", ".pem",  ".md",  ".txt",  ".rules"};
constexpr std::size_t differences_max = 5;

/// Names without an ending are mostly of configuration: Caddyfile, interfaces, hosts.
constexpr std::uint64_t bare_size_max = std::uint64_t{64} << 10U;

bool looks_like_config(const Path& path, std::uint64_t size) {
  const auto ending = path.extension().string();
  if (ending.empty()) return size <= bare_size_max;
  return size <= config_size_max &&
         std::ranges::find(config_endings, ending) != config_endings.end();
}

class Digesting final : public Sink {
 public:
  Result<void> take(ByteView piece) override {
    digests_.add(piece);
    return {};
  }
  crypto::Digest finish() {
    digests_.finish();
    return digests_.whole();
  }
  std::uint64_t bytes() const { return digests_.bytes(); }

 private:
  crypto::ChunkDigests digests_;
};

class Comparison {
 public:
  Comparison(Host& host, const Path& origin, const Path& copy, std::size_t sample,
             std::uint64_t seed)
      : host_(host), origin_(origin), copy_(copy), sample_max_(sample), lot_(seed) {}

  Result<SameFiles> run() {
    std::vector<Path> folders = {""};
    while (!folders.empty() && differences_.size() < differences_max) {
      const auto folder = std::move(folders.back());
      folders.pop_back();
      RELAB_CHECK(compare_folder(folder, folders));
    }
    for (const auto& drawn : drawn_) {
      if (differences_.size() >= differences_max) break;
      RELAB_CHECK(compare_drawn(drawn));
      ++same_.sampled;
    }
    if (differences_.empty()) return same_;
    return fail(Fault::damaged,
                fmt::format("it is not the same: {}", fmt::join(differences_, "; ")));
  }

 private:
  Result<std::vector<std::string>> names_in(const Path& root, const Path& folder) {
    RELAB_TRY(auto names, host_.list(root / folder));
    if (folder.empty()) std::erase(names, ".zfs");
    return names;
  }

  Result<void> compare_folder(const Path& folder, std::vector<Path>& folders) {
    RELAB_TRY(const auto names, names_in(origin_, folder));
    RELAB_TRY(const auto there, names_in(copy_, folder));
    for (const auto& name : names)
      if (!std::ranges::binary_search(there, name)) differ(folder / name, "it is missing");
    for (const auto& name : there)
      if (!std::ranges::binary_search(names, name)) differ(folder / name, "it was not there");
    if (!differences_.empty()) return {};
    for (const auto& name : names) RELAB_CHECK(compare_entry(folder / name, folders));
    return {};
  }

  Result<void> compare_entry(const Path& path, std::vector<Path>& folders) {
    RELAB_TRY(const auto was, host_.status(origin_ / path));
    RELAB_TRY(const auto is, host_.status(copy_ / path));
    const bool same_kind = was.type == is.type && was.major == is.major && was.minor == is.minor;
    if (!same_kind || was.mode != is.mode || was.uid != is.uid || was.gid != is.gid) {
      differ(path, "kind, owner or mode");
      return {};
    }
    ++same_.entries;
    host_.progress({.done = same_.entries, .unit = "files", .what = "comparing the copy"});
    if (was.type == FileType::directory) folders.push_back(path);
    if (was.type == FileType::symlink) return compare_links(path);
    if (was.type != FileType::regular) return {};
    if (was.size != is.size || was.modified != is.modified) {
      differ(path, "size or time");
      return {};
    }
    if (!looks_like_config(path, was.size)) {
      draw(path, was.size);
      return {};
    }
    RELAB_CHECK(compare_bytes(path, {.size = was.size}));
    ++same_.config_files;
    return {};
  }

  Result<void> compare_links(const Path& path) {
    RELAB_TRY(const auto was, host_.read_link(origin_ / path));
    RELAB_TRY(const auto is, host_.read_link(copy_ / path));
    if (was != is) differ(path, "what it leads to");
    return {};
  }

  Result<void> compare_bytes(const Path& path, const Range& range) {
    Digesting was;
    Digesting is;
    RELAB_CHECK(host_.read_through(origin_ / path, range, was));
    RELAB_CHECK(host_.read_through(copy_ / path, range, is));
    if (was.finish() != is.finish())
      differ(path, "its bytes");
    else if (was.bytes() != range.size)
      differ(path, "it has fewer bytes than its size");
    same_.bytes += was.bytes();
    return {};
  }

  struct Drawn {
    Path path;
    std::uint64_t size;
  };

  Result<void> compare_drawn(const Drawn& drawn) {
    if (drawn.size <= compared_whole_max) return compare_bytes(drawn.path, {.size = drawn.size});
    const auto last = (drawn.size - 1) / compared_piece;
    std::uniform_int_distribution<std::uint64_t> between(1, last - 1);
    std::set<std::uint64_t> places = {0, last};
    while (places.size() < compared_pieces) places.insert(between(lot_));
    for (const auto place : places) {
      const auto offset = place * compared_piece;
      RELAB_CHECK(compare_bytes(
          drawn.path, {.offset = offset, .size = std::min(compared_piece, drawn.size - offset)}));
    }
    return {};
  }

  /// Each file has the same chance, however many there are.
  void draw(const Path& path, std::uint64_t size) {
    ++candidates_;
    if (drawn_.size() < sample_max_) {
      drawn_.push_back({path, size});
      return;
    }
    const auto place = std::uniform_int_distribution<std::uint64_t>(0, candidates_ - 1)(lot_);
    if (place < drawn_.size()) drawn_[place] = {path, size};
  }

  void differ(const Path& path, std::string_view what) {
    if (differences_.size() < differences_max)
      differences_.push_back(fmt::format("{} ({})", path.string(), what));
  }

  Host& host_;
  const Path& origin_;
  const Path& copy_;
  std::size_t sample_max_;
  std::mt19937_64 lot_;
  SameFiles same_;
  std::vector<Drawn> drawn_;
  std::uint64_t candidates_ = 0;
  std::vector<std::string> differences_;
};

}  // namespace

Result<SameFiles> compare_files(Host& host, const Path& origin, const Path& copy,
                                std::size_t sample, std::uint64_t seed) {
  return Comparison(host, origin, copy, sample, seed).run();
}

}  // namespace relab::agent
