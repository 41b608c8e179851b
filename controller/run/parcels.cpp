#include "controller/run/parcels.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>

#include "common/crypto/hash.h"
#include "common/crypto/sha256.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

/// A round trip on a slow line stays short, and a frame far below its limit.
constexpr std::size_t piece_size = std::size_t{256} << 10U;

bool is_package(const fs::path& path) {
  std::error_code error;
  return path.extension() == ".deb" && fs::is_regular_file(path, error);
}

Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    entries.push_back(entry->path());
  if (error)
    return fail(Fault::missing,
                fmt::format("the folder of packages, {}: {}", folder.string(), error.message()),
                "name it with --packages; the handbook tells what belongs there");
  std::ranges::sort(entries);
  return entries;
}

Result<OfferedParcel> offer(const fs::path& folder, const fs::path& file) {
  RELAB_TRY(const auto digest, crypto::sha256_of_file(file));
  RELAB_TRY(auto sha256, parse_hex(digest));
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error || size == 0)
    return fail(Fault::damaged, fmt::format("{} is empty, or cannot be read", file.string()));
  return OfferedParcel{.name = file.lexically_relative(folder).string(),
                       .file = file,
                       .sha256 = std::move(sha256),
                       .size = size};
}

/// As agents take them: NAME_VERSION_ARCHITECTURE.deb, in a folder at most.
Result<void> check_name(const fs::path& folder, const fs::path& file) {
  const auto is_plain = [](const std::string& text) {
    constexpr std::string_view more = "+._~%:-";
    return !text.empty() && text[0] != '.' && text[0] != '-' &&
           std::ranges::all_of(text, [&](char c) {
             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    more.find(c) != std::string_view::npos;
           });
  };
  const auto name = file.filename().string();
  const auto above =
      file.parent_path() == folder ? std::string("x") : file.parent_path().filename().string();
  if (is_plain(name) && is_plain(above) && std::ranges::count(name, '_') == 2) return {};
  return fail(Fault::invalid, fmt::format("{} is not named like a package", file.string()),
              "NAME_VERSION_ARCHITECTURE.deb; take it out of the folder of packages");
}

/// "relab-agent" of "relab-agent_0.5.0_amd64.deb".
std::string package_of(const OfferedParcel& parcel) {
  const auto file = fs::path(parcel.name).filename().string();
  return file.substr(0, file.find('_'));
}

bool has(const std::vector<OfferedParcel>& parcels, const std::string& package) {
  return std::ranges::any_of(parcels,
                             [&](const auto& parcel) { return package_of(parcel) == package; });
}

}  // namespace

Result<std::vector<OfferedParcel>> read_parcels(const fs::path& folder) {
  std::vector<OfferedParcel> parcels;
  RELAB_TRY(const auto entries, entries_of(folder));
  for (const auto& entry : entries) {
    std::vector<fs::path> files = {entry};
    std::error_code error;
    if (fs::is_directory(entry, error)) {
      RELAB_TRY(files, entries_of(entry));
    }
    for (const auto& file : files) {
      if (!is_package(file)) continue;
      RELAB_CHECK(check_name(folder, file));
      RELAB_TRY(auto parcel, offer(folder, file));
      parcels.push_back(std::move(parcel));
    }
  }
  if (parcels.empty())
    return fail(Fault::missing, fmt::format("there is no package in {}", folder.string()),
                "name the folder of packages with --packages");
  return parcels;
}

std::vector<OfferedParcel> parcels_for_guests(const std::vector<OfferedParcel>& parcels) {
  std::vector<OfferedParcel> chosen;
  for (const auto& parcel : parcels) {
    const auto package = package_of(parcel);
    if (!package.starts_with("relab-") ||
        (package.starts_with("relab-agent") && !package.ends_with("-dbgsym")))
      chosen.push_back(parcel);
  }
  return chosen;
}

std::string_view installed_role(const PlannedStep& step) {
  const auto task = step.task->reader();
  return task.isAgentInstall() ? view(task.getAgentInstall().getRole()) : std::string_view();
}

Result<void> check_parcels(const std::vector<const PlannedStep*>& steps,
                           const std::vector<OfferedParcel>& parcels) {
  for (const auto* step : steps)
    for (const auto& package :
         {std::string("relab-agent"), fmt::format("relab-agent-{}", installed_role(*step))})
      if (!has(parcels, package))
        return fail(Fault::missing,
                    fmt::format("{} needs the package {}, which is not in the folder of packages",
                                step->path, package),
                    "put it there, or name another folder with --packages");
  return {};
}

Result<Bytes> read_piece(const std::vector<OfferedParcel>& parcels, ByteView sha256,
                         std::uint64_t offset) {
  const auto parcel = std::ranges::find_if(
      parcels, [&](const auto& offered) { return crypto::equal(offered.sha256, sha256); });
  if (parcel == parcels.end()) return fail(Fault::missing, "it is not in the folder of packages");
  std::ifstream file(parcel->file, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  Bytes bytes(piece_size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (!bytes.empty()) return bytes;
  return fail(Fault::missing,
              fmt::format("{} has nothing from byte {} on", parcel->file.string(), offset));
}

}  // namespace relab::controller
