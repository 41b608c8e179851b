#pragma once

/// A guest's agent learns whom to obey from the machine that it runs on: the agent of the host,
/// which may do anything in the guest anyway, runs this there instead of a one-time code.

#include <filesystem>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::agent {

struct PlantRequest {
  std::filesystem::path state_dir;
  /// The controller's Envelope around its Identity.
  Bytes controller;
  std::string lab;
  /// The agent's own name and roles.
  std::string name;
  std::string role;
};

/// Pins the controller durably, with keys made if there are none, and returns the agent's Envelope
/// around its Identity. The same controller twice is one. Fault::refused if it obeys another one,
/// ::invalid without a lab, ::damaged for a statement that does not verify; nothing has changed
/// then.
Result<Bytes> plant_controller(const PlantRequest& request);

/// The agent's Envelope around its Identity. Fault::missing if it has no keys yet.
Result<Bytes> own_identity(const std::filesystem::path& state_dir, const std::string& name,
                           const std::string& role);

}  // namespace relab::agent
