#include "agent/kinds/media/audit_arr.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/media/find.h"
#include "agent/kinds/media/locate.h"
#include "agent/kinds/media/root_folders.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/places.h"
#include "common/base/text.h"

namespace relab::agent::media {

namespace {

using Schema = schema::AuditArr;

struct PathRow {
  std::string purpose;
  Location location;
  bool read_only = false;
};

struct Row {
  Place* place;
  Instance instance;
  Settings settings = {};
  std::string host_path = {};
  std::vector<PathRow> paths = {};
};

void add_path(Row& row, std::string purpose, const std::string& path, Gaps& gaps) {
  row.paths.push_back({std::move(purpose), locate(*row.place, row.instance, path, gaps)});
}

void add_mounts(Row& row, Gaps& gaps) {
  if (!row.instance.container) return;
  for (const auto& mount : row.instance.container->mounts) {
    if (mount.source.empty()) continue;
    add_path(row, "mount", mount.destination, gaps);
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
    for (const auto& folder : *folders) add_path(row, "root folder", folder, gaps);
}

Row examine(Host& host, Place& place, Instance instance, Gaps& gaps) {
  Row row{.place = &place, .instance = std::move(instance)};
  add_mounts(row, gaps);
  if (!row.instance.has_config()) return row;
  row.host_path = locate(place, row.instance, row.instance.home, gaps).host_path;
  auto settings = row.instance.app->parse(row.instance.config);
  if (!settings) {
    gaps.problem("configuration of " + where(row), settings.error());
    return row;
  }
  row.settings = std::move(*settings);
  for (const auto& path : row.settings.paths) add_path(row, path.purpose, path.path, gaps);
  add_root_folders(host, row, gaps);
  return row;
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
  app.setVersion(image_version(instance));
  if (!instance.container) return;
  app.setContainer(instance.container->name);
  app.setImage(instance.container->image);
  app.setNetworkMode(instance.container->network_mode);
  app.setPublishedPort(published_port(instance, row.settings.port));
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
    path.setPath(item.path->location.path);
    path.setPlacePath(item.path->location.place_path);
    path.setHostPath(item.path->location.host_path);
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
