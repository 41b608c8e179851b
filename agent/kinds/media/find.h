#pragma once

/// Finds applications in a place: by configuration files where they usually are, by systemd units,
/// by processes, and by Docker containers.

#include <optional>
#include <string>
#include <vector>

#include "agent/kinds/media/app.h"
#include "agent/kinds/support/docker.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/place.h"

namespace relab::agent::media {

/// One installation of an application.
struct Instance {
  const App* app = nullptr;
  std::string unit = {};                          ///< of systemd; "" if none was seen
  std::optional<DockerContainer> container = {};  ///< if it runs in Docker
  std::vector<std::string> command = {};          ///< of its process or unit; may hold secrets
  bool running = false;
  std::string home = {};         ///< data directory as the application sees it; "" if not found
  std::string place_home = {};   ///< the same as the place sees it
  std::string config_path = {};  ///< as the place sees it; "" if not found
  std::string config = {};       ///< the content of that file: holds secrets

  bool has_config() const { return !config_path.empty(); }
  /// "sonarr", "sonarr (Docker container tv)".
  std::string title() const;
};

/// The path outside of a container that a path inside stands for; "" if no mount covers it.
std::string outside(const std::vector<DockerMount>& mounts, const std::string& path);

/// Every installation in a place. An error if the place cannot be looked into; what is there, but
/// cannot be read, goes to `gaps` as a problem, and is listed without configuration.
Result<std::vector<Instance>> find_instances(Place& place, const std::vector<App>& apps,
                                             Gaps& gaps);

}  // namespace relab::agent::media
