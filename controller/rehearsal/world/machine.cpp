#include <array>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

// Proxmox VE 8.4, as the year before the rebuild left it.
constexpr auto manager_version = "8.4.1";
constexpr auto repository_id = "2a5fa54a8503f96d";
constexpr auto kernel = "6.8.12-9-pve";

struct Named {
  std::string_view name;
  std::string_view version;
};

constexpr std::array packages{
    Named{"proxmox-kernel-6.8", "6.8.12-9"}, Named{"proxmox-ve", "8.4.0"},
    Named{"pve-container", "5.2.6"},         Named{"pve-manager", manager_version},
    Named{"qemu-server", "8.3.12"},          Named{"zfs-zed", "2.2.7-pve2"},
    Named{"zfsutils-linux", "2.2.7-pve2"}};

constexpr std::uint32_t usual_packages = 840;

void write_packages(const Described& described, schema::AuditPackages::Facts::Builder facts) {
  auto system = facts.initSystem();
  system.setHostname(described.host.getName());
  system.setOs("debian");
  system.setOsVersion("12");
  system.setCodename("bookworm");
  system.setDescription("Debian GNU/Linux 12 (bookworm)");
  system.setKernel(kernel);
  system.setArchitecture("x86_64");
  system.setUptime(std::uint64_t{86400} * 40);
  system.setBootMode("efi");
  system.setSecureBoot("off");
  auto hardware = facts.initHardware();
  // "HP Z640": the firmware has maker and product apart.
  const auto model = str(described.host.getModel());
  const auto space = model.find(' ');
  hardware.setVendor(model.substr(0, space));
  if (space != std::string::npos) hardware.setProduct(model.substr(space + 1));
  hardware.setFirmware("M60 v02.61");
  hardware.setCpu(described.host.getCpu());
  hardware.setSockets(1);
  hardware.setCores(14);
  hardware.setThreads(28);
  hardware.setMemory(described.host.getMemory());
  hardware.setErrorCorrection(described.host.getEcc() ? "multi-bit" : "none");
  hardware.setErrorCorrectionSource("dmi");
  auto proxmox = facts.initProxmox();
  proxmox.setVirtualEnvironment(manager_version);
  proxmox.setRepositoryId(repository_id);
  auto parts = facts.initCoverage().initParts(1);
  parts[0].setPart("Proxmox Backup Server");
  parts[0].setWhy("the package is not installed on this machine");
  auto kernels = facts.initKernels(1);
  kernels[0].setRelease(kernel);
  kernels[0].setRunning(true);
  auto counts = facts.initPackageCounts(1);
  counts[0].setStatus("install ok installed");
  counts[0].setCount(usual_packages);
  auto list = facts.initPackages(static_cast<unsigned>(packages.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setName(std::string(packages[i].name));
    list[i].setVersion(std::string(packages[i].version));
    list[i].setStatus("install ok installed");
  }
  auto sources = facts.initSources(2);
  sources[0].setFile("/etc/apt/sources.list");
  sources[0].setLine(1);
  sources[0].setUris("http://deb.debian.org/debian");
  sources[0].setSuites("bookworm");
  sources[0].setComponents("main contrib");
  sources[1].setFile("/etc/apt/sources.list.d/pve-no-subscription.list");
  sources[1].setLine(1);
  sources[1].setUris("http://download.proxmox.com/debian/pve");
  sources[1].setSuites("bookworm");
  sources[1].setComponents("pve-no-subscription");
  for (auto source : sources) {
    source.setEnabled(true);
    source.setTypes("deb");
  }
  facts.setIndexes(4);
  facts.setLastUpdate(unix_millis(described.began - std::chrono::hours(20)));
}

struct Card {
  std::string vendor_id;
  std::string device_id;
  std::string vendor;
  std::string driver;
  std::string model;
  bool nvidia;
  std::uint64_t memory = 0;
};

/// Those of the file that are in the machine.
std::vector<Card> cards_of(const Described& described) {
  using Vendor = schema::Lab::Gpu::Vendor;
  std::vector<Card> cards;
  for (const auto gpu : described.lab.getGpus()) {
    if (gpu.getPlanned()) continue;
    const auto vendor = gpu.getVendor();
    Card card{.vendor_id = "1002",
              .device_id = "0000",
              .vendor = "Advanced Micro Devices, Inc. [AMD/ATI]",
              .driver = "amdgpu",
              .model = str(gpu.getModel()),
              .nvidia = vendor == Vendor::NVIDIA,
              .memory = gpu.getMemory()};
    if (vendor == Vendor::INTEL) {
      card.vendor_id = "8086";
      card.vendor = "Intel Corporation";
      card.driver = "i915";
    }
    if (card.nvidia) {
      card.vendor_id = "10de";
      card.vendor = "NVIDIA Corporation";
      card.driver = "nvidia";
    }
    if (const auto id = str(gpu.getPciId()); id.size() == 9) {
      card.vendor_id = id.substr(0, 4);
      card.device_id = id.substr(5);
    }
    cards.push_back(std::move(card));
  }
  return cards;
}

std::string pci_address(std::size_t card) { return fmt::format("0000:{:02x}:00.0", card + 3); }

void write_nvidia(const std::vector<Card>& cards, schema::AuditPci::Facts::Builder facts) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < cards.size(); ++i)
    if (cards[i].nvidia) places.push_back(i);
  auto rows = facts.initNvidia(static_cast<unsigned>(places.size()));
  for (unsigned i = 0; i < rows.size(); ++i) {
    const auto& card = cards[places[i]];
    rows[i].setAddress(pci_address(places[i]));
    rows[i].setName("NVIDIA " + card.model);
    rows[i].setUuid(fmt::format("GPU-{:016x}", number_of(card.model)));
    rows[i].setDriverVersion("550.163.01");
    rows[i].setMemoryTotal(card.memory / mib);
    rows[i].setMemoryUsed(1);
    rows[i].setUtilization(0);
    rows[i].setTemperature(41);
  }
}

void write_pci(const Described& described, schema::AuditPci::Facts::Builder facts) {
  const auto cards = cards_of(described);
  write_nvidia(cards, facts);
  auto devices = facts.initDevices(static_cast<unsigned>(cards.size()) + 1);
  auto ethernet = devices[0];
  ethernet.setAddress("0000:00:19.0");
  ethernet.setClassId("020000");
  ethernet.setClassName("Ethernet controller");
  ethernet.setVendorId("8086");
  ethernet.setVendor("Intel Corporation");
  ethernet.setDeviceId("15a0");
  ethernet.setDevice("Ethernet Connection (2) I218-LM");
  ethernet.setDriver("e1000e");
  ethernet.setRevision("05");
  ethernet.setSubsystemVendorId("103c");
  ethernet.setSubsystemId("2129");
  auto gpus = facts.initGpus(static_cast<unsigned>(cards.size()));
  auto nodes = facts.initRenderNodes(2 * static_cast<unsigned>(cards.size()));
  for (unsigned i = 0; i < gpus.size(); ++i) {
    const auto& card = cards[i];
    const auto address = pci_address(i);
    auto device = devices[i + 1];
    device.setAddress(address);
    device.setClassId("030000");
    device.setClassName("VGA compatible controller");
    device.setVendorId(card.vendor_id);
    device.setVendor(card.vendor);
    device.setDeviceId(card.device_id);
    device.setDevice(card.model);
    device.setRevision("a1");
    device.setSubsystemVendorId(card.vendor_id);
    device.setSubsystemId("0000");
    device.setDriver(card.driver);
    device.setBootVga(i == 0);
    auto gpu = gpus[i];
    gpu.setAddress(address);
    gpu.setVendor(card.vendor);
    gpu.setName(card.model);
    gpu.setDriver(card.driver);
    gpu.setCard(fmt::format("card{}", i));
    gpu.setRender(fmt::format("renderD{}", 128 + i));
    gpu.setRenderNode(true);
    if (card.driver == "i915") {
      gpu.setHuc("RUNNING");
      gpu.setHucFirmware("i915/dg2_huc_gsc.bin");
    }
    gpu.setByPath(fmt::format("pci-{}-render", address));
    for (const bool render : {false, true}) {
      auto node = nodes[(render ? static_cast<unsigned>(cards.size()) : 0) + i];
      node.setName(render ? fmt::format("renderD{}", 128 + i) : fmt::format("card{}", i));
      node.setAddress(address);
      node.setMode("0660");
      node.setGid(render ? 104 : 44);
      node.setMajor(226);
      node.setMinor(render ? 128 + i : i);
    }
  }
}

struct Service {
  std::string_view unit;
  std::string_view description;
};

constexpr std::array services{
    Service{"cron.service", "Regular background program processing daemon"},
    Service{"pve-cluster.service", "The Proxmox VE cluster filesystem"},
    Service{"pvedaemon.service", "PVE API Daemon"},
    Service{"pveproxy.service", "PVE API Proxy Server"},
    Service{"pvestatd.service", "PVE Status Daemon"},
    Service{"ssh.service", "OpenBSD Secure Shell server"},
    Service{"zfs-zed.service", "ZFS Event Daemon (zed)"}};

void write_services(schema::AuditServices::Facts::Builder facts) {
  facts.setInit("systemd");
  auto units = facts.initUnits(static_cast<unsigned>(services.size()));
  auto files = facts.initUnitFiles(static_cast<unsigned>(services.size()));
  for (unsigned i = 0; i < units.size(); ++i) {
    units[i].setName(std::string(services[i].unit));
    units[i].setLoad("loaded");
    units[i].setActive("active");
    units[i].setSub("running");
    units[i].setDescription(std::string(services[i].description));
    files[i].setName(std::string(services[i].unit));
    files[i].setState("enabled");
    files[i].setPreset("enabled");
  }
  struct Open {
    std::uint16_t port;
    std::uint32_t pid;
    std::string process;
    std::string unit;
    std::string user;
  };
  const std::array sockets{Open{22, 901, "sshd", "ssh.service", "root"},
                           Open{8006, 1301, "pveproxy", "pveproxy.service", "www-data"}};
  auto list = facts.initSockets(static_cast<unsigned>(sockets.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setProtocol("tcp");
    list[i].setAddress("0.0.0.0");
    list[i].setPort(sockets[i].port);
    list[i].setPid(sockets[i].pid);
    list[i].setProcess(sockets[i].process);
    list[i].setUser(sockets[i].user);
    list[i].setCgroup("/system.slice/" + sockets[i].unit);
  }
}

void write_schedules(const Described& described, schema::AuditSchedules::Facts::Builder facts) {
  // As Debian's packages bring them.
  struct Job {
    std::string_view file;
    std::string_view schedule;
    std::string_view command;
  };
  constexpr auto main = "/etc/crontab";
  constexpr auto zfs = "/etc/cron.d/zfsutils-linux";
  constexpr std::array jobs{Job{main, "17 * * * *", "cd / && run-parts --report /etc/cron.hourly"},
                            Job{main, "25 6 * * *", "cd / && run-parts --report /etc/cron.daily"},
                            Job{zfs, "24 0 8-14 * *", "/usr/lib/zfs-linux/scrub"}};
  auto list = facts.initCronJobs(static_cast<unsigned>(jobs.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setSource(std::string(jobs.at(i).file));
    list[i].setLine(i + 1);
    list[i].setSchedule(std::string(jobs.at(i).schedule));
    list[i].setUser("root");
    list[i].setCommand(std::string(jobs.at(i).command));
  }
  auto tabs = facts.initCrontabs(2);
  tabs[0].setPath(main);
  tabs[0].setJobs(2);
  tabs[1].setPath(zfs);
  tabs[1].setJobs(1);
  auto timers = facts.initTimers(2);
  unsigned i = 0;
  for (const auto* name : {"apt-daily", "fstrim"}) {
    timers[i].setName(std::string(name) + ".timer");
    timers[i].setActivates(std::string(name) + ".service");
    timers[i].setNext(unix_millis(described.began + std::chrono::hours(5)));
    timers[i++].setLast(unix_millis(described.began - std::chrono::hours(19)));
  }
}

}  // namespace

void describe_machine(const Described& described, schema::World::Builder world) {
  write_packages(described, world.initPackages());
  write_pci(described, world.initPci());
  write_services(world.initServices());
  write_schedules(described, world.initSchedules());
}

}  // namespace relab::rehearsal
