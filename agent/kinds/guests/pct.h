#pragma once

/// Proxmox's `pct`, whose exit code says little: what it was to do is looked at afterwards.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/pve_guests.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

/// Remarks what a program of Proxmox warned of: a task with warnings is a success there.
void remark_warnings(Host& host, const Output& output);

/// Runs it to its end, and remarks its warnings. While Proxmox holds a lock (a backup runs,
/// somebody else changes the container), it is tried again for ten minutes; then Fault::busy.
/// Fault::damaged with pct's own words if it fails.
Result<void> pct(Host& host, const std::vector<std::string>& arguments,
                 std::chrono::seconds timeout);

/// Values by key: those that are in effect, overlaid with what waits for the next start.
std::map<std::string, std::string> settings_of(const PveConfig& config);
/// Keys of what waits.
std::vector<std::string> waiting_of(const PveConfig& config);
/// What waits for the next start of a container that runs, in words; empty: all is in effect.
std::vector<std::string> waiting_notes(const std::string& title,
                                       capnp::List<capnp::Text>::Reader waiting);
/// The guest that relab made it as, by its description; empty: relab did not.
std::string made_as(const PveConfig& config);
/// What its description says behind that, in the second line, that it is for.
std::string purpose_of(const PveConfig& config);
/// As that line can say it: in one line, and clean.
std::string purpose_line(std::string_view purpose);
/// The description of a container that relab makes, or changes: what it says of itself, and below
/// that whatever else the description said before. That of a container which has it already stays.
std::string description_of(std::string_view name, std::string_view purpose,
                           std::string_view before = {});

using HostMounts = capnp::List<schema::Guest::HostMount>::Reader;
using Sources = capnp::List<schema::Guest::Source>::Reader;

/// What the directories of the host are now.
Result<void> look_at_sources(Host& host, HostMounts mounts,
                             capnp::List<schema::Guest::Source>::Builder sources);
/// Why a container with these directories must not start: one is not there, or what is there is not
/// of its pool. Empty: it may.
std::string source_concern(HostMounts mounts, Sources sources);

}  // namespace relab::agent::guests
