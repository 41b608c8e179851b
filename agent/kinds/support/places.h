#pragma once

/// Every place of this machine where a service may run: itself, and each of its containers.

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/place.h"
#include "agent/kinds/support/pve_guests.h"

namespace relab::agent {

struct Places {
  std::vector<std::unique_ptr<Place>> all;  ///< this machine first
  std::vector<PveGuest> guests;             ///< those that the places tell of by vmid
};

/// This machine, each running container, and each stopped one whose files lie in directories here.
/// Containers that cannot be looked into go to `gaps` as problems; VMs as absent parts, but those
/// whose name is suspect as problems. Changes nothing: nothing is started or mounted.
Places find_places(Host& host, const std::function<bool(std::string_view)>& is_suspect, Gaps& gaps);

/// Those of these guests alone that are containers; what cannot be looked into as above.
std::vector<std::unique_ptr<Place>> containers_of(Host& host, const std::vector<PveGuest>& guests,
                                                  Gaps& gaps);

/// This machine alone.
Places this_machine(Host& host);

/// The guest of a place, or nullptr for this machine.
const PveGuest* guest_of(const Places& places, const Place& place);

}  // namespace relab::agent
