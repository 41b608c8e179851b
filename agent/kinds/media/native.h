#pragma once

/// Finds what runs without Docker. `find.h` puts it together with what does.

#include <vector>

#include "agent/kinds/media/find.h"

namespace relab::agent::media {

/// What has to be read of a place to find applications without Docker.
Wanted native_wanted(const std::vector<App>& apps);

/// The installations whose configuration was gathered, and those that only a unit or a process
/// tells of: these have a `home` without a configuration, or neither.
Result<std::vector<Instance>> native_instances(Place& place, const std::vector<App>& apps,
                                               const Gathered& gathered);

}  // namespace relab::agent::media
