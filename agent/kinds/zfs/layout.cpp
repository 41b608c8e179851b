#include "agent/kinds/zfs/layout.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> headings = {
    {{"dedup", "dedup"},
     {"special", "special"},
     {"logs", "log"},
     {"cache", "cache"},
     {"spares", "spare"}}};

tl::unexpected<Error> not_understood(std::string_view line) {
  return fail(Fault::damaged,
              fmt::format("zpool printed a layout that is not understood: '{}'", one_line(line)));
}

/// The first word, which the text loses.
std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::string leaf_kind(std::string_view name) {
  return name.starts_with('/') && !name.starts_with("/dev/") ? "file" : "disk";
}

Result<void> take_counters(std::string_view& rest, Vdev& vdev) {
  for (auto* counter : {&vdev.read_errors, &vdev.write_errors, &vdev.checksum_errors}) {
    RELAB_TRY(*counter, parse_number<std::uint64_t>(take_word(rest)));
  }
  return {};
}

/// "was /dev/disk/by-id/x" is all that is left of the path of a disk that is gone.
std::string path_of(std::string_view name, std::string_view note) {
  if (name.starts_with('/')) return std::string(name);
  if (note.starts_with("was ")) return std::string(trim(note.substr(4)));
  return {};
}

}  // namespace

Result<Layout::Fields> Layout::fields_of(std::string_view text, std::size_t indent) const {
  if (state_at_ == 0) {
    const auto gap = text.find("  ", indent);
    const auto end = std::min(gap, text.size());
    return Fields{.name = text.substr(indent, end - indent), .rest = text.substr(end)};
  }
  if (text.size() <= state_at_ || indent >= state_at_ || text[state_at_ - 1] != ' ')
    return not_understood(text);
  return Fields{.name = trim(text.substr(indent, state_at_ - indent)),
                .rest = text.substr(state_at_)};
}

Result<void> Layout::add_vdev(std::string_view text, std::size_t indent) {
  RELAB_TRY(const auto fields, fields_of(text, indent));
  auto rest = fields.rest;
  const auto group = group_kind(fields.name);
  Vdev vdev = {.depth = indent / 2,
               .name = std::string(fields.name),
               .kind = group.empty() ? leaf_kind(fields.name) : group,
               .role = std::string(role_),
               .state = std::string(take_word(rest))};
  if (vdevs_.empty()) vdev.kind = "root";
  // `zpool import` prints spares and cache devices without a state.
  const bool bare = state_at_ == 0 && (role_ == "spare" || role_ == "cache");
  if (vdev.name.empty() || (vdev.state.empty() && !bare)) return not_understood(text);
  if (state_at_ != 0 && role_ != "spare")
    if (!take_counters(rest, vdev)) return not_understood(text);
  vdev.note = one_line(rest);
  vdev.path = path_of(vdev.name, vdev.note);
  if (vdev.depth > 0) {
    const auto above =
        std::ranges::find(vdevs_.rbegin(), vdevs_.rend(), vdev.depth - 1, &Vdev::depth);
    if (above == vdevs_.rend()) return not_understood(text);
    vdev.parent = static_cast<std::size_t>(std::distance(above, vdevs_.rend())) - 1;
  }
  vdevs_.push_back(std::move(vdev));
  return {};
}

Result<void> Layout::add(std::string_view line) {
  if (trim(line).empty()) return {};
  if (!line.starts_with('\t') || vdevs_.size() >= vdevs_max) return not_understood(line);
  const auto text = line.substr(1);
  const auto indent = text.find_first_not_of(' ');
  if (indent % 2 != 0 || indent / 2 > depth_max) return not_understood(line);
  if (vdevs_.empty() && text.starts_with("NAME ")) {
    state_at_ = text.find("STATE");
    return state_at_ == std::string_view::npos ? Result<void>(not_understood(line))
                                               : Result<void>();
  }
  const auto heading = std::ranges::find(headings, trim(text),
                                         &std::pair<std::string_view, std::string_view>::first);
  if (indent == 0 && heading != headings.end() && !vdevs_.empty()) {
    role_ = heading->second;
    return {};
  }
  if ((indent == 0) != vdevs_.empty()) return not_understood(line);
  return add_vdev(text, indent);
}

Result<std::vector<Vdev>> Layout::finish() && {
  if (vdevs_.empty()) return fail(Fault::damaged, "zpool printed a pool without a layout");
  return std::move(vdevs_);
}

}  // namespace relab::agent::zfs
