#include "agent/kinds/support/pve_guests.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/kinds/support/json.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

const Path pve = "/etc/pve";

std::string_view folder(GuestType type) { return type == GuestType::lxc ? "lxc" : "qemu-server"; }

bool is_missing(const Error& error) { return error.fault == Fault::missing; }

/// Where /etc/pve tells which node this is; its link stands for the node's own folder.
Result<std::string> node_name(Host& host) {
  if (const auto link = host.read_link(pve / "local")) return Path(*link).filename().string();
  RELAB_TRY(const auto name, host.read_file("/proc/sys/kernel/hostname"));
  return std::string(trim(name).substr(0, trim(name).find('.')));
}

struct Listed {
  std::string name;
  std::string status;
};
using States_by_vmid = std::map<std::uint32_t, Listed>;

Result<States_by_vmid> parse_states(std::string_view text, std::string_view what) {
  RELAB_TRY(const auto list, parse_json(text, what));
  if (!list.is_array()) return fail(Fault::damaged, fmt::format("{} printed no list", what));
  States_by_vmid states;
  for (const auto& item : list) {
    const auto vmid = number_of(item, "vmid");
    if (!vmid || *vmid > UINT32_MAX)
      return fail(Fault::damaged, fmt::format("{} printed a guest without a number", what));
    states[static_cast<std::uint32_t>(*vmid)] = {.name = text_of(item, "name"),
                                                 .status = text_of(item, "status")};
  }
  return states;
}

Result<States_by_vmid> read_states(Host& host, GuestType type) {
  const auto path = fmt::format("/nodes/localhost/{}", name(type));
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"pvesh", "get", path, "--output-format", "json"}}));
  return parse_states(text, "pvesh get " + path);
}

/// "130.conf" is 130.
std::optional<std::uint32_t> vmid_of(std::string_view file) {
  if (!file.ends_with(".conf")) return {};
  const auto vmid = parse_number<std::uint32_t>(file.substr(0, file.size() - 5));
  return vmid ? std::optional(*vmid) : std::nullopt;
}

std::string name_in(const PveConfig& config, GuestType type, std::uint32_t vmid) {
  const auto text = config.current.value(type == GuestType::lxc ? "hostname" : "name");
  if (!text.empty()) return text;
  return (type == GuestType::lxc ? "CT" : "VM ") + std::to_string(vmid);
}

Result<PveGuest> read_guest(Host& host, const Path& path, GuestType type, std::uint32_t vmid) {
  RELAB_TRY(const auto text, host.read_file(path));
  if (trim(text).empty()) return fail(Fault::damaged, fmt::format("{} is empty", path.string()));
  PveGuest guest{.vmid = vmid, .type = type, .name = {}, .status = {}, .config = {}};
  guest.config = parse_pve_config(text, type);
  guest.name = name_in(guest.config, type, vmid);
  return guest;
}

std::string numbers(const std::vector<std::size_t>& list) {
  return fmt::format("{}", fmt::join(list, ", "));
}

/// The guests of one type by their files. A folder that is not there holds none: pvesh would list
/// what it does not hold.
Result<std::vector<PveGuest>> read_configs(Host& host, const Path& node, GuestType type,
                                           Gaps& gaps) {
  const auto where = node / folder(type);
  const auto names = host.list(where);
  std::vector<PveGuest> guests;
  if (!names && is_missing(names.error())) return guests;
  if (!names) return fail(names.error());
  for (const auto& file : *names) {
    const auto vmid = vmid_of(file);
    if (!vmid) continue;
    auto guest = read_guest(host, where / file, type, *vmid);
    const auto part = fmt::format("guest {}", *vmid);
    if (!guest) {
      gaps.problem(part, guest.error());
      continue;
    }
    if (const auto& bad = guest->config.bad_lines; !bad.empty())
      gaps.problem(part, fmt::format("lines {} of {} are not understood", numbers(bad),
                                     (where / file).string()));
    guests.push_back(std::move(*guest));
  }
  return guests;
}

/// Both lists must tell of the same guests: each alone may be a remnant.
void join_states(std::vector<PveGuest>& guests, States_by_vmid states, GuestType type, Gaps& gaps) {
  for (auto& guest : guests) {
    if (guest.type != type) continue;
    const auto found = states.find(guest.vmid);
    if (found == states.end()) {
      gaps.problem(fmt::format("guest {}", guest.vmid),
                   "it has a configuration file, but pvesh does not list it");
      continue;
    }
    guest.status = found->second.status;
    if (guest.status.empty())
      gaps.problem(fmt::format("guest {}", guest.vmid), "pvesh tells no state of it");
    states.erase(found);
  }
  for (const auto& [vmid, listed] : states)
    gaps.problem(
        fmt::format("guest {}", vmid),
        fmt::format("pvesh lists it ({}), but its configuration file was not read", listed.name));
}

void add_states(Host& host, std::vector<PveGuest>& guests, GuestType type, Gaps& gaps) {
  auto states = read_states(host, type);
  if (states)
    join_states(guests, std::move(*states), type, gaps);
  else
    gaps.problem(fmt::format("states of {} guests", name(type)), states.error());
}

/// Nodes that the cluster knows; none where it is no cluster or does not tell.
std::vector<std::string> members(Host& host) {
  std::vector<std::string> names;
  const auto text = host.read_file(pve / ".members");
  const auto json = text ? parse_json(*text, ".members") : Result<Json>(fail(text.error()));
  if (!json || !member(*json, "nodelist").is_object()) return names;
  for (const auto& [node, unused] : member(*json, "nodelist").items()) names.push_back(node);
  return names;
}

std::size_t configs_of(Host& host, const Path& node) {
  std::size_t count = 0;
  for (const auto type : {GuestType::lxc, GuestType::qemu}) {
    const auto names = host.list(node / folder(type));
    if (names)
      count += static_cast<std::size_t>(std::ranges::count_if(
          *names, [](const auto& file) { return vmid_of(file).has_value(); }));
  }
  return count;
}

/// After a change of the host's name its guests stay in the folder of the old one, and Proxmox no
/// longer shows them.
void look_at_other_nodes(Host& host, const std::vector<std::string>& nodes, const std::string& own,
                         Gaps& gaps) {
  const auto known = members(host);
  for (const auto& node : nodes) {
    if (node == own) continue;
    const auto count = configs_of(host, pve / "nodes" / node);
    const auto part = "guests of node " + node;
    if (std::ranges::find(known, node) != known.end())
      gaps.absent(part, "another node of this cluster; its own agent reads them");
    else if (count > 0)
      gaps.problem(part, fmt::format("{} guest configurations of a node that the cluster does not "
                                     "know: was this host renamed?",
                                     count));
  }
}

/// Fault::missing if there is nothing of Proxmox VE here; another error if it is half here.
Result<std::vector<std::string>> node_folders(Host& host) {
  const auto nodes = host.list(pve / "nodes");
  if (nodes && !nodes->empty()) return *nodes;
  if (!nodes && !is_missing(nodes.error())) return fail(nodes.error());
  const bool folder_there = host.status(pve).has_value();
  const auto tool = host.status("/usr/bin/pvesh");
  if (!folder_there && !tool)
    return fail(Fault::missing, "this is no Proxmox VE host: neither /etc/pve nor pvesh is here");
  return fail(Fault::damaged,
              folder_there ? "/etc/pve is here, but holds no nodes: pmxcfs does not run"
                           : "pvesh is here, but /etc/pve is not",
              "start it (systemctl start pve-cluster) and audit again");
}

}  // namespace

std::string PveGuest::title() const {
  return fmt::format("{} {} ({})", type == GuestType::lxc ? "container" : "VM", vmid, name);
}

Result<std::optional<PveGuest>> read_pve_guest(Host& host, std::uint32_t vmid) {
  const auto nodes = node_folders(host);
  if (!nodes && is_missing(nodes.error())) return fail(Fault::unsupported, nodes.error().what);
  if (!nodes) return fail(nodes.error());
  RELAB_TRY(const auto node, node_name(host).during("finding this node's name"));
  for (const auto type : {GuestType::lxc, GuestType::qemu}) {
    const auto path = pve / "nodes" / node / folder(type) / fmt::format("{}.conf", vmid);
    const auto there = host.status(path);
    if (!there && is_missing(there.error())) continue;
    if (!there) return fail(there.error());
    RELAB_TRY(auto guest, read_guest(host, path, type, vmid));
    RELAB_TRY(const auto states, read_states(host, type));
    const auto found = states.find(vmid);
    if (found == states.end() || found->second.status.empty())
      return fail(Fault::damaged, fmt::format("{} has a configuration file, but pvesh tells no "
                                              "state of it",
                                              guest.title()));
    guest.status = found->second.status;
    return std::optional(std::move(guest));
  }
  return std::optional<PveGuest>();
}

Result<PveGuests> read_pve_guests(Host& host, States states, Gaps& gaps) {
  const auto nodes = node_folders(host);
  if (!nodes && is_missing(nodes.error())) return PveGuests{.absent = nodes.error().what};
  if (!nodes) return fail(nodes.error());
  PveGuests all;
  RELAB_TRY(all.node, node_name(host).during("finding this node's name"));
  if (std::ranges::find(*nodes, all.node) == nodes->end())
    return fail(Fault::damaged,
                fmt::format("/etc/pve/nodes has no folder of this node, '{}'", all.node),
                "was the host renamed? Its guests are in the folder of the old name");
  for (const auto type : {GuestType::lxc, GuestType::qemu}) {
    auto guests = read_configs(host, pve / "nodes" / all.node, type, gaps);
    if (!guests) gaps.problem(fmt::format("{} guests", name(type)), guests.error());
    if (guests) std::ranges::move(*guests, std::back_inserter(all.guests));
  }
  add_states(host, all.guests, GuestType::lxc, gaps);
  if (states == States::all) add_states(host, all.guests, GuestType::qemu, gaps);
  look_at_other_nodes(host, *nodes, all.node, gaps);
  std::ranges::sort(all.guests, {}, &PveGuest::vmid);
  return all;
}

}  // namespace relab::agent
