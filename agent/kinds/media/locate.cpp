#include "agent/kinds/media/locate.h"

#include <fmt/format.h>

namespace relab::agent::media {

std::string placed(const Instance& instance, const std::string& path) {
  return instance.container ? outside(instance.container->mounts, path) : path;
}

Location locate(Place& place, const Instance& instance, const std::string& path, Gaps& gaps) {
  Location location{.path = path, .place_path = placed(instance, path)};
  if (!location.place_path.starts_with('/')) return location;
  const auto here = place.on_host(location.place_path);
  if (here) {
    location.host_path = here->string();
    return location;
  }
  const auto part = fmt::format("{} of {} on {}", path, instance.title(), place.title());
  // A setting may name what is long gone; whatever else happens hides where the data is.
  const auto fault = here.error().fault;
  if (fault == Fault::missing || fault == Fault::unsupported)
    gaps.absent(part, here.error().what);
  else
    gaps.problem(part, here.error());
  return location;
}

std::uint16_t published_port(const Instance& instance, std::uint16_t configured) {
  if (!instance.container) return 0;
  const auto inside = configured == 0 ? instance.app->default_port : configured;
  for (const auto& port : instance.container->ports)
    if (port.container_port == inside && port.host_port != 0 && port.protocol == "tcp")
      return port.host_port;
  return 0;
}

std::string image_version(const Instance& instance) {
  if (!instance.container) return {};
  auto version = instance.container->label("org.opencontainers.image.version");
  return version.empty() ? instance.container->label("build_version") : version;
}

}  // namespace relab::agent::media
