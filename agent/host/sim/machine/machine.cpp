#include "agent/host/sim/machine/machine.h"

#include <fmt/format.h>

#include "agent/host/sim/network/coverage.h"
#include "agent/host/sim/proxmox/tunnel_units.h"
#include "agent/kinds/support/pve_config.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

/// Forking and answering.
constexpr auto usual_command = Millis(15);

}  // namespace

Machine::Machine(World world, Hooks hooks)
    : world_(world),
      debian_(begin(host_, world), world),
      storage_(host_, world),
      network_(host_, world),
      pci_(host_, world),
      services_(host_, world),
      schedules_(host_, world),
      reachability_(host_, world, network_, services_),
      proxmox_(host_, world, own_hooks(std::move(hooks))) {
  leave_out_absent();
  follow_tunnels();
  write_files();
  weigh_folders();
  join_network();
  host_.each_command_takes(usual_command);
}

SimHost& Machine::begin(SimHost& host, World world) {
  host.at(instant_of(world.getBegan()));
  host.strict({});
  return host;
}

/// A machine without ZFS has no programs of it.
void Machine::leave_out_absent() {
  if (world_.getZfs().getCoverage().getAbsent().size() == 0) return;
  for (const auto* program : {"zpool", "zfs"}) leave_out(host_, program);
}

/// What WireGuard's package brings no audit tells by its name.
void Machine::follow_tunnels() {
  auto& units = debian_.units();
  follow_units(units, network_.wireguard());
  if (is_absent(world_.getNetwork().getCoverage(), "WireGuard")) return;
  const auto file = Path("/usr/lib/systemd/system") / tunnel_unit;
  if (!is_there(host_, file)) units.install(tunnel_unit, tunnel_unit_text, false);
}

Hooks Machine::own_hooks(Hooks hooks) {
  hooks.on_volume = [this](const Volume& volume) { return make_volume(volume); };
  hooks.on_power = [this, then = std::move(hooks.on_power)](std::uint32_t vmid, bool runs) {
    connect(vmid, runs);
    if (then) then(vmid, runs);
  };
  hooks.has_bridge = [this](const std::string& name) {
    return network_.wiring().link(name) != nullptr;
  };
  hooks.leaves = [this] { return leaves(str(world_.getHost())); };
  return hooks;
}

void Machine::write_files() {
  host_.file("/etc/machine-id", str(world_.getMachineId()) + "\n");
  for (const auto file : world_.getFiles())
    if (file.getVmid() == 0)
      host_.file(str(file.getPath()), str(file.getText()),
                 {.type = FileType::regular,
                  .mode = file.getMode(),
                  .uid = file.getUid(),
                  .gid = file.getGid()});
}

/// What a file system holds, of which a few files are known. What the system itself has is known
/// better by its packages.
void Machine::weigh_folders() {
  for (const auto dataset : world_.getZfs().getDatasets())
    if (dataset.getMounted() && view(dataset.getMountpoint()) != "/")
      host_.weighs(str(dataset.getMountpoint()), dataset.getReferenced());
}

void Machine::join_network() {
  for (const auto guest : world_.getGuests().getGuests()) {
    if (reachability_.find(str(guest.getName())) != nullptr)
      attach(guest.getVmid(), str(guest.getName()));
  }
  debian_.packages().reached_by(way_out_of(str(world_.getHost())));
}

void Machine::attach(std::uint32_t vmid, const std::string& name) {
  auto* inside = proxmox_.inside(vmid);
  if (inside == nullptr) return;
  reachability_.attach(*inside, name);
  proxmox_.debian(vmid)->packages().reached_by(way_out_of(name));
}

bool Machine::leaves(const std::string& name) const {
  return world_.getNetwork().getAddresses().size() == 0 || reachability_.leaves(name);
}

std::function<std::string(const std::string&)> Machine::way_out_of(const std::string& name) {
  return [this, name](const std::string& server) {
    return leaves(name) ? std::string() : fmt::format("Temporary failure resolving '{}'", server);
  };
}

/// With the addresses that its configuration has by now: it may have been made meanwhile.
void Machine::connect(std::uint32_t vmid, bool runs) {
  auto* guest = reachability_.find_guest(vmid);
  if (guest != nullptr) guest->is_up = runs;
  auto* inside = proxmox_.inside(vmid);
  if (guest != nullptr || !runs || inside == nullptr) return;
  const auto text = host_.read_file(Path(fmt::format("/etc/pve/lxc/{}.conf", vmid)));
  if (!text) return;
  const auto config = parse_pve_config(*text, GuestType::lxc).current;
  std::vector<Attachment> attachments;
  for (const auto& [key, value] : config.values)
    if (key.starts_with("net"))
      if (auto attachment = attachment_of(value)) attachments.push_back(*std::move(attachment));
  if (attachments.empty()) return;
  const auto name = config.value("hostname");
  reachability_.add(name, {.vmid = vmid, .attachments = [attachments = std::move(attachments)] {
                             return attachments;
                           }});
  attach(vmid, name);
}

/// As Proxmox makes a container's root: PVE::Storage::ZFSPoolPlugin.
Result<void> Machine::make_volume(const Volume& volume) {
  if (volume.dataset.empty()) return {};
  const auto quota = fmt::format("refquota={}", volume.bytes);
  const bool there = storage_.pools().dataset(volume.dataset) != nullptr;
  RELAB_TRY(const auto output,
            host_.run({.argv = there ? std::vector<std::string>{"zfs", "set", quota, volume.dataset}
                                     : std::vector<std::string>{
                                           "zfs", "create", "-o", "acltype=posixacl", "-o",
                                           "xattr=sa", "-o", quota, volume.dataset}}));
  if (output.status == 0) return {};
  return fail(Fault::busy, output.err);
}

std::set<std::string> Machine::unplugged() const {
  std::set<std::string> serials;
  for (const auto serial : world_.getUnplugged()) {
    const auto* disk = storage_.disks().by_serial(str(serial));
    if (disk != nullptr && !disk->attached) serials.insert(str(serial));
  }
  return serials;
}

std::set<std::string> Machine::unknown() const {
  auto all = host_.unknown();
  all.merge(proxmox_.unknown());
  return all;
}

}  // namespace relab::agent::sim
