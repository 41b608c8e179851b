#include "agent/host/sim/debian/catalogue.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "agent/host/sim/debian/catalogue_rows.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr std::uint64_t kib = 1024;

void add_brought(std::string_view word, Available& package) {
  const auto take = [&](std::string_view prefix, std::vector<std::string>& into) {
    if (!word.starts_with(prefix)) return false;
    into.emplace_back(word.substr(prefix.size()));
    return true;
  };
  if (take("start:", package.starts) || take("unit:", package.brings) ||
      take("user:", package.users) || take("conflicts:", package.conflicts))
    return;
  package.files.emplace_back(word);
}

Available package_of(const CatalogueRow& row, std::string_view version) {
  Available package{.name = std::string(row.name),
                    .version = std::string(version),
                    .from = std::string(row.publisher),
                    .bytes = row.kib * kib};
  for (const auto need : words(row.needs)) package.needs.emplace_back(need);
  for (const auto word : words(row.brings)) add_brought(word, package);
  return package;
}

std::string_view version_in(const CatalogueRow& row, std::string_view suite) {
  if (suite.starts_with("bookworm")) return row.bookworm;
  return suite.starts_with("trixie") ? row.trixie : std::string_view();
}

struct Place {
  std::string_view part;
  std::string_view publisher;
  std::string_view label;
};

/// Parts of URIs, the more special ones first.
constexpr std::array<Place, 12> places = {
    {{"proxmox.com/debian/pve", "pve", "Proxmox"},
     {"proxmox.com/debian/pbs", "pbs", "Proxmox"},
     {"proxmox.com/debian/ceph", "ceph", "Proxmox"},
     {"apt.grafana.com", "grafana", ". stable:stable"},
     {"download.docker.com", "docker", "Docker CE"},
     {"repo.jellyfin.org", "jellyfin", "Jellyfin Debian"},
     {"cloudsmith.io/public/caddy", "caddy", "cloudsmith"},
     {"apt.releases.hashicorp.com", "hashicorp", "Artifactory"},
     {"nvidia.github.io", "nvidia", "NVIDIA"},
     {"debian-security", "security", "Debian-Security"},
     {"debian.org/debian", "debian", "Debian"},
     {"/debian", "debian", "Debian"}}};

/// What comes after a number: letters before all else, '~' even before the end.
int order(char c) {
  if (c == '~') return -1;
  if (std::isdigit(static_cast<unsigned char>(c)) != 0) return 0;
  const auto value = static_cast<unsigned char>(c);
  constexpr int after_letters = 256;
  return std::isalpha(value) != 0 ? value : value + after_letters;
}

/// https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
int compare_parts(std::string_view left, std::string_view right) {
  const auto is_digit = [](std::string_view text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) != 0;
  };
  while (!left.empty() || !right.empty()) {
    while ((!left.empty() && !is_digit(left)) || (!right.empty() && !is_digit(right))) {
      const int a = left.empty() ? 0 : order(left[0]);
      const int b = right.empty() ? 0 : order(right[0]);
      if (a != b) return a - b;
      if (!left.empty()) left.remove_prefix(1);
      if (!right.empty()) right.remove_prefix(1);
    }
    while (left.starts_with('0')) left.remove_prefix(1);
    while (right.starts_with('0')) right.remove_prefix(1);
    int first = 0;
    while (is_digit(left) && is_digit(right)) {
      if (first == 0) first = left[0] - right[0];
      left.remove_prefix(1);
      right.remove_prefix(1);
    }
    if (is_digit(left)) return 1;
    if (is_digit(right)) return -1;
    if (first != 0) return first;
  }
  return 0;
}

struct Parts {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

Parts parts_of(std::string_view version) {
  Parts parts;
  if (const auto colon = version.find(':'); colon != std::string_view::npos) {
    parts.epoch = version.substr(0, colon);
    version.remove_prefix(colon + 1);
  }
  const auto dash = version.rfind('-');
  parts.upstream = version.substr(0, dash);
  if (dash != std::string_view::npos) parts.revision = version.substr(dash + 1);
  return parts;
}

}  // namespace

std::optional<Available> in_catalogue(std::string_view name, std::string_view publisher,
                                      std::string_view suite) {
  for (const auto rows : {base_rows(), more_rows()})
    for (const auto& row : rows)
      if (row.name == name && row.publisher == publisher && !version_in(row, suite).empty())
        return package_of(row, version_in(row, suite));
  return {};
}

bool is_known_package(std::string_view name) {
  for (const auto rows : {base_rows(), more_rows()})
    if (std::ranges::find(rows, name, &CatalogueRow::name) != rows.end()) return true;
  return false;
}

Publisher publisher_of(std::string_view uri) {
  while (uri.ends_with('/')) uri.remove_suffix(1);
  for (const auto& place : places)
    if (uri.find(place.part) != std::string_view::npos)
      return {.name = std::string(place.publisher), .label = std::string(place.label)};
  return {};
}

std::vector<Available> base_system(std::string_view suite) {
  std::vector<Available> all;
  for (const auto& row : base_rows())
    if (const auto version = version_in(row, suite); !version.empty())
      all.push_back(package_of(row, version));
  return all;
}

int compare_versions(std::string_view left, std::string_view right) {
  const auto a = parts_of(left);
  const auto b = parts_of(right);
  if (const int epochs = compare_parts(a.epoch, b.epoch); epochs != 0) return epochs;
  if (const int upstream = compare_parts(a.upstream, b.upstream); upstream != 0) return upstream;
  return compare_parts(a.revision, b.revision);
}

}  // namespace relab::agent::sim
