#pragma once

/// relab's own agent in a container, seen from its host.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::guests {

struct AgentInside {
  /// The code name of the container's release: "bookworm".
  std::string suite;
  struct Package {
    std::string name;
    std::string version;
    /// Of dpkg: "ii" for one that is there whole.
    std::string status;

    bool operator==(const Package&) const = default;
  };
  /// The agent and its roles.
  std::vector<Package> packages = {};
  /// The agent's Envelope around its Identity; empty: it has no keys.
  Bytes identity = {};
  /// Why it cannot be had, where there are keys, or may be.
  std::string unreadable = {};
  std::string lab = {};
  /// The fingerprints of the controllers that it obeys.
  std::vector<std::string> controllers = {};
  bool enabled = false;
  bool active = false;
};

/// The package of a role.
std::string package_of(std::string_view role);

/// The shell script that looks, given the agent's name.
std::string_view agent_script();
/// Fault::damaged for an answer that is cut off or has another form.
Result<AgentInside> parse_agent(std::string_view text);

/// Waits a moment for an agent that starts or ends. Fault::damaged if the container cannot be
/// looked into, or there is an agent which cannot tell who it is.
Result<AgentInside> look_at_agent(Host& host, std::uint32_t vmid, const std::string& name);

/// A shell script in the container, with its arguments; it must end with 0. Fault::damaged with
/// what it said.
Result<std::string> run_inside(Host& host, std::uint32_t vmid, std::string_view script,
                               const std::vector<std::string>& arguments,
                               std::chrono::seconds timeout);

}  // namespace relab::agent::guests
