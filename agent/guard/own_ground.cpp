#include "agent/guard/own_ground.h"

#include <algorithm>
#include <array>
#include <string>

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view unit_stem = "relab-agent.";

constexpr std::array places = {"/etc/default/relab-agent", "/usr/bin/relab-agent", "/usr/lib/relab",
                               "/var/lib/relab-agent"};

/// https://www.freedesktop.org/software/systemd/man/systemd.unit.html#Unit%20File%20Load%20Path
constexpr std::array unit_folders = {
    "/etc/systemd/system",    "/etc/systemd/system.control",   "/etc/systemd/system.attached",
    "/run/systemd/system",    "/run/systemd/system.control",   "/run/systemd/system.attached",
    "/run/systemd/transient", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"};

/// Drop-ins of the agent's unit that it has in common with others.
constexpr std::array shared_drop_ins = {"service.d", "relab-.service.d"};

/// /lib and /bin are those of /usr.
fs::path in_usr(const fs::path& path) {
  const auto relative = path.relative_path();
  const auto top = *relative.begin();
  const bool is_link = top == "lib" || top == "bin" || top == "sbin";
  return is_link ? "/usr" / relative : path;
}

/// What leads from the folder to the path; empty unless it lies below.
fs::path below(const fs::path& folder, const fs::path& path) {
  const auto relative = path.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." || relative == "." ? fs::path() : relative;
}

bool is_of_own_unit(const fs::path& path) {
  return std::ranges::any_of(unit_folders, [&](const char* folder) {
    const auto rest = below(folder, path);
    return std::ranges::any_of(rest, [](const fs::path& part) {
      return part.string().starts_with(unit_stem) ||
             std::ranges::find(shared_drop_ins, part) != shared_drop_ins.end();
    });
  });
}

}  // namespace

bool is_own_place(const fs::path& path) {
  if (!path.is_absolute() || path.relative_path().empty()) return false;
  const auto place = in_usr(path);
  return place.string().starts_with("/etc/relab") || is_of_own_unit(place) ||
         std::ranges::any_of(
             places, [&](const char* own) { return place == own || !below(own, place).empty(); });
}

bool is_own_unit(std::string_view unit) { return unit.starts_with(unit_stem); }

}  // namespace relab::agent
