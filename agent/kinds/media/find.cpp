#include "agent/kinds/media/find.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/media/native.h"

namespace relab::agent::media {

namespace {

/// "/config" and what lies in it.
bool is_below(std::string_view path, std::string_view above) {
  if (above == "/") return path.starts_with('/');
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

std::string joined(std::string_view folder, std::string_view file) {
  return fmt::format("{}/{}", folder, file);
}

/// The paths outside where a container's configuration may be, by the home inside.
struct Candidate {
  std::string home;
  std::string path;  ///< of the configuration file, outside
  std::string config;
};

std::vector<Candidate> candidates(const Instance& instance) {
  std::vector<Candidate> all;
  const auto add = [&](std::string_view home) {
    for (const auto config : instance.app->configs) {
      auto path = instance.container ? outside(instance.container->mounts, joined(home, config))
                                     : joined(home, config);
      if (!path.empty()) all.push_back({std::string(home), std::move(path), std::string(config)});
    }
  };
  if (instance.container)
    for (const auto home : instance.app->docker_homes) add(home);
  else if (!instance.home.empty())
    add(instance.home);
  return all;
}

bool is_app(const DockerContainer& container, const App& app) {
  const auto slash = container.image.find_last_of('/');
  const auto image = container.image.substr(slash == std::string::npos ? 0 : slash + 1);
  return names_app(image.substr(0, image.find_first_of(":@")), app);
}

/// An image built at home may have any name; the container's own tells then.
const App* app_of(const DockerContainer& container, const std::vector<App>& apps) {
  const auto by_image =
      std::ranges::find_if(apps, [&](const App& app) { return is_app(container, app); });
  if (by_image != apps.end()) return &*by_image;
  const auto by_name = std::ranges::find_if(apps, [&](const App& app) {
    return names_app(container.name, app) || names_app(container.compose_service(), app);
  });
  return by_name == apps.end() ? nullptr : &*by_name;
}

void add_docker(Place& place, const std::vector<App>& apps, std::vector<Instance>& instances,
                Gaps& gaps) {
  auto view = place.docker();
  const auto part = "Docker of " + place.title();
  if (!view) {
    gaps.problem(part, view.error());
    return;
  }
  if (!view->absent.empty() && place.vmid() == 0) gaps.absent(part, view->absent);
  for (auto& container : view->containers) {
    const auto* app = app_of(container, apps);
    if (app == nullptr) continue;
    Instance instance{.app = app, .running = place.running() && container.running()};
    instance.container = std::move(container);
    instances.push_back(std::move(instance));
  }
}

void take(Instance& instance, const Gathered& gathered) {
  for (const auto& candidate : candidates(instance)) {
    const auto found = gathered.contents.find(candidate.path);
    if (found == gathered.contents.end()) continue;
    instance.home = candidate.home;
    instance.config_path = candidate.path;
    instance.config = found->second;
    instance.place_home =
        candidate.path.substr(0, candidate.path.size() - candidate.config.size() - 1);
    return;
  }
}

/// Reads the configurations that the usual places did not already give, in one go.
Result<Gathered> complete(Place& place, std::vector<Instance>& instances) {
  Wanted wanted{.contents = {}, .names = {}, .literal = true};
  for (const auto& instance : instances)
    if (!instance.has_config())
      for (auto& candidate : candidates(instance))
        wanted.contents.push_back(std::move(candidate.path));
  if (wanted.contents.empty()) return Gathered();
  RELAB_TRY(auto gathered, place.gather(wanted));
  for (auto& instance : instances)
    if (!instance.has_config()) take(instance, gathered);
  return gathered;
}

/// A container's configuration may lie where one without Docker would have it.
void drop_doubles(std::vector<Instance>& instances) {
  std::set<std::string> of_containers;
  for (const auto& instance : instances)
    if (instance.container && instance.has_config()) of_containers.insert(instance.config_path);
  std::erase_if(instances, [&](const Instance& instance) {
    return !instance.container && of_containers.contains(instance.config_path);
  });
}

std::string why_without(const Instance& instance) {
  const auto paths = candidates(instance);
  if (instance.container && paths.empty())
    return "its configuration is in none of its mounts: it would be lost with the container";
  if (paths.empty()) return "it is installed, but its configuration was not found";
  return fmt::format("its configuration was not found at {}", paths.front().path);
}

void report(const Place& place, const std::vector<Instance>& instances, const Gathered& gathered,
            Gaps& gaps) {
  for (const auto& instance : instances)
    if (!instance.has_config())
      gaps.problem(fmt::format("{} on {}", instance.title(), place.title()), why_without(instance));
  for (const auto& [path, why] : gathered.unreadable) {
    const bool matters = !path.starts_with("/proc/") && path.find("/systemd/") == std::string::npos;
    if (matters) gaps.problem(fmt::format("{} on {}", path, place.title()), why);
  }
}

}  // namespace

std::string Instance::title() const {
  if (!container) return std::string(app->name);
  return fmt::format("{} (Docker container {})", app->name, container->name);
}

std::string outside(const std::vector<DockerMount>& mounts, const std::string& path) {
  const DockerMount* best = nullptr;
  for (const auto& mount : mounts)
    if (is_below(path, mount.destination) &&
        (best == nullptr || mount.destination.size() > best->destination.size()))
      best = &mount;
  if (best == nullptr || best->source.empty()) return {};
  return best->source + path.substr(best->destination == "/" ? 0 : best->destination.size());
}

Result<std::vector<Instance>> find_instances(Place& place, const std::vector<App>& apps,
                                             Gaps& gaps) {
  RELAB_TRY(auto gathered, place.gather(native_wanted(apps)));
  RELAB_TRY(auto instances, native_instances(place, apps, gathered));
  add_docker(place, apps, instances, gaps);
  RELAB_TRY(auto more, complete(place, instances));
  gathered.add(std::move(more));
  drop_doubles(instances);
  report(place, instances, gathered, gaps);
  return instances;
}

}  // namespace relab::agent::media
