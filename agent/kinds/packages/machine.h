#pragma once

/// What the kernel's and the firmware's own files tell of the machine.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::agent::packages {

/// The assignments of /etc/os-release, unquoted. Fault::damaged if there is no ID.
Result<std::map<std::string, std::string>> parse_os_release(std::string_view text);

struct Cpu {
  std::string model = {};
  std::uint32_t sockets = 0;
  std::uint32_t cores = 0;
  std::uint32_t threads = 0;

  bool operator==(const Cpu&) const = default;
};

/// Out of /proc/cpuinfo. Fault::damaged if it shows no processor.
Result<Cpu> parse_cpuinfo(std::string_view text);

/// Bytes, out of /proc/meminfo. Fault::damaged without MemTotal.
Result<std::uint64_t> parse_memory_total(std::string_view meminfo);

/// The error correction that the firmware claims, out of an SMBIOS entry of type 16 (physical
/// memory array); "" for an array that is no system memory or too short an entry.
std::string parse_memory_array(std::string_view raw);

/// "on" or "off", out of the EFI variable SecureBoot (4 bytes of attributes, then the value); ""
/// for anything else.
std::string parse_secure_boot(std::string_view variable);

struct PveVersion {
  std::string version = {};
  std::string repository_id = {};

  bool operator==(const PveVersion&) const = default;
};

/// "pve-manager/9.2.11/3f1c8a5b9d2e7f40 (running kernel: 7.0.14-14-pve)".
Result<PveVersion> parse_pveversion(std::string_view text);

}  // namespace relab::agent::packages
