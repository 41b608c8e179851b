#include "controller/survival/losses.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "common/base/number.h"
#include "common/base/text.h"
#include "controller/lab/additions.h"
#include "controller/survival/fates.h"

namespace relab::controller {

namespace {

/// Whose disk a dataset is, by the name that Proxmox gives it: "rpool/data/subvol-100-disk-0". 0:
/// of none. https://pve.proxmox.com/pve-docs/chapter-pvesm.html
std::uint32_t owner_of(std::string_view dataset) {
  const auto parts = split(dataset.substr(dataset.rfind('/') + 1), '-');
  if (parts.size() < 3 || (parts[0] != "subvol" && parts[0] != "vm" && parts[0] != "base"))
    return 0;
  return parse_number<std::uint32_t>(parts[1]).value_or(0);
}

/// What the installer of Proxmox makes in the pool that has "/": "dataset rpool/ROOT/pve-1". In any
/// other pool, datasets of such names are somebody's own.
bool is_of_the_installer(const Thing& thing, std::string_view root_pool) {
  if (thing.pool != root_pool) return false;
  const auto name = thing.what.substr(thing.what.rfind(' ') + 1);
  for (const auto* below : {"", "/ROOT", "/ROOT/pve-1", "/data", "/var-lib-vz"})
    if (name == thing.pool + below) return true;
  return false;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> undecided_losses(const Evidences& evidences,
                                                                  const std::string& host) {
  const auto heard = hear_audit(evidences, host, lab::proof_age_max);
  const auto fates = fates_on(evidences, host, heard.audit, lab::proof_age_max);
  const auto root_pool = root_pool_of(heard.audit);
  std::map<std::uint32_t, std::string> known;
  // Of one that is yet to be made, another may have the number now.
  for (const auto guest : evidences.lab.getGuests())
    if (!guest.getPlanned()) known[guest.getVmid()] = str(guest.getName());
  std::set<std::uint32_t> guests;
  for (const auto& fate : fates)
    if (fate.thing.vmid != 0) guests.insert(fate.thing.vmid);
  std::map<std::uint32_t, std::vector<std::string>> losses;
  for (const auto& fate : fates) {
    const auto& thing = fate.thing;
    if (fate.ending != Ending::lost || thing.wanted || thing.given_up) continue;
    if (thing.is_dataset() &&
        (is_of_the_installer(thing, root_pool) || guests.contains(owner_of(thing.what))))
      continue;
    const bool is_root = thing.path.empty() || thing.path == "/";
    if (thing.vmid != 0 && is_root && known.contains(thing.vmid)) continue;
    losses[thing.vmid].push_back(is_root ? thing.what : thing.path);
  }
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [vmid, what] : losses) {
    const auto name = known.find(vmid);
    all.emplace_back(vmid == 0 ? host
                     : name == known.end()
                         ? fmt::format("guest {} of {}, which lab.toml does not know", vmid, host)
                         : fmt::format("guest {} of {}, {}", vmid, host, name->second),
                     fmt::format("{}", fmt::join(what, ", ")));
  }
  return all;
}

}  // namespace relab::controller
