#include "agent/kinds/media/settings.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "agent/kinds/media/ini.h"
#include "agent/kinds/media/xml.h"
#include "agent/kinds/support/json.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::media {

namespace {

std::uint16_t port_of(std::string_view text) {
  const auto number = parse_number<std::uint16_t>(text);
  return number ? *number : std::uint16_t{0};
}

void add_path(Settings& settings, std::string purpose, std::string path) {
  if (!path.empty()) settings.paths.push_back({std::move(purpose), std::move(path)});
}

tl::unexpected<Error> not_of(std::string_view what, std::string_view program) {
  return fail(Fault::damaged, fmt::format("{} is none of {}", what, program));
}

Result<Json> parse_object(std::string_view text, std::string_view what) {
  const auto json = parse_json(text, what);
  if (!json || !json->is_object())
    return fail(Fault::damaged, fmt::format("{} is no JSON object", what));
  return *json;
}

/// The first key that there is: names change with versions.
std::string first_of(const Json& object, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (auto text = agent::text_of(object, key); !text.empty()) return text;
  return {};
}

/// What is not mentioned is off.
bool is_on(const Json& object, std::initializer_list<std::string_view> keys) {
  return std::ranges::any_of(keys, [&](auto key) { return agent::truth_of(object, key); });
}

}  // namespace

Result<Settings> parse_servarr(std::string_view text) {
  pugi::xml_document document;
  RELAB_CHECK(parse_xml(text, "config.xml", document));
  const auto root = document.document_element();
  if (std::string_view(root.name()) != "Config")
    return fail(Fault::unsupported, "config.xml belongs to another program");
  Settings settings;
  settings.port = port_of(text_of(root, "Port"));
  if (truth_of(root, "EnableSsl")) settings.ssl_port = port_of(text_of(root, "SslPort"));
  settings.bind_address = text_of(root, "BindAddress");
  settings.url_base = text_of(root, "UrlBase");
  settings.instance_name = text_of(root, "InstanceName");
  settings.branch = text_of(root, "Branch");
  settings.postgres_host = text_of(root, "PostgresHost");
  return settings;
}

Result<Settings> parse_bazarr(std::string_view text) {
  const bool is_ini = text.find("[general]") != std::string_view::npos;
  RELAB_TRY(const auto config,
            is_ini ? Ini::parse(text, "config.ini") : Ini::parse_yaml(text, "config.yaml"));
  if (!config.has_section("general")) return not_of("the configuration", "Bazarr");
  Settings settings;
  settings.port = port_of(config.value("general", "port"));
  settings.bind_address = config.value("general", "ip");
  settings.url_base = config.value("general", "base_url");
  settings.branch = config.value("general", "branch");
  if (config.value("postgresql", "enabled") == "true")
    settings.postgres_host = config.value("postgresql", "host");
  return settings;
}

Result<Settings> parse_qbittorrent(std::string_view text) {
  RELAB_TRY(const auto config, Ini::parse(text, "qBittorrent.conf"));
  if (!config.has_section("Preferences") && !config.has_section("BitTorrent"))
    return not_of("qBittorrent.conf", "qBittorrent");
  Settings settings;
  const auto preference = [&](const char* key) { return config.value("Preferences", key); };
  const auto session = [&](const char* key) { return config.value("BitTorrent", key); };
  settings.port = port_of(preference("WebUI\\Port"));
  settings.bind_address = preference("WebUI\\Address");
  auto save_path = session("Session\\DefaultSavePath");
  if (save_path.empty()) save_path = preference("Downloads\\SavePath");
  add_path(settings, "downloads", save_path);
  // A session that says no counts more than what an older version left behind.
  const bool is_old = session("Session\\TempPathEnabled").empty();
  if (session("Session\\TempPathEnabled") == "true")
    add_path(settings, "incomplete downloads", session("Session\\TempPath"));
  if (is_old && preference("Downloads\\TempPathEnabled") == "true")
    add_path(settings, "incomplete downloads", preference("Downloads\\TempPath"));
  add_path(settings, "finished torrent files", session("Session\\FinishedTorrentExportDirectory"));
  return settings;
}

Result<Settings> parse_sabnzbd(std::string_view text) {
  RELAB_TRY(const auto config, Ini::parse(text, "sabnzbd.ini"));
  if (!config.has_section("misc")) return not_of("sabnzbd.ini", "SABnzbd");
  Settings settings;
  const auto misc = [&](const char* key) { return config.value("misc", key); };
  settings.port = port_of(misc("port"));
  settings.bind_address = misc("host");
  settings.url_base = misc("url_base");
  if (misc("enable_https") == "1") settings.ssl_port = port_of(misc("https_port"));
  add_path(settings, "downloads", misc("complete_dir"));
  add_path(settings, "incomplete downloads", misc("download_dir"));
  add_path(settings, "watched folder", misc("dirscan_dir"));
  return settings;
}

Result<Settings> parse_jackett(std::string_view text) {
  RELAB_TRY(const auto json, parse_object(text, "ServerConfig.json"));
  Settings settings;
  settings.port = port_of(agent::text_of(json, "Port"));
  settings.url_base = agent::text_of(json, "BasePathOverride");
  add_path(settings, "blackhole", agent::text_of(json, "BlackholeDir"));
  return settings;
}

Result<Settings> parse_seerr(std::string_view text) {
  RELAB_TRY(const auto json, parse_object(text, "settings.json"));
  if (member(json, "main").is_null()) return not_of("settings.json", "Overseerr");
  Settings settings;
  settings.instance_name = agent::text_of(member(json, "main"), "applicationTitle");
  return settings;
}

Result<Settings> parse_transmission(std::string_view text) {
  RELAB_TRY(const auto json, parse_object(text, "settings.json"));
  if (first_of(json, {"rpc-port", "rpc_port", "download-dir", "download_dir"}).empty())
    return not_of("settings.json", "Transmission");
  Settings settings;
  settings.port = port_of(first_of(json, {"rpc-port", "rpc_port"}));
  settings.bind_address = first_of(json, {"rpc-bind-address", "rpc_bind_address"});
  settings.url_base = first_of(json, {"rpc-url", "rpc_url"});
  add_path(settings, "downloads", first_of(json, {"download-dir", "download_dir"}));
  if (is_on(json, {"incomplete-dir-enabled", "incomplete_dir_enabled"}))
    add_path(settings, "incomplete downloads",
             first_of(json, {"incomplete-dir", "incomplete_dir"}));
  if (is_on(json, {"watch-dir-enabled", "watch_dir_enabled"}))
    add_path(settings, "watched folder", first_of(json, {"watch-dir", "watch_dir"}));
  return settings;
}

/// core.conf is two JSON objects, one behind the other: the version, then the settings.
Result<Settings> parse_deluge(std::string_view text) {
  const auto end = text.find('}');
  if (end == std::string_view::npos) return not_of("core.conf", "Deluge");
  RELAB_TRY(const auto json, parse_object(text.substr(end + 1), "core.conf"));
  Settings settings;
  settings.port = port_of(agent::text_of(json, "daemon_port"));
  add_path(settings, "downloads", agent::text_of(json, "download_location"));
  if (agent::truth_of(json, "move_completed"))
    add_path(settings, "finished downloads", agent::text_of(json, "move_completed_path"));
  return settings;
}

Result<Settings> parse_nzbget(std::string_view text) {
  RELAB_TRY(const auto config, Ini::parse(text, "nzbget.conf"));
  Settings settings;
  settings.port = port_of(config.value("", "ControlPort"));
  settings.bind_address = config.value("", "ControlIP");
  if (settings.port == 0) return not_of("nzbget.conf", "NZBGet");
  add_path(settings, "main folder", config.value("", "MainDir"));
  add_path(settings, "downloads", config.value("", "DestDir"));
  add_path(settings, "incomplete downloads", config.value("", "InterDir"));
  return settings;
}

}  // namespace relab::agent::media
