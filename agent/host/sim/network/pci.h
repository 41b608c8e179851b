#pragma once

/// The PCI devices of a simulated machine, as its audit found them: /sys, /dev/dri, pci.ids and
/// nvidia-smi.

#include <string>

#include "agent/host/sim/part.h"

namespace relab::agent::sim {

class Pci final : public Part {
 public:
  Pci(SimHost& host, World world);
};

/// As much of pci.ids as names these devices; a class has no name of its own there, only its
/// subclasses have.
std::string pci_ids_text(schema::AuditPci::Facts::Reader facts);

/// What nvidia-smi prints, of the columns that the audit asks for.
std::string nvidia_text(schema::AuditPci::Facts::Reader facts);

}  // namespace relab::agent::sim
