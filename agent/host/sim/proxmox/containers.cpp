/// What is known of the guests, and what pct and pvesh tell of them.

#include "agent/host/sim/proxmox/containers.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/json.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr Millis pct_takes{700};
constexpr Millis attach_takes{300};
constexpr std::uint64_t mebibyte = std::uint64_t{1} << 20U;

std::uint64_t number_in(const PveSection& section, std::string_view key, std::uint64_t otherwise) {
  const auto number = parse_number<std::uint64_t>(section.value(key));
  return number ? *number : otherwise;
}

std::string name_of(const PveSection& section, GuestType type, std::uint32_t vmid) {
  auto name = section.value(type == GuestType::lxc ? "hostname" : "name");
  if (!name.empty()) return name;
  return fmt::format("{}{}", type == GuestType::lxc ? "CT" : "VM ", vmid);
}

std::uint64_t disk_of(const PveSection& section, GuestType type) {
  const auto disk = section.value(type == GuestType::lxc ? "rootfs" : "scsi0");
  return parse_pve_size(Properties(disk, "volume").value("size")).value_or(0);
}

Output refused(std::string_view words, int status = 255) {
  return {.status = status, .err = fmt::format("{}\n", words)};
}

}  // namespace

Containers::Containers(Place place, World world) : place_(std::move(place)) {
  if (world.getGuests().getCoverage().getAbsent().size() != 0) return;
  for (const auto type : {GuestType::lxc, GuestType::qemu}) place_.host.directory(folder(type));
  for (auto& [vmid, guest] : guests_of(world.getGuests())) {
    place_.host.file(file_of(vmid, guest.type), config_text(guest.config, guest.type),
                     {.mode = 0640, .gid = 33});
    state(vmid).running = guest.running;
    state(vmid).suite = "bookworm";
    state(vmid).since = place_.host.now() - std::chrono::hours(24);
    if (guest.type == GuestType::lxc) write_system(vmid, guest.config, "bookworm");
  }
}

Path Containers::folder(GuestType type) const {
  return Path("/etc/pve/nodes") / place_.node / (type == GuestType::lxc ? "lxc" : "qemu-server");
}

Path Containers::file_of(std::uint32_t vmid, GuestType type) const {
  return folder(type) / fmt::format("{}.conf", vmid);
}

std::optional<PveConfig> Containers::read(std::uint32_t vmid, GuestType type) const {
  const auto text = place_.host.read_file(file_of(vmid, type));
  return text ? std::optional(parse_pve_config(*text, type)) : std::nullopt;
}

void Containers::write(std::uint32_t vmid, PveConfig& config) const {
  sort_keys(config.current);
  sort_keys(config.pending);
  place_.host.file(file_of(vmid, GuestType::lxc), config_text(config, GuestType::lxc),
                   {.mode = 0640, .gid = 33, .modified = place_.host.now()});
}

std::vector<std::uint32_t> Containers::numbers(GuestType type) const {
  constexpr std::string_view ending = ".conf";
  std::vector<std::uint32_t> all;
  const auto names = place_.host.list(folder(type));
  if (!names) return all;
  for (const auto& name : *names) {
    if (!name.ends_with(ending)) continue;
    const auto vmid =
        parse_number<std::uint32_t>(std::string_view(name).substr(0, name.size() - ending.size()));
    if (vmid) all.push_back(*vmid);
  }
  std::ranges::sort(all);
  return all;
}

bool Containers::runs(std::uint32_t vmid) const {
  const auto found = states_.find(vmid);
  return found != states_.end() && found->second.running;
}

std::set<std::string> Containers::unknown() const {
  std::set<std::string> all;
  for (const auto& [vmid, known] : states_) {
    if (!known.inside) continue;
    const auto& some = known.inside->host().unknown();
    all.insert(some.begin(), some.end());
  }
  return all;
}

std::string Containers::lock_of(std::uint32_t vmid, const PveConfig& config) const {
  const auto held = place_.faults.locked.find(vmid);
  return held != place_.faults.locked.end() ? held->second : config.current.value("lock");
}

Json Containers::list(GuestType type) const {
  constexpr std::uint64_t usual_memory = 512;
  Json all = Json::array();
  for (const auto vmid : numbers(type)) {
    const auto config = read(vmid, type);
    if (!config) continue;
    const auto& current = config->current;
    const auto memory = Properties(current.value("memory"), "current").value("current");
    const auto size = parse_number<std::uint64_t>(memory);
    Json guest = {{"vmid", vmid},
                  {"name", name_of(current, type, vmid)},
                  {"status", runs(vmid) ? "running" : "stopped"},
                  {"cpus", number_in(current, "cores", 1)},
                  {"maxmem", (size ? *size : usual_memory) * mebibyte},
                  {"maxdisk", disk_of(current, type)},
                  {"uptime", 0}};
    if (type == GuestType::lxc) guest["type"] = "lxc";
    if (type == GuestType::lxc)
      guest["maxswap"] = number_in(current, "swap", usual_memory) * mebibyte;
    if (const auto lock = lock_of(vmid, *config); !lock.empty()) guest["lock"] = lock;
    if (const auto tags = current.value("tags"); !tags.empty()) guest["tags"] = tags;
    if (current.truth("template")) guest["template"] = 1;
    all.push_back(std::move(guest));
  }
  return all;
}

Output Containers::qm_list() const {
  constexpr double gibibyte = 1024.0 * 1024 * 1024;
  Output output;
  for (const auto vmid : numbers(GuestType::qemu)) {
    const auto config = read(vmid, GuestType::qemu);
    if (!config) continue;
    if (output.out.empty())
      output.out = fmt::format("{:>10} {:<20} {:<10} {:<10} {:>12} {:<10}\n", "VMID", "NAME",
                               "STATUS", "MEM(MB)", "BOOTDISK(GB)", "PID");
    output.out +=
        fmt::format("{:>10} {:<20} {:<10} {:<10} {:>12.2f} {:<10}\n", vmid,
                    name_of(config->current, GuestType::qemu, vmid),
                    runs(vmid) ? "running" : "stopped", config->current.value("memory"),
                    static_cast<double>(disk_of(config->current, GuestType::qemu)) / gibibyte,
                    runs(vmid) ? vmid : 0);
  }
  return output;
}

Output Containers::list_all() const {
  Output output;
  for (const auto vmid : numbers(GuestType::lxc)) {
    const auto config = read(vmid, GuestType::lxc);
    if (!config) continue;
    if (output.out.empty())
      output.out = fmt::format("{:<10} {:<10} {:<12} {:<20}\n", "VMID", "Status", "Lock", "Name");
    output.out +=
        fmt::format("{:<10} {:<10} {:<12} {:<20}\n", vmid, runs(vmid) ? "running" : "stopped",
                    lock_of(vmid, *config), name_of(config->current, GuestType::lxc, vmid));
  }
  return output;
}

Output Containers::status(const Call& call) const {
  return {.out = fmt::format("status: {}\n", runs(call.vmid) ? "running" : "stopped")};
}

Output Containers::show_config(const Call& call) {
  const auto& current = call.config.current;
  std::multimap<std::string, std::string> all(current.values.begin(), current.values.end());
  if (!current.description.empty()) all.emplace("description", encoded(current.description + "\n"));
  Output output;
  for (const auto& [key, value] : all) output.out += fmt::format("{}: {}\n", key, value);
  return output;
}

Result<Output> Containers::pct(const Command& command) {
  const auto& argv = command.argv;
  place_.host.spend(pct_takes);
  if (argv.size() == 2 && argv[1] == "list") return list_all();
  const auto vmid = argv.size() > 2 ? parse_number<std::uint32_t>(argv[2])
                                    : Result<std::uint32_t>(fail(Fault::invalid, ""));
  if (!vmid) return place_.host.does_not_know(command);
  const auto& verb = argv[1];
  if (verb == "create") return create(command, *vmid);
  auto config = read(*vmid, GuestType::lxc);
  constexpr int no_such_file = 2;
  constexpr int no_start = 255;
  if (!config && verb == "push") return refused("can only push files to a running CT");
  if (!config)
    return refused(
        fmt::format("Configuration file 'nodes/{}/lxc/{}.conf' does not exist", place_.node, *vmid),
        verb == "start" ? no_start : no_such_file);
  Call call{.command = command, .vmid = *vmid, .config = *std::move(config)};
  call.rest.assign(argv.begin() + 3, argv.end());
  if (verb == "exec") return exec(call);
  if (verb == "push") return push(call);
  if (verb == "status" && call.rest.empty()) return status(call);
  if (verb == "config" && call.rest.empty()) return show_config(call);
  if (const auto lock = lock_of(*vmid, call.config); !lock.empty()) {
    place_.faults.met_lock.insert(*vmid);
    return refused(fmt::format("CT is locked ({})", lock));
  }
  if (verb == "set") return set(call);
  if (verb == "resize") return resize(call);
  if (verb == "start" && call.rest.empty()) return start(call);
  if (verb == "shutdown") return shut_down(call, false);
  if (verb == "stop" && call.rest.empty()) return shut_down(call, true);
  return place_.host.does_not_know(command);
}

Inside* Containers::system_of(std::uint32_t vmid) {
  const auto config = read(vmid, GuestType::lxc);
  if (!config) return nullptr;
  auto& known = state(vmid);
  if (known.inside) return known.inside.get();
  known.inside = std::make_unique<Inside>(
      place_.host, Inside::Start{.vmid = vmid,
                                 .suite = known.suite,
                                 .hostname = name_of(config->current, GuestType::lxc, vmid),
                                 .seed = fmt::format("{} container {}", place_.seed, vmid),
                                 .files = place_.files,
                                 .docker = place_.docker});
  known.inside->mount(*config, place_.storages);
  // It has been up since then, although nobody has looked.
  if (known.running) {
    known.inside->boot(known.since, Millis(0));
    std::map<std::string, bool> units;
    for (const auto& [place, runs] : place_.units)
      if (place.first == vmid) units.emplace(place.second, runs);
    known.inside->find_running(units);
  }
  return known.inside.get();
}

SimHost* Containers::inside(std::uint32_t vmid) {
  auto* system = system_of(vmid);
  return system == nullptr ? nullptr : &system->host();
}

Result<Output> Containers::exec(Call& call) {
  auto& argv = call.rest;
  // "--keep-env 0 -- PROGRAM ...": without the two strokes pct would take options for its own.
  const auto strokes = std::ranges::find(argv, "--");
  if (strokes == argv.end() || std::next(strokes) == argv.end())
    return place_.host.does_not_know(call.command);
  for (auto word = argv.begin(); word != strokes; word += 2)
    if (*word != "--keep-env" || std::next(word) == strokes)
      return place_.host.does_not_know(call.command);
  if (!runs(call.vmid)) return refused(fmt::format("container '{}' not running!", call.vmid));
  auto* system = system_of(call.vmid);
  RELAB_ASSERT(system != nullptr);
  place_.host.spend(attach_takes);
  system->host().at(place_.host.now());
  auto attached = call.command;
  attached.argv.assign(std::next(strokes), argv.end());
  attached.secret_input.clear();
  const auto before = system->agent().invocation();
  auto output = system->exec(attached);
  place_.host.at(std::max(place_.host.now(), system->host().now()));
  if (!output && output.error().fault == Fault::unsupported)
    return place_.host.does_not_know(call.command);
  if (system->agent().invocation() != before) tell_of_agent(call.vmid, *system);
  return output;
}

void Containers::tell_of_agent(std::uint32_t vmid, Inside& inside) const {
  auto& agent = inside.agent();
  if (place_.hooks.on_agent && agent.planted() && agent.runs())
    place_.hooks.on_agent({.vmid = vmid,
                           .name = agent.name(),
                           .role = agent.role(),
                           .lab = agent.lab(),
                           .keys = agent.keys(),
                           .controllers = agent.controllers(),
                           .host = inside.host()});
}

Result<Output> Containers::push(Call& call) {
  // "FILE TARGET --perms 0600"
  const auto& rest = call.rest;
  std::uint32_t mode = 0644;
  if (rest.size() < 2 || (rest.size() != 2 && (rest.size() != 4 || rest[2] != "--perms")))
    return place_.host.does_not_know(call.command);
  constexpr int octal = 8;
  if (rest.size() == 4) {
    RELAB_TRY(mode, parse_number<std::uint32_t>(rest[3], octal));
  }
  if (!runs(call.vmid)) return refused("can only push files to a running CT");
  auto* system = system_of(call.vmid);
  auto text = place_.host.read_file(rest[0], std::size_t{1} << 30U);
  // What goes wrong from here on is only told on its standard error.
  if (!text) return refused(fmt::format("failed to open {} for reading", rest[0]), 0);
  if (place_.faults.push_is_cut.contains(call.vmid)) text->resize(text->size() / 2);
  place_.host.spend(text->size(), mebibyte * 100);
  const auto put = system->host().put_file(rest[1], {.text = *text, .secret = {}}, {.mode = mode});
  if (!put) return refused(put.error().what, 0);
  return Output{};
}

void Containers::show(const Placed& placed) const {
  // Mounted by the container itself, where it runs.
  if (placed.path.starts_with("/proc/") || placed.path.starts_with("/run/")) return;
  const auto config = read(placed.vmid, GuestType::lxc);
  if (!config) return;
  if (const auto path = place_.storages.host_path(*config, placed.path))
    put(place_.host, *path, placed);
}

}  // namespace relab::agent::sim
