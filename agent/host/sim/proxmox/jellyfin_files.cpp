/// Jellyfin: the inverse of what the audit reads of it.

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/host/sim/proxmox/applications.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Schema = schema::AuditJellyfin;

constexpr std::uint16_t usual_port = 8096;

std::string port_text(std::uint16_t port) {
  return port == 0 ? std::string() : std::to_string(port);
}

std::string document(std::string_view root, const std::string& body) {
  return fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<{0}>\n{1}</{0}>\n", root, body);
}

std::string system_text(Schema::Server::Reader server) {
  return document("ServerConfiguration",
                  xml_element("PreviousVersionStr", view(server.getVersion())) +
                      xml_element("ServerName", view(server.getServerName())) +
                      xml_element("CachePath", view(server.getCachePath())) +
                      xml_element("MetadataPath", view(server.getMetadataPath())));
}

/// Empty: the server has no such file.
std::string network_text(Schema::Server::Reader server) {
  if (server.getPort() == 0 && server.getHttpsPort() == 0 && server.getBaseUrl().size() == 0)
    return {};
  return document("NetworkConfiguration",
                  xml_element("BaseUrl", view(server.getBaseUrl())) +
                      xml_element("EnableHttps", server.getHttpsPort() == 0 ? "false" : "true") +
                      xml_element("InternalHttpPort", port_text(server.getPort())) +
                      xml_element("InternalHttpsPort", port_text(server.getHttpsPort())));
}

std::string encoding_text(Schema::Server::Reader server) {
  if (server.getAcceleration().size() == 0) return {};
  const auto flag = [](std::string_view name, bool value) {
    return xml_element(name, value ? "true" : "false");
  };
  auto body = xml_element("TranscodingTempPath", view(server.getTranscodingPath())) +
              xml_element("HardwareAccelerationType", view(server.getAcceleration())) +
              xml_element("VaapiDevice", view(server.getVaapiDevice())) +
              xml_element("QsvDevice", view(server.getQsvDevice())) +
              flag("EnableTonemapping", server.getTonemapping()) +
              flag("EnableVppTonemapping", server.getVppTonemapping()) +
              flag("EnableIntelLowPowerH264HwEncoder", server.getLowPowerH264()) +
              flag("EnableIntelLowPowerHevcHwEncoder", server.getLowPowerHevc()) +
              flag("EnableHardwareEncoding", server.getHardwareEncoding()) +
              flag("AllowHevcEncoding", server.getAllowHevc()) +
              flag("AllowAv1Encoding", server.getAllowAv1()) + "  <HardwareDecodingCodecs>\n";
  for (const auto codec : server.getDecodingCodecs())
    body += "  " + xml_element("string", view(codec));
  return document("EncodingOptions", body + "  </HardwareDecodingCodecs>\n");
}

void add_files(Schema::Server::Reader server, Applications& all) {
  const auto folder = str(server.getPlaceConfigPath());
  if (folder.empty()) return;
  const auto add = [&](const char* name, std::string text) {
    if (!text.empty()) all.add(server.getVmid(), folder + "/" + name, std::move(text));
  };
  add("system.xml", system_text(server));
  add("network.xml", network_text(server));
  add("encoding.xml", encoding_text(server));
  if (const auto data = str(server.getPlaceDataPath()); !data.empty())
    all.add_folder(server.getVmid(), data + "/root/default");
}

void add_server(Schema::Server::Reader server, Applications& all) {
  all.add_host_folder(str(server.getHostConfigPath()));
  all.add_host_folder(str(server.getHostDataPath()));
  add_files(server, all);
  const auto data = str(server.getDataPath());
  if (server.getContainer().size() != 0) {
    auto& piece = all.container(server.getVmid(), str(server.getContainer()));
    piece.image = str(server.getImage());
    piece.version = str(server.getVersion());
    piece.network_mode = piece.network_mode.empty() ? "bridge" : piece.network_mode;
    piece.running = server.getRunning();
    piece.port = server.getPort() == 0 ? usual_port : server.getPort();
    piece.published_port = server.getPublishedPort();
    for (const auto& [inside, outside] :
         {std::pair(str(server.getConfigPath()), str(server.getPlaceConfigPath())),
          std::pair(data, str(server.getPlaceDataPath()))})
      if (!inside.empty() && !outside.empty())
        piece.mounts.push_back({.source = outside, .destination = inside});
    return;
  }
  std::vector<std::string> command = {"/usr/bin/jellyfin"};
  if (!data.empty()) command.push_back("--datadir=" + data);
  if (server.getConfigPath().size() != 0)
    command.push_back("--configdir=" + str(server.getConfigPath()));
  all.add(Applications::Launch{.vmid = server.getVmid(),
                               .unit = str(server.getUnit()),
                               .running = server.getRunning(),
                               .command = std::move(command)});
  if (!data.empty())
    all.add(server.getVmid(), "/etc/default/jellyfin",
            fmt::format("JELLYFIN_DATA_DIR=\"{}\"\n", data));
}

/// The data directory, as the place sees it, of the server that a library is of.
std::string data_of(Schema::Facts::Reader facts, Schema::Library::Reader library) {
  for (const auto server : facts.getServers())
    if (server.getVmid() == library.getVmid() &&
        view(server.getContainer()) == view(library.getContainer()))
      return str(server.getPlaceDataPath());
  return {};
}

struct LibraryFiles {
  std::uint32_t vmid = 0;
  std::string type = {};
  std::string paths = {};
};

}  // namespace

void add_jellyfin(Schema::Facts::Reader facts, Applications& all) {
  for (const auto server : facts.getServers()) add_server(server, all);
  std::map<std::string, LibraryFiles> libraries;
  for (const auto library : facts.getLibraries()) {
    all.add_host_folder(str(library.getHostPath()));
    if (library.getHostPath().size() != 0)
      all.add_folder(library.getVmid(), str(library.getPlacePath()));
    const auto data = data_of(facts, library);
    if (data.empty()) continue;
    const auto folder = fmt::format("{}/root/default/{}", data, view(library.getName()));
    auto& files = libraries[fmt::format("{} {}", library.getVmid(), folder)];
    files.vmid = library.getVmid();
    files.type = str(library.getType());
    if (library.getPath().size() != 0)
      files.paths += fmt::format("<MediaPathInfo>{}</MediaPathInfo>",
                                 xml_element("Path", view(library.getPath())));
  }
  for (const auto& [key, files] : libraries) {
    const auto folder = key.substr(key.find(' ') + 1);
    all.add(files.vmid, folder + "/options.xml",
            document("LibraryOptions", fmt::format("  <PathInfos>{}</PathInfos>\n", files.paths)));
    if (!files.type.empty())
      all.add(files.vmid, fmt::format("{}/{}.collection", folder, files.type), "");
  }
  for (const auto device : facts.getDevices())
    if (view(device.getKey()) == "docker")
      all.container(device.getVmid(), str(device.getContainer()))
          .devices.push_back(str(device.getWhat()));
}

}  // namespace relab::agent::sim
