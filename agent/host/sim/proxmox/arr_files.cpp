/// Sonarr and its kin, indexers and download clients: the inverse of what the audit reads of them.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "agent/host/sim/proxmox/applications.h"
#include "agent/kinds/media/app.h"
#include "agent/kinds/support/json.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Schema = schema::AuditArr;
using media::App;

/// What one installation is told to do.
struct Wanted {
  Schema::App::Reader app;
  /// By its purpose, in the facts' order.
  std::vector<std::pair<std::string, std::string>> paths = {};

  std::string path(std::string_view purpose) const {
    const auto found =
        std::ranges::find(paths, purpose, &std::pair<std::string, std::string>::first);
    return found == paths.end() ? std::string() : found->second;
  }
  std::string port() const {
    return app.getPort() == 0 ? std::string() : std::to_string(app.getPort());
  }
  std::string ssl_port() const {
    return app.getSslPort() == 0 ? std::string() : std::to_string(app.getSslPort());
  }
  std::string address() const { return str(app.getBindAddress()); }
  std::string base() const { return str(app.getUrlBase()); }
};

const App* app_named(std::string_view name) {
  const auto& apps = media::arr_apps();
  const auto found = std::ranges::find(apps, name, &App::name);
  return found == apps.end() ? nullptr : &*found;
}

std::string servarr_text(const Wanted& wanted) {
  const auto& app = wanted.app;
  return "<Config>\n" + xml_element("BindAddress", wanted.address()) +
         xml_element("Port", wanted.port()) +
         xml_element("SslPort", wanted.ssl_port().empty() ? "9898" : wanted.ssl_port()) +
         xml_element("EnableSsl", wanted.ssl_port().empty() ? "False" : "True") +
         xml_element("ApiKey", "00000000000000000000000000000000") +
         xml_element("Branch", view(app.getBranch())) + xml_element("UrlBase", wanted.base()) +
         xml_element("InstanceName", view(app.getInstanceName())) + "</Config>\n";
}

/// "key=value" lines; what is empty is left out.
std::string lines_of(std::string_view between,
                     const std::vector<std::pair<std::string, std::string>>& values) {
  std::string text;
  for (const auto& [key, value] : values)
    if (!value.empty()) text += fmt::format("{}{}{}\n", key, between, value);
  return text;
}

std::string bazarr_text(const Wanted& wanted, bool is_ini) {
  const auto text = [&](std::string_view indent, std::string_view between) {
    const std::string in(indent);
    return lines_of(between, {{in + "ip", wanted.address()},
                              {in + "port", wanted.port()},
                              {in + "base_url", wanted.base()},
                              {in + "branch", str(wanted.app.getBranch())}});
  };
  return is_ini ? "[general]\n" + text("", " = ") : "---\ngeneral:\n" + text("  ", ": ");
}

std::string qbittorrent_text(const Wanted& wanted) {
  const auto incomplete = wanted.path("incomplete downloads");
  return "[BitTorrent]\n" +
         lines_of("=", {{"Session\\DefaultSavePath", wanted.path("downloads")},
                        {"Session\\TempPath", incomplete},
                        {"Session\\TempPathEnabled", incomplete.empty() ? "false" : "true"},
                        {"Session\\FinishedTorrentExportDirectory",
                         wanted.path("finished torrent files")}}) +
         "\n[Preferences]\n" +
         lines_of("=", {{"WebUI\\Address", wanted.address()}, {"WebUI\\Port", wanted.port()}});
}

std::string sabnzbd_text(const Wanted& wanted) {
  return "[misc]\n" + lines_of(" = ", {{"host", wanted.address()},
                                       {"port", wanted.port()},
                                       {"url_base", wanted.base()},
                                       {"enable_https", wanted.ssl_port().empty() ? "0" : "1"},
                                       {"https_port", wanted.ssl_port()},
                                       {"complete_dir", wanted.path("downloads")},
                                       {"download_dir", wanted.path("incomplete downloads")},
                                       {"dirscan_dir", wanted.path("watched folder")}});
}

std::string nzbget_text(const Wanted& wanted) {
  return lines_of("=", {{"MainDir", wanted.path("main folder")},
                        {"DestDir", wanted.path("downloads")},
                        {"InterDir", wanted.path("incomplete downloads")},
                        {"ControlIP", wanted.address()},
                        {"ControlPort", wanted.port()}});
}

/// A member for each value that is not empty.
Json object_of(const std::vector<std::pair<std::string, std::string>>& values) {
  Json json = Json::object();
  for (const auto& [key, value] : values)
    if (!value.empty()) json[key] = value;
  return json;
}

std::string json_text(const Wanted& wanted) {
  const auto name = view(wanted.app.getApp());
  Json json = Json::object();
  if (name == "jackett")
    json = object_of(
        {{"BasePathOverride", wanted.base()}, {"BlackholeDir", wanted.path("blackhole")}});
  if (name == "jackett" && wanted.app.getPort() != 0) json["Port"] = wanted.app.getPort();
  if (name == "overseerr" || name == "jellyseerr")
    json["main"] = object_of({{"applicationTitle", str(wanted.app.getInstanceName())}});
  if (name != "transmission") return json.dump(1) + "\n";
  const auto incomplete = wanted.path("incomplete downloads");
  const auto watched = wanted.path("watched folder");
  json = object_of({{"rpc-bind-address", wanted.address()},
                    {"rpc-url", wanted.base()},
                    {"download-dir", wanted.path("downloads")},
                    {"incomplete-dir", incomplete},
                    {"watch-dir", watched}});
  json["incomplete-dir-enabled"] = !incomplete.empty();
  json["watch-dir-enabled"] = !watched.empty();
  if (wanted.app.getPort() != 0) json["rpc-port"] = wanted.app.getPort();
  return json.dump(1) + "\n";
}

std::string deluge_text(const Wanted& wanted) {
  const auto finished = wanted.path("finished downloads");
  auto json = object_of(
      {{"download_location", wanted.path("downloads")}, {"move_completed_path", finished}});
  json["move_completed"] = !finished.empty();
  if (wanted.app.getPort() != 0) json["daemon_port"] = wanted.app.getPort();
  return "{\n  \"file\": 1,\n  \"format\": 1\n}" + json.dump(2) + "\n";
}

std::string config_text(const Wanted& wanted, const App& app) {
  if (app.has_own_database()) return servarr_text(wanted);
  if (app.name == "bazarr")
    return bazarr_text(wanted, view(wanted.app.getConfigFile()).ends_with(".ini"));
  if (app.name == "qbittorrent") return qbittorrent_text(wanted);
  if (app.name == "sabnzbd") return sabnzbd_text(wanted);
  if (app.name == "nzbget") return nzbget_text(wanted);
  if (app.name == "deluge") return deluge_text(wanted);
  return json_text(wanted);
}

/// What the simulated sqlite3 reads: the head of a real one, and the rows of its one table.
std::string database_text(const Wanted& wanted) {
  Json rows = Json::array();
  for (const auto& [purpose, path] : wanted.paths)
    if (purpose == "root folder") rows.push_back({{"Path", path}});
  return std::string("SQLite format 3\0", 16) + rows.dump();
}

/// How its unit starts it; the option tells the data directory where it can.
std::vector<std::string> command_of(const Wanted& wanted, const App& app) {
  std::vector<std::string> command = {fmt::format("/opt/{0}/{0}", app.name)};
  const auto home = str(wanted.app.getDataPath());
  if (app.options.empty() || home.empty()) return command;
  const auto option = app.options.back();
  if (app.option_suffix.empty())
    command.push_back(fmt::format(
        "{}={}", option,
        app.name == "sabnzbd" || app.name == "nzbget" ? str(wanted.app.getConfigFile()) : home));
  else if (home.ends_with(app.option_suffix))
    command.push_back(
        fmt::format("{}={}", option, home.substr(0, home.size() - app.option_suffix.size())));
  return command;
}

void add_docker(Schema::App::Reader app, const App& known, Applications& all) {
  auto& piece = all.container(app.getVmid(), str(app.getContainer()));
  piece.image = str(app.getImage());
  piece.version = str(app.getVersion());
  piece.network_mode = str(app.getNetworkMode());
  piece.running = app.getRunning();
  piece.port = app.getPort() == 0 ? known.default_port : app.getPort();
  piece.published_port = app.getPublishedPort();
}

void add_app(const Wanted& wanted, Applications& all) {
  const auto& app = wanted.app;
  const auto* known = app_named(view(app.getApp()));
  if (known == nullptr) return;
  const auto vmid = app.getVmid();
  const bool is_native = app.getContainer().size() == 0;
  if (!is_native) add_docker(app, *known, all);
  if (app.getConfigFile().size() != 0) {
    const auto file = str(app.getConfigFile());
    all.add(vmid, file, config_text(wanted, *known));
    if (known->has_own_database())
      all.add(vmid, (Path(file).parent_path() / known->databases().front()).string(),
              database_text(wanted));
  }
  if (is_native)
    all.add(Applications::Launch{.vmid = vmid,
                                 .unit = str(app.getUnit()),
                                 .running = app.getRunning(),
                                 .command = command_of(wanted, *known)});
  all.add_host_folder(str(app.getHostPath()));
}

bool is_of(Schema::DataPath::Reader path, Schema::App::Reader app) {
  return path.getVmid() == app.getVmid() && view(path.getApp()) == view(app.getApp()) &&
         view(path.getContainer()) == view(app.getContainer());
}

}  // namespace

void add_arr(Schema::Facts::Reader facts, Applications& all) {
  for (const auto path : facts.getPaths()) {
    all.add_host_folder(str(path.getHostPath()));
    if (path.getHostPath().size() != 0) all.add_folder(path.getVmid(), str(path.getPlacePath()));
    if (view(path.getPurpose()) != "mount") continue;
    all.container(path.getVmid(), str(path.getContainer()))
        .mounts.push_back({.source = str(path.getPlacePath()),
                           .destination = str(path.getPath()),
                           .read_only = path.getReadOnly()});
  }
  for (const auto app : facts.getApps()) {
    Wanted wanted{.app = app};
    for (const auto path : facts.getPaths())
      if (is_of(path, app) && view(path.getPurpose()) != "mount")
        wanted.paths.emplace_back(str(path.getPurpose()), str(path.getPath()));
    add_app(wanted, all);
  }
}

}  // namespace relab::agent::sim
