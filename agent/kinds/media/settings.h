#pragma once

/// What an application's configuration file tells that is no secret: ports, addresses, paths. Keys
/// and passwords in the same files are never copied, neither into values nor into errors.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::media {

struct DataPath {
  std::string purpose;  ///< "downloads", "incomplete downloads"
  std::string path;     ///< as the application sees it

  bool operator==(const DataPath&) const = default;
};

struct Settings {
  std::uint16_t port = 0;      ///< 0: not told
  std::uint16_t ssl_port = 0;  ///< 0: not told, or not in use
  std::string bind_address = {};
  std::string url_base = {};
  std::string instance_name = {};
  std::string branch = {};
  std::string postgres_host = {};  ///< not empty: no SQLite file holds its data
  std::vector<DataPath> paths = {};
};

/// Each takes the whole file. Fault::damaged, without any of the content, for what is not of the
/// form.
using ParseSettings = Result<Settings> (*)(std::string_view text);

/// config.xml of Sonarr, Radarr, Lidarr, Readarr, Whisparr, Prowlarr. Fault::unsupported for XML of
/// another program.
Result<Settings> parse_servarr(std::string_view text);
/// config.yaml, or config.ini of old versions.
Result<Settings> parse_bazarr(std::string_view text);
Result<Settings> parse_qbittorrent(std::string_view text);
Result<Settings> parse_sabnzbd(std::string_view text);
Result<Settings> parse_jackett(std::string_view text);
/// settings.json of Overseerr, Jellyseerr and Seerr: it has no port.
Result<Settings> parse_seerr(std::string_view text);
Result<Settings> parse_transmission(std::string_view text);
Result<Settings> parse_deluge(std::string_view text);
Result<Settings> parse_nzbget(std::string_view text);

}  // namespace relab::agent::media
