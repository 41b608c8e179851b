#include "agent/kinds/packages/machine.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

/// The places of "use" and "error correction" in an SMBIOS entry of type 16.
constexpr std::size_t use_at = 5;
constexpr std::size_t correction_at = 6;
constexpr char use_system_memory = 3;

constexpr std::size_t efi_attributes_size = 4;

std::string_view without_quotes(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                         value.back() == value.front();
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

/// "model name\t: AMD EPYC" as name and value.
std::pair<std::string_view, std::string_view> field_of(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {trim(line), {}};
  return {trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

}  // namespace

Result<std::map<std::string, std::string>> parse_os_release(std::string_view text) {
  std::map<std::string, std::string> values;
  for (const auto line : lines(text)) {
    const auto sign = line.find('=');
    if (sign == std::string_view::npos || trim(line).starts_with('#')) continue;
    values[std::string(trim(line.substr(0, sign)))] = without_quotes(trim(line.substr(sign + 1)));
  }
  if (!values.contains("ID")) return fail(Fault::damaged, "the os-release file has no ID");
  return values;
}

Result<Cpu> parse_cpuinfo(std::string_view text) {
  Cpu cpu;
  std::set<std::string_view> sockets;
  std::set<std::pair<std::string_view, std::string_view>> cores;
  std::string_view socket;
  for (const auto line : lines(text)) {
    const auto [name, value] = field_of(line);
    if (name == "processor") ++cpu.threads;
    if (name == "model name" && cpu.model.empty()) cpu.model = value;
    if (name == "physical id") sockets.insert(socket = value);
    if (name == "core id") cores.emplace(socket, value);
  }
  if (cpu.threads == 0) return fail(Fault::damaged, "/proc/cpuinfo shows no processor");
  cpu.sockets = static_cast<std::uint32_t>(sockets.size());
  cpu.cores = static_cast<std::uint32_t>(cores.size());
  return cpu;
}

Result<std::uint64_t> parse_memory_total(std::string_view meminfo) {
  for (const auto line : lines(meminfo)) {
    const auto [name, value] = field_of(line);
    if (name != "MemTotal") continue;
    const auto parts = words(value);
    if (parts.size() != 2 || parts[1] != "kB") return fail(Fault::damaged, "MemTotal is not in kB");
    RELAB_TRY(const auto kib, parse_number<std::uint32_t>(parts[0]));
    return std::uint64_t{kib} * 1024;
  }
  return fail(Fault::damaged, "/proc/meminfo has no MemTotal");
}

std::string parse_memory_array(std::string_view raw) {
  static constexpr std::array<std::string_view, 8> names = {
      "", "other", "", "none", "parity", "single-bit", "multi-bit", "crc"};
  if (raw.size() <= correction_at || raw[use_at] != use_system_memory) return {};
  const auto kind = static_cast<unsigned char>(raw[correction_at]);
  return kind < names.size() ? std::string(names[kind]) : std::string();
}

std::string parse_secure_boot(std::string_view variable) {
  if (variable.size() != efi_attributes_size + 1) return {};
  if (variable.back() == 1) return "on";
  return variable.back() == 0 ? "off" : "";
}

Result<PveVersion> parse_pveversion(std::string_view text) {
  const auto first = words(text.substr(0, text.find('\n')));
  const auto parts = split(first.empty() ? std::string_view() : first[0], '/');
  if (parts.size() < 2 || parts[0] != "pve-manager" || parts[1].empty())
    return fail(Fault::damaged, "pveversion printed no version of pve-manager");
  return PveVersion{.version = std::string(parts[1]),
                    .repository_id = std::string(parts.size() > 2 ? parts[2] : "")};
}

}  // namespace relab::agent::packages
