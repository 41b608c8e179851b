#include "agent/host/sim/proxmox/proxmox.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/host/sim/proxmox/guest_programs.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

/// Perl has to be loaded.
constexpr Millis program_takes{700};

std::string node_of(World world) {
  const auto node = str(world.getGuests().getNode());
  return node.empty() ? str(world.getHost()) : node;
}

bool is_proxmox(World world) { return world.getGuests().getCoverage().getAbsent().size() == 0; }

Output refused(std::string_view words) {
  return {.status = 255, .err = fmt::format("{}\n", words)};
}

/// Directories of the machine that its containers have: unless one was missed, it is there.
void make_sources(World world, SimHost& host) {
  std::string missed;
  for (const auto coverage : {world.getArr().getCoverage(), world.getJellyfin().getCoverage(),
                              world.getPbs().getCoverage()})
    for (const auto gap : coverage.getProblems()) missed += str(gap.getWhy()) + "\n";
  for (const auto mount : world.getGuests().getMounts()) {
    const auto path = str(mount.getHostPath());
    if (path == "/dev" || path.starts_with("/dev/") || host.status(path)) continue;
    if (missed.find("there is no " + path + ";") == std::string::npos) host.directory(path);
  }
}

/// Whether sqlite3 was missed when the world was looked at.
bool lacks_sqlite(World world) {
  return any_in(world.getArr().getCoverage().getProblems(), [](auto gap) {
    return view(gap.getWhy()).find("install the package sqlite3") != std::string_view::npos;
  });
}

}  // namespace

Applications Proxmox::applications_of(World world) {
  Applications all;
  for (const auto guest : world.getGuests().getGuests())
    if (view(guest.getState()) != "running") all.stopped.insert(guest.getVmid());
  add_arr(world.getArr(), all);
  add_jellyfin(world.getJellyfin(), all);
  add_pbs(world.getPbs(), all);
  add_programs(world.getGuests(), all);
  for (auto& placed : files_of(all.docker)) all.files.push_back(std::move(placed));
  for (const auto file : world.getFiles())
    if (file.getVmid() != 0)
      all.files.push_back({.vmid = file.getVmid(),
                           .path = str(file.getPath()),
                           .content = str(file.getText()),
                           .status = {.type = FileType::regular,
                                      .mode = file.getMode(),
                                      .uid = file.getUid(),
                                      .gid = file.getGid()}});
  return all;
}

Proxmox::Proxmox(SimHost& host, World world, Hooks hooks)
    : host_(host),
      hooks_(std::move(hooks)),
      node_(node_of(world)),
      applications_(applications_of(world)),
      storages_(host, world, node_),
      templates_(host, storages_, world, faults_, hooks_),
      containers_({.host = host,
                   .storages = storages_,
                   .faults = faults_,
                   .hooks = hooks_,
                   .node = node_,
                   .seed = str(world.getMachineId()),
                   .files = applications_.files,
                   .docker = applications_.docker,
                   .units = applications_.units},
                  world) {
  make_sources(world, host_);
  for (const auto& placed : applications_.files) {
    if (placed.vmid == 0)
      put(host_, placed.path, placed);
    else
      containers_.show(placed);
  }
  for (const auto& folder : applications_.host_folders) host_.directory(folder);
  if (!lacks_sqlite(world)) install_sqlite(host_);
  install_backup_manager(host_);
  if (!is_proxmox(world)) return;
  write_files(node_);
  install_programs();
}

Debian* Proxmox::debian(std::uint32_t vmid) {
  auto* system = containers_.system_of(vmid);
  return system == nullptr ? nullptr : &system->debian();
}

void Proxmox::write_files(const std::string& node) {
  host_.link("/etc/pve/local", "nodes/" + node);
  host_.link("/etc/pve/lxc", fmt::format("nodes/{}/lxc", node));
  host_.link("/etc/pve/qemu-server", fmt::format("nodes/{}/qemu-server", node));
  host_.directory("/etc/pve/priv/storage");
  host_.file("/etc/pve/.version", "{\"starttime\": 1, \"clinfo\": 1, \"vmlist\": 1}\n",
             {.mode = 0440});
  host_.file("/etc/pve/.members", Json{{"nodename", node}, {"version", 0}}.dump() + "\n",
             {.mode = 0440});
  for (const auto* name : {"pvesh", "pct", "qm", "pveam", "pvesm"})
    host_.file(fmt::format("/usr/bin/{}", name), "", {.mode = 0755});
}

void Proxmox::install_programs() {
  host_.program("pct", [this](const Command& command) { return containers_.pct(command); });
  host_.program("pveam", [this](const Command& command) { return templates_.pveam(command); });
  host_.program("pvesh", [this](const Command& command) { return pvesh(command); });
  host_.program("pvesm", [this](const Command& command) { return pvesm(command); });
  host_.program("qm", [this](const Command& command) -> Result<Output> {
    if (command.argv.size() != 2 || command.argv[1] != "list") return host_.does_not_know(command);
    return containers_.qm_list();
  });
}

Result<Output> Proxmox::pvesh(const Command& command) const {
  host_.spend(program_takes);
  auto argv = command.argv;
  const std::vector<std::string> ending = {"--output-format", "json"};
  if (argv.size() < 5 || argv[1] != "get" ||
      !std::equal(ending.begin(), ending.end(), argv.end() - 2))
    return host_.does_not_know(command);
  const std::vector<std::string> more(argv.begin() + 3, argv.end() - 2);
  const auto answer = [](const Json& json) { return Output{.out = json.dump() + "\n"}; };
  for (const auto& node : {std::string("localhost"), node_}) {
    const auto base = fmt::format("/nodes/{}/", node);
    if (!argv[2].starts_with(base)) continue;
    const auto path = argv[2].substr(base.size());
    if (path == "lxc" && more.empty()) return answer(containers_.list(GuestType::lxc));
    if (path == "qemu" && more.empty()) return answer(containers_.list(GuestType::qemu));
    if (path == "storage" && more.empty()) return answer(storages_.states());
    const auto parts = split(path, '/');
    const std::vector<std::string> of_templates = {"--content", "vztmpl"};
    if (parts.size() != 3 || parts[0] != "storage" || parts[2] != "content" || more != of_templates)
      break;
    const auto list = storages_.templates(parts[1]);
    if (!list) return refused(list.error().what);
    return answer(*list);
  }
  return host_.does_not_know(command);
}

Result<Output> Proxmox::pvesm(const Command& command) const {
  host_.spend(program_takes);
  const auto& argv = command.argv;
  if (argv.size() == 2 && argv[1] == "status") return status();
  if (argv.size() != 3 || argv[1] != "path") return host_.does_not_know(command);
  const auto path = storages_.path_of(argv[2]);
  if (!path) return refused(path.error().what);
  return Output{.out = *path + "\n"};
}

Output Proxmox::status() const {
  constexpr std::uint64_t kibibyte = 1024;
  constexpr double hundred = 100;
  const auto states = storages_.states();
  std::size_t width = 4;
  for (const auto& state : states) width = std::max(width, text_of(state, "storage").size());
  Output output{.out = fmt::format("{:<{}} {:>10} {:>10} {:>15} {:>15} {:>15} {:>8}\n", "Name",
                                   width, "Type", "Status", "Total", "Used", "Available", "%")};
  for (const auto& state : states) {
    const auto number = [&](const char* key) {
      return number_of(state, key).value_or(0) / kibibyte;
    };
    const bool enabled = truth_of(state, "enabled");
    const bool active = truth_of(state, "active");
    const auto share = number("total") == 0 ? 0.0
                                            : hundred * static_cast<double>(number("used")) /
                                                  static_cast<double>(number("total"));
    output.out += fmt::format("{:<{}} {:>10} {:>10} {:>15} {:>15} {:>15} {:>8}\n",
                              text_of(state, "storage"), width, text_of(state, "type"),
                              active    ? "active"
                              : enabled ? "inactive"
                                        : "disabled",
                              number("total"), number("used"), number("avail"),
                              enabled ? fmt::format("{:.2f}%", share) : "N/A");
  }
  return output;
}

}  // namespace relab::agent::sim
