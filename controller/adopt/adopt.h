#pragma once

/// A lab file out of what the audit found: the place to start from, with all that is still to be
/// decided as remarks.

#include <optional>
#include <string>

#include "controller/state/state.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// The newest facts of a host's audit; a section that was never read has none.
struct AdoptedAudit {
  std::optional<schema::AuditZfs::Facts::Reader> zfs = {};
  std::optional<schema::AuditDisks::Facts::Reader> disks = {};
  std::optional<schema::AuditGuests::Facts::Reader> guests = {};
  std::optional<schema::AuditArr::Facts::Reader> arr = {};
  std::optional<schema::AuditJellyfin::Facts::Reader> jellyfin = {};
  std::optional<schema::AuditPbs::Facts::Reader> pbs = {};
  std::optional<schema::AuditNetwork::Facts::Reader> network = {};
  std::optional<schema::AuditSchedules::Facts::Reader> schedules = {};
  std::optional<schema::AuditServices::Facts::Reader> services = {};
  std::optional<schema::AuditPci::Facts::Reader> pci = {};
  std::optional<schema::AuditPackages::Facts::Reader> packages = {};
  /// Sections that found something, in the schema's order.
  std::vector<std::string> present = {};
  /// Those that nobody read.
  std::vector<std::string> unread = {};
};

/// Points into the state. With a run, only what that one found.
AdoptedAudit audit_of(const State& state, const std::string& host,
                      const std::optional<RunId>& run = {});

/// What the file is to be called by.
struct Adopting {
  std::string lab;
  std::string host;
  /// Where its agent is reached; empty: at the usual port of its address.
  std::string endpoint = {};
};

/// Fault::missing without the sections that no description can do without: disks, guests, network.
Result<std::string> adopt(const Adopting& adopting, const AdoptedAudit& audit);

}  // namespace relab::controller
