#pragma once

/// What Jellyfin's own files tell: system.xml, network.xml, encoding.xml and the libraries'
/// folders.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/media/app.h"
#include "common/base/result.h"

namespace relab::agent::media {

/// Jellyfin as one of the applications that `find_instances` finds, by its system.xml.
const std::vector<App>& jellyfin_app();

struct System {
  std::string version = {};
  std::string server_name = {};
  std::string cache_path = {};
  std::string metadata_path = {};
};
Result<System> parse_system(std::string_view xml);

struct Network {
  std::uint16_t port = 0;
  std::uint16_t https_port = 0;  ///< 0: off
  std::string base_url = {};
};
/// Of version 10.9 and later, or of the ones before.
Result<Network> parse_network(std::string_view xml);

struct Encoding {
  std::string acceleration = {};
  std::string vaapi_device = {};
  std::string qsv_device = {};
  std::string transcoding_path = {};
  bool hardware_encoding = false;
  bool tonemapping = false;
  bool vpp_tonemapping = false;
  bool low_power_h264 = false;
  bool low_power_hevc = false;
  bool allow_hevc = false;
  bool allow_av1 = false;
  std::vector<std::string> decoding_codecs = {};
};
Result<Encoding> parse_encoding(std::string_view xml);

/// The data directory that /etc/default/jellyfin gives, or "".
std::string data_told_by_defaults(std::string_view text);

/// The folders in a library's options.xml.
Result<std::vector<std::string>> parse_library(std::string_view xml);

struct Library {
  std::string name;
  std::string type = {};
  std::vector<std::string> paths = {};
};
/// The libraries below a directory ("/var/lib/jellyfin/root/default") out of all files found there:
/// options.xml and *.mblink with their content, *.collection by name.
Result<std::vector<Library>> libraries_of(const std::string& folder,
                                          const std::map<std::string, std::string>& files);

}  // namespace relab::agent::media
