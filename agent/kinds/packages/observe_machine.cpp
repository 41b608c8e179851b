#include "agent/kinds/packages/observe_machine.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/packages/machine.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

constexpr std::string_view kernel_prefix = "vmlinuz-";
/// Processors tell some kilobytes each.
constexpr std::size_t cpuinfo_size_max = std::size_t{8} << 20U;

/// A file with one line; what cannot be read is a problem.
std::string line_of(Host& host, const Path& path, std::string part, Gaps& gaps) {
  const auto text = host.read_file(path);
  if (text) return clean_text(trim(*text));
  gaps.problem(std::move(part), text.error());
  return {};
}

/// A file with one line that machines may lack.
std::string line_if_any(Host& host, const Path& path, Gaps& gaps) {
  const auto text = host.read_file(path);
  if (!text && text.error().fault != Fault::missing) gaps.problem(path.string(), text.error());
  return text ? clean_text(trim(*text)) : std::string();
}

Result<std::map<std::string, std::string>> read_os_release(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/etc/os-release"));
  return parse_os_release(text);
}

void put_os(Host& host, schema::AuditPackages::System::Builder system, Gaps& gaps) {
  auto values = read_os_release(host);
  if (!values) {
    gaps.problem("operating system", values.error());
    return;
  }
  system.setOs((*values)["ID"]);
  system.setOsVersion((*values)["VERSION_ID"]);
  system.setCodename((*values)["VERSION_CODENAME"]);
  system.setDescription((*values)["PRETTY_NAME"]);
}

Result<std::uint64_t> read_uptime(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/proc/uptime"));
  return parse_number<std::uint64_t>(text.substr(0, text.find('.')));
}

void put_uptime(Host& host, schema::AuditPackages::System::Builder system, Gaps& gaps) {
  if (const auto seconds = read_uptime(host))
    system.setUptime(*seconds);
  else
    gaps.problem("uptime", seconds.error());
}

void put_architecture(Host& host, schema::AuditPackages::System::Builder system, Gaps& gaps) {
  const auto text = output_of(host, {.argv = {"uname", "-m"}});
  if (text)
    system.setArchitecture(clean_text(trim(*text)));
  else
    gaps.problem("architecture", text.error());
}

void put_boot(Host& host, schema::AuditPackages::System::Builder system, Gaps& gaps) {
  const auto efi = host.status("/sys/firmware/efi");
  if (!efi && efi.error().fault != Fault::missing) {
    gaps.problem("boot mode", efi.error());
    return;
  }
  system.setBootMode(efi ? "efi" : "bios");
  const auto variable =
      host.read_file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
  if (variable) system.setSecureBoot(parse_secure_boot(*variable));
  if (efi && !variable) gaps.absent("secure boot", variable.error().sentence());
}

void put_kernels(Host& host, std::string_view running, FactsBuilder facts, Gaps& gaps) {
  const auto names = host.list("/boot");
  if (!names && names.error().fault != Fault::missing) {
    gaps.problem("installed kernels", names.error());
    return;
  }
  std::vector<std::string> releases;
  if (names)
    for (const auto& name : *names)
      if (name.starts_with(kernel_prefix)) releases.push_back(name.substr(kernel_prefix.size()));
  if (releases.empty()) gaps.absent("installed kernels", "no kernel in /boot, as in a container");
  auto list = facts.initKernels(static_cast<unsigned>(releases.size()));
  for (unsigned i = 0; i < releases.size(); ++i) {
    list[i].setRelease(releases[i]);
    list[i].setRunning(releases[i] == running);
  }
}

Result<Cpu> read_cpu(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/proc/cpuinfo", cpuinfo_size_max));
  return parse_cpuinfo(text);
}

Result<std::uint64_t> read_memory(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/proc/meminfo"));
  return parse_memory_total(text);
}

struct ErrorCorrection {
  std::string mode = {};
  std::string source = {};
  std::uint64_t corrected = 0;
  std::uint64_t uncorrected = 0;
};

std::uint64_t count_in(Host& host, const Path& path, Gaps& gaps) {
  return parse_number<std::uint64_t>(line_if_any(host, path, gaps)).value_or(0);
}

/// The mode that the driver reports for the first module of a controller: "SECDED", "None".
std::string edac_mode(Host& host, const Path& controller, Gaps& gaps) {
  const auto names = host.list(controller);
  if (!names) gaps.problem(controller.string(), names.error());
  if (!names) return {};
  for (const auto& name : *names) {
    if (!name.starts_with("dimm") && !name.starts_with("rank")) continue;
    auto mode = line_if_any(host, controller / name / "dimm_edac_mode", gaps);
    if (!mode.empty()) return mode;
  }
  return {};
}

ErrorCorrection edac(Host& host, Gaps& gaps) {
  ErrorCorrection found;
  const Path folder = "/sys/devices/system/edac/mc";
  const auto controllers = host.list(folder);
  if (!controllers && controllers.error().fault != Fault::missing)
    gaps.problem("memory controllers", controllers.error().sentence());
  if (!controllers) return found;
  for (const auto& name : *controllers) {
    const auto controller = folder / name;
    if (!name.starts_with("mc") || !host.status(controller / "ce_count")) continue;
    found.source = "edac";
    found.corrected += count_in(host, controller / "ce_count", gaps);
    found.uncorrected += count_in(host, controller / "ue_count", gaps);
    if (found.mode.empty()) found.mode = edac_mode(host, controller, gaps);
  }
  return found;
}

ErrorCorrection claimed_by_firmware(Host& host) {
  const Path folder = "/sys/firmware/dmi/entries";
  const auto entries = host.list(folder);
  if (!entries) return {};
  for (const auto& name : *entries) {
    if (!name.starts_with("16-")) continue;
    const auto raw = host.read_file(folder / name / "raw");
    if (!raw) continue;
    if (auto mode = parse_memory_array(*raw); !mode.empty())
      return {.mode = std::move(mode), .source = "dmi"};
  }
  return {};
}

void put_error_correction(Host& host, schema::AuditPackages::Hardware::Builder hardware,
                          Gaps& gaps) {
  auto found = edac(host, gaps);
  if (found.source.empty()) found = claimed_by_firmware(host);
  if (found.source.empty())
    gaps.absent("error correction of the memory",
                "neither an EDAC driver nor the firmware's tables tell of it here");
  hardware.setErrorCorrection(found.mode);
  hardware.setErrorCorrectionSource(found.source);
  hardware.setCorrectedErrors(found.corrected);
  hardware.setUncorrectedErrors(found.uncorrected);
}

void put_identity(Host& host, schema::AuditPackages::Hardware::Builder hardware, Gaps& gaps) {
  const Path folder = "/sys/class/dmi/id";
  hardware.setVendor(line_if_any(host, folder / "sys_vendor", gaps));
  hardware.setProduct(line_if_any(host, folder / "product_name", gaps));
  hardware.setFirmware(line_if_any(host, folder / "bios_version", gaps));
  if (!host.status(folder)) gaps.absent("machine's maker", "the firmware's tables are not here");
}

}  // namespace

void observe_system(Host& host, FactsBuilder facts, Gaps& gaps) {
  auto system = facts.initSystem();
  system.setHostname(line_of(host, "/proc/sys/kernel/hostname", "hostname", gaps));
  const auto kernel = line_of(host, "/proc/sys/kernel/osrelease", "running kernel", gaps);
  system.setKernel(kernel);
  put_os(host, system, gaps);
  put_uptime(host, system, gaps);
  put_architecture(host, system, gaps);
  put_boot(host, system, gaps);
  put_kernels(host, kernel, facts, gaps);
}

void observe_hardware(Host& host, FactsBuilder facts, Gaps& gaps) {
  auto hardware = facts.initHardware();
  put_identity(host, hardware, gaps);
  if (const auto cpu = read_cpu(host)) {
    hardware.setCpu(cpu->model);
    hardware.setSockets(cpu->sockets);
    hardware.setCores(cpu->cores);
    hardware.setThreads(cpu->threads);
  } else {
    gaps.problem("processor", cpu.error());
  }
  if (const auto memory = read_memory(host))
    hardware.setMemory(*memory);
  else
    gaps.problem("memory", memory.error());
  put_error_correction(host, hardware, gaps);
}

}  // namespace relab::agent::packages
