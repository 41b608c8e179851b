#pragma once

/// Packages of relab that a rehearsal brings into simulated containers.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "controller/run/parcels.h"

namespace relab::rehearsal {

/// What stands for a package, by the name of its file: its control data.
std::map<std::string, std::string> parcel_contents();

/// Writes them into the folder, and offers them.
Result<std::vector<controller::OfferedParcel>> make_parcels(const std::filesystem::path& folder);

}  // namespace relab::rehearsal
