#pragma once

/// One path as an application, its place and this machine see it.

#include <string>

#include "agent/kinds/media/find.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/place.h"

namespace relab::agent::media {

struct Location {
  std::string path = {};        ///< as the application sees it
  std::string place_path = {};  ///< "": in Docker, and in none of its mounts
  std::string host_path = {};   ///< "": this machine does not see it
};

/// A path of the application as its place sees it, or "".
std::string placed(const Instance& instance, const std::string& path);
/// What this machine does not see is noted among the gaps: absent if there is no such path.
Location locate(Place& place, const Instance& instance, const std::string& path, Gaps& gaps);

/// The port outside of its Docker container that leads to the configured one (0: the usual one); 0
/// if none does.
std::uint16_t published_port(const Instance& instance, std::uint16_t configured);
/// The version that a Docker image tells, or "".
std::string image_version(const Instance& instance);

}  // namespace relab::agent::media
