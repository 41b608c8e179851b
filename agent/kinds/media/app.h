#pragma once

/// The applications that the audit looks for, and where each keeps its configuration.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/media/settings.h"

namespace relab::agent::media {

struct App {
  std::string_view name;
  /// Words by which names of units, images, containers and programs tell it; lower case.
  std::vector<std::string_view> words;
  /// Its file below the data directory; names of older versions follow.
  std::vector<std::string_view> configs;
  /// Data directories of an installation without Docker; '*' stands for any part of one name.
  std::vector<std::string_view> homes;
  std::vector<std::string_view> docker_homes;  ///< data directories within images
  std::vector<std::string_view> options;  ///< of its command line, that give the data directory
  std::string_view option_suffix = {};    ///< between what an option gives and the data directory
  std::uint16_t default_port = 0;
  ParseSettings parse = nullptr;
  bool has_root_folders = false;  ///< in its SQLite file, table RootFolders

  /// Sonarr and its kin: their configuration files are told apart by the database beside them.
  bool has_own_database() const { return parse == &parse_servarr; }
  /// The names that this database has had.
  std::vector<std::string> databases() const;
};

/// Sonarr and its kin, indexers and download clients.
const std::vector<App>& arr_apps();

/// Whether a name ("linuxserver/sonarr:latest", "sonarr@media.service") has one of the words as a
/// whole word, and none that tells of a mere companion ("exporter").
bool names_app(std::string_view name, const App& app);

}  // namespace relab::agent::media
