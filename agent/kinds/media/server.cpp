#include "agent/kinds/media/server.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/host.h"
#include "agent/kinds/media/xml.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::media {

namespace {

/// Fault::damaged if the root has another name.
Result<void> parse_document(std::string_view xml, std::string_view file, std::string_view root,
                            pugi::xml_document& document) {
  RELAB_CHECK(parse_xml(xml, file, document));
  if (std::string_view(document.document_element().name()) != root)
    return fail(Fault::damaged, fmt::format("{} is none of Jellyfin", file));
  return {};
}

std::uint16_t port_in(const pugi::xml_node& node, const char* now, const char* before) {
  const auto text = text_of(node, now);
  const auto number = parse_number<std::uint16_t>(text.empty() ? text_of(node, before) : text);
  return number ? *number : std::uint16_t{0};
}

Result<Settings> parse_nothing(std::string_view xml) {
  RELAB_CHECK(parse_system(xml));
  return Settings();
}

void add_path(Library& library, std::string path) {
  const bool known = std::ranges::find(library.paths, path) != library.paths.end();
  if (!path.empty() && !known) library.paths.push_back(std::move(path));
}

}  // namespace

const std::vector<App>& jellyfin_app() {
  static const std::vector<App> apps{
      {.name = "jellyfin",
       .words = {"jellyfin"},
       .configs = {"system.xml"},
       .homes = {"/etc/jellyfin", "/var/lib/jellyfin/config", "/home/*/.config/jellyfin",
                 "/root/.config/jellyfin", "/opt/jellyfin/config", "/srv/jellyfin/config",
                 "/srv/jellyfin"},
       .docker_homes = {"/config/config", "/config"},
       .options = {"--configdir", "-c"},
       .default_port = 8096,
       .parse = &parse_nothing}};
  return apps;
}

Result<System> parse_system(std::string_view xml) {
  pugi::xml_document document;
  RELAB_CHECK(parse_document(xml, "system.xml", "ServerConfiguration", document));
  const auto root = document.document_element();
  return System{.version = text_of(root, "PreviousVersionStr"),
                .server_name = text_of(root, "ServerName"),
                .cache_path = text_of(root, "CachePath"),
                .metadata_path = text_of(root, "MetadataPath")};
}

Result<Network> parse_network(std::string_view xml) {
  pugi::xml_document document;
  RELAB_CHECK(parse_document(xml, "network.xml", "NetworkConfiguration", document));
  const auto root = document.document_element();
  Network network{.port = port_in(root, "InternalHttpPort", "HttpServerPortNumber"),
                  .base_url = text_of(root, "BaseUrl")};
  if (truth_of(root, "EnableHttps"))
    network.https_port = port_in(root, "InternalHttpsPort", "HttpsPortNumber");
  return network;
}

Result<Encoding> parse_encoding(std::string_view xml) {
  pugi::xml_document document;
  RELAB_CHECK(parse_document(xml, "encoding.xml", "EncodingOptions", document));
  const auto root = document.document_element();
  Encoding encoding{.acceleration = text_of(root, "HardwareAccelerationType"),
                    .vaapi_device = text_of(root, "VaapiDevice"),
                    .qsv_device = text_of(root, "QsvDevice"),
                    .transcoding_path = text_of(root, "TranscodingTempPath"),
                    .hardware_encoding = truth_of(root, "EnableHardwareEncoding"),
                    .tonemapping = truth_of(root, "EnableTonemapping"),
                    .vpp_tonemapping = truth_of(root, "EnableVppTonemapping"),
                    .low_power_h264 = truth_of(root, "EnableIntelLowPowerH264HwEncoder"),
                    .low_power_hevc = truth_of(root, "EnableIntelLowPowerHevcHwEncoder"),
                    .allow_hevc = truth_of(root, "AllowHevcEncoding"),
                    .allow_av1 = truth_of(root, "AllowAv1Encoding")};
  for (const auto codec : root.child("HardwareDecodingCodecs").children("string"))
    encoding.decoding_codecs.emplace_back(trim(codec.text().get()));
  return encoding;
}

std::string data_told_by_defaults(std::string_view text) {
  constexpr std::string_view key = "JELLYFIN_DATA_DIR=";
  for (const auto raw : lines(text)) {
    auto line = trim(raw);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    if (line.size() >= 2 && line.front() == '"' && line.back() == '"')
      line = line.substr(1, line.size() - 2);
    return std::string(line);
  }
  return {};
}

Result<std::vector<std::string>> parse_library(std::string_view xml) {
  pugi::xml_document document;
  RELAB_CHECK(parse_document(xml, "options.xml", "LibraryOptions", document));
  std::vector<std::string> paths;
  for (const auto info : document.document_element().child("PathInfos").children("MediaPathInfo"))
    if (auto path = text_of(info, "Path"); !path.empty()) paths.push_back(std::move(path));
  return paths;
}

Result<std::vector<Library>> libraries_of(const std::string& folder,
                                          const std::map<std::string, std::string>& files) {
  std::map<std::string, Library> libraries;
  for (const auto& [file, text] : files) {
    const Path path(file);
    if (path.parent_path().parent_path() != Path(folder)) continue;
    const auto name = path.parent_path().filename().string();
    auto& library = libraries.try_emplace(name, Library{.name = name}).first->second;
    if (path.extension() == ".collection") library.type = path.stem().string();
    if (path.extension() == ".mblink") add_path(library, std::string(trim(text)));
    if (path.filename() != "options.xml") continue;
    RELAB_TRY(auto paths, parse_library(text).during("reading " + file));
    for (auto& found : paths) add_path(library, std::move(found));
  }
  std::vector<Library> all;
  for (auto& [name, library] : libraries) all.push_back(std::move(library));
  return all;
}

}  // namespace relab::agent::media
