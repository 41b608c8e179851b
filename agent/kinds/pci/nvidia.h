#pragma once

/// What nvidia-smi tells of the GPUs that NVIDIA's driver holds.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::pci {

struct Nvidia {
  std::string address;
  std::string name;
  std::string uuid;
  std::string driver_version;
  /// MiB; 0 where the card does not tell, as for memory shared with the processor.
  std::uint64_t memory_total = 0;
  std::uint64_t memory_used = 0;
  std::optional<std::int16_t> utilization = {};
  std::optional<std::int16_t> temperature = {};
};

/// Of the eight columns that `read_nvidia` asks for, without heading and units. Fault::damaged for
/// any other line: nvidia-smi reports its failures on its standard output.
Result<std::vector<Nvidia>> parse_nvidia(std::string_view csv);

/// Fault::missing without nvidia-smi.
Result<std::vector<Nvidia>> read_nvidia(Host& host);

}  // namespace relab::agent::pci
