/// What pct changes: new containers, their settings, and whether they run.

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/host/sim/proxmox/containers.h"
#include "agent/host/sim/proxmox/templates.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"

namespace relab::agent::sim {

namespace {

constexpr Millis create_takes{10'000};
constexpr Millis start_takes{3000};
constexpr Millis boot_takes{4000};
constexpr Millis shut_down_takes{5000};
constexpr Millis set_takes{300};
constexpr unsigned gibibyte_bits = 30;

Output refused(std::string_view words) {
  return {.status = 255, .err = fmt::format("{}\n", words)};
}

bool is_numbered(std::string_view key, std::string_view stem) {
  const auto [name, number] = split_key(key);
  return name == stem && number.has_value();
}

/// Options of `pct set` that are simulated; `pct create` has more.
bool is_setting(std::string_view key) {
  constexpr std::array known{"cores",      "cpulimit",   "cpuunits",   "description",
                             "features",   "hookscript", "hostname",   "memory",
                             "nameserver", "onboot",     "protection", "searchdomain",
                             "startup",    "swap",       "tags",       "timezone"};
  return std::ranges::find(known, key) != known.end() || is_numbered(key, "net") ||
         is_numbered(key, "mp") || is_numbered(key, "dev");
}

bool is_for_creation(std::string_view key) {
  constexpr std::array known{"arch", "ostype", "rootfs", "unprivileged"};
  return std::ranges::find(known, key) != known.end();
}

/// Whether it takes effect in a container that runs; what is not there yet does.
bool is_hot(std::string_view key, const PveSection& current) {
  constexpr std::array known{"cores",      "cpulimit", "cpuunits", "description",
                             "hookscript", "hostname", "memory",   "onboot",
                             "protection", "startup",  "swap",     "tags"};
  if (std::ranges::find(known, key) != known.end() || is_numbered(key, "net")) return true;
  return (is_numbered(key, "mp") || is_numbered(key, "dev")) && current.value(key).empty();
}

void unwait(PveSection& pending, std::string_view key) {
  remove_value(pending, key);
  std::string left;
  for (const auto name : split(pending.value("delete"), ','))
    if (!name.empty() && name != key) left += (left.empty() ? "" : ",") + std::string(name);
  if (left.empty())
    remove_value(pending, "delete");
  else
    set_value(pending, "delete", left);
}

/// A network card as Proxmox writes it: what it cannot be without, then the rest by the alphabet.
std::string in_order(const std::string& card) {
  const Properties given(card, "name");
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : given.all()) all[name] = value;
  std::string text = "name=" + all["name"];
  all.erase("name");
  for (const auto& [name, value] : all) text += fmt::format(",{}={}", name, value);
  return text;
}

/// The name of the volume that is to be made with this number.
std::string volume_name(std::uint32_t vmid, unsigned number) {
  return fmt::format("subvol-{}-disk-{}", vmid, number);
}

}  // namespace

std::string Containers::card_address(std::uint32_t vmid, const std::string& key) const {
  constexpr std::size_t digits = 6;
  auto text = crypto::sha256(bytes_of(fmt::format("{} {} {}", place_.seed, vmid, key)));
  text.resize(digits);
  for (auto& c : text)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  return fmt::format("BC:24:11:{}:{}:{}", text.substr(0, 2), text.substr(2, 2), text.substr(4, 2));
}

Result<void> Containers::announce(const Volume& volume) const {
  if (place_.storages.is_full(volume.storage))
    return fail(Fault::busy,
                volume.dataset.empty()
                    ? std::string("No space left on device")
                    : fmt::format("zfs error: cannot create '{}': out of space", volume.dataset));
  return place_.hooks.on_volume ? place_.hooks.on_volume(volume) : Result<void>();
}

Result<std::string> Containers::with_volume(std::uint32_t vmid, const PveConfig& config,
                                            const std::string& value) {
  const auto first = value.substr(0, value.find(','));
  const auto colon = first.find(':');
  const auto size = colon == std::string::npos || first.starts_with('/')
                        ? Result<std::uint32_t>(fail(Fault::invalid, ""))
                        : parse_number<std::uint32_t>(std::string_view(first).substr(colon + 1));
  if (!size) return value;
  unsigned number = 0;
  const auto all = config_text(config, GuestType::lxc);
  while (all.find(volume_name(vmid, number)) != std::string::npos) ++number;
  const auto name = volume_name(vmid, number);
  RELAB_TRY(const auto volume, place_.storages.volume(first.substr(0, colon), name,
                                                      std::uint64_t{*size} << gibibyte_bits));
  RELAB_CHECK(announce(volume));
  place_.host.directory(volume.path);
  return fmt::format("{}:{},size={}G{}", volume.storage, name, *size, value.substr(first.size()));
}

Result<std::string> Containers::checked(std::uint32_t vmid, const PveConfig& config,
                                        const std::string& key, std::string value) {
  if (key == "rootfs" || is_numbered(key, "mp")) return with_volume(vmid, config, value);
  if (is_numbered(key, "dev")) {
    const auto path = Properties(value, "path").value("path");
    if (!place_.host.canonical(path))
      return fail(Fault::missing, fmt::format("Device {} does not exist", path));
  }
  if (!is_numbered(key, "net")) return value;
  const Properties card(value, "name");
  if (card.value("name").empty())
    return fail(Fault::invalid, fmt::format("400 Parameter verification failed.\n{}: invalid "
                                            "format - format error\n{}.name: property is missing "
                                            "and it is not optional",
                                            key, key));
  if (card.value("hwaddr").empty()) value += ",hwaddr=" + card_address(vmid, key);
  if (card.value("type").empty()) value += ",type=veth";
  return in_order(value);
}

Result<void> Containers::change(std::uint32_t vmid, PveConfig& config, const std::string& key,
                                std::string value) {
  RELAB_TRY(auto whole, checked(vmid, config, key, std::move(value)));
  auto& current = config.current;
  unwait(config.pending, key);
  if (key == "description")
    current.description = whole;
  else if (current.value(key) == whole)
    return {};
  else if (runs(vmid) && !is_hot(key, current))
    set_value(config.pending, key, std::move(whole));
  else
    set_value(current, key, std::move(whole));
  return {};
}

void Containers::take_away(std::uint32_t vmid, PveConfig& config, const std::string& key) const {
  auto& current = config.current;
  unwait(config.pending, key);
  if (key == "description") current.description.clear();
  if (current.value(key).empty()) return;
  const bool hot = is_hot(key, current);
  if (!runs(vmid) || hot) {
    remove_value(current, key);
    return;
  }
  const auto names = config.pending.value("delete");
  set_value(config.pending, "delete", names.empty() ? key : names + "," + key);
}

Result<Output> Containers::set(Call& call) {
  place_.host.spend(set_takes);
  if (call.rest.empty() || call.rest.size() % 2 != 0)
    return place_.host.does_not_know(call.command);
  auto& config = call.config;
  for (std::size_t i = 0; i < call.rest.size(); i += 2) {
    const auto key = call.rest[i].starts_with("--") ? call.rest[i].substr(2) : std::string();
    const auto& value = call.rest[i + 1];
    if (key == "delete") {
      for (const auto name : split(value, ',')) {
        if (!is_setting(name)) return place_.host.does_not_know(call.command);
        take_away(call.vmid, config, std::string(name));
      }
      continue;
    }
    if (!is_setting(key)) return place_.host.does_not_know(call.command);
    if (const auto done = change(call.vmid, config, key, value); !done)
      return refused(done.error().what);
  }
  write(call.vmid, config);
  if (runs(call.vmid)) show_mount_points(config);
  if (runs(call.vmid))
    if (auto* system = system_of(call.vmid)) system->mount(config, place_.storages);
  return Output{};
}

Result<Output> Containers::create(const Command& command, std::uint32_t vmid) {
  const auto& argv = command.argv;
  constexpr std::size_t before_options = 4;
  constexpr std::uint32_t vmid_min = 100;
  if (argv.size() < before_options || argv.size() % 2 != 0)
    return place_.host.does_not_know(command);
  if (vmid < vmid_min)
    return refused("400 Parameter verification failed.\nvmid: type check ('pve-vmid') failed");
  for (const auto type : {GuestType::lxc, GuestType::qemu})
    if (read(vmid, type))
      return refused(fmt::format("{} {} already exists on node '{}'",
                                 type == GuestType::lxc ? "CT" : "VM", vmid, place_.node));
  const auto archive = place_.storages.path_of(argv[3]);
  if (!archive) return refused(archive.error().what);
  PveConfig config;
  set_value(config.current, "arch", "amd64");
  set_value(config.current, "ostype", "debian");
  for (std::size_t i = before_options; i < argv.size(); i += 2) {
    const auto key = argv[i].starts_with("--") ? argv[i].substr(2) : std::string();
    if (!is_setting(key) && !is_for_creation(key)) return place_.host.does_not_know(command);
    // Proxmox leaves out what is false.
    const bool is_flag = key == "unprivileged" || key == "onboot" || key == "protection";
    if (is_flag && argv[i + 1] == "0") continue;
    const auto done = change(vmid, config, key, argv[i + 1]);
    if (done) continue;
    const auto& why = done.error();
    if (why.fault == Fault::invalid)
      return refused(why.what + "\n\npct create <vmid> <ostemplate> [OPTIONS]");
    // That is looked at before anything is made.
    if (why.what.starts_with("storage ")) return refused(why.what);
    return refused(fmt::format("unable to create CT {} - {}", vmid, why.what));
  }
  if (config.current.value("rootfs").empty()) return place_.host.does_not_know(command);
  const auto extracting = fmt::format("extracting archive '{}'\n", *archive);
  if (!place_.host.status(*archive)) {
    auto output = refused(fmt::format(
        "unable to create CT {} - failed to open '{}': No such file or directory", vmid, *archive));
    output.out = extracting;
    return output;
  }
  place_.host.spend(create_takes);
  write(vmid, config);
  states_.erase(vmid);
  state(vmid).suite = suite_of_template(Path(*archive).filename().string());
  write_system(vmid, config, state(vmid).suite);
  return Output{.out = extracting};
}

void Containers::write_system(std::uint32_t vmid, const PveConfig& config,
                              const std::string& suite) const {
  show_mount_points(config);
  const auto name = config.current.value("hostname");
  show({.vmid = vmid,
        .path = "/etc/hostname",
        .content = (name.empty() ? fmt::format("CT{}", vmid) : name) + "\n"});
  show({.vmid = vmid,
        .path = "/etc/os-release",
        .content = fmt::format("ID=debian\nVERSION_CODENAME={}\n", suite)});
}

/// Proxmox makes them in what they are mounted on.
void Containers::show_mount_points(const PveConfig& config) const {
  const auto root = place_.storages.host_path(config, "/");
  if (!root) return;
  for (const auto& mount : container_mounts(config.current))
    if (mount.path != "/" && !mount.of_device())
      place_.host.directory(*root / Path(mount.path).relative_path());
}

Result<Output> Containers::resize(Call& call) {
  if (call.rest.size() != 2) return place_.host.does_not_know(call.command);
  const auto& key = call.rest[0];
  const Properties disk(call.config.current.value(key), "volume");
  const auto now = parse_pve_size(disk.value("size"));
  const bool is_more = call.rest[1].starts_with('+');
  const auto size = parse_pve_size(call.rest[1].substr(is_more ? 1 : 0));
  const auto source = disk.value("volume");
  // It is a task, and what becomes of that is not told by the exit status.
  const auto failed = [](std::string words) { return Output{.err = std::move(words) + "\n"}; };
  if (!now || !size || source.starts_with('/')) return place_.host.does_not_know(call.command);
  const auto wanted = is_more ? *now + *size : *size;
  // That is looked at before there is a task.
  if (wanted < *now) return refused("unable to shrink disk size");
  if (wanted == *now) return refused("disk is already at specified size");
  const auto colon = source.find(':');
  const auto volume =
      place_.storages.volume(source.substr(0, colon), source.substr(colon + 1), wanted);
  if (!volume) return failed(volume.error().what);
  if (const auto done = announce(*volume); !done) return failed(done.error().what);
  std::string text = source;
  for (const auto& [name, value] : disk.all())
    if (name != "volume")
      text += fmt::format(",{}={}", name, name == "size" ? size_text(wanted) : value);
  set_value(call.config.current, key, text);
  write(call.vmid, call.config);
  return Output{};
}

void Containers::apply_pending(PveConfig& config) {
  for (const auto name : split(config.pending.value("delete"), ','))
    remove_value(config.current, name.starts_with('!') ? name.substr(1) : name);
  remove_value(config.pending, "delete");
  for (auto& [key, value] : config.pending.values) set_value(config.current, key, value);
  config.pending.values.clear();
}

std::string Containers::why_it_cannot_start(const PveConfig& config) const {
  for (const auto& mount : container_mounts(config.current)) {
    const bool is_raw = mount.key.starts_with("lxc.");
    if (!mount.of_host() || is_raw || place_.host.canonical(mount.source)) continue;
    return mount.of_device() ? fmt::format("device '{}' does not exist", mount.source)
                             : fmt::format("directory '{}' does not exist", mount.source);
  }
  for (const auto& [key, value] : config.current.values) {
    if (!is_numbered(key, "dev")) continue;
    const auto path = Properties(value, "path").value("path");
    if (!place_.host.canonical(path)) return fmt::format("Device {} does not exist", path);
  }
  for (const auto& [key, value] : config.current.values) {
    const auto bridge = is_numbered(key, "net") ? Properties(value, "").value("bridge") : "";
    if (!bridge.empty() && place_.hooks.has_bridge && !place_.hooks.has_bridge(bridge))
      return fmt::format("bridge '{}' does not exist", bridge);
  }
  return {};
}

void Containers::note_end(std::uint32_t vmid, const std::string& words) const {
  place_.host.answer(fmt::format("journalctl -u pve-container@{} -n 3 --no-pager -o cat", vmid),
                     {.out = words + "\n"});
}

Result<Output> Containers::start(Call& call) {
  const auto vmid = call.vmid;
  if (runs(vmid)) return refused(fmt::format("CT {} already running", vmid));
  if (call.config.current.truth("template"))
    return refused("you can't start a CT if it's a template");
  apply_pending(call.config);
  write(vmid, call.config);
  place_.host.spend(start_takes);
  auto why = why_it_cannot_start(call.config);
  if (place_.faults.does_not_start.contains(vmid)) {
    why = "Failed to spawn container";
    place_.faults.met_at_start.emplace(vmid, false);
  }
  if (!why.empty()) {
    note_end(vmid, why);
    return refused(fmt::format("startup for container '{}' failed", vmid));
  }
  if (place_.faults.ends_after_start.contains(vmid)) {
    place_.faults.met_at_start.emplace(vmid, true);
    note_end(vmid, "Main process exited, code=exited, status=1/FAILURE");
    return Output{};
  }
  show_mount_points(call.config);
  auto& known = state(vmid);
  auto* system = system_of(vmid);
  RELAB_ASSERT(system != nullptr);
  known.running = true;
  known.since = place_.host.now();
  system->mount(call.config, place_.storages);
  system->boot(known.since, boot_takes);
  if (place_.hooks.on_power) place_.hooks.on_power(vmid, true);
  tell_of_agent(vmid, *system);
  return Output{};
}

Result<Output> Containers::shut_down(Call& call, bool by_force) {
  const auto vmid = call.vmid;
  auto patience = Millis(std::chrono::seconds(60));
  if (!call.rest.empty()) {
    const auto seconds = call.rest.size() == 2 && call.rest[0] == "--timeout" && !by_force
                             ? parse_number<std::uint32_t>(call.rest[1])
                             : Result<std::uint32_t>(fail(Fault::invalid, ""));
    if (!seconds) return place_.host.does_not_know(call.command);
    patience = std::chrono::seconds(*seconds);
  }
  if (!runs(vmid)) return refused(fmt::format("CT {} not running", vmid));
  if (!by_force && place_.faults.does_not_shut_down.contains(vmid)) {
    place_.host.spend(patience);
    return refused("container did not stop");
  }
  place_.host.spend(by_force ? set_takes : shut_down_takes);
  auto& known = state(vmid);
  known.running = false;
  if (known.inside) known.inside->shut_down(place_.host.now());
  apply_pending(call.config);
  write(vmid, call.config);
  if (place_.hooks.on_power) place_.hooks.on_power(vmid, false);
  return Output{};
}

}  // namespace relab::agent::sim
