#include "agent/host/sim/debian/world_system.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/packages/dpkg.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

constexpr std::string_view whole = "install ok installed";

bool is_absent(schema::Coverage::Reader coverage, std::string_view part) {
  return any_in(coverage.getParts(), [part](auto gap) { return view(gap.getPart()) == part; });
}

std::string suite_of(World world) {
  return view(world.getPackages().getSystem().getCodename()) == "bookworm" ? "bookworm" : "trixie";
}

std::string dpkg_architecture(std::string_view machine) {
  if (machine == "aarch64") return "arm64";
  return machine == "x86_64" || machine.empty() ? "amd64" : std::string(machine);
}

/// Those of which an audit tells only the number, by names that they may well have.
std::vector<Available> unnamed(const std::string& suite) {
  auto all = base_system(suite);
  for (const auto* name : {"gpg", "gnupg", "curl", "zstd", "sqlite3", "python3", "rsync",
                           "iptables", "gdisk", "chrony", "ethtool", "jq", "nfs-common"})
    if (const auto package = in_catalogue(name, "debian", suite)) all.push_back(*package);
  std::erase_if(all, [](const auto& package) { return packages::is_notable(package.name); });
  return all;
}

void add_unnamed(schema::AuditPackages::PackageCount::Reader count, std::size_t named,
                 DebianStart& start) {
  const auto status = str(count.getStatus());
  auto left = count.getCount() > named ? count.getCount() - named : 0;
  if (status == whole)
    for (const auto& package : unnamed(start.suite)) {
      if (left == 0) return;
      if (start.packages.contains(package.name)) continue;
      start.packages[package.name] = {.version = package.version, .status = status};
      --left;
    }
  for (; left > 0; --left)
    start.packages[fmt::format("unnamed-{}-{}", status == whole ? "installed" : "removed", left)] =
        {.version = "1", .status = status};
}

void add_packages(schema::AuditPackages::Facts::Reader facts, DebianStart& start) {
  std::map<std::string, std::size_t> named;
  for (const auto package : facts.getPackages()) {
    auto name = str(package.getName());
    const auto status = str(package.getStatus());
    ++named[status];
    SimPackage entry{
        .version = str(package.getVersion()), .status = status, .architecture = start.architecture};
    // The same one of another architecture.
    if (start.packages.contains(name)) {
      name += ":i386";
      entry.architecture = "i386";
    }
    start.packages[name] = std::move(entry);
  }
  for (const auto count : facts.getPackageCounts())
    add_unnamed(count, named[str(count.getStatus())], start);
}

void add_units(schema::AuditServices::Facts::Reader facts, DebianStart& start) {
  for (const auto file : facts.getUnitFiles())
    start.unit_files[str(file.getName())] = {.state = str(file.getState()),
                                             .preset = str(file.getPreset())};
  for (const auto unit : facts.getUnits()) {
    const auto name = str(unit.getName());
    const bool failed = view(unit.getActive()) == "failed";
    start.units[name] = {.load = str(unit.getLoad()),
                         .active = str(unit.getActive()),
                         .sub = str(unit.getSub()),
                         .description = str(unit.getDescription()),
                         .result = failed ? "exit-code" : "success",
                         .status = failed ? 1 : 0};
    // An audit does not tell of files that neither start nor mask anything.
    const bool has_file = name.ends_with(".service") || name.ends_with(".timer") ||
                          name.ends_with(".socket") || name.ends_with(".path");
    const bool of_template = name.find('@') != std::string::npos;
    if (has_file && !of_template && view(unit.getLoad()) == "loaded")
      start.unit_files.try_emplace(name, UnitFileState{.state = "static", .preset = ""});
  }
  // What a package brings, and nobody has switched on.
  for (const auto& [package, unused] : start.packages)
    for (const auto* publisher : {"debian", "pve", "pbs", "docker"})
      if (const auto known = in_catalogue(package, publisher, start.suite))
        for (const auto* units : {&known->brings, &known->starts})
          for (const auto& unit : *units)
            start.unit_files.try_emplace(unit, UnitFileState{.state = "disabled"});
}

std::optional<Instant> time_of(std::uint64_t millis) {
  return millis == 0 ? std::optional<Instant>() : instant_of(millis);
}

void write_cpu(SimHost& host, schema::AuditPackages::Hardware::Reader hardware) {
  std::string text;
  const auto cores = hardware.getCores();
  const auto sockets = hardware.getSockets();
  // Cores in turn, so that each has its threads, each socket its share of the cores.
  const auto share = sockets == 0 ? 1 : std::max(1U, (std::max(cores, sockets)) / sockets);
  for (unsigned thread = 0; thread < hardware.getThreads(); ++thread) {
    const auto core = cores == 0 ? thread : thread % cores;
    text += fmt::format("processor\t: {}\nvendor_id\t: GenuineIntel\nmodel name\t: {}\n", thread,
                        view(hardware.getCpu()));
    if (sockets != 0)
      text += fmt::format("physical id\t: {}\n", std::min(core / share, sockets - 1));
    if (cores != 0) text += fmt::format("core id\t\t: {}\n", core);
    text += fmt::format("cpu cores\t: {}\nflags\t\t: fpu vmx aes avx2\n\n",
                        std::max(1U, sockets == 0 ? cores : cores / sockets));
  }
  host.file("/proc/cpuinfo", text);
}

void write_error_correction(SimHost& host, schema::AuditPackages::Hardware::Reader hardware) {
  const auto mode = view(hardware.getErrorCorrection());
  if (view(hardware.getErrorCorrectionSource()) == "edac") {
    const Path controller = "/sys/devices/system/edac/mc/mc0";
    host.file(controller / "ce_count", fmt::format("{}\n", hardware.getCorrectedErrors()));
    host.file(controller / "ue_count", fmt::format("{}\n", hardware.getUncorrectedErrors()));
    if (!mode.empty()) host.file(controller / "dimm0/dimm_edac_mode", fmt::format("{}\n", mode));
  }
  if (view(hardware.getErrorCorrectionSource()) != "dmi") return;
  // SMBIOS, type 16, "physical memory array": use at 5, error correction at 6.
  static constexpr std::array<std::string_view, 8> names = {
      "", "other", "", "none", "parity", "single-bit", "multi-bit", "crc"};
  const auto found = std::ranges::find(names, mode);
  std::string raw = {0x10, 0x17, 0x00, 0x10, 0x03, 0x03, 0x00, 0x00};
  if (found != names.end()) raw[6] = static_cast<char>(found - names.begin());
  host.file("/sys/firmware/dmi/entries/16-0/raw", raw);
}

}  // namespace

DebianStart start_of(World world) {
  const auto packages = world.getPackages();
  const auto services = world.getServices();
  const auto system = packages.getSystem();
  DebianStart start{
      .suite = suite_of(world),
      .architecture = dpkg_architecture(view(system.getArchitecture())),
      .hostname = str(system.getHostname().size() != 0 ? system.getHostname() : world.getHost())};
  if (services.getInit().size() != 0) start.init = str(services.getInit());
  if (is_absent(services.getCoverage(), "systemd units") && start.init == "systemd")
    start.init = "init";
  add_packages(packages, start);
  add_units(services, start);
  for (const auto timer : world.getSchedules().getTimers())
    start.timers[str(timer.getName())] = {.activates = str(timer.getActivates()),
                                          .next = time_of(timer.getNext()),
                                          .last = time_of(timer.getLast())};
  return start;
}

void write_system(SimHost& host, World world) {
  const auto facts = world.getPackages();
  const auto system = facts.getSystem();
  host.file("/etc/machine-id", str(world.getMachineId()) + "\n");
  host.file("/proc/sys/kernel/osrelease", fmt::format("{}\n", view(system.getKernel())));
  host.file("/proc/sys/kernel/arch", fmt::format("{}\n", view(system.getArchitecture())));
  host.file("/proc/uptime", fmt::format("{}.00 0.00\n", system.getUptime()));
  host.file("/proc/self/status", "Name:\trelab-agent\nUid:\t0\t0\t0\t0\n");
  host.file("/etc/os-release",
            fmt::format("PRETTY_NAME=\"{}\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"{}\"\n"
                        "VERSION_CODENAME={}\nID={}\n",
                        view(system.getDescription()), view(system.getOsVersion()),
                        view(system.getCodename()), view(system.getOs())));
  for (const auto kernel : facts.getKernels())
    host.file(Path("/boot") / ("vmlinuz-" + str(kernel.getRelease())), "");
  if (view(system.getBootMode()) != "efi") return;
  host.directory("/sys/firmware/efi/efivars");
  if (is_absent(facts.getCoverage(), "secure boot")) return;
  const bool on = view(system.getSecureBoot()) == "on";
  host.file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
            {0x06, 0x00, 0x00, 0x00, static_cast<char>(on ? 1 : 0)});
}

void write_hardware(SimHost& host, World world) {
  const auto facts = world.getPackages();
  const auto hardware = facts.getHardware();
  const auto write_line = [&](const char* name, std::string_view text) {
    if (!text.empty()) host.file(Path("/sys/class/dmi/id") / name, fmt::format("{}\n", text));
  };
  write_line("sys_vendor", view(hardware.getVendor()));
  write_line("product_name", view(hardware.getProduct()));
  write_line("bios_version", view(hardware.getFirmware()));
  if (!is_absent(facts.getCoverage(), "machine's maker")) host.directory("/sys/class/dmi/id");
  constexpr std::uint64_t kib = 1024;
  const auto memory = hardware.getMemory() / kib;
  host.file("/proc/meminfo",
            fmt::format("MemTotal:       {} kB\nMemFree:        {} kB\nMemAvailable:   {} kB\n"
                        "Buffers:        0 kB\nCached:         0 kB\nSwapTotal:      0 kB\n"
                        "SwapFree:       0 kB\n",
                        memory, memory / 2, memory / 2));
  write_cpu(host, hardware);
  write_error_correction(host, hardware);
}

}  // namespace relab::agent::sim
