#pragma once

/// What packages there are in the world, as far as a lab needs them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relab::agent::sim {

/// Who publishes packages.
struct Publisher {
  /// "debian", "pve", "docker"; empty: nobody that is known.
  std::string name;
  /// As apt names it.
  std::string label;
};

/// A package that can be had.
struct Available {
  std::string name;
  std::string version;
  /// Of the publisher.
  std::string from = "debian";
  /// Once it is unpacked.
  std::uint64_t bytes = 0;
  /// Other packages; what every system has is left out.
  std::vector<std::string> needs = {};
  /// Units that it enables and starts.
  std::vector<std::string> starts = {};
  /// Units that it only brings.
  std::vector<std::string> brings = {};
  std::vector<std::string> users = {};
  /// Packages that have to go for it.
  std::vector<std::string> conflicts = {};
  /// Empty files, programs mostly, and folders (with a '/' at their end).
  std::vector<std::string> files = {};
};

/// The package in the version that this publisher has for the suite; nothing if there is none, or
/// none that is known here.
std::optional<Available> in_catalogue(std::string_view name, std::string_view publisher,
                                      std::string_view suite);
/// Some package by this name exists, whoever publishes it.
bool is_known_package(std::string_view name);

/// Whose packages a source has, by its URI.
Publisher publisher_of(std::string_view uri);

/// What every fresh container of the suite has, by name and version.
std::vector<Available> base_system(std::string_view suite);

/// As dpkg compares them: less than, equal to or greater than 0.
int compare_versions(std::string_view left, std::string_view right);

}  // namespace relab::agent::sim
