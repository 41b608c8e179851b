#pragma once

/// Packages that agents of hosts bring into guests: files of this machine, sent piece by piece.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "controller/plan/plan.h"
#include "schema/wire.capnp.h"

namespace relab::controller {

struct OfferedParcel {
  /// Relative to the folder.
  std::string name;
  std::filesystem::path file;
  /// 32 bytes.
  Bytes sha256;
  std::uint64_t size = 0;
};

/// Every package of the folder, and of the folders in it, which are named after releases; sorted.
/// Fault::missing if there is no such folder, or no package in it.
Result<std::vector<OfferedParcel>> read_parcels(const std::filesystem::path& folder);

/// Those that a guest may need: an agent with all roles that it has, and what is not relab's own.
std::vector<OfferedParcel> parcels_for_guests(const std::vector<OfferedParcel>& parcels);

/// The role of the agent that the step installs; empty: it installs none.
std::string_view installed_role(const PlannedStep& step);

/// That the folder has the agent and its role for every such step. Fault::missing with what lacks.
Result<void> check_parcels(const std::vector<const PlannedStep*>& steps,
                           const std::vector<OfferedParcel>& parcels);

/// What is to be sent of a parcel, from that offset on. Fault::missing if it is none of these, or
/// has become shorter.
Result<Bytes> read_piece(const std::vector<OfferedParcel>& parcels, ByteView sha256,
                         std::uint64_t offset);

}  // namespace relab::controller
