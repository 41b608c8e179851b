#include "agent/kinds/media/audit_jellyfin.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/media/find.h"
#include "agent/kinds/media/launch.h"
#include "agent/kinds/media/locate.h"
#include "agent/kinds/media/server.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/places.h"

namespace relab::agent::media {

namespace {

using Schema = schema::AuditJellyfin;

struct LibraryRow {
  std::string name;
  std::string type;
  Location location;
};

struct DeviceRow {
  std::string key;
  std::string what;
};

struct Row {
  Place* place;
  Instance instance;
  std::string told_data = {};  ///< data directory by /etc/default/jellyfin
  System system = {};
  Network network = {};
  Encoding encoding = {};
  std::string data = {};  ///< as the server sees it
  std::string host_data = {};
  std::string host_config = {};
  std::vector<LibraryRow> libraries = {};
  std::vector<DeviceRow> devices = {};
};

std::string where(const Row& row) {
  return fmt::format("{} on {}", row.instance.title(), row.place->title());
}

/// Directories that may be the data directory, as the server sees them: told ones first.
std::vector<std::string> data_candidates(const Row& row) {
  const auto& instance = row.instance;
  std::vector<std::string> all;
  if (const auto told = option_value(instance.command, {"--datadir", "-d"})) all.push_back(*told);
  if (!row.told_data.empty()) all.push_back(row.told_data);
  const auto above = Path(instance.home).parent_path().string();
  if (instance.container) {
    for (const auto* path : {"/config", "/config/data"}) all.emplace_back(path);
  } else {
    for (const auto& path : {std::string("/var/lib/jellyfin"), above, above + "/data"})
      all.push_back(path);
    if (const auto config = instance.home.find("/.config/jellyfin"); config != std::string::npos)
      all.push_back(instance.home.substr(0, config) + "/.local/share/jellyfin");
  }
  return all;
}

/// What is to be read for one server.
Wanted wanted_of(const Row& row) {
  Wanted wanted;
  for (const auto* file : {"network.xml", "encoding.xml"})
    wanted.contents.push_back(row.instance.place_home + "/" + file);
  for (const auto& data : data_candidates(row)) {
    const auto there = placed(row.instance, data);
    if (there.empty()) continue;
    wanted.contents.push_back(there + "/root/default/*/options.xml");
    wanted.contents.push_back(there + "/root/default/*/*.mblink");
    wanted.names.push_back(there + "/root/default/*/*.collection");
    wanted.names.push_back(there + "/root/default");
  }
  return wanted;
}

template <typename T>
void take(const Gathered& gathered, const Row& row, const std::string& file,
          Result<T> (*parse)(std::string_view), T& value, Gaps& gaps) {
  const auto found = gathered.contents.find(row.instance.place_home + "/" + file);
  if (found == gathered.contents.end()) return;
  auto parsed = parse(found->second);
  if (!parsed) gaps.problem(fmt::format("{} of {}", file, where(row)), parsed.error());
  if (parsed) value = std::move(*parsed);
}

void take_libraries(Row& row, const Gathered& gathered, Gaps& gaps) {
  auto files = gathered.contents;
  for (const auto& name : gathered.names) files.try_emplace(name);
  for (const auto& data : data_candidates(row)) {
    const auto folder = placed(row.instance, data) + "/root/default";
    if (!gathered.names.contains(folder)) continue;
    row.data = data;
    row.host_data = locate(*row.place, row.instance, data, gaps).host_path;
    const auto libraries = libraries_of(folder, files);
    if (!libraries) gaps.problem("libraries of " + where(row), libraries.error());
    if (!libraries) return;
    for (const auto& library : *libraries) {
      for (const auto& path : library.paths)
        row.libraries.push_back(
            {library.name, library.type, locate(*row.place, row.instance, path, gaps)});
      if (library.paths.empty()) row.libraries.push_back({library.name, library.type, {}});
    }
    return;
  }
  gaps.problem("libraries of " + where(row), "its data directory was not found");
}

void take_devices(Row& row, const PveGuest* guest) {
  if (row.instance.container)
    for (const auto& device : row.instance.container->devices)
      row.devices.push_back({"docker", device});
  if (guest == nullptr) return;
  const auto& config = guest->config.current;
  for (const auto& [key, value] : config.values)
    if (split_key(key).first == "dev" || key.starts_with("lxc.cgroup2.devices") ||
        key.starts_with("lxc.cgroup.devices"))
      row.devices.push_back({key, value});
  for (const auto& mount : container_mounts(config))
    if (mount.of_device()) row.devices.push_back({mount.key, mount.source});
}

/// A file that is there, but cannot be read, is no default.
void report_unreadable(const Row& row, const Gathered& gathered, Gaps& gaps) {
  for (const auto& [path, why] : gathered.unreadable)
    gaps.problem(fmt::format("{} of {}", path, where(row)), why);
}

std::string told_data(const Row& row, Gaps& gaps) {
  const std::string file = "/etc/default/jellyfin";
  if (row.instance.container) return {};
  const auto found = row.place->gather({.contents = {file}, .names = {}, .literal = true});
  if (!found) return {};  // what is asked next fails in the same way, and is reported
  report_unreadable(row, *found, gaps);
  const auto text = found->contents.find(file);
  return text == found->contents.end() ? std::string() : data_told_by_defaults(text->second);
}

Row examine(Place& place, Instance instance, const PveGuest* guest, Gaps& gaps) {
  Row row{.place = &place, .instance = std::move(instance)};
  take_devices(row, guest);
  if (!row.instance.has_config()) return row;
  row.told_data = told_data(row, gaps);
  row.host_config = locate(place, row.instance, row.instance.home, gaps).host_path;
  auto system = parse_system(row.instance.config);
  if (!system) gaps.problem("system.xml of " + where(row), system.error());
  if (system) row.system = std::move(*system);
  const auto gathered = place.gather(wanted_of(row));
  if (!gathered) {
    gaps.problem(where(row), gathered.error());
    return row;
  }
  report_unreadable(row, *gathered, gaps);
  take(*gathered, row, "network.xml", &parse_network, row.network, gaps);
  take(*gathered, row, "encoding.xml", &parse_encoding, row.encoding, gaps);
  take_libraries(row, *gathered, gaps);
  return row;
}

void set_encoding(Schema::Server::Builder server, const Encoding& encoding) {
  server.setAcceleration(encoding.acceleration);
  server.setVaapiDevice(encoding.vaapi_device);
  server.setQsvDevice(encoding.qsv_device);
  server.setHardwareEncoding(encoding.hardware_encoding);
  server.setTonemapping(encoding.tonemapping);
  server.setVppTonemapping(encoding.vpp_tonemapping);
  server.setLowPowerH264(encoding.low_power_h264);
  server.setLowPowerHevc(encoding.low_power_hevc);
  server.setAllowHevc(encoding.allow_hevc);
  server.setAllowAv1(encoding.allow_av1);
  server.setTranscodingPath(encoding.transcoding_path);
  auto codecs = server.initDecodingCodecs(size_of(encoding.decoding_codecs));
  for (unsigned i = 0; i < codecs.size(); ++i) codecs.set(i, encoding.decoding_codecs[i]);
}

void set_server(Schema::Server::Builder server, const Row& row) {
  const auto& instance = row.instance;
  server.setPlace(row.place->title());
  server.setVmid(row.place->vmid());
  server.setRunning(instance.running);
  server.setUnit(instance.unit);
  server.setConfigPath(instance.home);
  server.setDataPath(row.data);
  server.setPlaceConfigPath(placed(instance, instance.home));
  server.setPlaceDataPath(row.data.empty() ? row.data : placed(instance, row.data));
  server.setHostConfigPath(row.host_config);
  server.setHostDataPath(row.host_data);
  server.setCachePath(row.system.cache_path);
  server.setMetadataPath(row.system.metadata_path);
  server.setVersion(row.system.version.empty() ? image_version(instance) : row.system.version);
  server.setServerName(row.system.server_name);
  server.setPort(row.network.port);
  server.setHttpsPort(row.network.https_port);
  server.setPublishedPort(published_port(instance, row.network.port));
  server.setBaseUrl(row.network.base_url);
  if (instance.container) server.setContainer(instance.container->name);
  if (instance.container) server.setImage(instance.container->image);
  set_encoding(server, row.encoding);
}

/// Sets what tells whose row it is, in every list alike.
template <typename Element>
void set_owner(Element element, const Row& row) {
  element.setPlace(row.place->title());
  element.setVmid(row.place->vmid());
  if (row.instance.container) element.setContainer(row.instance.container->name);
}

void set_libraries(Schema::Facts::Builder facts, const std::vector<Row>& rows) {
  std::vector<std::pair<const Row*, const LibraryRow*>> items;
  for (const auto& row : rows)
    for (const auto& library : row.libraries) items.emplace_back(&row, &library);
  fill(facts.initLibraries(size_of(items)), items, [](auto element, const auto& item) {
    const auto& [row, library] = item;
    set_owner(element, *row);
    element.setName(library->name);
    element.setType(library->type);
    element.setPath(library->location.path);
    element.setPlacePath(library->location.place_path);
    element.setHostPath(library->location.host_path);
  });
}

void set_devices(Schema::Facts::Builder facts, const std::vector<Row>& rows) {
  std::vector<std::pair<const Row*, const DeviceRow*>> items;
  for (const auto& row : rows)
    for (const auto& device : row.devices) items.emplace_back(&row, &device);
  fill(facts.initDevices(size_of(items)), items, [](auto element, const auto& item) {
    const auto& [row, device] = item;
    set_owner(element, *row);
    element.setKey(device->key);
    element.setWhat(device->what);
  });
}

bool is_suspect(std::string_view name) { return names_app(name, jellyfin_app().front()); }

}  // namespace

Result<Message<AuditJellyfin::Facts>> AuditJellyfin::observe(Params::Reader, Host& host) {
  Gaps gaps;
  const auto places = find_places(host, is_suspect, gaps);
  std::vector<Row> rows;
  for (const auto& place : places.all) {
    auto instances = find_instances(*place, jellyfin_app(), gaps);
    if (!instances) gaps.problem(place->title(), instances.error());
    if (!instances) continue;
    for (auto& instance : *instances)
      rows.push_back(examine(*place, std::move(instance), guest_of(places, *place), gaps));
  }
  if (rows.empty() && !gaps.has_problems()) gaps.all_absent("no Jellyfin was found");
  Draft<Facts> facts;
  fill(facts->initServers(size_of(rows)), rows, set_server);
  set_libraries(*facts, rows);
  set_devices(*facts, rows);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::media
