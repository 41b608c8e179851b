#include "agent/kinds/media/native.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/media/launch.h"
#include "agent/kinds/support/tree.h"
#include "common/base/text.h"

namespace relab::agent::media {

namespace {

constexpr std::array<std::string_view, 3> unit_folders{
    "/etc/systemd/system/", "/usr/lib/systemd/system/", "/lib/systemd/system/"};

std::string folder_of(const std::string& path) { return Path(path).parent_path().string(); }

/// A unit or process that is an application.
struct Sighting {
  const App* app;
  std::string unit;
  std::vector<std::string> command;
  std::string home;  ///< "" if it does not tell
  bool process;
};

/// The name that a data directory was given: that above it for /opt/sonarr/config.
std::string name_of_home(const Path& folder) {
  const auto last = folder.filename().string();
  return last == "config" || last == "data" ? folder.parent_path().filename().string() : last;
}

/// Files of the same name belong to several applications: the database beside them, the name in
/// them, or else the name of their folder tells which.
bool is_config_of(const App& app, const std::string& path, const Gathered& gathered) {
  if (!app.has_own_database()) return true;
  const auto folder = folder_of(path);
  for (const auto& database : app.databases())
    if (gathered.names.contains(folder + "/" + database)) return true;
  const auto settings = app.parse(gathered.contents.at(path));
  const bool named = names_app(name_of_home(folder), app);
  if (!settings) return named && settings.error().fault == Fault::damaged;
  return named || names_app(settings->instance_name, app);
}

bool matches_home(const App& app, std::string_view config, const std::string& path) {
  return std::ranges::any_of(app.homes, [&](std::string_view home) {
    return matches_path(path, fmt::format("{}/{}", home, config));
  });
}

/// `config` may lie below the home: "config/config.yaml".
std::string home_of(const std::string& path, std::string_view config) {
  return path.substr(0, path.size() - config.size() - 1);
}

std::vector<Instance> configured(const std::vector<App>& apps, const Gathered& gathered) {
  std::vector<Instance> found;
  for (const auto& [path, text] : gathered.contents)
    for (const auto& app : apps)
      for (const auto config : app.configs) {
        if (!matches_home(app, config, path) || !is_config_of(app, path, gathered)) continue;
        const auto home = home_of(path, config);
        found.push_back(
            {.app = &app, .home = home, .place_home = home, .config_path = path, .config = text});
      }
  return found;
}

std::string home_in(const std::vector<std::string>& command, const App& app) {
  auto value = option_value(command, app.options);
  if (!value || !value->starts_with('/')) return {};
  // Some take the file itself.
  for (const auto config : app.configs)
    if (value->ends_with("/" + std::string(config))) return home_of(*value, config);
  while (value->size() > 1 && value->ends_with('/')) value->pop_back();
  return *value + std::string(app.option_suffix);
}

/// A template stands for no installation: its instances are links, or processes.
bool is_template(std::string_view file) { return file.ends_with("@.service"); }

void sight_unit(const std::string& path, std::string_view text, const std::vector<App>& apps,
                std::vector<Sighting>& sightings) {
  const auto file = Path(path).filename().string();
  const auto unit = parse_unit(text);
  if (is_template(file) || unit.command.empty()) return;
  for (const auto& app : apps) {
    if (!runs_app(unit.command, app) && !names_app(file, app)) continue;
    sightings.push_back({&app, file, unit.command, home_in(unit.command, app), false});
    return;
  }
}

bool is_process(const std::string& path) { return path.starts_with("/proc/"); }

bool is_unit(const std::string& path) {
  return std::ranges::any_of(unit_folders,
                             [&](std::string_view folder) { return path.starts_with(folder); });
}

std::vector<Sighting> sight(const std::vector<App>& apps, const Gathered& gathered) {
  std::vector<Sighting> sightings;
  std::set<std::string> units;
  for (const auto& [path, text] : gathered.contents) {
    // The same unit may be seen by several paths.
    if (is_unit(path) && units.insert(Path(path).filename().string()).second)
      sight_unit(path, text, apps, sightings);
    if (!is_process(path)) continue;
    auto command = parse_cmdline(text);
    for (const auto& app : apps)
      if (runs_app(command, app)) {
        auto home = home_in(command, app);
        sightings.push_back({&app, folder_of(path), std::move(command), std::move(home), true});
        break;
      }
  }
  return sightings;
}

/// Processes of containers are seen from their host as well; they are found again over there.
Result<void> drop_contained(Place& place, std::vector<Sighting>& sightings) {
  Wanted wanted{.contents = {}, .names = {}, .literal = true};
  for (const auto& sighting : sightings)
    if (sighting.process) wanted.contents.push_back(sighting.unit + "/cgroup");
  if (wanted.contents.empty()) return {};
  RELAB_TRY(const auto gathered, place.gather(wanted));
  std::erase_if(sightings, [&](const Sighting& sighting) {
    if (!sighting.process) return false;
    const auto cgroup = gathered.contents.find(sighting.unit + "/cgroup");
    return cgroup == gathered.contents.end() || is_contained(cgroup->second);
  });
  return {};
}

/// Without a directory of its own, a sighting is of any installation of the application.
void join(const Sighting& sighting, std::vector<Instance>& instances) {
  bool joined = false;
  for (auto& instance : instances) {
    if (instance.app != sighting.app) continue;
    if (!sighting.home.empty() && instance.home != sighting.home) continue;
    joined = true;
    instance.running = instance.running || sighting.process;
    if (!sighting.process) instance.unit = sighting.unit;
    if (instance.command.empty() || sighting.process) instance.command = sighting.command;
  }
  if (joined) return;
  instances.push_back({.app = sighting.app,
                       .unit = sighting.process ? "" : sighting.unit,
                       .command = sighting.command,
                       .running = sighting.process,
                       .home = sighting.home,
                       .place_home = sighting.home});
}

}  // namespace

Wanted native_wanted(const std::vector<App>& apps) {
  std::set<std::string> contents{"/proc/*/cmdline", "/etc/systemd/system/*.service"};
  std::set<std::string> names;
  for (const auto& app : apps) {
    for (const auto home : app.homes) {
      for (const auto config : app.configs) contents.insert(fmt::format("{}/{}", home, config));
      for (const auto& database : app.databases())
        names.insert(fmt::format("{}/{}", home, database));
    }
    for (const auto word : app.words)
      contents.insert(fmt::format("/lib/systemd/system/*{}*.service", word));
  }
  return {.contents = {contents.begin(), contents.end()}, .names = {names.begin(), names.end()}};
}

Result<std::vector<Instance>> native_instances(Place& place, const std::vector<App>& apps,
                                               const Gathered& gathered) {
  auto instances = configured(apps, gathered);
  auto sightings = sight(apps, gathered);
  RELAB_CHECK(drop_contained(place, sightings));
  // Those that name a directory first, so that the others find it.
  std::stable_partition(sightings.begin(), sightings.end(),
                        [](const auto& sighting) { return !sighting.home.empty(); });
  for (const auto& sighting : sightings) join(sighting, instances);
  return instances;
}

}  // namespace relab::agent::media
