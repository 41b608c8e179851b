#include "agent/kinds/media/audit_arr.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/media/find.h"
#include "agent/kinds/media/root_folders.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/places.h"
#include "common/base/text.h"

namespace relab::agent::media {

namespace {

using Schema = schema::AuditArr;

struct PathRow {
  std::string purpose;
  std::string path;
  std::string place_path;
  std::string host_path = {};
  bool read_only = false;
};

struct Row {
  Place* place;
  Instance instance;
  Settings settings = {};
  std::string host_path = {};
  std::string version = {};
  std::vector<PathRow> paths = {};
};

/// "" where this machine does not see it.
std::string host_path_of(Place& place, const std::string& path) {
  if (!path.starts_with('/')) return {};
  const auto here = place.on_host(path);
  return here ? here->string() : std::string();
}

void add_path(Row& row, std::string purpose, const std::string& path) {
  const auto& container = row.instance.container;
  auto place_path = container ? outside(container->mounts, path) : path;
  auto host_path = host_path_of(*row.place, place_path);
  row.paths.push_back({std::move(purpose), path, std::move(place_path), std::move(host_path)});
}

void add_mounts(Row& row) {
  if (!row.instance.container) return;
  for (const auto& mount : row.instance.container->mounts) {
    if (mount.source.empty()) continue;
    add_path(row, "mount", mount.destination);
    row.paths.back().read_only = mount.read_only;
  }
}

std::string where(const Row& row) {
  return fmt::format("{} on {}", row.instance.title(), row.place->title());
}

void add_root_folders(Host& host, Row& row, Gaps& gaps) {
  const auto& app = *row.instance.app;
  if (!app.has_root_folders) return;
  const auto part = "root folders of " + where(row);
  if (!row.settings.postgres_host.empty()) {
    gaps.problem(part,
                 "they are in PostgreSQL, not in a file: it cannot be read without a password");
    return;
  }
  std::vector<std::string> databases;
  for (const auto& database : app.databases())
    databases.push_back(row.instance.place_home + "/" + database);
  const auto folders = read_root_folders(host, *row.place, databases);
  if (!folders) gaps.problem(part, folders.error());
  if (folders)
    for (const auto& folder : *folders) add_path(row, "root folder", folder);
}

std::string version_of(const Instance& instance) {
  if (!instance.container) return {};
  auto version = instance.container->label("org.opencontainers.image.version");
  return version.empty() ? instance.container->label("build_version") : version;
}

Row examine(Host& host, Place& place, Instance instance, Gaps& gaps) {
  Row row{.place = &place, .instance = std::move(instance)};
  row.version = version_of(row.instance);
  add_mounts(row);
  if (!row.instance.has_config()) return row;
  row.host_path = host_path_of(place, row.instance.place_home);
  auto settings = row.instance.app->parse(row.instance.config);
  if (!settings) {
    gaps.problem("configuration of " + where(row), settings.error());
    return row;
  }
  row.settings = std::move(*settings);
  for (const auto& path : row.settings.paths) add_path(row, path.purpose, path.path);
  add_root_folders(host, row, gaps);
  return row;
}

std::uint16_t published_port(const Row& row) {
  const auto port = row.settings.port;
  const auto inside = port == 0 ? row.instance.app->default_port : port;
  for (const auto& published : row.instance.container->ports)
    if (published.container_port == inside && published.host_port != 0 &&
        published.protocol == "tcp")
      return published.host_port;
  return 0;
}

void set_app(Schema::App::Builder app, const Row& row) {
  const auto& instance = row.instance;
  app.setApp(std::string(instance.app->name));
  app.setPlace(row.place->title());
  app.setVmid(row.place->vmid());
  app.setRunning(instance.running);
  app.setUnit(instance.unit);
  app.setConfigFile(instance.config_path);
  app.setDataPath(instance.home);
  app.setHostPath(row.host_path);
  app.setPort(row.settings.port);
  app.setSslPort(row.settings.ssl_port);
  app.setBindAddress(row.settings.bind_address);
  app.setUrlBase(row.settings.url_base);
  app.setInstanceName(row.settings.instance_name);
  app.setBranch(row.settings.branch);
  app.setVersion(row.version);
  if (!instance.container) return;
  app.setContainer(instance.container->name);
  app.setImage(instance.container->image);
  app.setNetworkMode(instance.container->network_mode);
  app.setPublishedPort(published_port(row));
}

void set_paths(Schema::Facts::Builder facts, const std::vector<Row>& rows) {
  struct Item {
    const Row* row;
    const PathRow* path;
  };
  std::vector<Item> items;
  for (const auto& row : rows)
    for (const auto& path : row.paths) items.push_back({&row, &path});
  fill(facts.initPaths(size_of(items)), items, [](auto path, const auto& item) {
    const auto& container = item.row->instance.container;
    path.setApp(std::string(item.row->instance.app->name));
    path.setPlace(item.row->place->title());
    path.setVmid(item.row->place->vmid());
    path.setContainer(container ? container->name : std::string());
    path.setPurpose(item.path->purpose);
    path.setPath(item.path->path);
    path.setPlacePath(item.path->place_path);
    path.setHostPath(item.path->host_path);
    path.setReadOnly(item.path->read_only);
  });
}

bool is_suspect(std::string_view name) {
  App stack;
  stack.words = {"arr", "arrs", "servarr", "starr"};
  const auto names = [&](const App& app) { return names_app(name, app); };
  return names(stack) || std::ranges::any_of(arr_apps(), names);
}

}  // namespace

Result<Message<AuditArr::Facts>> AuditArr::observe(Params::Reader, Host& host) {
  Gaps gaps;
  const auto places = find_places(host, is_suspect, gaps);
  std::vector<Row> rows;
  for (const auto& place : places.all) {
    auto instances = find_instances(*place, arr_apps(), gaps);
    if (!instances) gaps.problem(place->title(), instances.error());
    if (!instances) continue;
    for (auto& instance : *instances)
      rows.push_back(examine(host, *place, std::move(instance), gaps));
  }
  if (rows.empty() && !gaps.has_problems())
    gaps.all_absent("no Sonarr, Radarr or other application of the arr stack was found");
  Draft<Facts> facts;
  fill(facts->initApps(size_of(rows)), rows, set_app);
  set_paths(*facts, rows);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::media
